"""Files that go back: their types and names, several in an archive."""

import io
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath

from PIL import Image

from symface_cli.geometry.types import Photo
from symface_cli.serve.work.studio import Upload

SCREEN_QUALITY = 90  # of JPEG: 100 kB and 15 ms for 1200 x 1200 pixels
MEDIA_TYPES = {
    ".avif": "image/avif",
    ".bmp": "image/bmp",
    ".gif": "image/gif",
    ".heic": "image/heic",
    ".heif": "image/heif",
    ".hif": "image/heif",
    ".jfif": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".json": "application/json",
    ".png": "image/png",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".webp": "image/webp",
    ".zip": "application/zip",
}


@dataclass(frozen=True)
class Answer:
    """What comes of a job.

    Attributes:
        content: A file.
        suffix: Of its name, with the dot; it says what it is.
        name: Its name; empty if it is not for keeping.
        notes: What a user should know, a sentence each.
    """

    content: bytes
    suffix: str
    name: str = ""
    notes: tuple[str, ...] = ()

    @property
    def media_type(self) -> str:
        """Its type."""
        return MEDIA_TYPES[self.suffix]


@dataclass(frozen=True)
class Result:
    """A file that was made of a photo.

    Attributes:
        label: What tells it from the photo's others; empty for the main one.
        suffix: Of its name, with the dot.
        content: The file.
        kind: What comes after the photo's name.
    """

    label: str
    suffix: str
    content: bytes
    kind: str = "symmetric"


def pack(upload: Upload, results: Iterable[Result], notes: tuple[str, ...] = ()) -> Answer:
    """Return the one file that was made of a photo, or an archive of several."""
    files = [(_name(upload, result), result) for result in results]
    if len(files) == 1:
        ((name, result),) = files
        return Answer(result.content, result.suffix, name, notes)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:  # pictures are compressed already
        for name, result in files:
            archive.writestr(zipfile.ZipInfo(name), result.content)
    return Answer(stream.getvalue(), ".zip", f"{PurePath(upload.name).stem}.symface.zip", notes)


def _name(upload: Upload, result: Result) -> str:
    ending = f"-{result.label}" if result.label else ""
    return f"{PurePath(upload.name).stem}.{result.kind}{ending}{result.suffix}"


def encode_for_screen(picture: Photo) -> bytes:
    """Encode a picture (H, W, 3) that is only looked at: quickly, as JPEG."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=SCREEN_QUALITY)
    return stream.getvalue()

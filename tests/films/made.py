"""Films that tests make, of pictures of people who do not exist."""

from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from symface_cli.geometry.types import Photo
from symface_cli.imaging.picture import read_picture
from symface_cli.video.frames import Frame
from tests.conftest import ROOT

BASE = Fraction(1, 90_000)
LOSSLESS = {"crf": "0", "preset": "ultrafast"}


@cache
def example(name: str = "portrait", size: int = 240) -> Photo:
    """An example picture, made so high; not to be written to."""
    photo = read_picture(ROOT / "examples" / f"{name}.jpg").photo
    width = round(photo.shape[1] * size / len(photo) / 2) * 2
    small: Photo = cv2.resize(photo, (width, size), interpolation=cv2.INTER_AREA)
    small.flags.writeable = False
    return small


def moved(photo: Photo, right: float = 0, down: float = 0, turned: float = 0, scale: float = 1) -> Photo:
    """A picture moved by pixels, turned counterclockwise by degrees, and made larger; its edges are continued."""
    height, width = photo.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), turned, scale)
    matrix[:, 2] += right, down
    result: Photo = cv2.warpAffine(
        photo, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return result


def noisy(photo: Photo, count: int, deviation: float = 4, seed: int = 0) -> list[Photo]:
    """Pictures of the same, each with noise of its own."""
    random = np.random.default_rng(seed)
    return [as_photo(photo + random.normal(0, deviation, photo.shape)) for _ in range(count)]


def as_photo(values: NDArray[np.floating]) -> Photo:
    """Values as a picture has them."""
    photo: Photo = values.round().clip(0, 255).astype(np.uint8)
    return photo


def frames_of(photos: Sequence[Photo], rate: int = 25) -> list[Frame]:
    """The frames of a film that is not in a file."""
    return [Frame(index=index, time=Fraction(index, rate), photo=photo) for index, photo in enumerate(photos)]


def write_film(
    path: Path,
    photos: Sequence[Photo],
    times: Sequence[Fraction] | None = None,
    rate: int = 25,
    tags: Sequence[int] | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """Write a film, without loss but for the colors' lower resolution.

    `times` are those of the frames in seconds; `tags` those of primaries, transfer, matrix and range.
    """
    import av

    pixels = "yuv420p"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options=LOSSLESS if options is None else options)
        stream.height, stream.width = photos[0].shape[:2]
        stream.pix_fmt = pixels
        context = stream.codec_context
        context.time_base = stream.time_base = BASE
        if tags is not None:
            context.color_primaries, context.color_trc, context.colorspace, context.color_range = tags
        for index, photo in enumerate(photos):
            frame = _convert(av.VideoFrame.from_ndarray(photo, format="rgb24"), pixels, tags)
            frame.pts = round((Fraction(index, rate) if times is None else times[index]) / BASE)
            frame.time_base = BASE
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def _convert(frame, pixels, tags):
    """A frame as it is stored."""
    if tags is None:
        return frame
    scaler = {1: 1, 6: 5, 9: 9}[tags[2]]
    return frame.reformat(format=pixels, dst_colorspace=scaler, src_color_range=2, dst_color_range=max(tags[3], 1))


def rotate(path: Path, degrees: float) -> None:
    """Have a film shown turned counterclockwise; skips the test where PyAV cannot say so."""
    import av

    plain = path.rename(path.with_stem("plain"))
    with av.open(str(plain)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        if not hasattr(stream, "set_display_rotation"):
            pytest.skip("this PyAV does not write rotations")
        stream.set_display_rotation(degrees)
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)


def add_sound(path: Path, seconds: float) -> None:
    """Give a film sound: noise, as AAC."""
    import av

    silent = path.rename(path.with_stem("silent"))
    random = np.random.default_rng(0)
    with av.open(str(silent)) as source, av.open(str(path), "w") as target:
        pictures = target.add_stream_from_template(source.streams.video[0])
        sound = target.add_stream("aac", rate=48_000, layout="mono")
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = pictures
                target.mux(packet)
        for block in range(round(seconds * 48_000 / 1024)):
            samples = random.normal(0, 0.05, (1, 1024)).astype(np.float32)
            frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = 48_000, 1024 * block, Fraction(1, 48_000)
            target.mux(sound.encode(frame))
        target.mux(sound.encode())


def sound_of(path: Path) -> list[tuple[Fraction, bytes]]:
    """The times and the bytes of a film's packets of sound."""
    import av

    with av.open(str(path)) as container:
        return [
            (packet.pts * packet.time_base, bytes(packet))
            for packet in container.demux(audio=0)
            if packet.pts is not None
        ]

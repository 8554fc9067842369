"""What is done with a photo; jobs and answers go through pipes."""

import json
import os
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from symface_cli.detection.selection import Selection
from symface_cli.errors import SymfaceError, attempt
from symface_cli.geometry.frames import CROP_SIZE, Box
from symface_cli.geometry.types import Array
from symface_cli.geometry.warps import sample_warp
from symface_cli.imaging.photo import encode_png
from symface_cli.imaging.picture import Picture
from symface_cli.inference.symmetrizer import Symmetrizer
from symface_cli.measurement.json_table import as_json
from symface_cli.measurement.photo import Convention, FaceMeasurement, FaceMeter
from symface_cli.measurement.rows import PhotoRows, row_of
from symface_cli.measurement.scale import Scaler
from symface_cli.rendering.comparison import box_corners, midline_ends
from symface_cli.rendering.morphing import Amounts
from symface_cli.rendering.options import Output, OutputOptions
from symface_cli.rendering.outputs import plan_files
from symface_cli.rendering.plan import describe_turn
from symface_cli.rendering.renderers import PhotoRenderer, warp_of
from symface_cli.serve.work.answers import Answer, Result, encode_for_screen, pack
from symface_cli.serve.work.studio import NO_UPLOAD, Choice, Face, OpenPhoto, Studio, Upload, reduce_photo


class Job(Protocol):
    """Something to be done with a photo."""

    @property
    def upload(self) -> Upload:
        """The photo."""

    def run(self, studio: Studio) -> Answer:
        """Do it.

        Raises:
            SymfaceError: If that fails.
        """


@dataclass(frozen=True)
class DescribeJob:
    """Find the faces of a photo, and say where they are."""

    upload: Upload

    def run(self, studio: Studio) -> Answer:
        """Find them; a photo may have none."""
        photo = studio.open(self.upload)
        height, width = photo.picture.photo.shape[:2]
        content = {
            "name": self.upload.name,
            "width": width,
            "height": height,
            "suffix": photo.picture.suffix,
            "notes": photo.picture.notes,
            "faces": [_describe(count, (found, photo.predict(found))) for count, found in enumerate(photo.found, 1)],
        }
        return Answer(json.dumps(content).encode(), ".json")


def _describe(number: int, face: Face) -> dict[str, object]:
    """Describe a face, all points in pixels of the photo."""
    found, prediction = face
    warp = warp_of(prediction)
    return {
        "number": number,
        "box": _rounded(box_corners(found)),
        "eyes": _rounded(sample_warp(warp.photo_from_face, warp.irises.places[:, :2])),
        "midline": _rounded(midline_ends(warp)),
        "yaw_degrees": round(warp.pose.yaw_degrees, 1),
    }


def _rounded(points: Array) -> list[list[float]]:
    rounded: list[list[float]] = points.round(2).tolist()
    return rounded


@dataclass(frozen=True)
class LookJob:
    """Show a photo on a screen, as it is.

    Attributes:
        upload: The photo.
        screen: Its longest side there, in pixels.
    """

    upload: Upload
    screen: int

    def run(self, studio: Studio) -> Answer:
        """Make it smaller."""
        picture, _ = studio.open(self.upload).on_screen([], self.screen)
        return Answer(encode_for_screen(picture.photo), ".jpg", self.upload.name)


@dataclass(frozen=True, kw_only=True)
class SymmetrizeJob:
    """Render files of a photo.

    Attributes:
        upload: The photo.
        options: What to render.
        choice: Of which faces.
        suffix: Format of whole photos and crops; None for the photo's own.
        screen: Longest side in pixels of a photo to be looked at, or made of it; None for the photo's own size.
    """

    upload: Upload
    options: OutputOptions = field(default_factory=OutputOptions)
    choice: Choice = field(default_factory=Choice)
    suffix: str | None = None
    screen: int | None = None

    def run(self, studio: Studio) -> Answer:
        """Render them."""
        photo = studio.open(self.upload)
        preview = self.options.outputs == (Output.PREVIEW,)
        faces, picture = photo.faces(self.choice), photo.picture
        notes = picture.notes if preview else (*picture.notes, *self._note_turns(faces))
        suffix = self.suffix
        if self.screen is not None:
            picture, faces = photo.on_screen(faces, self.screen)
            suffix = suffix or ".jpg"
        files = plan_files(picture, faces, self.options, suffix)
        return pack(self.upload, (Result(file.label(), file.suffix, file.render()) for file in files), notes)

    def _note_turns(self, faces: list[Face]) -> tuple[str, ...]:
        if not self.options.keeps_pose:
            return ()
        numbers = [mark.number or count for count, mark in enumerate(self.choice.marks, 1)] or range(1, len(faces) + 1)
        warps = [(number, prediction.warp) for number, (_, prediction) in zip(numbers, faces, strict=True)]
        return tuple(describe_turn(number, warp) for number, warp in warps if warp is not None and warp.strength < 1)


MeasureOutput = Literal["json", "heatmap", "overlay"]
KINDS: dict[MeasureOutput, str] = {"json": "asymmetry", "heatmap": "asymmetry", "overlay": "points"}
"""What the names of measurements have after the photo's."""


@dataclass(frozen=True, kw_only=True)
class MeasureJob:
    """Measure faces of a photo.

    Attributes:
        upload: The photo.
        output: What is wanted: the numbers, or for each face a heat map, or the photo with points and lines.
        convention: How to measure.
        choice: Which faces; their midlines are measured, whatever a person has said of them.
        screen: Longest side in pixels of pictures to be looked at; None for their own size.
    """

    upload: Upload
    output: MeasureOutput = "json"
    convention: Convention = field(default_factory=Convention)
    choice: Choice = field(default_factory=Choice)
    screen: int | None = None

    def run(self, studio: Studio) -> Answer:
        """Measure them."""
        photo = studio.open(self.upload)
        convention = replace(self.convention, heatmaps=self.output == "heatmap", overlays=self.output == "overlay")
        meter = FaceMeter(studio.symmetrizer, convention, Scaler(convention.scaling, studio.model_folder))
        found = photo.detections(self.choice)
        measured = [meter.measure_faces(photo.picture.photo, [face], first=number)[0] for number, face in found]
        if self.output == "json":
            rows = PhotoRows(photo=self.upload.name, faces=tuple(map(row_of, measured)))
            results = [Result("", ".json", as_json([rows]), KINDS[self.output])]
        else:
            results = [self._encode(face, len(measured) > 1) for face in measured]
        return pack(self.upload, results, photo.picture.notes)

    def _encode(self, face: FaceMeasurement, is_one_of_several: bool) -> Result:
        picture = face.heatmap if self.output == "heatmap" else face.overlay
        assert picture is not None  # it was asked for
        label, kind = str(face.number) if is_one_of_several else "", KINDS[self.output]
        if self.screen is None:
            return Result(label, ".png", encode_png(picture), kind)
        return Result(label, ".jpg", encode_for_screen(reduce_photo(picture, self.screen)), kind)


@dataclass(frozen=True)
class StartJob:
    """Load the network, and use all that is slow when it is used first."""

    upload: Upload = NO_UPLOAD

    def run(self, studio: Studio) -> Answer:
        """Make a gray square symmetric, as if it were a face."""
        gray = Picture.from_array(np.full((2 * CROP_SIZE, 2 * CROP_SIZE), 128, np.uint8))
        marked = Selection(box=Box(CROP_SIZE / 2, CROP_SIZE / 2, CROP_SIZE, CROP_SIZE))
        photo = OpenPhoto(gray, studio.symmetrizer)
        shown = PhotoRenderer(gray, photo.faces(Choice(selection=marked)), OutputOptions()).image(Amounts())
        return Answer(encode_for_screen(shown), ".jpg")


@dataclass(frozen=True)
class ForgetJob:
    """Drop a photo that is not kept any longer."""

    upload: Upload

    def run(self, studio: Studio) -> Answer:
        """Drop it."""
        studio.forget(self.upload.key)
        return Answer(b"", ".json")


@dataclass(frozen=True)
class Setup:
    """What a process loads.

    Attributes:
        weights: A weights file; None for the bundled one.
        device: What the network runs on.
        model_folder: The user's own folder of published models.
    """

    weights: Path | None = None
    device: str = "auto"
    model_folder: Path | None = None


def do(setup: Setup, job: Job) -> Answer | SymfaceError:
    """Do a job with what this process keeps; return why it failed, if it did."""
    return attempt(lambda: job.run(_studio(setup)), job.upload.name)


@cache
def _studio(setup: Setup) -> Studio:
    os.environ["SYMFACE_OFFLINE"] = "1"  # whatever a request asks for, nothing is fetched
    return Studio(Symmetrizer(setup.weights, setup.device), setup.model_folder)

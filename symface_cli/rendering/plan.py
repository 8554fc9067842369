"""Plan one photo's outputs: select its faces, describe them, and return one lazy output per file."""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from functools import partial
from typing import NamedTuple, Protocol

from symface_cli.detection.detector import Detection
from symface_cli.detection.selection import Selection, take_number
from symface_cli.geometry.types import Photo
from symface_cli.geometry.warps import yaw_of_warp
from symface_cli.imaging.photo import encode_png
from symface_cli.imaging.picture import Picture
from symface_cli.inference.face import FacePrediction, FaceWarp
from symface_cli.inference.symmetrizer import Symmetrizer
from symface_cli.measurement.asymmetry import measure_asymmetry
from symface_cli.methods.provider import ProvidedFace, Provider
from symface_cli.rendering.options import Output, OutputOptions
from symface_cli.rendering.outputs import OutputFile, plan_files
from symface_cli.rendering.records import FaceRecord, with_asymmetry
from symface_cli.rendering.renderers import Faces
from symface_cli.version import __version__


class PhotoPlan(NamedTuple):
    """A photo's faces, the files to be rendered of them, and what a user should know of that, a sentence each."""

    faces: tuple[FaceRecord, ...]
    files: tuple[OutputFile, ...]
    notes: tuple[str, ...] = ()


class Planner(Protocol):
    """Planner of the files to be rendered of a photo's faces.

    Attributes:
        can_fork: Whether a process can be forked with it: not with what it has loaded onto a GPU.
    """

    can_fork: bool

    @property
    def parameters(self) -> Mapping[str, object]:
        """Everything that its results depend on, as JSON can hold it."""

    def plan(self, picture: Picture, suffix: str | None) -> PhotoPlan:
        """Plan the files of a picture; whole photos in the format of a suffix, None for their own."""


Check = Callable[[Photo, Detection, FacePrediction], float | None]
"""Distance between the person in the photo and in the symmetric face."""


class NetworkPlanner:
    """Planner of what the options ask for, with the network.

    Args:
        symmetrizer: The loaded network.
        options: What to render.
        selection: Of which faces.
        check: Compares persons; None where that is not wanted.
        measured: Whether to measure the asymmetry of the faces, too.
    """

    def __init__(
        self,
        symmetrizer: Symmetrizer,
        options: OutputOptions,
        selection: Selection,
        check: Check | None = None,
        measured: bool = False,
    ) -> None:
        self._symmetrizer = symmetrizer
        self._options = options
        self._selection = selection
        self._check = check
        self._measured = measured
        self.can_fork = symmetrizer.engine.can_fork

    @property
    def parameters(self) -> Mapping[str, object]:
        """Everything that the results depend on."""
        return {
            "version": __version__,
            "weights": self._symmetrizer.sha256,
            "engine": self._symmetrizer.engine.name,
            "options": asdict(self._options),
            "selection": self._selection.as_dict(),
            "check_identity": self._check is not None,
            "measure": self._measured,
        }

    def plan(self, picture: Picture, suffix: str | None) -> PhotoPlan:
        """Select the faces, predict their warps, and plan their files."""
        photo = picture.photo
        faces = [(found, self._symmetrizer.predict(photo, found)) for found in self._selection.choose(photo)]
        records = tuple(self._record(photo, *face) for face in faces)
        if self._measured:
            measured = measure_asymmetry(self._symmetrizer, photo, [found for found, _ in faces])
            records = tuple(map(with_asymmetry, records, measured))
        files = tuple(plan_files(picture, faces, self._options, suffix))
        return PhotoPlan(records, files, tuple(self._note_turns(faces)))

    def _note_turns(self, faces: Faces) -> Iterator[str]:
        """Say which faces are turned so far that they are changed less than was asked for."""
        if self._options.keeps_pose:
            for number, (_, prediction) in enumerate(faces, 1):
                if prediction.warp is not None and prediction.warp.strength < 1:
                    yield describe_turn(number, prediction.warp)

    def _record(self, photo: Photo, found: Detection, prediction: FacePrediction) -> FaceRecord:
        box = tuple(round(value, 2) for value in found.box)
        identity = None if self._check is None else self._check(photo, found, prediction)
        if prediction.warp is None:
            return FaceRecord(box=box, roll_degrees=found.roll_degrees, identity=identity)
        return FaceRecord(
            box=box,
            roll_degrees=found.roll_degrees,
            midline_degrees=round(prediction.warp.midline.degrees, 3),
            eye_distance=round(prediction.warp.eye_distance, 2),
            yaw_degrees=round(_find_yaw(prediction.warp), 1),
            pose_share=round(prediction.warp.pose.share, 3),
            identity=identity,
        )


def _find_yaw(warp: FaceWarp) -> float:
    """Return the yaw in degrees; by the areas of the two sides, if the weights do not know how a turn moves a face."""
    return warp.pose.yaw_degrees if warp.pose.share > 0 else yaw_of_warp(warp.photo_from_face, warp.mask)


def describe_turn(number: int, warp: FaceWarp) -> str:
    """Say that a face, numbered in its photo, is changed less because its head is turned far."""
    changed = f"changed by {warp.strength:.1f} of the way" if warp.strength > 0 else "not changed"
    return f"face {number} is turned by {abs(warp.pose.yaw_degrees):.0f} degrees: {changed}"


class LandmarkPlanner:
    """Planner of aligned faces, by a method of a landmark provider.

    Args:
        provider: The provider.
        method: The method's name.
        number: Number of the face by size; None for all.
    """

    can_fork = True

    def __init__(self, provider: Provider, method: str, number: int | None) -> None:
        self._provider = provider
        self._method = method
        self._number = number
        self._alone = threading.Lock()  # dlib and OpenCV's detectors are not safe for several threads
        self.parameters: Mapping[str, object] = {"version": __version__, "method": method, "number": number}

    def plan(self, picture: Picture, suffix: str | None) -> PhotoPlan:
        """Find the faces, and plan one file for each."""
        with self._alone:
            found: list[ProvidedFace] = take_number(self._provider.find(picture.photo), self._number)
        files = (
            OutputFile(
                output=Output.FACE,
                face=number if len(found) > 1 else None,
                suffix=".png",
                render=partial(self._encode, face),
            )
            for number, face in enumerate(found, 1)
        )
        return PhotoPlan(tuple(map(_record_midline, found)), tuple(files))

    def _encode(self, face: ProvidedFace) -> bytes:
        return encode_png(face.render[self._method]())


def _record_midline(face: ProvidedFace) -> FaceRecord:
    if face.midline is None:
        return FaceRecord()
    return FaceRecord(midline_degrees=face.midline.degrees)

"""What the manifest and the report record of a face."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from symface_cli.measurement.asymmetry import Asymmetry
from symface_cli.measurement.photo import name_values


@dataclass(frozen=True, kw_only=True)
class FaceRecord:
    """What is known of a face.

    Attributes:
        box: x, y, width, height of the detector's box, in pixels of the photo rolled by `roll_degrees`; None from a
            landmark method.
        roll_degrees: The roll of the photo in which the face was found, clockwise.
        midline_degrees: The midline's tilt, clockwise from upright; None without a warp.
        eye_distance: Of the symmetric face in photo pixels; None without a warp.
        yaw_degrees: Positive when the nose points to the viewer's right; None without a warp.
        pose_share: How much of the displacement between the two sides the turn explains, 0..1; None without a warp.
        identity: Distance between photo and result by dlib's recognizer; None if it was not asked for, or if it finds
            no face in one of them.
        asymmetry: Value and error of each of `quantities.NAMES`; None if they were not asked for.
    """

    box: tuple[float, ...] | None = None
    roll_degrees: float = 0.0
    midline_degrees: float | None = None
    eye_distance: float | None = None
    yaw_degrees: float | None = None
    pose_share: float | None = None
    identity: float | None = None
    asymmetry: Mapping[str, Sequence[float]] | None = None


def with_asymmetry(record: FaceRecord, measured: Asymmetry) -> FaceRecord:
    """Add the asymmetries that were measured, rounded; left is the person's."""
    named = name_values(measured.values, "person")
    values = {name: (round(value, 4), round(error, 4)) for name, (value, error) in named.items()}
    return replace(record, asymmetry=values)

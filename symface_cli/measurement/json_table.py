"""Measured asymmetries as JSON: a document with all faces, and the photos that failed."""

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any

from symface_cli.measurement.asymmetry import NOTE, Estimate
from symface_cli.measurement.measures import MEASURES
from symface_cli.measurement.photo import MeasuredSides
from symface_cli.measurement.quantities import NAMES
from symface_cli.measurement.rows import SIDES, UNITS, FaceRow, PhotoRows, choose, join_faces
from symface_cli.measurement.scale import Scale
from symface_cli.version import __version__


def as_json(photos: Collection[PhotoRows]) -> bytes:
    """Write the document, with the note that this is no medical device."""
    document = {
        "note": NOTE,
        "version": __version__,
        "faces": [_face(photo, face) for photo in photos for face in photo.faces],
        "failed": [_failure(photo) for photo in photos if photo.status],
    }
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    return text.encode("utf-8", "backslashreplace")  # JSON's own way for what is left of a name's undecodable bytes


def read_json(data: bytes) -> list[PhotoRows]:
    """Read a document.

    Raises:
        ValueError: If it is no such document.
    """
    try:
        document = json.loads(data.decode())
        faces = [_read_face(face) for face in document["faces"]]
        return [*join_faces(faces), *map(_read_failure, document["failed"])]
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(str(error)) from error


def _face(photo: PhotoRows, face: FaceRow) -> dict[str, object]:
    return {
        "photo": photo.photo,
        "face": face.number,
        "eye_distance_px": face.eye_distance,
        "turned": face.turned,
        "sides": face.sides,
        "values": {name: estimate._asdict() for name, estimate in face.values.items()},
        "unit": face.unit,
        "scale_mm_per_px": None if face.scale is None else face.scale.mm_per_px,
        "scale_error": None if face.scale is None else face.scale.error,
        "measures": {name: asdict(measured) for name, measured in face.measures.items()},
        "photo_sha256": photo.sha256,
        "heatmap_sha256": face.heatmap_sha256,
        "measured_by": photo.measured_by,
    }


def _failure(photo: PhotoRows) -> dict[str, object]:
    return {
        "photo": photo.photo,
        "status": photo.status,
        "reason": photo.reason,
        "photo_sha256": photo.sha256,
        "measured_by": photo.measured_by,
    }


def _read_face(entry: Mapping[str, Any]) -> PhotoRows:
    values, scale = entry["values"], entry["scale_mm_per_px"]
    face = FaceRow(
        number=int(entry["face"]),
        eye_distance=float(entry["eye_distance_px"]),
        turned=bool(entry["turned"]),
        sides=choose(entry["sides"], SIDES),
        values={name: Estimate(float(values[name]["value"]), float(values[name]["error"])) for name in NAMES},
        unit=choose(entry["unit"], UNITS),
        scale=None if scale is None else Scale(float(scale), float(entry["scale_error"])),
        measures={measure.name: _read_measure(entry["measures"][measure.name]) for measure in MEASURES},
        heatmap_sha256=str(entry["heatmap_sha256"]),
    )
    return PhotoRows(
        photo=str(entry["photo"]),
        faces=(face,),
        sha256=str(entry["photo_sha256"]),
        measured_by=str(entry["measured_by"]),
    )


def _read_measure(entry: Mapping[str, Any]) -> MeasuredSides:
    return MeasuredSides(
        unit=choose(entry["unit"], (*UNITS, "deg")),
        left=None if entry["left"] is None else float(entry["left"]),
        right=None if entry["right"] is None else float(entry["right"]),
        diff=float(entry["diff"]),
        error=float(entry["error"]),
    )


def _read_failure(entry: Mapping[str, Any]) -> PhotoRows:
    return PhotoRows(
        photo=str(entry["photo"]),
        status=int(entry["status"]),
        reason=str(entry["reason"]),
        sha256=str(entry["photo_sha256"]),
        measured_by=str(entry["measured_by"]),
    )

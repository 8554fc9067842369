"""What permits the use of training photos, for weights that anyone may use, also commercially.

A table (CSV) names a license for each photo, or for a folder and all that lies below it. What it does not name, and
licenses that are not known to permit everything, are refused; so are labels whose makers' terms are others.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from symface_cli.data.photo_table import TableLayout, read_rows
from symface_cli.errors import DataError
from symface_cli.files import on_one_line
from symface_cli.training.data.labels import Label
from symface_cli.training.data.teachers import BOTH, DLIB

PERMISSIVE = ("own", "public domain", "CC0-1.0", "CC-BY-4.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0")
"""Licenses that permit every use: "own" is that of a user's own photos; the others are named as SPDX names them."""

LAYOUT = TableLayout(columns=("photo", "license"), advice="write photo,license there")


def read_licenses(path: Path, photos: Iterable[str]) -> dict[str, str]:
    """Read the licenses of photos, given by their paths in the data set with slashes; return them by these.

    Raises:
        DataError: If the table cannot be read, names a license that is not one of PERMISSIVE, or lacks a photo.
    """
    known = {}
    for row in read_rows(path, LAYOUT):
        license_ = row.cells["license"].strip()
        if license_ not in PERMISSIVE:
            raise row.fault(
                f"{on_one_line(license_)!r} is not known to permit every use; leave these photos out of the data set, "
                f"or write one of {', '.join(PERMISSIVE)}"
            )
        known[row.cells["photo"].strip().rstrip("/")] = license_
    return {photo: _find(path, known, photo) for photo in photos}


def _find(path: Path, known: Mapping[str, str], photo: str) -> str:
    """Return the license of a photo, or of the nearest folder that has one."""
    for place in (photo, *map(str, PurePosixPath(photo).parents)):
        if place in known:
            return known[place]
    raise DataError(f"{path}: no license of {on_one_line(photo)}; add a line for it, or for a folder above it")


def describe_licenses(licenses: Mapping[str, str]) -> str:
    """Say in one line how many photos have which license."""
    counts = Counter(licenses.values())
    return "photos by license: " + ", ".join(f"{counts[name]:,} {name}" for name in sorted(counts))


def refuse_other_labels(path: Path, labels: Sequence[Label]) -> None:
    """Refuse labels that were not made by the mesh or by people.

    Raises:
        DataError: If one that is used is dlib's, or was judged by it.
    """
    for label in labels:
        by_dlib = label.landmarks is not None and not label.is_by_hand
        if label.use and not label.is_by_hand and (by_dlib or label.made_of in (DLIB, BOTH)):
            raise DataError(
                f"{path}: {on_one_line(label.photo)} has dlib's landmarks, which were trained on photos for research "
                "alone; let the mesh label it"
            )

"""Sessions whose measures are known."""

from symface_cli.geometry.frames import Box
from symface_cli.measurement.asymmetry import Estimate
from symface_cli.measurement.measures import BY_NAME
from symface_cli.measurement.photo import FaceMeasurement, MeasuredSides
from symface_cli.measurement.points.scheme import name_points
from symface_cli.measurement.quantities import NAMES
from symface_cli.sessions.changes import Study
from symface_cli.sessions.plan import read_session

LINES = (
    "Ada,2026-01-10,rest,a.png",
    "Ada,2026-01-10,smile,b.png",
    "Ada,2026-03-11,smile,c.png",
    "Ada,2026-03-11,pucker,",
)


def session_of(folder, *lines, header="subject,date,pose,photo"):
    path = folder / "session.csv"
    path.write_text("\n".join([header, *lines]) + "\n")
    return read_session(path)


def sides(left, right, error, unit="%"):
    return MeasuredSides(unit=unit, left=left, right=right, diff=left - right, error=error)


def whole(value, error):
    return MeasuredSides(unit="deg", left=None, right=None, diff=value, error=error)


def face(left, right, cant, unit="%"):
    """A face with a commissure_excursion, whose error is 3, and a mouth_cant, whose error is 4; all else is 0."""
    measures = {
        name: sides(0.0, 0.0, 0.0, unit) if measure.is_sided else whole(0.0, 0.0) for name, measure in BY_NAME.items()
    }
    return FaceMeasurement(
        number=1,
        box=Box(20, 20, 60, 60),
        roll_degrees=0.0,
        eye_distance=30.0,
        is_yaw_too_large=False,
        sides="person",
        values=dict.fromkeys(NAMES, Estimate(0.0, 0.0)),
        measures={**measures, "commissure_excursion": sides(left, right, 3.0, unit), "mouth_cant": whole(cant, 4.0)},
        scale=None,
        points={name: (50.0, 50.0 + place) for place, name in enumerate(name_points("person"))},
    )


def study_of(session, faces, failures=None):
    """A study in which photos have the faces that are named after them."""
    measured = {visit: faces[photo.name] for visit, photo in session.photos.items() if photo.name in faces}
    return Study(session=session, measured=measured, failures=failures or {})

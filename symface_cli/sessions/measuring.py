"""The photos of a session as a batch, and what comes of them as a study."""

from collections.abc import Iterable

from symface_cli.batch.measuring import MeasuredPhoto
from symface_cli.batch.targets import Target, Targets
from symface_cli.errors import SymfaceError
from symface_cli.measurement.photo import FaceMeasurement
from symface_cli.sessions.changes import Study
from symface_cli.sessions.plan import Session


def targets_of(session: Session) -> Targets:
    """Name the photos of a session, each once; those that are not there fail when they are measured."""
    photos = dict.fromkeys(session.photos.values())
    return Targets(
        tuple(Target(photo=photo, folder=photo.parent, stem=photo.stem, name=photo.name) for photo in photos)
    )


def study_of(session: Session, results: Iterable[MeasuredPhoto]) -> Study:
    """Put together what came of the photos, of each its first face."""
    faces: dict[object, FaceMeasurement] = {}
    errors: dict[object, SymfaceError] = {}
    for result in results:
        if result.error is not None:
            errors[result.photo] = result.error
        else:
            faces[result.photo] = result.faces[0]
    return Study(
        session=session,
        measured={visit: faces[photo] for visit, photo in session.photos.items() if photo in faces},
        failures={
            visit: (errors[photo].status, str(errors[photo]))
            for visit, photo in session.photos.items()
            if photo in errors
        },
    )

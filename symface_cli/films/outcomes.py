"""A film file to the file of a symmetric film, whatever goes wrong with it, and what is recorded of that."""

from collections.abc import Mapping
from dataclasses import asdict
from time import perf_counter

from symface_cli.batch.outcomes import Outcome
from symface_cli.batch.permission import Permission
from symface_cli.batch.states import find_state
from symface_cli.batch.targets import Target
from symface_cli.errors import PhotoError, UsageError, WeightsError, failure_of
from symface_cli.files import Progress
from symface_cli.films.symmetrizing import FilmOptions, FilmResult, symmetrize_film
from symface_cli.inference.symmetrizer import Symmetrizer
from symface_cli.version import __version__
from symface_cli.video.reading import open_film
from symface_cli.video.writing import choose_suffix
from symface_cli.writing import make_folder


def parameters_of(symmetrizer: Symmetrizer, options: FilmOptions) -> Mapping[str, object]:
    """Return everything that a symmetric film depends on, as JSON can hold it."""
    start, end = (None if time is None else str(time) for time in (options.start, options.end))
    return {
        "version": __version__,
        "weights": symmetrizer.sha256,
        "engine": symmetrizer.engine.name,
        "options": asdict(options.rendering),
        "film": {"person": options.followed, "start": start, "end": end, **asdict(options.encoding)},
    }


def symmetrize_file(
    target: Target, symmetrizer: Symmetrizer, options: FilmOptions, permission: Permission, show: Progress
) -> Outcome:
    """Make the symmetric film of a film file; of one that is damaged, as far as it goes.

    Args:
        target: The film, and what its result is called.
        symmetrizer: The network.
        options: What is made.
        permission: Which files that are there may be replaced.
        show: Called with how many frames are done, and about how many there are.

    Raises:
        UsageError: If codec and format do not go together, or with what else is asked for.
        WeightsError: If the network cannot do what is asked for.
    """
    begin, state = perf_counter(), None
    try:
        state = find_state(target.photo)
        with open_film(target.photo) as film:
            suffix = ".mp4" if target.exact is not None else choose_suffix(film, options.encoding)
            path = target.path("face" if options.is_of_faces and target.exact is None else "", suffix)
            permission.check([path])
            make_folder(path.parent)
            total = film.count_frames(options.start, options.end)
            made = symmetrize_film(film, path, symmetrizer, options, permission.replace, lambda done: show(done, total))
    except (UsageError, WeightsError):  # which all films would meet
        raise
    except Exception as error:  # noqa: BLE001 (one film never costs the others)
        return Outcome(target=target, error=failure_of(error, str(target.photo)), input_state=state)
    return Outcome(
        target=target,
        written=(path,),
        seconds={"make": round(perf_counter() - begin, 4)},
        error=None if made.damage is None else PhotoError(f"{film.name}: {made.damage}"),
        notes=_note(made),
        input_state=state,
        output_states=(find_state(path),),
    )


def _note(made: FilmResult) -> tuple[str, ...]:
    """Say what a user should know of a film, a sentence each."""
    without = made.frames - made.frames_with_faces
    if not without:
        return made.notes
    return (*made.notes, f"no face in {without:,} of {made.frames:,} frames")

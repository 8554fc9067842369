"""`symface measure --session`: people over time, in poses."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from symface_cli.cli.commands.measuring.batch import measure_batch, with_corrections
from symface_cli.cli.console import mention, print_line
from symface_cli.errors import UsageError
from symface_cli.files import write_to_stdout

if TYPE_CHECKING:
    from symface_cli.batch.measuring import MeasuredPhoto, MeasuringOptions
    from symface_cli.inference.symmetrizer import Symmetrizer

STREAM = Path("-")


class SessionFiles(NamedTuple):
    """The file that names the photos, the page that is written, and corrected points that are read; None for none."""

    session: Path
    report: Path | None
    given: Path | None


def measure_session(files: SessionFiles, options: "MeasuringOptions", load: "Callable[[int], Symmetrizer]") -> int:
    """Measure the photos of a session, and write its tables and its page.

    Args:
        files: What is read and written.
        options: Of the batch; its tables are those of the session, and of all faces the largest is taken.
        load: Loads the network, for a number of photos.
    """
    from symface_cli.batch.measuring import MeasuringBatch
    from symface_cli.detection.selection import Selection
    from symface_cli.sessions.measuring import study_of, targets_of
    from symface_cli.sessions.page import session_as_html
    from symface_cli.sessions.plan import REST, read_session
    from symface_cli.sessions.tables import as_csv, as_json
    from symface_cli.writing import Destination, Inputs, prepare_files

    writers = [(options.csv, as_csv), (options.json, as_json), (files.report, session_as_html)]
    wanted = [(Destination(file, options.force), write) for file, write in writers if file is not None]
    if not wanted:
        raise UsageError("--session needs a file for what is measured: --csv FILE, --json FILE or --report FILE")
    written = [destination for destination, _ in wanted if destination.path != STREAM]
    if len(wanted) > len(written) + 1:
        raise UsageError("only one result goes to standard output; give the others files")
    session = read_session(files.session)
    targets = targets_of(session)
    if files.given is not None:
        options = with_corrections(options, files.given, targets)
    options = replace(options, also_read=(*options.also_read, files.session))
    prepare_files(written, Inputs([*targets.photos, *options.also_read]))
    if REST not in session.poses:
        print_line(f"no pose is called {REST}: no change from it is known")
    results: list[MeasuredPhoto] = []
    selection = Selection(number=options.selection.number or 1)
    batch = MeasuringBatch(load(targets.count), targets, replace(options, selection=selection, csv=None, json=None))
    status = measure_batch(batch, targets, results.append)
    study = study_of(session, results)
    for destination, write in wanted:
        if destination.path == STREAM:
            write_to_stdout(write(study))
        else:
            mention(destination.write(write(study)))
    return status

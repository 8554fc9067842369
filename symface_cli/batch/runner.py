"""A batch of photos to symmetric faces: several at a time, recorded, resumable, and shown on a page at the end."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from time import perf_counter

from symface_cli.batch.manifest import NAME, Manifest
from symface_cli.batch.outcomes import Outcome, choose_pairs, until_store_fails
from symface_cli.batch.permission import Permission
from symface_cli.batch.results import read_source, write_files
from symface_cli.batch.states import find_state
from symface_cli.batch.targets import STREAM, Target, Targets
from symface_cli.errors import UsageError, WeightsError, WorkerError, failure_of
from symface_cli.parallel.cores import available_cores
from symface_cli.parallel.work import work_on_cores
from symface_cli.rendering.plan import Planner
from symface_cli.shards.record import keep_record
from symface_cli.shards.shard import find_others
from symface_cli.writing import Destination, Inputs, prepare_files


@dataclass(frozen=True, kw_only=True)
class BatchOptions:
    """How a batch is run.

    Attributes:
        force: Whether existing files may be overwritten.
        resume: Whether to skip photos that the manifest lists as done; what it lists for the others, and has not been
            changed since, may be overwritten.
        checksum: Whether to tell what is done by reading photos and results, even if they have the same size and times.
        manifest: The record of the batch; None for manifest.jsonl in the folder of the results, if they have one. Of a
            part of the photos, it is the part's own file, such as manifest.2-of-7.jsonl.
        report: HTML page to write at the end; None for none.
        jobs: Number of parallel workers; 0 for one per core.
        also_read: Files that are read besides the photos, and never overwritten: weights.
    """

    force: bool = False
    resume: bool = False
    checksum: bool = False
    manifest: Path | None = None
    report: Path | None = None
    jobs: int = 0
    also_read: tuple[Path, ...] = ()


Spread = Callable[[Permission, Sequence[Target], Mapping[str, object]], Iterator[Outcome]]
"""Has photos done elsewhere, under a permission and with parameters, and returns what became of them, in any order."""


class Batch:
    """Photos to be processed, less those that are done already. Its length is the number of those to be processed.

    Args:
        planner: Plans the files of a photo.
        targets: The photos.
        options: How to run it.
        spread: Has the work done elsewhere, instead of by workers of this machine.

    Attributes:
        skipped: Number of photos that are done already.
        note: What a user should know of the report, once it is written.

    Raises:
        UsageError: If it is to be resumed without a manifest.
        OutputError: If the manifest cannot be read, or what is to be written cannot be, or may not.
    """

    def __init__(
        self, planner: Planner, targets: Targets, options: BatchOptions | None = None, spread: Spread | None = None
    ) -> None:
        self._planner = planner
        self._spread = spread
        self._targets = targets
        self._options = options or BatchOptions()
        self._inputs = Inputs([*targets.photos, *self._options.also_read])
        self._report = self._choose_report()
        self.note: str | None = None
        self._path = self._choose_manifest()
        self._manifest = self._open_manifest()
        self._done = self._find_done()
        self._lost = self._find_lost()
        self._todo = [target for target in targets.items if target not in self._done and target not in self._lost]
        self.skipped = len(self._done)

    def __len__(self) -> int:
        return len(self._todo)

    def run(self) -> Iterator[Outcome]:
        """Start the workers, and return the outcomes as they come, in the order of the photos.

        Each is in the manifest before it is yielded. The page is written after the last one.
        """
        if self._spread is not None:
            outcomes = self._record(self._spread(self._permission(), self._todo, self._planner.parameters))
            return chain(outcomes, self._lost.values())
        task = partial(symmetrize_photo, self._planner, self._permission())
        if self._manifest is not None:
            self._manifest.adopt()
        if self._targets.is_single:  # what is left of a batch, or a part of it, is done as the rest, to the same bytes
            return self._record(map(task, self._todo))
        jobs = self._options.jobs or available_cores()
        fork = self._planner.can_fork and not self._targets.is_in_memory
        return self._record(work_on_cores(task, self._todo, jobs, _lose, fork=fork))

    @contextmanager
    def _closing(self) -> Iterator[None]:
        """Write what is not in the manifest's store yet, whatever ends the run."""
        try:
            yield
        finally:
            if self._manifest is not None:
                self._manifest.close()

    def _choose_manifest(self) -> Path | None:
        """Return the manifest of all photos."""
        path = self._options.manifest
        if path is None and self._targets.folder is not None:
            path = self._targets.folder / NAME
        if path is None and (self._options.resume or self._targets.shard is not None):
            raise UsageError(
                "a batch without a manifest cannot be resumed or done in shards; name one, or a folder for the results"
            )
        return path

    def _open_manifest(self) -> Manifest | None:
        """Open this run's own manifest, and those beside it from which it goes on."""
        if self._path is None:
            self._prepare_files(None)
            return None
        own = self._targets.own(self._path)
        self._prepare_files(own)
        others = find_others(self._path, self._targets.shard) if self._options.resume else []
        return Manifest(own, self._planner.parameters, self._options.checksum, others)

    def _prepare_files(self, manifest: Path | None) -> None:
        """Check before the work that all files with a name of their own can be written."""
        named = [] if self._report is None else [self._report]
        if manifest is not None:
            named.append(Destination(manifest, replace=True))  # it is only added to, and only if it is a manifest
        self._targets.refuse_names(named)
        if self._targets.file is not None and self._targets.file != STREAM:
            # Whether it may be replaced is checked with the photo: several faces go to other files.
            named.append(Destination(self._targets.file, replace=True, is_picture=True))
        prepare_files(named, self._inputs)
        if not self._options.force:  # a file that is there can be written in place where the folder takes no other
            self._targets.prepare_folder()

    def _choose_report(self) -> Destination | None:
        path = self._options.report
        if path is None:
            return None
        from symface_cli.pages import is_page  # Jinja takes long to import, and few ask for a report

        return Destination(path, self._options.force or (self._options.resume and is_page(path)))

    def _find_done(self) -> dict[Target, Outcome]:
        if self._manifest is None or not self._options.resume:
            return {}
        found = {target: self._manifest.find_done(target) for target in self._targets.items}
        return {target: outcome for target, outcome in found.items() if outcome is not None}

    def _find_lost(self) -> dict[Target, Outcome]:
        """Find the photos that have killed their workers elsewhere: a worker is not started there in vain again."""
        if self._manifest is None or not self._options.resume or self._spread is None:
            return {}
        found = {target: self._manifest.find_lost(target) for target in self._targets.items}
        return {target: outcome for target, outcome in found.items() if outcome is not None}

    def _permission(self) -> Permission:
        options, made = self._options, set[tuple[Path, str]]()
        if self._manifest is not None and options.resume:
            made.update(*map(self._manifest.find_made, self._todo))
        return Permission(inputs=self._inputs, force=options.force, resumed=options.resume, made=made)

    def _record(self, outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
        made = dict(self._done)
        files = [] if self._path is None else [(self._targets.own(self._path), "manifest")]
        settings = {} if self._targets.shard is None else self._planner.parameters
        with keep_record(self._targets.describe_shard(settings), files), self._closing():
            for outcome in until_store_fails(outcomes):
                if self._manifest is not None:
                    self._manifest.add(outcome)
                if self._report is not None:
                    made[outcome.target] = outcome
                yield outcome
        if self._report is not None:
            made |= self._lost
            self.note = _write_report(self._report, [made[target] for target in self._targets.items])


def _lose(target: Target, error: WorkerError) -> Outcome:
    """Say of a photo that its process was killed."""
    return Outcome(target=target, error=error.about(str(target.photo)))


def _write_report(page: Destination, outcomes: Sequence[Outcome]) -> str | None:
    """Write the page; return what a user should know of it."""
    from symface_cli.batch.gallery import as_html

    return page.write(as_html(outcomes, page.path.parent).encode())


def symmetrize_photo(planner: Planner, permission: Permission, target: Target) -> Outcome:
    """Process one photo, from its file to its results' files; whatever goes wrong with it is in the outcome.

    Raises:
        WeightsError: If the network cannot do what is asked for.
    """
    start = perf_counter()
    state = None if target.photo == STREAM else find_state(target.photo)
    try:
        picture = read_source(target.photo)
        read = perf_counter()
        exact = None if target.exact is None or target.exact == STREAM else target.exact.suffix
        made = planner.plan(picture, exact)
        looked = perf_counter()
        written = write_files(target, made.files, permission)
    except WeightsError:  # of the paper's network, which cannot do what is asked for with any photo
        raise
    except Exception as error:  # noqa: BLE001 (one photo never costs the batch)
        return Outcome(target=target, error=failure_of(error, str(target.photo)), input_state=state)
    done = perf_counter()
    seconds = {"read": round(read - start, 4), "look": round(looked - read, 4), "make": round(done - looked, 4)}
    pairs, notes = choose_pairs(made.files, written.paths), (*picture.notes, *made.notes, *written.notes)
    return Outcome(
        target=target,
        written=written.paths,
        faces=made.faces,
        seconds=seconds,
        pairs=pairs,
        notes=notes,
        input_state=state,
        output_states=tuple(map(find_state, written.paths)),
    )

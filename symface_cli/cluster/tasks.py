"""What workers do with photos: make them symmetric, measure them. Results travel as JSON."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from functools import partial
from typing import Any

from symface_cli.batch.manifest import pair_as_json, parse_pair, state_as_json
from symface_cli.batch.measuring import MeasuredPhoto, MeasuringOptions, measure_target, rows_of
from symface_cli.batch.outcomes import Outcome
from symface_cli.batch.permission import Permission
from symface_cli.batch.runner import symmetrize_photo
from symface_cli.batch.states import parse_state
from symface_cli.batch.tables import JSON
from symface_cli.batch.targets import Target
from symface_cli.errors import Hint, PhotoError, SymfaceError, WorkerError
from symface_cli.rendering.plan import Planner
from symface_cli.rendering.records import FaceRecord


@dataclass(frozen=True)
class SymmetrizeTask:
    """Makes photos symmetric, with a planner that each worker loads."""

    load_planner: Callable[[], Planner]
    permission: Permission

    def load(self) -> Callable[[Target], object]:
        """Load the planner."""
        return partial(_symmetrize, self.load_planner(), self.permission)

    def lose(self, target: Target, error: WorkerError) -> object:
        """Say of a photo that it has killed its workers."""
        return outcome_as_json(Outcome(target=target, error=error.about(str(target.photo))))


@dataclass(frozen=True)
class MeasureTask:
    """Measures photos, with what each worker loads."""

    load_meter: Callable[[], Any]
    options: MeasuringOptions
    permission: Permission
    measured_by: str

    def load(self) -> Callable[[Target], object]:
        """Load what measures."""
        meter = self.load_meter()
        return lambda target: self._say(measure_target(meter, self.options, self.permission, target))

    def lose(self, target: Target, error: WorkerError) -> object:
        """Say of a photo that it has killed its workers."""
        return self._say(MeasuredPhoto(target=target, error=error.about(str(target.photo))))

    def _say(self, measured: MeasuredPhoto) -> object:
        rows = JSON.whole([rows_of(measured, self.measured_by)]).decode()
        return {"rows": rows, "error": _error_as_json(measured.error), "notes": measured.notes}


def _symmetrize(planner: Planner, permission: Permission, target: Target) -> object:
    return outcome_as_json(symmetrize_photo(planner, permission, target))


def outcome_as_json(outcome: Outcome) -> dict[str, object]:
    """Write what became of a photo as JSON can hold it."""
    return {
        "written": [path.name for path in outcome.written],
        "faces": [asdict(face) for face in outcome.faces],
        "seconds": dict(outcome.seconds),
        "error": _error_as_json(outcome.error),
        "pairs": [pair_as_json(pair) for pair in outcome.pairs],
        "notes": outcome.notes,
        "input_state": state_as_json(outcome.input_state),
        "output_states": [state_as_json(state) for state in outcome.output_states],
    }


def parse_outcome(target: Target, value: Mapping[str, Any]) -> Outcome:
    """Read what `outcome_as_json` wrote of a photo."""
    return Outcome(
        target=target,
        written=tuple(target.folder / name for name in value["written"]),
        faces=tuple(_parse_face(face) for face in value["faces"]),
        seconds=value["seconds"],
        error=_parse_error(value["error"]),
        pairs=tuple(parse_pair(pair, target.folder) for pair in value["pairs"]),
        notes=tuple(value["notes"]),
        input_state=parse_state(value["input_state"]),
        output_states=tuple(map(parse_state, value["output_states"])),
    )


def parse_measured(target: Target, value: Mapping[str, Any]) -> MeasuredPhoto:
    """Read what a measuring worker said of a photo."""
    (rows,) = JSON.read(value["rows"].encode())
    return MeasuredPhoto(target=target, error=_parse_error(value["error"]), notes=tuple(value["notes"]), rows=rows)


def _parse_face(value: Mapping[str, Any]) -> FaceRecord:
    known: dict[str, Any] = {field.name: value[field.name] for field in fields(FaceRecord)}
    return FaceRecord(**known)


def _error_as_json(error: SymfaceError | None) -> dict[str, str | None] | None:
    if error is None:
        return None
    hint = None if error.hint is None else error.hint.name
    return {"kind": type(error).__name__, "message": str(error), "hint": hint, "traceback": error.traceback}


def _parse_error(value: Mapping[str, Any] | None) -> SymfaceError | None:
    if value is None:
        return None
    kinds = {kind.__name__: kind for kind in SymfaceError.__subclasses__() if "__reduce__" not in vars(kind)}
    hint = None if value["hint"] is None else Hint[value["hint"]]
    error = kinds.get(value["kind"], PhotoError)(value["message"], hint)
    error.traceback = value["traceback"]
    return error

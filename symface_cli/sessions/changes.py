"""How what was measured changes: from the pose at rest, and from a subject's first date."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from symface_cli.measurement.photo import FaceMeasurement, MeasuredSides
from symface_cli.sessions.plan import REST, Session, Visit


@dataclass(frozen=True)
class Comparison:
    """A measure in one photo beside others; None is what cannot be compared.

    Attributes:
        value: As it was measured.
        from_rest: Its change from the pose at rest of the same date.
        from_first: Its change from the same pose at the subject's first date.
    """

    value: MeasuredSides
    from_rest: MeasuredSides | None = None
    from_first: MeasuredSides | None = None

    @property
    def ratio(self) -> float | None:
        """Left side to right side; None where the right one is no larger than the error."""
        return _divide(self.value)

    @property
    def ratio_from_rest(self) -> float | None:
        """Change of the left side from rest, to that of the right."""
        return None if self.from_rest is None else _divide(self.from_rest)


@dataclass(frozen=True, kw_only=True)
class Study:
    """A session that was measured.

    Attributes:
        session: The photos.
        measured: The face of each visit; a visit without photo, or whose photo failed, is left out.
        failures: Why photos failed: exit status and message.
    """

    session: Session
    measured: Mapping[Visit, FaceMeasurement]
    failures: Mapping[Visit, tuple[int, str]]

    def compare(self, visit: Visit) -> dict[str, Comparison]:
        """Compare what was measured at a visit, by the names of the measures; nothing if nothing was."""
        first = self.session.days[visit.subject][0]
        rest = self._measures(visit._replace(pose=REST)) if visit.pose != REST else {}
        before = self._measures(visit._replace(day=first)) if visit.day != first else {}
        return {
            name: Comparison(value, _subtract(value, rest.get(name)), _subtract(value, before.get(name)))
            for name, value in self._measures(visit).items()
        }

    def _measures(self, visit: Visit) -> Mapping[str, MeasuredSides]:
        face = self.measured.get(visit)
        return {} if face is None else face.measures


def _subtract(value: MeasuredSides, other: MeasuredSides | None) -> MeasuredSides | None:
    """Return the change from another value, if that has the same unit: a photo may have no scale."""
    if other is None or other.unit != value.unit:
        return None
    return MeasuredSides(
        unit=value.unit,
        left=None if value.left is None or other.left is None else value.left - other.left,
        right=None if value.right is None or other.right is None else value.right - other.right,
        diff=value.diff - other.diff,
        error=math.hypot(value.error, other.error),
    )


def _divide(sides: MeasuredSides) -> float | None:
    """Divide the left side by the right one, unless that is no larger than the error."""
    if sides.left is None or sides.right is None or abs(sides.right) <= sides.error:
        return None
    return sides.left / sides.right

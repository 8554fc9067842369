"""Which files that are there already a run's results may replace."""

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path

from symface_cli.batch.targets import STREAM
from symface_cli.errors import Hint, OutputError
from symface_cli.files import checksum, on_one_line
from symface_cli.writing import Inputs, check_file


@dataclass(frozen=True, kw_only=True)
class Permission:
    """Which files may be replaced.

    Attributes:
        inputs: What is read, and never replaced.
        force: Whether all others may be.
        resumed: Whether those may be that an earlier run has made.
        made: They, each with the SHA-256 of its contents: one that has been changed since is not one of them.
    """

    inputs: Inputs
    force: bool = False
    resumed: bool = False
    made: Set[tuple[Path, str]] = field(default_factory=frozenset)

    @property
    def replace(self) -> bool:
        """Whether any may be."""
        return self.force or self.resumed

    def check(self, paths: Sequence[Path]) -> None:
        """Check that results can be written, as `check_file` does; standard output always can.

        What an earlier run has made is told from the rest by `has_to_write`, when there is something to compare with.

        Raises:
            OutputError: If one may not be written.
        """
        for path in paths:
            if path != STREAM:
                check_file(path, self.replace, self.inputs)

    def has_to_write(self, path: Path, render: Callable[[], bytes]) -> bool:
        """Tell whether a result has to be written: not where a resumed run finds the same bytes.

        A run that was killed may have written results without recording them. The same photo gives the same bytes.

        Raises:
            OutputError: If the run is resumed, and what is there was made by somebody else.
        """
        if self.force or not self.resumed or path == STREAM or not path.is_file():
            return True
        found = checksum(path)
        if (path, found) in self.made:
            return True
        if found == checksum(render()):
            return False
        raise OutputError(f"{on_one_line(str(path))}: already exists, and is not what symface made", Hint.OVERWRITE)

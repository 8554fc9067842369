"""Files that are made once, kept in a folder, and made again when what they were made of has changed."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from symface_cli.errors import DataError, Hint
from symface_cli.files import checksum
from symface_cli.writing import write_file

PREPARED_FORMAT = 3  # raised when prepared folders of older versions cannot be used any more

Faults = dict[str, str]
"""Why photos cannot be used, by their paths in the data set."""


@dataclass(frozen=True)
class Cached:
    """Files that are made once of a source, and again when that has changed; the JSON beside the first knows of what.

    Attributes:
        files: The files.
        source: Everything that they depend on, as JSON can hold it.
        is_corrected: Whether people correct the first file by hand; what they have done is not made anew.
    """

    files: Sequence[Path]
    source: object
    is_corrected: bool = False

    def is_fresh(self) -> bool:
        """Return whether the files are there, and made of this source."""
        known = self._known()
        return all(file.exists() for file in self.files) and all(
            known.get(key) == value for key, value in self._expected().items()
        )

    @contextmanager
    def renewed(self) -> Iterator[Faults]:
        """Have the files made inside, and what is wrong with them noted; if that fails, they are not fresh.

        Raises:
            DataError: If there are files that were not made here, or have been corrected since.
        """
        self._refuse_others()
        self._write_index({**self._known(), "source": None})  # whose they are is known, whatever stops what follows
        faults: Faults = {}
        yield faults
        made = {"checksum": checksum(self.files[0])} if self.is_corrected else {}
        self._write_index({**self._expected(), "faults": faults, **made})

    def _refuse_others(self) -> None:
        first, there = self.files[0], [file for file in self.files if file.exists()]
        if there and not self._index.exists():
            raise DataError(f"{there[0]}: was not made by this training; move it", Hint.OTHER_RUN)
        made = self._known().get("checksum")
        if there and made is not None and made != checksum(first):
            raise DataError(
                f"{first}: has been corrected, but photos or the teacher have changed since; move it", Hint.GIVE_LABELS
            )

    def _write_index(self, content: Mapping[str, object]) -> None:
        write_file(self._index, json.dumps(content).encode(), replace=True)

    def faults(self) -> Faults:
        """Return what was noted when the files were made."""
        faults = self._known().get("faults", {})
        return dict(faults) if isinstance(faults, dict) else {}

    @property
    def _index(self) -> Path:
        return self.files[0].with_suffix(".json")

    def _expected(self) -> dict[str, object]:
        """Return what the JSON says if the files are fresh."""
        return {"format": PREPARED_FORMAT, "source": checksum(json.dumps(self.source).encode())}

    def _known(self) -> dict[str, object]:
        """Return what the JSON says; nothing if it cannot be read."""
        try:
            known = json.loads(self._index.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}

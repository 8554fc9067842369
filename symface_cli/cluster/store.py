"""The state of a job in a folder, or an object store, that all nodes see: photos, checkpoints, results."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from symface_cli.storage.address import Address
from symface_cli.version import __version__

NAME = ".cluster"  # hidden, so that it is not searched for photos


class JobFolder:
    """The folder of a job.

    Args:
        folder: That of the results.
        settings: What these depend on: jobs of others have folders of their own.

    Attributes:
        photos: Where the list of photos lies.
        checkpoint: Where Ray keeps which are done.
        results: Where the results of these are.
        arrow: The file system for these three; None for a local one.
    """

    def __init__(self, folder: Path, settings: Mapping[str, object]) -> None:
        key = hashlib.sha256(json.dumps([__version__, settings]).encode()).hexdigest()[:16]
        self._folder = (folder if isinstance(folder, Address) else folder.absolute()) / NAME / key
        self.arrow: Any = None
        place = str(self._folder)
        if isinstance(folder, Address):
            import fsspec
            from pyarrow.fs import FSSpecHandler, PyFileSystem

            self._files = fsspec.filesystem(folder.scheme)
            self.arrow, place = PyFileSystem(FSSpecHandler(self._files)), place.partition("://")[2]
        self.photos, self.checkpoint, self.results = (f"{place}/{name}" for name in ("photos", "checkpoint", "results"))

    def write_photos(self, targets: Mapping[str, str]) -> None:
        """Write the list of photos: what each is called by, and what it is."""
        import pyarrow
        import pyarrow.parquet

        self._remove(self.photos)
        if self.arrow is None:
            for path in (self.photos, self.results):
                Path(path).mkdir(parents=True, exist_ok=True)
        table = pyarrow.table({"id": list(targets), "target": list(targets.values())})
        pyarrow.parquet.write_table(table, f"{self.photos}/photos.parquet", filesystem=self.arrow)

    def read_results(self) -> Iterator[tuple[str, str]]:
        """Yield what is done, each photo once: what it is called by, and its result."""
        import pyarrow.dataset

        seen: set[str] = set()
        with suppress(FileNotFoundError):
            found = pyarrow.dataset.dataset(self.results, format="parquet", filesystem=self.arrow)
            for batch in found.to_batches(columns=["id", "result"]) if found.files else ():
                for name, result in zip(batch["id"].to_pylist(), batch["result"].to_pylist(), strict=True):
                    if name not in seen:
                        seen.add(name)
                        yield name, result

    def remove(self) -> None:
        """Remove all."""
        for path in (self.photos, self.checkpoint, self.results):
            self._remove(path)
        if self.arrow is None:
            for folder in (self._folder, self._folder.parent):
                with suppress(OSError):
                    folder.rmdir()

    def _remove(self, path: str) -> None:
        if self.arrow is None:
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(FileNotFoundError):
                self._files.rm(path, recursive=True)

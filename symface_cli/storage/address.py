"""Addresses such as s3://bucket/photos/a.jpg, which can be used like the paths of files."""

import fnmatch
import io
import os
import re
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


class Address(Path, PurePosixPath):
    """An address in an object store or on a server; its parts are names, as those of a path.

    What asks the system about a path asks the store about an address. An address that has `.`, `..` or an empty name
    between its slashes is another one without: stores that have such names cannot be used.
    """

    __slots__ = ()

    def __str__(self) -> str:
        """Write the address, or the path of what it is relative to another."""
        text = super().__str__()
        return re.sub(r"^([^/]+:)/*", r"\1//", text) if self.is_whole else text

    def __fspath__(self) -> str:
        return str(self)

    @property
    def is_whole(self) -> bool:
        """Whether it begins with a scheme, which `relative_to` takes away."""
        return bool(self.parts) and self.parts[0].endswith(":")

    @property
    def scheme(self) -> str:
        """The kind of store, such as s3."""
        return self.parts[0].rstrip(":").lower()

    def absolute(self) -> "Address":
        """Return it as it is."""
        return self

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        """Return size, time and, in the place of an inode, a number made of the store's tag.

        Raises:
            OSError: If there is no such object, or it cannot be asked for.
            StoreError: If the store does not answer.
        """
        from symface_cli.storage.objects import find_state

        return find_state(self)

    def is_file(self, *_: Any, **__: Any) -> bool:
        """Tell whether there is such an object."""
        try:
            self.stat()
        except OSError:
            return False
        return True

    def exists(self, *_: Any, **__: Any) -> bool:
        """Tell the same: a store has no folders of its own."""
        return self.is_file()

    def is_dir(self, *_: Any, **__: Any) -> bool:
        """Tell whether there are objects below it."""
        from symface_cli.storage.objects import is_folder

        return is_folder(self)

    def read_bytes(self) -> bytes:
        """Read the object.

        Raises:
            OSError, StoreError: As `stat`.
        """
        from symface_cli.storage.objects import read_object

        return read_object(self)

    def put(self, data: bytes, replace: bool) -> None:
        """Put the object whole, or not at all.

        Raises:
            OSError, StoreError: As `stat`; also if it is there and may not be replaced.
        """
        from symface_cli.storage.objects import put_object

        put_object(self, data, replace)

    def try_putting(self) -> None:
        """Check that objects can be put below it.

        Raises:
            OSError, StoreError: If not.
        """
        from symface_cli.storage.objects import try_folder

        try_folder(self)

    def open(self, mode: str = "r", *_: Any, **__: Any) -> Any:
        """Open the object's bytes to be read."""
        if mode != "rb":
            raise OSError(f"{self} is not opened so")
        return io.BytesIO(self.read_bytes())

    def list_all(self) -> list["Address"]:
        """List the objects below it, sorted.

        Raises:
            OSError, StoreError: As `stat`.
        """
        from symface_cli.storage.objects import list_objects

        return [found for found in list_objects(self) if found != self]

    def iterdir(self) -> Generator["Address", None, None]:
        """Yield the objects in it, without those in folders of it."""
        yield from (found for found in self.list_all() if found.parent == self)

    def glob(self, pattern: str, *_: Any, **__: Any) -> Iterator["Address"]:  # type: ignore[override]
        """Yield the objects in it whose names fit a pattern."""
        yield from (found for found in self.iterdir() if fnmatch.fnmatchcase(found.name, pattern))


def is_server(path: Path) -> bool:
    """Tell whether it is an address on a server that can only be read from, file by file."""
    return isinstance(path, Address) and path.scheme in ("http", "https")


def prepare_addresses(addresses: Iterable[Address]) -> None:
    """Check that addresses are of kinds that can be reached, and forget what was listed before.

    Raises:
        UsageError: If they are not, or SYMFACE_OFFLINE forbids it.
    """
    from symface_cli.storage.objects import check_scheme, forget

    forget()
    for address in addresses:
        check_scheme(address)


def parse_path(text: str) -> Path:
    """Return the path, or the address, that a text is."""
    return Address(text) if _ADDRESS.match(text) else Path(text)

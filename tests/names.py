"""Names of files that are odd, and allowed: names are bytes, all but NUL and the slash."""

import os
import sys
from pathlib import Path

ODD_NAMES: dict[str, bytes] = {
    "latin-1": b"caf\xe9.jpg",
    "emoji code": b"a:man:1.jpg",
    "markup": b"[red]a[bold] [x.jpg",
    "tab": b"a\tb.jpg",
    "new line": b"a\nb.jpg",
    "carriage return": b"a\rb.jpg",
    "escape sequence": b"\x1b[31m\x07red.jpg",
    "leading dash": b"-x.jpg",
    "leading space": b" x.jpg",
    "two spaces": b"a  b .jpg",
    "quotes": b'it\'s "a", so.jpg',
    "address": b"100%41#top?x=1&y.jpg",
    "pattern": b"[ab]*.jpg",
    "comma and semicolon": b"a,b;c.jpg",
    "formula": b"=1+1.jpg",
    "backslash": b"a\\b.jpg",
    "right to left": "a\N{RIGHT-TO-LEFT OVERRIDE}gnp.jpg".encode(),
    "family": "\N{MAN}\N{ZERO WIDTH JOINER}\N{GIRL}.jpg".encode(),
    "80 of 3 bytes": ("子ども" * 27)[:80].encode() + b".jpg",
    "dots": b"x. ..jpg",
}
"""By what is odd about them; all are photos by their suffix, and leave room for the names of results."""


def some_names() -> dict[str, str]:
    """The odd names that this system's files can have, as Python has them."""
    names = {kind: os.fsdecode(name) for kind, name in ODD_NAMES.items()}
    if sys.platform == "darwin":
        del names["latin-1"]
    return names


def save_under(folder: Path, data: bytes) -> dict[str, Path]:
    """Write the same file under all of them; return the paths by what is odd."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {kind: folder / name for kind, name in some_names().items()}
    for path in paths.values():
        path.write_bytes(data)
    return paths

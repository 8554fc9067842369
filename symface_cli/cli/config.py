"""Options from elsewhere than the command line: a TOML file with one table per command, and environment variables."""

import difflib
import sys
from collections.abc import Iterable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from symface_cli.errors import UsageError
from symface_cli.files import is_file

NAME = "symface.toml"


class Kind(Enum):
    """What an option takes, in words for messages."""

    SWITCH = "true or false"
    VALUE = "text or a number"
    VALUES = "texts or numbers in a list"


def variable_of(command: str, option: str) -> str:
    """Name the environment variable that stands for a command's option, such as SYMFACE_TRAIN_BATCH_SIZE."""
    return f"symface_{command}_{option}".replace("-", "_").upper()


def find_config(named: Path | None) -> Path | None:
    """Find the file to read: the one that is named, else the working folder's own, if it has one."""
    here = Path(NAME)
    if named is None and is_file(here):
        return here
    return named


def read_config(path: Path, commands: Mapping[str, Mapping[str, Kind]]) -> dict[str, dict[str, Any]]:
    """Read the values that a file gives to options.

    Args:
        path: A TOML file.
        commands: The options of each command: their long names without dashes, and what they take.

    Returns:
        Values by command and by option; those of Kind.VALUES are lists.

    Raises:
        UsageError: If the file cannot be read, is no TOML, or names what does not exist or has another type.
    """
    values: dict[str, dict[str, Any]] = {}
    for command, table in _parse(path).items():
        if not isinstance(table, dict):
            raise UsageError(f"{path}: {command}: options go into tables of commands, such as [symmetrize]")
        if command not in commands:
            raise UsageError(f"{path}: [{command}]: no such command; {_suggest(command, commands)}")
        values[command] = {}
        for key, value in table.items():
            where = f"{path}: [{command}] {key}"
            if key not in commands[command]:
                raise UsageError(f"{where}: no such option; {_suggest(key, commands[command])}")
            values[command][key] = _check(value, commands[command][key], where)
    return values


def _parse(path: Path) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        tables: dict[str, Any] = tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{path}: cannot read this configuration ({error.strerror})") from error
    except ValueError as error:  # of TOML's grammar, or of UTF-8
        raise UsageError(f"{path}: not a TOML file ({error})") from error
    return tables


def _suggest(name: str, choices: Iterable[str]) -> str:
    nearest = difflib.get_close_matches(name, choices, 1)
    return f"did you mean {nearest[0]}?" if nearest else f"there are {', '.join(choices)}"


def _check(value: Any, kind: Kind, where: str) -> Any:
    """Return the value, if it is of that kind; one value becomes a list of one."""
    if kind is Kind.SWITCH:
        fits = isinstance(value, bool)
    elif kind is Kind.VALUES:
        value = value if isinstance(value, list) else [value]
        fits = all(map(_is_plain, value))
    else:
        fits = _is_plain(value)
    if not fits:
        raise UsageError(f"{where}: expected {kind.value}")
    return value


def _is_plain(value: Any) -> bool:
    return isinstance(value, (str, int, float)) and not isinstance(value, bool)

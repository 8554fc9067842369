"""The fields of requests: what each may be, said once for reading them and for the OpenAPI document."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from symface_cli.errors import UsageError

Kind = Literal["string", "number", "integer", "boolean"]
FARTHEST = 1e6
"""The largest number anywhere."""
FLAGS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


@dataclass(frozen=True, kw_only=True)
class Field:
    """A field of a request.

    Attributes:
        name: Its name.
        meaning: What it says, a sentence.
        kind: Of its value.
        choices: The values that it can have; empty for any.
        least: Of a number.
        most: The same.
        many: Whether it may be given several times.
        default: What it is if it is not given.
    """

    name: str
    meaning: str
    kind: Kind = "string"
    choices: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None
    many: bool = False
    default: str | float | bool | None = None

    def check(self, text: str) -> None:
        """Refuse a value.

        Raises:
            UsageError: If it is none of this field's.
        """
        if self.choices and text not in self.choices:
            raise UsageError(f"{self.name} {text}: use {', '.join(self.choices)}")
        if self.kind == "boolean" and text.lower() not in FLAGS:
            raise UsageError(f"{self.name} {text}: use true or false")
        if self.kind in ("number", "integer"):
            self._check_number(text)

    def _check_number(self, text: str) -> None:
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        least = -FARTHEST if self.least is None else self.least
        most = FARTHEST if self.most is None else self.most
        if not least <= number <= most or (self.kind == "integer" and number != round(number)):
            kind = "whole number" if self.kind == "integer" else "number"
            raise UsageError(f"{self.name} {text}: use a {kind} from {least:g} to {most:g}")


class Values:
    """The values of a request's fields.

    Args:
        fields: Those that it can have.
        given: Those that it has, with their values.

    Raises:
        UsageError: If it has another one, or one twice, or with a value that makes no sense.
    """

    def __init__(self, fields: Sequence[Field], given: Mapping[str, Sequence[str]]) -> None:
        self._fields = {field.name: field for field in fields}
        self._given = given
        for name, texts in given.items():
            field = self._fields.get(name)
            if field is None:
                raise UsageError(f"{name}: no such field; use {', '.join(self._fields)}")
            if len(texts) > 1 and not field.many:
                raise UsageError(f"{name} is given {len(texts)} times")
            for text in texts:
                field.check(text)

    def __contains__(self, name: str) -> bool:
        return name in self._given

    def texts(self, name: str) -> tuple[str, ...]:
        """Return all values of a field."""
        return tuple(self._given.get(name, ()))

    def text(self, name: str) -> str | None:
        """Return a field's value, or its default; None if there is no such field."""
        if name in self._given:
            return self._given[name][0]
        default = self._fields[name].default if name in self._fields else None
        return None if default is None else str(default)

    def number(self, name: str) -> float | None:
        """Return a number, or its default."""
        text = self.text(name)
        return None if text is None else float(text)

    def flag(self, name: str) -> bool:
        """Return a boolean, or its default; False if it has none."""
        return FLAGS[(self.text(name) or "false").lower()]

    def refuse(self, names: Sequence[str], reason: str) -> None:
        """Refuse fields that would have no effect.

        Raises:
            UsageError: If one of them is given; the reason follows its name.
        """
        for name in names:
            if name in self._given:
                raise UsageError(f"{name} {reason}")

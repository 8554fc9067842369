"""How a picture's pixels were moved, for what describes them to follow."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Move:
    """How a picture came to lie as it does.

    Attributes:
        width: Of the picture as it is now, in pixels.
        height: The same.
        moved: Whether its pixels lie elsewhere than in the file: turned, mirrored or cut out.
        turned: Whether its rows were columns there.
    """

    width: int
    height: int
    moved: bool
    turned: bool = False

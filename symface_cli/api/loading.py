"""The network that stays loaded between calls."""

from functools import lru_cache
from pathlib import Path

from symface_cli.engines.loading import EngineChoice
from symface_cli.inference.symmetrizer import Symmetrizer


@lru_cache(maxsize=1)
def load_symmetrizer(weights: str | Path | None, device: str, engine: EngineChoice) -> Symmetrizer:
    """Load a network, unless it is that of the last call."""
    return Symmetrizer(None if weights is None else Path(weights), device, engine)

"""Every provider and method by name."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from symface_cli.errors import UsageError
from symface_cli.landmarks.clm import ClmLandmarks, ClnfLandmarks
from symface_cli.landmarks.dlib import DlibLandmarks
from symface_cli.landmarks.sdm import SdmLandmarks
from symface_cli.methods.providers import LandmarkFinder, LandmarkMethods, Network, Provider


class Load(Protocol):
    """Loads a provider's models."""

    def __call__(self, weights: Path | None = None, device: str = "cpu") -> Provider:
        """The provider, with the network's weights file, None for the bundled one, on a device."""


@dataclass(frozen=True)
class ProviderEntry:
    """A provider that can be asked for.

    Attributes:
        methods: The names of its methods.
        files: The published model files that it needs, keys of landmarks.models.FILES.
        load: Loads its models.
    """

    methods: tuple[str, ...]
    load: Load
    files: tuple[str, ...] = ()


def _landmark_entry(name: str, load: Callable[[], LandmarkFinder], files: tuple[str, ...] = ()) -> ProviderEntry:
    methods = tuple(f"{name}-{way}" for way in ("left", "right", "average", "warp"))
    return ProviderEntry(methods, lambda weights=None, device="cpu": LandmarkMethods(name, load()), files)


OURS = "vae"  # the method, and its provider, that the others are compared with
PROVIDERS: dict[str, ProviderEntry] = {
    OURS: ProviderEntry(Network.methods, Network),
    "dlib": _landmark_entry("dlib", DlibLandmarks),
    "sdm": _landmark_entry("sdm", SdmLandmarks, SdmLandmarks.files),
    "clm": _landmark_entry("clm", ClmLandmarks, ClmLandmarks.files),
    "clnf": _landmark_entry("clnf", ClnfLandmarks, ClnfLandmarks.files),
}
"""Every provider by name; each name but the first is also that of a baseline."""


def method_names() -> tuple[str, ...]:
    """The names of all methods."""
    return tuple(name for entry in PROVIDERS.values() for name in entry.methods)


def provider_of(method: str) -> str:
    """The name of the provider that a method belongs to.

    Raises:
        UsageError: If there is no such method.
    """
    for name, entry in PROVIDERS.items():
        if method in entry.methods:
            return name
    raise UsageError(f"unknown method {method}; choose from {', '.join(method_names())}")


def baselines(name: str) -> tuple[str, ...]:
    """The methods of a landmark provider; of every one for "all".

    Raises:
        UsageError: If there is no such provider.
    """
    choices = [provider for provider in PROVIDERS if provider != OURS]
    if name != "all" and name not in choices:
        raise UsageError(f"unknown baseline {name}; choose from {', '.join([*choices, 'all'])}")
    return tuple(method for choice in choices if name in ("all", choice) for method in PROVIDERS[choice].methods)


def files_of(names: Iterable[str]) -> tuple[str, ...]:
    """The published model files that some methods need, each once."""
    return tuple(dict.fromkeys(file for name in names for file in PROVIDERS[provider_of(name)].files))


def choose_methods(names: Iterable[str]) -> tuple[str, ...]:
    """The methods named, each once, in the given order.

    Raises:
        UsageError: If one of them does not exist.
    """
    chosen = tuple(dict.fromkeys(names))
    for name in chosen:
        provider_of(name)
    return chosen

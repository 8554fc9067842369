"""Every provider and method by name.

A new provider is a module of its own and one entry of PROVIDERS; a new method is one entry of its provider's methods.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from symface_cli.errors import UsageError
from symface_cli.landmarks.clm import ClmLandmarks, ClnfLandmarks
from symface_cli.landmarks.dlib import DlibLandmarks
from symface_cli.landmarks.mediapipe import MediaPipeLandmarks
from symface_cli.landmarks.sdm import SdmLandmarks
from symface_cli.methods.landmark import LandmarkFinder, LandmarkProvider, landmark_methods
from symface_cli.methods.network import NETWORK, NETWORK_METHODS, NetworkProvider
from symface_cli.methods.provider import Method, Provider


class LoadProvider(Protocol):
    """Loads a provider's models."""

    def __call__(self, weights: Path | None = None, device: str = "cpu", model_folder: Path | None = None) -> Provider:
        """Load the provider.

        Args:
            weights: The network's weights; None for the bundled ones. Other providers have none.
            device: Where the network computes.
            model_folder: The user's own folder of published models, as for `data.published.find`.
        """


@dataclass(frozen=True, kw_only=True)
class ProviderEntry:
    """A provider that can be asked for.

    Attributes:
        name: Its name.
        methods: Its methods.
        load: Loads its models.
        files: The published model files that it needs, keys of `data.published.FILES`.
    """

    name: str
    methods: tuple[Method, ...]
    load: LoadProvider
    files: tuple[str, ...] = ()


def _landmark_entry(
    name: str,
    load_finder: Callable[[Path | None], LandmarkFinder],
    files: tuple[str, ...],
    paper_score: float | None = None,
) -> ProviderEntry:
    methods = landmark_methods(name, paper_score)

    def load(weights: Path | None = None, device: str = "cpu", model_folder: Path | None = None) -> LandmarkProvider:
        return LandmarkProvider(load_finder(model_folder), methods)

    return ProviderEntry(name=name, methods=methods, load=load, files=files)


def _load_dlib(model_folder: Path | None) -> DlibLandmarks:
    return DlibLandmarks()  # its models come with the `landmarks` extra


PROVIDERS: dict[str, ProviderEntry] = {
    entry.name: entry
    for entry in (
        ProviderEntry(name=NETWORK, methods=NETWORK_METHODS, load=NetworkProvider),
        _landmark_entry("dlib", _load_dlib, DlibLandmarks.files, paper_score=0.712),
        _landmark_entry("sdm", SdmLandmarks, SdmLandmarks.files, paper_score=0.694),
        _landmark_entry("clm", ClmLandmarks, ClmLandmarks.files, paper_score=0.658),
        _landmark_entry("clnf", ClnfLandmarks, ClnfLandmarks.files, paper_score=0.738),
        _landmark_entry("mediapipe", MediaPipeLandmarks, MediaPipeLandmarks.files),
    )
}
"""Every provider by name; each name but the network's is also that of a baseline."""


def all_methods() -> tuple[Method, ...]:
    """List the methods of all providers."""
    return tuple(method for entry in PROVIDERS.values() for method in entry.methods)


def find_method(name: str) -> Method:
    """Find a method by its name.

    Raises:
        UsageError: If there is none.
    """
    methods = {method.name: method for method in all_methods()}
    if name not in methods:
        raise UsageError(f"unknown method {name}; choose from {', '.join(methods)}")
    return methods[name]


def choose_methods(names: Iterable[str]) -> tuple[Method, ...]:
    """Find methods by their names, each once, in the given order.

    Raises:
        UsageError: If one of them does not exist.
    """
    return tuple(find_method(name) for name in dict.fromkeys(names))


def find_provider(name: str) -> ProviderEntry:
    """Find a provider by its name.

    Raises:
        UsageError: If there is none.
    """
    if name not in PROVIDERS:
        raise UsageError(f"unknown provider {name}; choose from {', '.join(PROVIDERS)}")
    return PROVIDERS[name]


def providers_of(names: Iterable[str]) -> tuple[ProviderEntry, ...]:
    """Find the providers of some methods, each once.

    Raises:
        UsageError: If one of the methods does not exist.
    """
    return tuple(PROVIDERS[name] for name in dict.fromkeys(method.provider for method in choose_methods(names)))


def files_of(names: Iterable[str]) -> tuple[str, ...]:
    """List the published model files that some methods need, each once."""
    return tuple(dict.fromkeys(file for entry in providers_of(names) for file in entry.files))


def need_weights(names: Iterable[str]) -> bool:
    """Say whether any of some methods needs the network's weights."""
    return any(entry.name == NETWORK for entry in providers_of(names))


def baselines(name: str) -> tuple[Method, ...]:
    """List the methods of a landmark provider; of every one for "all".

    Raises:
        UsageError: If there is no such provider.
    """
    choices = [provider for provider in PROVIDERS if provider != NETWORK]
    if name != "all" and name not in choices:
        raise UsageError(f"unknown baseline {name}; choose from {', '.join([*choices, 'all'])}")
    return tuple(method for choice in choices if name in ("all", choice) for method in PROVIDERS[choice].methods)

"""Methods and recognizers whose answers are known, and gray people for them."""

from collections import Counter
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from symface_cli.data.datasets import DatasetPhoto
from symface_cli.evaluation import protocol
from symface_cli.evaluation.protocol import EvaluationPlan
from symface_cli.geometry.types import Photo
from symface_cli.methods.provider import Method, ProvidedFace, Provider
from symface_cli.methods.registry import PROVIDERS, ProviderEntry
from symface_cli.recognition.recognizer import Embedding
from symface_cli.recognition.registry import RECOGNIZERS

BRIGHTNESSES = (25, 50, 75, 105)  # of the four persons; noise has 127.5 on average

drawn: Counter[str] = Counter()
"""How often each method has drawn a face, and each provider has looked for one, since `register`."""


class BrightnessRecognizer:
    """Knows people by how bright their photos are; sees nobody in black ones."""

    thresholds: ClassVar[tuple[float, ...]] = (0.6, 0.5, 0.4)
    files: ClassVar[tuple[str, ...]] = ()

    def __init__(self, model_folder: Path | None = None) -> None:
        pass

    def embed(self, photo: Photo, point: object = None) -> Embedding | None:
        drawn["looks"] += 1
        return np.array([photo.mean()]) if photo.any() else None

    @staticmethod
    def distance(a: Embedding, b: Embedding) -> float:
        return float(abs(a - b)[0])


class StrictRecognizer(BrightnessRecognizer):
    """Sees the same, at half the thresholds."""

    thresholds: ClassVar[tuple[float, ...]] = (0.3, 0.25, 0.2)


class KnownLandmarks:
    """Takes the place of dlib's: the same in every photo, none in black ones."""

    def __init__(self, landmarks: NDArray[np.floating]) -> None:
        self._landmarks = landmarks.astype(np.float32)

    def find_nearest(self, photo: Photo, point: object) -> NDArray[np.float32] | None:
        return self._landmarks if photo.any() else None


class KnownMethods:
    """`vae` changes nothing, `noise` knows nothing of the photo, in `black` nobody is seen."""

    def find(self, photo: Photo, point: object = None) -> list[ProvidedFace]:
        drawn["finds"] += 1
        noise = np.random.default_rng(int(photo.mean())).integers(0, 256, photo.shape, dtype=np.uint8)
        return [
            ProvidedFace(
                {
                    "vae": lambda: draw("vae", photo),
                    "noise": lambda: draw("noise", noise),
                    "black": lambda: draw("black", 0 * photo),
                },
                None,
            )
        ]


class Blind:
    """Changes nothing, and finds no face in bright photos."""

    def find(self, photo: Photo, point: object = None) -> list[ProvidedFace]:
        return [ProvidedFace({"blind": lambda: draw("blind", photo)}, None)] if photo.mean() < 100 else []


def draw(method: str, image: Photo) -> Photo:
    drawn[method] += 1
    return image


def register(monkeypatch: pytest.MonkeyPatch, landmarks: NDArray[np.floating]) -> EvaluationPlan:
    """Puts methods and recognizers into the registries; the face is where the landmarks (68, 2) are, in every photo."""
    drawn.clear()
    monkeypatch.setattr(protocol, "DlibLandmarks", lambda: KnownLandmarks(landmarks))
    monkeypatch.setitem(RECOGNIZERS, "brightness", BrightnessRecognizer)
    monkeypatch.setitem(RECOGNIZERS, "strict", StrictRecognizer)
    put_in(monkeypatch, "vae", KnownMethods(), "vae", "noise", "black")
    put_in(monkeypatch, "blind", Blind(), "blind")
    return EvaluationPlan(methods=("vae", "noise", "black", "blind"), recognizers=("brightness",), jobs=1)


def put_in(monkeypatch: pytest.MonkeyPatch, name: str, provider: Provider, *methods: str) -> None:
    """Puts a provider, and its methods, into the registry."""
    entry = ProviderEntry(
        name=name,
        methods=tuple(Method(name=method, provider=name) for method in methods),
        load=lambda weights=None, device="cpu", model_folder=None: provider,
    )
    monkeypatch.setitem(PROVIDERS, name, entry)


def make_people(folder: Path) -> list[DatasetPhoto]:
    """Photos of four persons, two each: all gray, of four brightnesses; those of a person differ by 1/16 of a level."""
    photos = []
    for brightness in BRIGHTNESSES:
        for i in range(2):
            path = folder / str(brightness) / f"{i}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            image = np.full((64, 64, 3), brightness, np.uint8)
            image[:2, :2] += 255 // 4 * i  # makes the files differ: 4 of 4096 pixels by 63
            Image.fromarray(image).save(path)
            photos.append(DatasetPhoto(path, str(brightness)))
    return photos

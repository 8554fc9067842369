"""A photo for the report, and the pictures in its page."""

import base64
import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from symface_cli.geometry.types import Photo


def gradient(width: int = 400, height: int = 300) -> Photo:
    """Red from left to right, green from top to bottom."""
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return np.stack([x, y, 0 * x + 90], -1).astype(np.uint8)


def save(image: Photo, path: Path, **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path, **options)
    return path


def read(address: object) -> NDArray[np.int64]:
    """The pixels of a `data:` address."""
    data = base64.b64decode(str(address).removeprefix("data:image/webp;base64,"))
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)

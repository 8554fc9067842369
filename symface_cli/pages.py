"""HTML pages that symface writes: their templates, and pictures inside of them."""

import base64
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, Template
from numpy.typing import NDArray
from PIL import Image

from symface_cli.version import __version__

GENERATOR = f"symface {__version__}"
HEAD = 1000  # bytes in which a page says what made it
QUALITY = 80  # of WebP: about 25 kB for a picture of 560 px, 3 kB for one of 160


@dataclass(frozen=True)
class InlineImage:
    """A picture inside a page: its `data:` address, and its size in pixels."""

    address: str
    width: int
    height: int


def inline_image(photo: NDArray[np.uint8], side: int | None = None) -> InlineImage:
    """Encode a photo (H, W, 3) for a page, as WebP; made smaller where it is longer than `side` pixels."""
    image = Image.fromarray(photo)
    if side is not None:
        image.thumbnail((side, side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=QUALITY)
    address = "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
    return InlineImage(address, image.width, image.height)


def load_template(package: str, name: str) -> Template:
    """Load a template that lies beside the modules of a package, or here for all.

    It escapes values, and refuses undefined ones.
    """
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package, ""), PackageLoader(__package__, "")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals["generator"] = GENERATOR
    return environment.get_template(name)


def is_page(path: Path) -> bool:
    """Tell whether a file can be read, and is a page of any version of symface's."""
    try:
        with path.open("rb") as file:
            return b'<meta name="generator" content="symface ' in file.read(HEAD)
    except OSError:
        return False

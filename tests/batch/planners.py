"""A planner without a network, for batches of tiny pictures."""

from pathlib import Path

import numpy as np
from PIL import Image

from symface_cli.batch.runner import Batch, BatchOptions
from symface_cli.batch.targets import choose_targets
from symface_cli.errors import NoFaceError
from symface_cli.imaging.photo import encode_png
from symface_cli.rendering.options import Output
from symface_cli.rendering.outputs import OutputFile
from symface_cli.rendering.plan import PhotoPlan
from symface_cli.rendering.records import FaceRecord


class DarkPhotos:
    """Plans a darker copy of each photo; a black one has no face, one of 16 px has two."""

    can_fork = True
    kinds = (Output.PHOTO,)

    def __init__(self, version="test", divisor=2):
        self.parameters = {"version": version}
        self.divisor = divisor

    def plan(self, picture, suffix):
        if not picture.photo.any():
            raise NoFaceError("no face found")
        dark = picture.photo // self.divisor
        files = (
            OutputFile(output=kind, face=None, suffix=".png", render=lambda: encode_png(dark)) for kind in self.kinds
        )
        return PhotoPlan((FaceRecord(),) * (2 if picture.photo.shape[0] == 16 else 1), tuple(files))


def save_gray(path, value, size=8):
    """Save a picture of one gray; its file's size is the same for all values from 1 to 255."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((size, size, 3), value, np.uint8)).save(path)
    return path


def batch(photos, out, version="test", divisor=2, **options):
    """Prepare a batch of files or a folder."""
    named = [photos] if isinstance(photos, Path) else photos
    return Batch(DarkPhotos(version, divisor), choose_targets(named, out), BatchOptions(jobs=1, **options))

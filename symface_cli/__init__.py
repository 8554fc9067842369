"""symface: makes faces in photos symmetric.

>>> import symface_cli
>>> symface_cli.symmetrize("portrait.jpg")  # or bytes, a Pillow image, an array: the same comes back
'portrait.symmetric.jpg'
>>> symface_cli.measure("portrait.jpg")[0].values["whole_shape_pct"]  # per cent of the eye distance
Estimate(value=7.41..., error=0.12...)
>>> faces = symface_cli.Symmetrizer().symmetrize(photo)  # (H, W, 3) uint8
>>> faces[0].image  # (S, S, 3) uint8, equal to its mirror image
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from symface_cli.version import __version__

if TYPE_CHECKING:
    from symface_cli.api.films import measure_video, symmetrize_video
    from symface_cli.api.photos import measure, symmetric_faces, symmetrize
    from symface_cli.films.measuring.records import FrameMeasurement
    from symface_cli.films.symmetrizing import SymmetricFrame
    from symface_cli.inference.symmetrizer import SymmetricFace, Symmetrizer
    from symface_cli.measurement.photo import FaceMeasurement

__all__ = [
    "FaceMeasurement",
    "FrameMeasurement",
    "SymmetricFace",
    "SymmetricFrame",
    "Symmetrizer",
    "__version__",
    "measure",
    "measure_video",
    "symmetric_faces",
    "symmetrize",
    "symmetrize_video",
]

_HOMES = {
    "measure": "api.photos",
    "measure_video": "api.films",
    "symmetric_faces": "api.photos",
    "symmetrize": "api.photos",
    "symmetrize_video": "api.films",
    "FaceMeasurement": "measurement.photo",
    "FrameMeasurement": "films.measuring.records",
    "SymmetricFrame": "films.symmetrizing",
    "SymmetricFace": "inference.symmetrizer",
    "Symmetrizer": "inference.symmetrizer",
}


def __getattr__(name: str) -> Any:
    # torch and OpenCV take more than a second to import: the command line's help must not wait for them.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

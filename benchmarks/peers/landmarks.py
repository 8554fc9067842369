"""The older way: dlib's detector and landmarks, the photo leveled, one half mirrored."""

from collections.abc import Sequence

import cv2
from crew import Pair, run

from symface_cli.imaging.photo import encode_png, read_photo
from symface_cli.landmarks.dlib import DlibLandmarks
from symface_cli.methods.baselines import level, mirror_half
from symface_cli.writing import write_file

cv2.setNumThreads(1)
FINDER = DlibLandmarks()


def mirror(pairs: Sequence[Pair]) -> None:
    """Mirror a half of each face about dlib's midline."""
    for source, result in pairs:
        pixels = read_photo(source)
        for landmarks in FINDER.find_faces(pixels):
            mirrored = mirror_half(level(pixels, landmarks), "left")
            write_file(result.with_suffix(".png"), encode_png(mirrored), replace=True)


run(mirror)

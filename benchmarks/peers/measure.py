"""What `symface measure` does with photos, the network loaded."""

import contextlib
from collections.abc import Sequence

from crew import Pair, run

from symface_cli.detection.selection import Selection
from symface_cli.errors import NoFaceError
from symface_cli.imaging.photo import read_photo
from symface_cli.inference.symmetrizer import Symmetrizer
from symface_cli.measurement.photo import USUAL, FaceMeter
from symface_cli.parallel.work import one_thread

METER = FaceMeter(Symmetrizer(), USUAL)


def measure(pairs: Sequence[Pair]) -> None:
    """Measure the faces of all photos, one after the other."""
    with one_thread():
        for photo, _ in pairs:
            with contextlib.suppress(NoFaceError):
                METER.measure_photo(read_photo(photo), Selection())


run(measure)

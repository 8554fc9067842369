"""What `symface symmetrize` does with photos, the network loaded."""

import os
from collections.abc import Sequence

from crew import Pair, run

from symface_cli.batch.runner import Batch, BatchOptions
from symface_cli.batch.targets import choose_targets
from symface_cli.detection.selection import Selection
from symface_cli.inference.symmetrizer import Symmetrizer
from symface_cli.rendering.options import OutputOptions
from symface_cli.rendering.plan import NetworkPlanner

SYMMETRIZER = Symmetrizer(engine=os.environ.get("ENGINE", "auto"))
PLANNER = NetworkPlanner(SYMMETRIZER, OutputOptions(), Selection())


def symmetrize(pairs: Sequence[Pair]) -> None:
    """Make the faces of all photos symmetric, one after the other."""
    folder = pairs[0][1].parent
    targets = choose_targets([photo for photo, _ in pairs], f"{folder}/")
    for _ in Batch(PLANNER, targets, BatchOptions(force=True, jobs=1)).run():
        pass


run(symmetrize)

"""A planner that workers of a cluster load: it ends its process at a photo of one gray, without a word."""

import os
import time
from pathlib import Path

from tests.batch.planners import DarkPhotos

POISON = 66


class Poisonous(DarkPhotos):
    def plan(self, picture, suffix):
        if (picture.photo == POISON).all():
            os._exit(1)
        time.sleep(0.2)
        return super().plan(picture, suffix)


def load(folder: Path):
    """Load it, and leave a file in a folder that is called as the worker's node."""
    import ray

    (folder / ray.get_runtime_context().get_node_id()).touch()
    return Poisonous()

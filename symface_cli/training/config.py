"""Configuration of a training: all that its result depends on, apart from photos, labels and first weights."""

from dataclasses import asdict, dataclass, field

from symface_cli.network.architecture import Architecture
from symface_cli.training.data.augmentation import Augmentation
from symface_cli.training.data.teachers import Teacher
from symface_cli.training.losses import LossWeights

EPOCHS = {1: 2, 2: 15, 3: 30}  # by stage, for LFW: 3, 29 and 54 minutes on one CPU core of two
RATES = {1: 1e-3, 2: 2e-3, 3: 1.2e-3}  # highest learning rates by stage

Settings = dict[str, object]
"""A configuration, and the number of processes, as JSON has them."""


@dataclass(frozen=True, kw_only=True)
class OptimizerSettings:
    """How the weights follow their gradients: AdamW with a one-cycle schedule.

    Attributes:
        warm_up: Share of the steps in which the learning rate rises.
        weight_decay: Share of a weight that a step takes away, in learning rates.
        clip: Largest norm of the gradient of a network's part (localizer, encoder, decoder).
        linear_rate: Learning rate of the linear path relative to the rest: it starts near its optimum.
        dense_rate: The same of the localizer's dense layers. A unit there has thousands of inputs, none of them
            negative, which Adam moves together. At the full rate, most units fall silent for all faces in the first
            steps, and none comes back: of 320, some 20 were left, or none.
        averaging: Share that a step leaves of the weights' running mean; less in the first steps.
    """

    warm_up: float = 0.05
    weight_decay: float = 1e-2
    clip: float = 5.0
    linear_rate: float = 0.01
    dense_rate: float = 0.1
    averaging: float = 0.999


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """What a run does, apart from where its data and results lie.

    Attributes:
        stage: 1, 2 or 3.
        architecture: The network.
        epochs: Passes over the training split.
        batch_size: Crops per step, of each process.
        lr: Highest learning rate of the one-cycle schedule.
        seed: Of weights, data order, augmentation and sampling.
        teacher: What the labels of stages 2 and 3 are made of.
        clean: Whether only photos, labels and weights are learned from that permit every use.
        losses: How much each loss counts.
        augmentation: How training pictures are changed.
        optimizer: How the weights follow their gradients.
    """

    stage: int
    architecture: Architecture
    epochs: int
    batch_size: int
    lr: float
    seed: int
    teacher: Teacher = "dlib"
    clean: bool = False
    losses: LossWeights = field(default_factory=LossWeights)
    augmentation: Augmentation = field(default_factory=Augmentation)
    optimizer: OptimizerSettings = field(default_factory=OptimizerSettings)

    def settings(self, world: int) -> Settings:
        """Return the fields as JSON has them, and how many processes train together."""
        return {**asdict(self), "architecture": self.architecture.as_dict(), "processes": world}


def find_difference(known: Settings, wanted: Settings) -> str | None:
    """Return the first field in which settings differ, and its two values; None if they are the same.

    A field that only one of them has is a difference, too.
    """
    first, second = _flatten(known), _flatten(wanted)
    for key in {**first, **second}:
        if key not in first or key not in second or first[key] != second[key]:
            return f"{key} {first.get(key, 'nothing')}, not {second.get(key, 'nothing')}"
    return None


def _flatten(settings: Settings, prefix: str = "") -> Settings:
    """Return nested fields under names such as "losses.warp"."""
    flat: Settings = {}
    for key, value in settings.items():
        if isinstance(value, dict):
            flat |= _flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat

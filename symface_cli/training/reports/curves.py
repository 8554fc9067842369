"""Loss curves of a training as a picture: needs matplotlib, of the train extra."""

import importlib.util
import io
import logging
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

UNITS = {
    "image": "nats",
    "kl": "nats",
    "warp": "eye distances",
    "mask": "nats",
    "parts": "nats",
    "irises": "nats",
    "midline": "radians + eye distances",
}
COLUMNS = 3
PANEL_SIZE = (4.2, 3.0)  # inches
MARGINS = (0.6, 0.5, 0.8, 0.35)  # inches, left, right, at the bottom with the legend, at the top
RESOLUTION = 100  # pixels per inch
STEEP = 10  # ratio of highest to lowest loss from which an axis is logarithmic


def curves_are_possible() -> bool:
    """Return whether matplotlib is installed."""
    return importlib.util.find_spec("matplotlib") is not None


def draw_curves(rows: Sequence[dict[str, float]]) -> bytes:
    """Draw a panel per loss as PNG: training and validation over the epochs, the best epoch, the learning rate.

    Args:
        rows: At least one, as in `losses.csv`; losses that are not finite leave gaps.
    """
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # without a home folder, its cache lies elsewhere
    from matplotlib.figure import Figure  # not pyplot: it keeps every figure, and wants a display

    names = [key.removeprefix("train_") for key in rows[0] if key.startswith("train_")]
    columns = min(len(names), COLUMNS)
    lines = math.ceil(len(names) / columns)
    width, height = columns * PANEL_SIZE[0], lines * PANEL_SIZE[1] + 0.4
    figure = Figure(figsize=(width, height), dpi=RESOLUTION)  # a layout found by drawing it would take twice as long
    left, right, bottom, top = MARGINS
    figure.subplots_adjust(left / width, bottom / height, 1 - right / width, 1 - top / height, wspace=0.3, hspace=0.4)
    panels = [figure.add_subplot(lines, columns, number) for number in range(1, len(names) + 1)]
    for panel, name in zip(panels, names, strict=True):
        _draw_loss(panel, rows, name)
    _draw_rate(panels[0], rows)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="lower center", ncols=4, frameon=False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})  # the same bytes from every version
    return buffer.getvalue()


def _draw_loss(panel: "Axes", rows: Sequence[dict[str, float]], name: str) -> None:
    """Draw a loss over the epochs, of both splits."""
    from matplotlib.ticker import MaxNLocator

    epochs = [row["epoch"] for row in rows]
    best = _best_epoch(rows)
    for split, color in (("train", "tab:blue"), ("validation", "tab:orange")):
        label = {"train": "training"}.get(split, split)
        panel.plot(epochs, [row[f"{split}_{name}"] for row in rows], ".-", color=color, markersize=4, label=label)
    panel.axvline(best, color="tab:green", linestyle="--", linewidth=1, zorder=1, label=f"best epoch: {best:.0f}")
    losses = [value for row in rows for value in (row[f"train_{name}"], row[f"validation_{name}"])]
    if min(losses) > 0 and max(losses) > STEEP * min(losses):
        panel.set_yscale("log")
    panel.set_title(f"{name} [{UNITS[name]}]" if name in UNITS else name, fontsize=10)
    panel.set_xlim(0.5, max(epochs) + 0.5)
    panel.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    panel.set_xlabel("epoch", fontsize=8)
    panel.tick_params(which="both", labelsize=8)
    panel.grid(alpha=0.3)


def _best_epoch(rows: Sequence[dict[str, float]]) -> float:
    """Return the first epoch with the lowest validation loss, whose weights are the best."""
    losses = [row["validation_total"] for row in rows]
    lowest = min((loss for loss in losses if math.isfinite(loss)), default=losses[0])
    return rows[losses.index(lowest)]["epoch"]


def _draw_rate(panel: "Axes", rows: Sequence[dict[str, float]]) -> None:
    """Draw the learning rate as a faint line behind a panel's losses, with its own axis on the right."""
    panel.plot([], [], ".-", color="0.7", markersize=4, label="learning rate (right axis of the first panel)")
    behind = panel.twinx()
    behind.plot([row["epoch"] for row in rows], [row["lr"] for row in rows], ".-", color="0.7", markersize=4)
    behind.set_ylim(bottom=0)
    behind.tick_params(labelsize=7, colors="0.5")
    behind.ticklabel_format(scilimits=(-3, 3), useMathText=True)
    behind.yaxis.get_offset_text().set(size=7, color="0.5")
    panel.set_zorder(behind.get_zorder() + 1)
    panel.patch.set_visible(False)

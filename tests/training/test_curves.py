"""A training's pictures: loss curves, and the log for TensorBoard."""

import io
import math
import sys

import numpy as np
import pytest
from PIL import Image

from symface_cli.training import loop
from symface_cli.training.checkpoints import load_checkpoint
from symface_cli.training.loop import train
from symface_cli.training.reports.curves import draw_curves
from symface_cli.training.reports.tensorboard import TensorBoardLog
from symface_cli.training.run_folder import RunFolder
from tests.training.small import CPU, Silent, settings


def rows_of(validation, names=("total", "image", "kl")):
    rows = []
    for epoch, loss in enumerate(validation, 1):
        row = {"epoch": epoch, "lr": 1e-3 / epoch}
        rows.append(row | {f"{split}_{name}": loss for split in ("train", "validation") for name in names})
    return rows


def pixels_of(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def marked(png):
    """Where the best epoch is marked in the first panel: the share of the picture's width."""
    picture = pixels_of(png).astype(float)
    red, green, blue = picture[: len(picture) // 2].transpose(2, 0, 1)
    columns = np.flatnonzero((green > np.maximum(red, blue) + 40).any(0))  # the only green line
    return columns[0] / picture.shape[1]


@pytest.mark.parametrize("epochs", [1, 100])
@pytest.mark.parametrize("names", [("total", "image", "kl"), ("total", "warp", "mask", "visible", "image", "kl")])
def test_curves_are_drawn_for_every_stage_and_any_number_of_epochs(epochs, names):
    png = draw_curves(rows_of(np.linspace(9, 1, epochs), names))
    height, width, _ = pixels_of(png).shape
    assert width > 1000
    assert (height > 500) == (len(names) > 3)


def test_the_best_epoch_is_marked_where_it_is():
    """Of three epochs, 0.5 to 3.5 across a panel: in its first sixth, its middle, and its last sixth."""
    first, second, third = (marked(draw_curves(rows_of(losses))) for losses in ([1, 2, 3], [2, 1, 3], [3, 2, 1]))
    assert third - second == pytest.approx(second - first, rel=0.05)
    assert 0.05 < first < second < third < 1 / 3


def test_the_same_losses_give_the_same_file_whatever_was_drawn_before():
    rows = rows_of([3, 2, 1])
    first = draw_curves(rows)
    assert draw_curves(rows_of([1, 2, 3])) != first
    assert draw_curves(rows) == first


def test_a_picture_of_curves_holds_no_text_that_names_its_maker():
    assert not Image.open(io.BytesIO(draw_curves(rows_of([2, 1])))).info.keys() - {"dpi"}


def test_losses_that_are_not_finite_are_left_out():
    broken, whole = (marked(draw_curves(rows_of(losses))) for losses in ([math.nan, 1, math.inf], [2, 1, 2]))
    assert broken == pytest.approx(whole, abs=0.01)


def test_curves_import_no_pyplot():
    draw_curves(rows_of([1]))
    assert "matplotlib.pyplot" not in sys.modules


def test_without_matplotlib_training_goes_on_without_curves_and_says_so_once(data, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    observer = Silent()
    train(settings(1, 2), data, RunFolder(tmp_path), CPU, observer)
    assert {path.name for path in (tmp_path / "stage-1").iterdir()} == {
        "best.safetensors", "config.json", "epoch-001.png", "epoch-002.png", "last.pt", "losses.csv",
    }  # fmt: skip
    (note,) = [note for note in observer.notes if "matplotlib" in note]
    assert "symface[train]" in note


@pytest.fixture
def sheet():
    """A PNG of 6 x 4 pixels, all of one color."""
    buffer = io.BytesIO()
    Image.new("RGB", (6, 4), (200, 100, 50)).save(buffer, "PNG")
    return buffer.getvalue()


def read_log(folder):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    log = accumulator.EventAccumulator(str(folder))
    log.Reload()
    return log


def test_tensorboard_shows_an_epochs_losses_and_its_sheet(sheet, tmp_path):
    pytest.importorskip("tensorboard")
    TensorBoardLog(tmp_path).add({"epoch": 1, "lr": 0.5, "train_total": 3.0, "validation_total": 2.0}, sheet)
    log = read_log(tmp_path)
    found = {name: [(event.step, event.value) for event in log.Scalars(name)] for name in log.Tags()["scalars"]}
    assert found == {"lr": [(1, 0.5)], "train/total": [(1, 3.0)], "validation/total": [(1, 2.0)]}
    (picture,) = log.Images("examples")
    assert (picture.step, picture.width, picture.height) == (1, 6, 4)
    assert (pixels_of(picture.encoded_image_string) == (200, 100, 50)).all()


def test_a_resumed_run_doubles_no_epoch_of_the_tensorboard_log(sheet, tmp_path):
    pytest.importorskip("tensorboard")
    for first, last, loss in ((1, 3, 9.0), (2, 2, 5.0)):
        log = TensorBoardLog(tmp_path)
        for epoch in range(first, last + 1):
            log.add({"epoch": epoch, "train_total": loss}, sheet)
    log = read_log(tmp_path)
    assert [(event.step, event.value) for event in log.Scalars("train/total")] == [(1, 9.0), (2, 5.0)]
    assert [event.step for event in log.Images("examples")] == [1, 2]


def test_training_draws_its_curves_and_a_stopped_run_goes_on_in_its_log(data, tmp_path, monkeypatch):
    pytest.importorskip("tensorboard")
    folder = tmp_path / "log"
    with pytest.raises(KeyboardInterrupt):
        train(settings(1, 3), data, RunFolder(tmp_path, log=TensorBoardLog(folder)), CPU, Silent(stop_after=2))
    monkeypatch.setattr(loop, "draw_curves", draw_curves)
    train(settings(1, 3), data, RunFolder(tmp_path, resume=True, log=TensorBoardLog(folder)), CPU, Silent())
    rows = load_checkpoint(tmp_path / "stage-1/last.pt")["rows"]
    logged = read_log(folder).Scalars("validation/total")
    assert [event.step for event in logged] == [1, 2, 3]
    assert [event.value for event in logged] == pytest.approx([row["validation_total"] for row in rows])
    assert (tmp_path / "stage-1/losses.png").read_bytes() == draw_curves(rows)


def test_without_its_extra_the_tensorboard_log_says_what_to_install(symface, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    monkeypatch.delitem(sys.modules, "torch.utils.tensorboard", raising=False)
    finished = symface("train", "--stage", 1, tmp_path, "--run", tmp_path / "run", "--tensorboard")
    assert finished.status == 2
    assert finished.err.startswith("symface: TensorBoard is not installed")
    assert 'pip install "symface[train]", or leave out --tensorboard' in finished.err

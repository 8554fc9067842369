"""The folder of a training."""

import os
import tempfile

import pytest

from symface_cli.errors import DataError, Hint, OutputError, UsageError
from symface_cli.training.distributed import Processes
from symface_cli.training.run_folder import RunFolder
from tests.training.small import settings
from tests.users import modes, ordinary_user, shared_folder


@pytest.fixture
def no_temporary_folder(monkeypatch):
    """A read-only container: no folder for temporary files but the one that TMPDIR may name."""
    monkeypatch.setenv("TMPDIR", "")
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: [os.environ["TMPDIR"] or "/nonexistent"])


def test_a_run_has_a_place_for_temporary_files_where_the_system_has_none(no_temporary_folder, tmp_path):
    RunFolder(tmp_path / "run").lend_temporary_folder()
    with tempfile.TemporaryFile() as file:
        file.write(b"x")
    assert tempfile.gettempdir() == str(tmp_path / "run" / "temporary")


def test_no_place_for_temporary_files_is_told_before_the_work(no_temporary_folder, tmp_path):
    (tmp_path / "run").write_bytes(b"")
    with pytest.raises(DataError, match="set TMPDIR"):
        RunFolder(tmp_path / "run").lend_temporary_folder()


def test_otherwise_the_place_of_the_system_is_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", None)
    before = os.environ.get("TMPDIR")
    RunFolder(tmp_path / "run").lend_temporary_folder()
    assert os.environ.get("TMPDIR") == before
    assert not (tmp_path / "run").exists()


@pytest.fixture
def stage(tmp_path):
    """The folder of the first stage, with weights in it."""
    folder = RunFolder(tmp_path).stage(1)
    folder.path.mkdir()
    folder.best.write_bytes(b"weights")
    return folder


def test_weights_that_somebody_has_put_into_a_stage_are_kept(stage, tmp_path):
    with pytest.raises(UsageError, match=r"best\.safetensors: these weights would be lost; move them") as caught:
        RunFolder(tmp_path).state_to_resume(settings(1), Processes())
    assert caught.value.hint is Hint.OTHER_RUN


def test_weights_of_a_training_whose_checkpoint_was_deleted_are_kept(stage):
    stage.open({})
    stage.write_losses([{"epoch": 1.0}], None)
    stage.refuse_weights(None)  # as a process leaves them that was killed in its first epoch
    stage.write_losses([{"epoch": 1.0}, {"epoch": 2.0}], None)
    with pytest.raises(UsageError, match="would be lost"):
        stage.refuse_weights(None)


def test_weights_that_a_training_starts_from_are_kept(stage, tmp_path):
    stage.open({})
    stage.refuse_weights(None)
    (tmp_path / "link").hardlink_to(stage.best)
    for name in (stage.best, tmp_path / "link"):
        with pytest.raises(UsageError, match="would be lost"):
            stage.refuse_weights(name)


@modes
@pytest.mark.parametrize("place", ["private", "closed"])
def test_a_stage_that_cannot_be_written_is_refused_before_photos_are_prepared(place):
    with shared_folder() as folder, ordinary_user(), pytest.raises(OutputError, match="ermission denied"):
        RunFolder(folder / place).stage(1).prepare()


@modes
def test_a_write_protected_checkpoint_is_refused_before_photos_are_prepared(stage):
    stage.last.touch(mode=0o444)
    with pytest.raises(OutputError, match=r"last\.pt: it is write-protected"):
        stage.prepare()

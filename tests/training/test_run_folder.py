"""The folder of a training."""

import os
import tempfile

import pytest

from symface_cli.errors import DataError
from symface_cli.training.run_folder import RunFolder


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

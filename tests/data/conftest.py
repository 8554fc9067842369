"""What the tests of data share."""

from pathlib import Path

import pytest


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache's folder of data sets, which does not exist yet."""
    monkeypatch.setenv("SYMFACE_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "datasets"

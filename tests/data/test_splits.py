"""Which photos of a data set are taken: those of a split's people, evenly spaced."""

from pathlib import Path

import pytest

from symface_cli.data.datasets import choose_photos, split_of, survey
from symface_cli.errors import DataError, Hint, UsageError


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Sixty people with two photos each, that are never opened."""
    for i in range(60):
        folder = tmp_path / "data" / f"Person_{i:02d}"
        folder.mkdir(parents=True)
        for j in (1, 2):
            (folder / f"{j}.jpg").touch()
    return tmp_path / "data"


def test_splits_share_no_person_and_lose_none(data: Path) -> None:
    persons = {
        split: {photo.identity for photo in choose_photos(survey(data), split)}
        for split in ("test", "validation", "train")
    }
    assert {name for names in persons.values() for name in names} == {f"Person_{i:02d}" for i in range(60)}
    assert sum(map(len, persons.values())) == 60
    assert all(split_of(name) == split for split, names in persons.items() for name in names)
    assert len(choose_photos(survey(data), "all")) == 120


def test_limit_takes_evenly_spaced_photos_and_always_the_same(data: Path) -> None:
    everything = choose_photos(survey(data), "all")
    assert choose_photos(survey(data), "all", 4) == [everything[i] for i in (0, 30, 60, 90)]
    assert choose_photos(survey(data), "all", 7) == choose_photos(survey(data), "all", 7)
    assert choose_photos(survey(data), "all", 1000) == everything


def test_split_without_photos_is_a_data_error(tmp_path: Path) -> None:
    name = next(f"Person_{i}" for i in range(100) if split_of(f"Person_{i}") == "train")
    (tmp_path / f"{name}.jpg").touch()
    assert len(choose_photos(survey(tmp_path), "train")) == 1
    with pytest.raises(DataError, match="no photos of test persons") as caught:
        choose_photos(survey(tmp_path), "test")
    assert caught.value.hint is Hint.ALL_SPLITS


@pytest.mark.parametrize(("split", "limit"), [("tset", None), ("all", 0)])
def test_split_or_limit_that_means_nothing_is_a_usage_error(data: Path, split: str, limit: int | None) -> None:
    with pytest.raises(UsageError):
        choose_photos(survey(data), split, limit)

"""What results are called."""

from pathlib import Path

import pytest

from symface_cli.errors import PhotoError, UsageError
from symface_cli.naming import choose_targets, refuse_existing


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def names(targets):
    return [target.result for target in targets]


def test_result_lies_beside_its_photo(tmp_path):
    touch(tmp_path / "a.b.jpg")
    assert names(choose_targets([tmp_path / "a.b.jpg"], None)) == [tmp_path / "a.b.symmetric.png"]


def test_several_faces_are_numbered(tmp_path):
    touch(tmp_path / "a.jpg")
    (target,) = choose_targets([tmp_path / "a.jpg"], None)
    assert [path.name for path in target.results(2)] == ["a.symmetric-1.png", "a.symmetric-2.png"]
    assert target.results(1) == [tmp_path / "a.symmetric.png"]


def test_out_names_a_file(tmp_path):
    touch(tmp_path / "a.jpg")
    assert names(choose_targets([tmp_path / "a.jpg"], str(tmp_path / "x.PNG"))) == [tmp_path / "x.PNG"]


def test_out_that_is_no_png_is_refused(tmp_path):
    touch(tmp_path / "a.jpg")
    with pytest.raises(UsageError, match="PNG"):
        choose_targets([tmp_path / "a.jpg"], str(tmp_path / "x.jpg"))


@pytest.mark.parametrize("out", ["new/", "there"])
def test_out_names_a_folder(tmp_path, out):
    (tmp_path / "there").mkdir()
    touch(tmp_path / "a.jpg")
    (result,) = names(choose_targets([tmp_path / "a.jpg"], f"{tmp_path}/{out}"))
    assert result == tmp_path / out / "a.symmetric.png"


def test_a_folder_keeps_its_tree_and_leaves_out_results(tmp_path):
    touch(tmp_path / "in/a.jpg", tmp_path / "in/deep/b.png", tmp_path / "in/a.symmetric.png")
    touch(tmp_path / "in/deep/b.symmetric-2.png")
    results = names(choose_targets([tmp_path / "in"], str(tmp_path / "out")))
    assert results == [tmp_path / "out/a.symmetric.png", tmp_path / "out/deep/b.symmetric.png"]


def test_photos_that_differ_in_their_suffix_keep_it(tmp_path):
    touch(tmp_path / "a.jpg", tmp_path / "a.png", tmp_path / "b.jpg")
    results = [path.name for path in names(choose_targets([tmp_path], None))]
    assert results == ["a.jpg.symmetric.png", "a.png.symmetric.png", "b.symmetric.png"]


def test_two_photos_that_would_become_one_file_are_refused(tmp_path):
    touch(tmp_path / "x/a.jpg", tmp_path / "y/a.jpg")
    with pytest.raises(UsageError, match="would both become"):
        choose_targets([tmp_path / "x/a.jpg", tmp_path / "y/a.jpg"], str(tmp_path / "out"))


def test_missing_file_and_empty_folder_are_usage_errors(tmp_path):
    with pytest.raises(UsageError, match="no such file"):
        choose_targets([tmp_path / "a.jpg"], None)
    with pytest.raises(UsageError, match="no photos"):
        choose_targets([tmp_path], None)


def test_an_existing_file_is_refused(tmp_path):
    touch(tmp_path / "a.png")
    with pytest.raises(PhotoError, match="--force"):
        refuse_existing([tmp_path / "b.png", tmp_path / "a.png"])

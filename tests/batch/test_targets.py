"""What results are called."""

import errno
import os
import re
from pathlib import Path

import pytest

from symface_cli.batch.targets import STREAM, choose_targets
from symface_cli.errors import PhotoError, UsageError


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def names(targets):
    return [target.path("", ".png") for target in targets.items]


def test_result_lies_beside_its_photo(tmp_path):
    touch(tmp_path / "a.b.jpg")
    assert names(choose_targets([tmp_path / "a.b.jpg"], None)) == [tmp_path / "a.b.symmetric.png"]


def test_labels_tell_the_results_of_a_photo_apart(tmp_path):
    touch(tmp_path / "a.jpg")
    (target,) = choose_targets([tmp_path / "a.jpg"], None).items
    assert target.path("face-2", ".png") == tmp_path / "a.symmetric-face-2.png"


def test_out_names_a_file(tmp_path):
    touch(tmp_path / "a.jpg")
    (target,) = choose_targets([tmp_path / "a.jpg"], str(tmp_path / "x.PNG")).items
    assert target.path("", ".png") == tmp_path / "x.PNG"
    assert target.path("compare", ".png") == tmp_path / "x-compare.png"


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
    with pytest.raises(UsageError, match="would both be called"):
        choose_targets([tmp_path / "x/a.jpg", tmp_path / "y/a.jpg"], str(tmp_path / "out"))


def test_a_photo_that_is_named_several_times_is_taken_once(tmp_path, monkeypatch):
    touch(tmp_path / "in/deep/a.jpg", tmp_path / "in/b.jpg")
    (tmp_path / "link.jpg").symlink_to("in/b.jpg")
    monkeypatch.chdir(tmp_path)
    arguments = [Path("in"), tmp_path / "in/deep/a.jpg", Path("in/../in/b.jpg"), Path("link.jpg"), Path("in")]
    results = names(choose_targets(arguments, "out"))
    assert results == [Path("out", name) for name in ("b.symmetric.png", "deep/a.symmetric.png", "link.symmetric.png")]


def test_missing_file_and_empty_folder_are_usage_errors(tmp_path):
    with pytest.raises(UsageError, match="no such file"):
        choose_targets([tmp_path / "a.jpg"], None)
    with pytest.raises(UsageError, match="no photos"):
        choose_targets([tmp_path], None)


def test_a_pattern_that_no_shell_expanded_stands_for_its_photos(tmp_path):
    touch(tmp_path / "a.jpg", tmp_path / "b.jpg", tmp_path / "b.symmetric.jpg", tmp_path / "c.png")
    targets = choose_targets([tmp_path / "*.jpg"], None)
    assert [target.photo.name for target in targets.items] == ["a.jpg", "b.jpg"]


def test_a_pattern_over_all_folders_does_not_stand_for_those_of_the_system(tmp_path):
    touch(tmp_path / "in/a.jpg", tmp_path / "in/@eaDir/a.jpg/THUMB.jpg", tmp_path / "in/#recycle/b.jpg")
    assert [target.photo.name for target in choose_targets([tmp_path / "**/*.jpg"], None).items] == ["a.jpg"]
    named = choose_targets([tmp_path / "in/#recycle/*.jpg"], None)
    assert [target.photo.name for target in named.items] == ["b.jpg"]


def test_what_cannot_be_listed_is_a_problem_of_the_batch_and_not_its_end(tmp_path):
    touch(tmp_path / "in/a.jpg", tmp_path / "in/b.gif", tmp_path / "other/c.jpg")
    (tmp_path / "in/Gone").symlink_to("nowhere")
    targets = choose_targets([tmp_path / "in", tmp_path / "other"], None)
    assert [target.photo.name for target in targets.items] == ["a.jpg", "c.jpg"]
    problem = f"cannot read {tmp_path / 'in/Gone'}: it is a link to nothing"
    assert list(map(str, targets.problems)) == [problem]
    assert targets.remarks == [problem, "GIF files in folders are passed over, here 1; name those that are meant"]
    (tmp_path / "in/a.jpg").unlink()
    with pytest.raises(PhotoError, match="Gone: it is a link to nothing"):
        choose_targets([tmp_path / "in"], None)


def test_a_folder_that_is_named_and_cannot_be_listed_leaves_the_others(tmp_path, monkeypatch):
    """As lost+found among the folders that a shell makes of */ on a disk."""
    touch(tmp_path / "good/a.jpg", tmp_path / "lost+found/b.jpg")
    scan = os.scandir

    def refuse(folder):
        if folder.name == "lost+found":
            raise PermissionError(errno.EACCES, "Permission denied")
        return scan(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    targets = choose_targets([tmp_path / "good", tmp_path / "lost+found"], None)
    assert [target.photo.name for target in targets.items] == ["a.jpg"]
    problem = f"cannot list the folder {tmp_path / 'lost+found'}: Permission denied"
    assert list(map(str, targets.problems)) == [problem]
    with pytest.raises(PhotoError, match=re.escape(problem)):
        choose_targets([tmp_path / "lost+found"], None)


def test_a_folder_of_nothing_but_gif_files_is_refused_with_the_reason(tmp_path):
    touch(tmp_path / "a.gif")
    with pytest.raises(UsageError, match="no photos in this folder but GIF files, which have to be named"):
        choose_targets([tmp_path], None)
    assert len(choose_targets([tmp_path / "a.gif"], None).items) == 1


def test_a_file_whose_name_looks_like_a_pattern_is_itself(tmp_path):
    touch(tmp_path / "a[1].jpg", tmp_path / "a1.jpg")
    (target,) = choose_targets([tmp_path / "a[1].jpg"], None).items
    assert target.photo.name == "a[1].jpg"


def test_standard_input_goes_to_standard_output_or_to_a_file(tmp_path):
    (target,) = choose_targets([STREAM], None).items
    assert target.path("", ".png") == STREAM
    (target,) = choose_targets([STREAM], str(tmp_path / "x.png")).items
    assert target.path("", ".png") == tmp_path / "x.png"


def test_standard_input_goes_alone(tmp_path):
    touch(tmp_path / "a.jpg")
    with pytest.raises(UsageError, match="alone"):
        choose_targets([STREAM, tmp_path / "a.jpg"], None)


@pytest.mark.parametrize(
    ("name", "is_folder"),
    [
        *[("new/", True), ("new", True), ("new/deeper", True), ("there", True), ("new.d/", True)],
        *[("x.png", False), ("file", False), ("loop.2", False)],
    ],
)
def test_whether_out_is_a_folder_is_said_once(tmp_path, name, is_folder):
    (tmp_path / "there").mkdir()
    touch(tmp_path / "a.jpg", tmp_path / "file")
    targets = choose_targets([tmp_path / "a.jpg"], f"{tmp_path}/{name}")
    assert (targets.folder is not None, targets.file is None) == (is_folder, is_folder)


def test_one_photo_and_the_next_batch_may_name_the_same_new_folder(tmp_path):
    touch(tmp_path / "a.jpg", tmp_path / "b.jpg")
    out = str(tmp_path / "results")
    assert names(choose_targets([tmp_path / "a.jpg"], out)) == [tmp_path / "results" / "a.symmetric.png"]
    assert choose_targets([tmp_path / "a.jpg", tmp_path / "b.jpg"], out).folder == tmp_path / "results"


@pytest.mark.parametrize("out", ["-", "/dev/stdout"])
def test_a_stream_is_no_folder_without_its_suffix(tmp_path, out):
    touch(tmp_path / "a.jpg")
    assert choose_targets([tmp_path / "a.jpg"], out).file == Path(out)


def test_out_is_a_folder_for_several_photos_whatever_it_is_called(tmp_path):
    touch(tmp_path / "a.jpg", tmp_path / "b.jpg")
    targets = choose_targets([tmp_path / "a.jpg", tmp_path / "b.jpg"], str(tmp_path / "results.d"))
    assert targets.folder == tmp_path / "results.d"
    assert names(targets) == [tmp_path / "results.d" / name for name in ("a.symmetric.png", "b.symmetric.png")]


def test_results_beside_their_photos_have_no_folder(tmp_path):
    touch(tmp_path / "a.jpg")
    targets = choose_targets([tmp_path / "a.jpg"], None)
    assert (targets.folder, targets.file) == (None, None)

"""Labels: found, written for people, read back whatever a spreadsheet program did, and what training makes of them."""

import csv
import io
import os
import re
import shutil
from collections import Counter
from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image

from symface_cli.data.datasets import split_of, survey
from symface_cli.errors import DataError, Hint, MissingExtraError, OutputError
from symface_cli.geometry.frames import Box
from symface_cli.geometry.sampling import resample
from symface_cli.imaging.photo import read_photo
from symface_cli.landmarks import dlib, scheme
from symface_cli.landmarks.shape import symmetric_warp
from symface_cli.network.weights import bundled_weights
from symface_cli.training.data import labeling, labels, review
from symface_cli.training.data.label_table import COLUMNS, read_labels, write_labels
from symface_cli.training.data.labeling import label_into
from symface_cli.training.data.labels import (
    Label,
    describe_labels,
    find_doubt,
    label_photos,
    name_faults,
    photos_to_label,
)
from symface_cli.training.data.prepared import preparation
from symface_cli.training.data.review import as_html
from symface_cli.training.data.sources import Annotations
from symface_cli.training.loop import train
from symface_cli.training.run_folder import RunFolder
from tests.conftest import ROOT
from tests.pages import HOSTILE, Reader
from tests.training.small import CPU, Silent, settings

BOX = Box(40, 30, 120, 120)  # around the landmarks of the fixture
PHOTOS = ("Ann/1.jpg", "Ben/1.jpg", "Zoë/a;b, c.jpg")


def silent(done, total):
    pass


def names_of(folder):
    """The photos that may be labeled."""
    paths = (path.relative_to(folder) for path in folder.glob("*/*"))
    return sorted(path.as_posix() for path in paths if split_of(path.parts[0]) != "test")


@pytest.fixture
def face(landmarks):
    """Makes the label of a photo with the fixture's landmarks."""
    return lambda photo, **changes: replace(
        Label(photo, box=BOX, landmarks=landmarks.round(2), provider="dlib", disagreement=0.0123, use=True), **changes
    )


@pytest.fixture
def three(face):
    """A used photo, one that is not used, and one without a face."""
    return [face(PHOTOS[0]), face(PHOTOS[1], disagreement=0.0789, use=False), Label(PHOTOS[2])]


@pytest.fixture
def file(three, tmp_path):
    """The three, as they are written."""
    write_labels(tmp_path / "labels.csv", three)
    return tmp_path / "labels.csv"


def assert_same(found, expected):
    def known(label):
        return {**vars(label), "landmarks": None if label.landmarks is None else label.landmarks.tolist()}

    assert [known(label) for label in found] == [known(label) for label in expected]


def test_labels_are_read_as_they_were_written(three, file):
    assert_same(read_labels(file, PHOTOS), three)


def test_a_line_per_photo_that_a_person_understands(three, file):
    rows = list(csv.DictReader(io.StringIO(file.read_text("utf-8"))))
    assert [row["photo"] for row in rows] == list(PHOTOS)
    assert [row["use"] for row in rows] == ["yes", "no", "no"]
    assert [row["disagreement"] for row in rows] == ["0.0123", "0.0789", ""]
    assert [rows[0][f"box_{what}"] for what in ("x", "y", "width", "height")] == ["40.00", "30.00", "120.00", "120.00"]
    chin = (rows[0]["x8"], rows[0]["y8"])
    assert chin == ("100.00", "200.00")  # of the fixture: at x = 100, and 110 below its origin at y = 90
    assert set(list(rows[2].values())[2:]) == {""}


def test_file_names_that_are_not_utf_8_survive(tmp_path, face):
    name = os.fsdecode(b"Ann/\xff.jpg")
    write_labels(tmp_path / "labels.csv", [face(name)])
    assert read_labels(tmp_path / "labels.csv", [name])[0].photo == name


def as_spreadsheet(text, separator, decimal):
    """What a spreadsheet program makes of a CSV: other separators, line ends, and an empty line at the end."""
    rows = [
        [re.sub(r"^(-?\d+)\.(\d+)$", rf"\1{decimal}\2", cell) for cell in row] for row in csv.reader(io.StringIO(text))
    ]
    written = io.StringIO()
    csv.writer(written, delimiter=separator, lineterminator="\r\n").writerows([*rows, [""] * len(rows[0])])
    return written.getvalue()


@pytest.mark.parametrize(("separator", "decimal"), [(";", ","), (";", "."), (",", "."), ("\t", ",")])
def test_what_spreadsheet_programs_save_is_read(three, file, separator, decimal):
    text = as_spreadsheet(file.read_text("utf-8"), separator, decimal)
    file.write_bytes(text.encode("utf-8-sig"))
    assert_same(read_labels(file, PHOTOS), three)


def test_columns_may_have_any_order(three, file):
    rows = list(csv.reader(io.StringIO(file.read_text("utf-8"))))
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(row[::-1] for row in rows)
    assert_same(read_labels(file, PHOTOS), three)


def with_cell(line, column, text):
    """Writes something into a cell; lines count from 1, the heading's."""

    def change(rows):
        rows[line - 1][COLUMNS.index(column)] = text

    return change


def with_landmarks(*points):
    """Moves landmarks of line 2: number, x, y."""

    def change(rows):
        for number, x, y in points:
            rows[1][COLUMNS.index(f"x{number}")], rows[1][COLUMNS.index(f"y{number}")] = str(x), str(y)

    return change


@pytest.mark.parametrize(
    ("change", "line", "message"),
    [
        (lambda rows: rows[0].__setitem__(1, "used"), 1, "column use is missing"),
        (lambda rows: rows[0].append("note"), 1, "column 'note' is one too many"),
        (lambda rows: rows[0].append("use"), 1, "column 'use' is one too many"),
        (lambda rows: rows.clear(), 1, "column photo is missing"),
        (lambda rows: rows[2].pop(), 3, "148 cells, not the 149"),
        (lambda rows: rows[2].append("?"), 3, "150 cells, not the 149"),
        (with_cell(2, "x5", "left"), 2, "x5 is 'left'; write a number"),
        (with_cell(2, "y5", "nan"), 2, "y5 is 'nan'; write a number"),
        (with_cell(2, "box_x", "-inf"), 2, "box_x is '-inf'; write a number"),
        (with_cell(2, "disagreement", "high"), 2, "disagreement is 'high'"),
        (with_cell(2, "x5", ""), 2, "x5 is empty; fill in all"),
        (with_cell(2, "box_width", ""), 2, "box_width is empty; fill in all"),
        (with_cell(3, "box_width", "0"), 3, "the box has no size"),
        (with_cell(3, "use", "maybe"), 3, "use is 'maybe'; write yes or no"),
        (with_cell(3, "use", ""), 3, "use is ''; write yes or no"),
        (with_cell(4, "use", "yes"), 4, "the box is missing"),
        (with_cell(3, "photo", PHOTOS[0]), 3, "Ann/1.jpg has a line before"),
        (with_cell(4, "photo", "Zoe/1.jpg"), 4, "Zoe/1.jpg is no photo of the data set"),
        (with_landmarks((12, 1340, 80)), 2, "landmark 12 is more than a box width"),
        (with_landmarks(*((n, 70, 90) for n in range(36, 48))), 2, "does not lie left of the right one"),
    ],
)
def test_what_cannot_be_right_is_refused_with_its_line(file, change, line, message):
    rows = list(csv.reader(io.StringIO(file.read_text("utf-8"))))
    change(rows)
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(rows)
    with pytest.raises(DataError) as caught:
        read_labels(file, PHOTOS)
    assert str(caught.value).startswith(f"{file}: line {line}: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_landmarks_may_lack_only_where_they_are_not_needed(file, face):
    write_labels(file, [face(PHOTOS[0], landmarks=None)], replace=True)
    assert read_labels(file, PHOTOS, landmarks=False)[0].use
    with pytest.raises(DataError, match="line 2: it is to be used, but has no landmarks"):
        read_labels(file, PHOTOS)


@pytest.mark.parametrize(
    "content", [b"\x89PNG\r\n\x1a\n\0\0", "photo;use\n".encode("utf-16"), b'photo,"use\n' * 20_000]
)
def test_files_that_are_no_labels_are_refused(file, content):
    file.write_bytes(content)
    with pytest.raises(DataError, match="line 1"):
        read_labels(file, PHOTOS)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"cannot read .*labels\.csv") as caught:
        read_labels(tmp_path / "labels.csv", PHOTOS)
    assert caught.value.hint is Hint.MAKE_LABELS


@pytest.fixture
def prepare(data, tmp_path):
    """Prepares photos with the given labels; says which arrays were made, by how often each photo was told of."""

    def run(labels, teacher="dlib", data=data):
        write_labels(tmp_path / "labels.csv", labels, replace=True)
        before = {path.name: path.stat().st_ino for path in (tmp_path / "prepared").glob("*.npy")}
        annotations = Annotations(labels=tmp_path / "labels.csv")
        prepared = preparation.prepare(survey(data), tmp_path / "prepared", teacher, silent, 1, annotations)
        kept = (path for path in (tmp_path / "prepared").glob("*.npy"))
        made = {path.stem for path in kept if before.get(path.name) != path.stat().st_ino}
        return prepared, made

    return run


@pytest.fixture
def eight(data, face):
    """Labels of all photos that may be labeled."""
    return [face(name) for name in names_of(data)]


def in_stored_crop(points):
    """By hand: the crop is 1.725 box widths wide, and its center 0.13 of them below the box's, at (99.5, 89.5)."""
    return (points - [99.5, 89.5 + 0.13 * 120]) * 192 / (1.725 * 120) / 95.5


def test_a_corrected_landmark_changes_the_warp(prepare, eight, landmarks):
    moved = landmarks.round(2)
    moved[54] += [9, -4]  # the right corner of the mouth
    eight[1] = replace(eight[1], landmarks=moved)
    prepared, _ = prepare(eight)
    for i, expected in ((0, landmarks.round(2)), (1, moved)):
        warp, _ = symmetric_warp(expected)
        assert np.allclose(prepared.warps[i], in_stored_crop(warp), atol=1e-5)
    assert np.abs(prepared.warps[1] - prepared.warps[0]).max() > 0.01


def test_masks_are_where_the_landmarks_are(prepare, eight):
    eight[1] = replace(eight[1], landmarks=eight[1].landmarks + np.array([30, 0]))
    prepared, _ = prepare(eight)
    columns = [prepared.masks[i].sum(0).astype(float) for i in (0, 1)]
    middles = [(column * np.arange(96)).sum() / column.sum() for column in columns]
    assert middles[1] - middles[0] == pytest.approx(30 * 96 / (1.725 * 120), abs=0.1)
    assert prepared.masks[0].max() == 255
    assert prepared.masks[0][0, 0] == 0


def test_crops_are_cut_where_the_boxes_are(prepare, eight, data):
    """A box as wide as 192 / 1.725 pixels is cut out pixel by pixel."""
    width = 192 / 1.725
    box = Box(*(50 - (width - 1) / 2 + 95.5 - offset for offset in (0, 0.13 * width)), width, width)
    prepared, _ = prepare([replace(label, box=box, landmarks=None) for label in eight], teacher=None)
    photo = read_photo(data / eight[0].photo).astype(int)
    found = prepared.crops[0].astype(int)
    # The CSV has 2 decimals: up to 0.01 px aside, and so up to a few gray levels on edges.
    assert np.abs(found - photo[50:242, 50:242]).mean() < 0.5


def test_photos_not_to_be_used_are_left_out(prepare, eight):
    eight[0] = replace(eight[0], use=False)
    prepared, _ = prepare(eight)
    assert prepared.splits[0] == "unused"
    assert Counter(prepared.splits)["unused"] == 1
    expected = [split_of(label.photo.split("/")[0]) for label in eight[1:]]
    assert list(prepared.splits[1:]) == expected


def test_photos_without_a_line_or_a_face_are_left_out(prepare, eight):
    prepared, _ = prepare([Label(eight[0].photo), *eight[2:]])
    assert len(prepared.splits) == len(prepared.crops) == len(prepared.warps) == 6


def test_arrays_are_memory_mapped(prepare, eight):
    prepared, _ = prepare(eight)
    assert all(isinstance(array, np.memmap) for array in (prepared.crops, prepared.warps, prepared.masks))
    assert [array.dtype.name for array in (prepared.crops, prepared.warps, prepared.masks)] == [
        "uint8", "float32", "uint8",
    ]  # fmt: skip


def test_what_is_prepared_is_made_anew_exactly_when_it_must(prepare, eight, data, tmp_path):
    everything, targets = {"crops", "warps", "masks", "irises", "weights"}, {"warps", "masks", "irises", "weights"}
    assert prepare(eight, teacher=None)[1] == {"crops"}
    assert prepare(eight)[1] == targets
    assert prepare(eight)[1] == set()
    eight[0] = replace(eight[0], use=False)
    assert prepare(eight)[1] == set()
    eight[1] = replace(eight[1], landmarks=eight[1].landmarks + 1)
    assert prepare(eight)[1] == targets
    eight[2] = replace(eight[2], box=Box(41, 30, 120, 120))
    assert prepare(eight)[1] == everything
    assert prepare(eight[:-1])[1] == everything
    copied = shutil.copytree(data, tmp_path / "copied")  # with its times
    assert prepare(eight[:-1], data=copied)[1] == set()
    Image.new("RGB", (200, 200)).save(copied / eight[0].photo)
    prepared, made = prepare(eight[:-1], data=copied)
    assert made == {"crops"}
    assert not prepared.crops[0].any()
    (tmp_path / "prepared" / "masks.npy").unlink()
    assert prepare(eight[:-1], data=copied)[1] == targets


def test_a_killed_preparation_is_made_again(prepare, eight, data, tmp_path):
    expected = np.array(prepare(eight)[0].crops)
    moved = [replace(label, box=Box(50, 40, 120, 120)) for label in eight]
    write_labels(tmp_path / "moved.csv", moved)

    def stop(done, total):
        if done == total:
            raise KeyboardInterrupt

    annotations = Annotations(labels=tmp_path / "moved.csv")
    with pytest.raises(KeyboardInterrupt):
        preparation.prepare(survey(data), tmp_path / "prepared", "dlib", stop, 1, annotations)
    prepared, made = prepare(eight)
    assert "crops" in made
    assert np.array_equal(prepared.crops, expected)
    assert not np.array_equal(prepare(moved)[0].crops, expected)


def test_labels_of_test_people_are_refused(prepare, eight, face, data):
    (tested,) = (path.name for path in data.iterdir() if split_of(path.name) == "test")
    with pytest.raises(DataError, match=f"line 10: {tested}/1.png is no photo of the data set that may be trained on"):
        prepare([*eight, face(f"{tested}/1.png")])


def test_a_photo_that_cannot_be_read_is_named_and_left_out(prepare, eight, data, tmp_path):
    """Also when nothing is made anew."""
    copied = shutil.copytree(data, tmp_path / "copied")
    (copied / eight[3].photo).write_bytes(b"no photo")
    for made in ({"crops", "warps", "masks", "irises", "weights"}, set()):
        prepared, found = prepare(eight, data=copied)
        assert found == made
        assert prepared.splits[3] == "unused" and Counter(prepared.splits)["unused"] == 1
        count, fault = prepared.remarks
        assert count == "8 of 8 photos usable"
        assert fault.startswith(f"cannot read {copied / eight[3].photo}: ")
        assert not prepared.crops[3].any()


def test_a_photo_that_may_be_read_again_is(prepare, eight, monkeypatch):
    """Neither its size nor its time says that somebody has changed its mode."""
    with monkeypatch.context() as patch:
        patch.setattr(labeling.os, "access", lambda path, mode, **_: not path.match(eight[3].photo))
        prepare(eight)
    assert prepare(eight)[1] == {"crops"}


def test_whatever_goes_wrong_with_one_photo_does_not_end_a_preparation(prepare, eight, monkeypatch):
    calls = iter(range(9))

    def fail_once(*arguments):
        if next(calls) == 2:
            raise MemoryError
        return resample(*arguments)

    monkeypatch.setattr(preparation, "resample", fail_once)
    prepared, _ = prepare(eight)
    assert [split == "unused" for split in prepared.splits] == [False, False, True] + 5 * [False]
    assert "not enough memory" in prepared.remarks[1]


def test_labels_none_of_which_is_used_are_refused(prepare, eight):
    with pytest.raises(DataError, match=r"labels.csv: 0 of 8 photos usable; 8 whose landmarks disagree; "):
        prepare([replace(label, use=False) for label in eight])


def test_labels_without_any_photo_that_can_be_read_are_refused_with_the_first_reason(prepare, eight):
    faults = [Label(label.photo, fault=f"cannot read {label.photo}: it is empty") for label in eight]
    reason = rf"0 of 8 photos usable; 8 that cannot be read \({re.escape(faults[0].fault)}\); give "
    with pytest.raises(DataError, match=reason):
        prepare(faults)


@pytest.fixture
def without_dlib(monkeypatch):
    monkeypatch.setattr(dlib, "find_spec", lambda name: None)


def test_the_first_stage_needs_no_landmarks(without_dlib, data, tmp_path):
    prepared = preparation.prepare(survey(data), tmp_path, teacher=None, progress=silent, workers=1)
    assert len(prepared.splits) == 8
    assert {path.name for path in tmp_path.glob("*.csv")} == {"boxes.csv"}
    with pytest.raises(MissingExtraError, match="landmarks"):
        preparation.prepare(survey(data), tmp_path, teacher="dlib", progress=silent, workers=1)


def test_corrected_labels_need_no_dlib(without_dlib, prepare, eight):
    assert len(prepare(eight)[0].splits) == 8


@pytest.mark.parametrize("name", ["boxes.csv", "crops.npy"])
def test_files_that_no_training_has_made_are_kept(data, tmp_path, name):
    """A run in the folder of somebody's own data/."""
    (tmp_path / name).write_text("mine")
    with pytest.raises(DataError, match=f"{name}: was not made by this training; move it") as caught:
        preparation.prepare(survey(data), tmp_path, teacher=None, progress=silent, workers=1)
    assert caught.value.hint is Hint.OTHER_RUN
    assert (tmp_path / name).read_text() == "mine"


@pytest.mark.landmarks
def test_a_run_keeps_its_own_labels_until_a_photo_changes(data, tmp_path):
    copied, folder, calls = shutil.copytree(data, tmp_path / "copied"), tmp_path / "prepared", []

    def prepare():
        calls.clear()
        return preparation.prepare(survey(copied), folder, "dlib", lambda done, total: calls.append(done), 1)

    first = np.array(prepare().warps)
    assert calls == 3 * [*range(1, 9)]  # labels, crops, warps and masks
    found = read_labels(folder / "labels.csv", names_of(copied))
    write_labels(folder / "labels.csv", [replace(found[0], landmarks=found[0].landmarks + 5), *found[1:]], replace=True)
    second = np.array(prepare().warps)
    assert calls == [*range(1, 9)]  # warps and masks
    assert (first != second).any((1, 2, 3)).tolist() == [True] + 7 * [False]
    os.utime(copied / found[3].photo, (1, 1))
    with pytest.raises(DataError, match=r"labels\.csv: has been corrected, but photos or the teacher have") as caught:
        prepare()
    assert caught.value.hint is Hint.GIVE_LABELS
    assert read_labels(folder / "labels.csv", names_of(copied))[0].landmarks[0, 0] != found[0].landmarks[0, 0]
    write_labels(folder / "labels.csv", found, replace=True)
    third = prepare().warps
    assert calls == 3 * [*range(1, 9)]
    assert np.array_equal(first, third)


@pytest.fixture(scope="session")
def found(data, tmp_path_factory):
    """The labels that are found for the eight photos, and one without a face; with their folder."""
    folder = shutil.copytree(data, tmp_path_factory.mktemp("labeled") / "data")
    person = names_of(folder)[0].split("/")[0]
    Image.new("RGB", (90, 60), (90, 80, 70)).save(folder / person / "2.png")
    return list(label_photos(photos_to_label(survey(folder)), silent, 1)), folder


@pytest.mark.landmarks
def test_photos_are_labeled_in_order_but_those_of_test_people(found):
    labels, folder = found
    assert [label.photo for label in labels] == names_of(folder)
    assert len(labels) == 9
    assert [label.photo for label in labels if not label.use] == [labels[1].photo]
    assert labels[1].box is None
    assert labels[1].fault == ""
    assert describe_labels(labels) == "8 of 9 photos usable; 1 without a face"


@pytest.fixture
def people(tmp_path):
    """Four photos of four people, without a face."""
    names = [name for name in (f"F{number:04}" for number in range(20)) if split_of(name) != "test"][:4]
    for number, name in enumerate(names):
        (tmp_path / "people" / name).mkdir(parents=True)
        Image.new("RGB", (60, 60), (40 * number, 90, 90)).save(tmp_path / "people" / name / "1.png")
    return photos_to_label(survey(tmp_path / "people"))


def stop_at(monkeypatch, name):
    """Interrupts labeling at a photo; returns the names of those that are read."""
    read, names = labels.read_photo, []

    def read_or_stop(path):
        if path.parent.name == name:
            raise KeyboardInterrupt
        names.append(path.parent.name)
        return read(path)

    monkeypatch.setattr(labels, "read_photo", read_or_stop)
    return names


def test_labeling_that_was_stopped_goes_on_where_it_was(people, tmp_path, monkeypatch):
    _, second, third, fourth = (name.split("/")[0] for name in people)
    whole, stopped = tmp_path / "whole.csv", tmp_path / "stopped.csv"
    label_into(whole, people, silent, 1, teacher=None)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        stop_at(patch, fourth)
        label_into(stopped, people, silent, 1, teacher=None)
    assert not stopped.exists()
    part = tmp_path / "stopped.csv.part"
    part.write_bytes(part.read_bytes()[:-9])  # the third line is torn
    Image.new("RGB", (70, 50), "navy").save(tmp_path / "people" / second / "1.png")  # and the second photo is another
    names, shown = stop_at(monkeypatch, "nobody"), []
    found = label_into(stopped, people, lambda done, total: shown.append((done, total)), 1, teacher=None)
    assert names == [second, third, fourth]
    assert shown == [(2, 4), (3, 4), (4, 4)]
    assert [label.photo for label in found.labels] == list(people)
    assert stopped.read_bytes() == whole.read_bytes()
    assert not part.exists()


def test_labels_found_with_landmarks_are_not_those_without(people, tmp_path, monkeypatch):
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        stop_at(patch, list(people)[1].split("/")[0])
        label_into(tmp_path / "labels.csv", people, silent, 1, teacher=None)
    monkeypatch.setattr(labels, "DlibLandmarks", lambda: None)
    names = stop_at(monkeypatch, "nobody")
    label_into(tmp_path / "labels.csv", people, silent, 1)
    assert len(names) == 4


def test_what_is_read_unsuccessfully_is_read_again(people, tmp_path, monkeypatch):
    first, *_, last = (name.split("/")[0] for name in people)
    photo = tmp_path / "people" / first / "1.png"
    whole = photo.read_bytes()
    photo.write_bytes(b"")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        stop_at(patch, last)
        label_into(tmp_path / "labels.csv", people, silent, 1, teacher=None)
    photo.write_bytes(whole)
    assert stop_at(monkeypatch, "nobody") == []
    found = label_into(tmp_path / "labels.csv", people, silent, 1, teacher=None)
    assert [label.fault for label in found.labels] == [""] * 4


def test_a_file_of_somebody_else_beside_the_labels_is_kept(people, tmp_path):
    part = tmp_path / "labels.csv.part"
    part.write_text("notes")
    with pytest.raises(OutputError, match="not the labels of an interrupted run"):
        label_into(tmp_path / "labels.csv", people, silent, 1, teacher=None)
    assert part.read_text() == "notes"


def damage(folder, *names):
    """Files that are cut short, empty, and none of a picture."""
    contents = [b"\xff\xd8\xff\xe0" + 100 * b"x", b"", b"no picture"]
    for name, content in zip(names, contents, strict=False):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


@pytest.mark.landmarks
def test_photos_that_cannot_be_read_are_told_from_those_without_a_face(tmp_path):
    folder, names = tmp_path / "data", ("F0001/cut.jpg", "F0001/empty.png", "F0001/text.webp")
    damage(folder, *names)
    Image.new("RGB", (90, 60)).save(folder / "F0001/black.png")
    found = list(label_photos(photos_to_label(survey(folder)), silent, 1))
    write_labels(tmp_path / "labels.csv", found)
    read = read_labels(tmp_path / "labels.csv", [label.photo for label in found])
    assert_same(read, found)
    assert describe_labels(read) == "0 of 4 photos usable; 3 that cannot be read, 1 without a face"
    faults = name_faults(read)
    assert [fault.split(": ")[0] for fault in faults] == [f"cannot read {folder / name}" for name in names]
    assert "empty" in faults[1]


def test_labels_of_older_versions_say_nothing_of_faults(three, file):
    rows = list(csv.reader(io.StringIO(file.read_text("utf-8"))))
    place = rows[0].index("fault")
    file.write_text("".join(",".join(row[:place] + row[place + 1 :]) + "\n" for row in rows[:3]), "utf-8")
    assert_same(read_labels(file, PHOTOS), three[:2])


def test_a_person_may_use_a_photo_that_could_not_be_read(face):
    assert find_doubt(face("a.jpg", fault="cannot read a.jpg")) is None
    assert find_doubt(Label("a.jpg", fault="cannot read a.jpg")) == "that cannot be read"


@pytest.mark.parametrize("error", [MemoryError(), ZeroDivisionError("x"), cv2.error("SHRT_MAX")])
def test_whatever_goes_wrong_with_one_photo_is_its_fault(data, monkeypatch, error):
    def fail(photo):
        raise error

    monkeypatch.setattr(labels, "detect", fail)
    name, photo = next(iter(photos_to_label(survey(data)).items()))
    (label,) = label_photos({name: photo}, silent, 1, teacher=None)
    assert label.photo == name and str(photo.path) in label.fault
    assert not label.use


@pytest.mark.landmarks
def test_labels_are_written_as_they_are_found(found, tmp_path):
    labels, _ = found
    write_labels(tmp_path / "labels.csv", labels)
    assert_same(read_labels(tmp_path / "labels.csv", [label.photo for label in labels]), labels)


@pytest.mark.landmarks
def test_landmarks_of_a_mirrored_photo_are_mirrored(found):
    """The photos of people with even numbers are the mirror image of the others', and lighter or darker."""
    labels, folder = found
    width = read_photo(folder / labels[0].photo).shape[1]
    one, other = (
        next(label for label in labels if label.use and int(re.search(r"\d+", label.photo)[0]) % 2 == rest)
        for rest in (0, 1)
    )
    mirrored = other.landmarks[scheme.MIRROR] * [-1, 1] + [width - 1, 0]
    distance = np.linalg.norm(one.landmarks - mirrored, axis=-1).mean() / scheme.eye_distance(one.landmarks)
    assert distance < 0.02


@pytest.mark.landmarks
@pytest.mark.parametrize(("most", "use"), [(0.0, False), (1.0, True)])
def test_photos_whose_landmarks_disagree_are_not_used(portrait, tmp_path, monkeypatch, most, use):
    monkeypatch.setattr(labels, "MOST_DISAGREEMENT", most)
    (tmp_path / "Ann").mkdir()
    shutil.copy(portrait, tmp_path / "Ann")
    (label,) = label_photos(photos_to_label(survey(tmp_path)), silent, 1)
    assert label.use == use
    assert label.landmarks.shape == (68, 2)
    assert 0 < label.disagreement < 0.06


def test_photos_are_counted_by_what_is_wrong_with_them(face):
    labels = [face("a"), Label("b"), Label("c", box=BOX), *(face(str(n), use=False) for n in range(1200))]
    assert describe_labels(labels) == (
        "1 of 1,203 photos usable; 1 without a face, 1 without landmarks, 1,200 whose landmarks disagree"
    )
    assert describe_labels(labels[:1]) == "1 of 1 photos usable"


@pytest.fixture
def doubtful(tmp_path, face):
    """Labels of all kinds, in a folder that has their photos but one."""
    gray = np.full((220, 200, 3), 128, np.uint8)
    labels = [
        face("a.png", disagreement=0.02),
        face(HOSTILE.replace("/", ""), disagreement=0.05),
        Label("c.png"),
        Label("d.png", box=BOX),
        face("e.png", disagreement=0.07, use=False),
        face("f.png", disagreement=0.09, use=False),
        face("gone.png", disagreement=0.08, use=False),
    ]
    for label in labels[:-1]:
        Image.fromarray(gray).save(tmp_path / label.photo)
    return labels


def test_the_review_shows_the_doubtful_photos_the_worst_first(doubtful, tmp_path):
    page = Reader(as_html(doubtful, tmp_path, "labels.csv"))
    assert page.text_in("h2") == [
        "Photos without a face", "Photos without landmarks", "Photos whose landmarks disagree", "Photos that are used",
    ]  # fmt: skip
    order = [2, 3, 5, 6, 4, 1, 0]
    assert page.text_in("bdi") == [doubtful[i].photo for i in order]
    rows = [int(re.search(r"row (\d+)", text)[1]) for text in page.text_in("span") if "row" in text]
    assert rows == [i + 2 for i in order]  # the first line is the heading
    assert page.text_in("strong") == ["no", "no", "no", "no", "no", "yes", "yes"]
    disagreements = [text for text in page.text_in("span") if "disagreement" in text]
    assert disagreements == [f", disagreement {value}" for value in ("0.090", "0.080", "0.070", "0.050", "0.020")]
    assert page.text_in("div") == ["cannot be read"]


def test_the_review_says_why_a_photo_cannot_be_read(tmp_path):
    page = Reader(
        as_html([Label("a.png"), Label("b.png", fault="cannot read b.png: <it> is empty")], tmp_path, "l.csv")
    )
    assert page.text_in("h2") == ["Photos that cannot be read", "Photos without a face"]
    assert page.text_in("div") == ["cannot read b.png: <it> is empty", "cannot be read"]


def test_the_review_draws_what_was_found(doubtful, tmp_path):
    """The midline of the fixture's face is x = 100, its chin at y = 200; a pixel is 256 / (1.725 * 120) wide."""
    page = Reader(as_html(doubtful[:1], tmp_path, "labels.csv"))
    paths = {str(path["class"]): str(path["d"]) for path in page.named("path")}
    scale = 256 / (1.725 * 120)
    x, y = 127.5 + scale * (100 - 99.5), 127.5 + scale * (200 - 89.5 - 0.13 * 120)
    points = {kind.split()[-1]: re.findall(r"(-?[\d.]+) (-?[\d.]+)", path) for kind, path in paths.items()}
    assert points["dots"][8] == (f"{x:.1f}", f"{y:.1f}")
    assert len(points["dots"]) == 68
    assert [float(point[0]) for point in points["midline"]] == pytest.approx([x, x], abs=0.06)
    assert float(points["midline"][1][1]) == pytest.approx(y, abs=0.06)
    assert points["outline"][8] == points["dots"][8]


def test_the_review_fetches_nothing_and_obeys_no_name(doubtful, tmp_path):
    text = as_html(doubtful, tmp_path, HOSTILE)
    page = Reader(text)
    assert not page.named("script")
    assert len(page.named("img")) == 6
    assert all(str(image["src"]).startswith("data:image/webp;base64,") for image in page.named("img"))
    assert all(str(link["href"]).startswith("#") for link in page.named("a"))
    assert "http" not in re.sub(r"base64,[A-Za-z0-9+/=]+", "", text).replace("http-equiv", "")
    assert "default-src 'none'" in text


def test_the_review_shows_at_most_so_many_of_a_kind(tmp_path, monkeypatch):
    monkeypatch.setattr(review, "MOST_SHOWN", 2)
    text = as_html([Label(f"{i}.png") for i in range(5)], tmp_path, "labels.csv")
    assert Reader(text).text_in("bdi") == ["0.png", "1.png"]
    assert "5 in all, of which 2 are shown" in text


@pytest.mark.landmarks
def test_labels_from_the_command_line(symface, found, tmp_path):
    _, folder = found
    path, page = tmp_path / "new" / "faces.csv", tmp_path / "review.html"
    finished = symface("label", folder, "--out", path, "--review", page, "--jobs", 1)
    assert finished.status == 0, finished.err
    assert finished.out == f"{path}\n{page}\n"
    assert finished.err.splitlines()[-1] == "8 of 9 photos usable; 1 without a face"
    assert len(read_labels(path, names_of(folder))) == 9
    assert len(Reader(page.read_text("utf-8")).named("img")) == 9


@pytest.mark.landmarks
def test_labeling_names_the_photos_that_cannot_be_read(symface, data, tmp_path):
    folder = tmp_path / "data"
    person = names_of(data)[0].split("/")[0]
    shutil.copytree(data / person, folder / person)
    damage(folder, *(f"{person}/bad {number:02d}.jpg" for number in (1, 2)))
    finished = symface("label", folder, "-o", tmp_path / "labels.csv", "--jobs", 1)
    assert finished.status == 0
    counted, first, second, last = finished.err.splitlines()
    assert counted == "3 photos of 1 person (3 train, 0 validation, 0 test)"
    assert first.startswith(f"symface: cannot read {folder / person / 'bad 01.jpg'}: ")
    assert second.startswith(f"symface: cannot read {folder / person / 'bad 02.jpg'}: ")
    assert last == "1 of 3 photos usable; 2 that cannot be read"
    (folder / person / "1.png").unlink()
    (folder / "Gone").symlink_to("nowhere")  # whose photos are not among the labels
    assert symface("label", folder, "-o", tmp_path / "labels.csv", "--jobs", 1, "--force").status == 3


def test_existing_labels_are_not_overwritten(symface, data, file):
    before = file.read_bytes()
    finished = symface("label", data, "-o", file)
    assert finished.status == 3
    assert "--force" in finished.err
    finished = symface("label", data, "-o", file.with_name("new.csv"), "--review", file)
    assert finished.status == 3
    assert file.read_bytes() == before


@pytest.mark.landmarks
def test_force_overwrites_labels(symface, portrait, file, tmp_path):
    (tmp_path / "data" / "Ann").mkdir(parents=True)
    shutil.copy(portrait, tmp_path / "data" / "Ann")
    assert symface("label", tmp_path / "data", "-o", file, "--force", "--jobs", 1).status == 0
    assert [label.photo for label in read_labels(file, ["Ann/portrait.jpg"])] == ["Ann/portrait.jpg"]


def test_labeling_without_dlib_exits_2(symface, without_dlib, data, tmp_path):
    finished = symface("label", data, "-o", tmp_path / "labels.csv")
    assert finished.status == 2
    assert "symface[landmarks]" in finished.err
    assert not (tmp_path / "labels.csv").exists()


def test_labeling_nothing_exits_2_and_6(symface, tmp_path):
    assert symface("label", "-o", tmp_path / "labels.csv").status == 2
    assert symface("label", tmp_path / "nowhere", "-o", tmp_path / "labels.csv").status == 6


def test_labeling_test_people_alone_exits_6(symface, data, tmp_path, portrait):
    (tested,) = (path.name for path in data.iterdir() if split_of(path.name) == "test")
    shutil.copytree(data / tested, tmp_path / "data" / tested)
    finished = symface("train", "--stage", 1, tmp_path / "data", "--run", tmp_path / "run")
    assert finished.status == 6
    assert "test people" in finished.err


def test_training_takes_the_labels_of_a_file(data, eight, file, tmp_path):
    write_labels(file, [replace(eight[0], use=False), *eight[1:]], replace=True)
    train(settings(1), data, RunFolder(tmp_path / "run", annotations=Annotations(labels=file)), CPU, Silent())
    assert not list((tmp_path / "run" / "data").glob("*.csv"))  # none of its own


@pytest.mark.parametrize("stage", [1, 2])
def test_broken_labels_stop_a_training_with_their_line(symface, data, file, tmp_path, stage):
    options = ("--stage", stage, "--run", tmp_path / "run", "--labels", file, "--init", bundled_weights())
    finished = symface("train", data, *options)
    assert finished.status == 6
    assert f"{file}: line 2: Ann/1.jpg is no photo of the data set" in " ".join(finished.err.split())


def test_the_manual_and_the_help_show_the_same_options(symface):
    page = (ROOT / "docs" / "training.md").read_text("utf-8")
    for option in ("--review", "--labels"):
        assert option in page
    assert "--labels" in symface("train", "--help").out
    assert "--review" in symface("label", "--help").out

"""Labels of two teachers: what is made of them, how much that counts, and what a person may say about it.

The mesh's networks are replaced: what they find is the fixture's 68 landmarks, moved by known amounts.
"""

import csv
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from symface_cli.data.datasets import split_of, survey
from symface_cli.errors import DataError
from symface_cli.geometry.frames import Box
from symface_cli.landmarks.scheme import IBUG_68
from symface_cli.landmarks.shape import symmetric_warp
from symface_cli.training.data import labeling, labels, review, teachers
from symface_cli.training.data.label_table import BLEND_COLUMNS, read_labels, write_labels
from symface_cli.training.data.labeling import label_into
from symface_cli.training.data.labels import Label, describe_labels, find_doubt, is_used, judge, photos_to_label
from symface_cli.training.data.prepared import preparation, targets
from symface_cli.training.data.review import as_html
from symface_cli.training.data.sources import Annotations
from tests.conftest import SHARED
from tests.pages import Reader

BOX = Box(40, 30, 120, 120)  # around the landmarks of the fixture
EYES = 60.0  # px, their eye distance


def silent(done, total):
    pass


@pytest.fixture
def mesh_of_68(monkeypatch):
    """A mesh has the 68 landmarks, and its warp is theirs."""
    for module in (labels, targets):
        monkeypatch.setattr(module, "mesh_warp", lambda points: symmetric_warp(points)[0])
    for module in (targets, review):
        monkeypatch.setattr(module, "MESH_468", IBUG_68)
    monkeypatch.setattr(review, "MESH_DOTS", np.arange(3))


@pytest.fixture
def by_dlib(landmarks):
    return Label("a.png", box=BOX, landmarks=landmarks, provider="dlib", disagreement=0.01, use=True)


@pytest.mark.parametrize(
    ("apart", "spread", "made_of", "weight"),
    [
        (0.0, 0.01, "dlib+mesh", 1.0),
        (0.05, 0.01, "dlib+mesh", 1.0),
        (0.1, 0.01, "dlib+mesh", 0.5),
        (0.12, 0.09, "dlib+mesh", 5 / 12),
        (0.13, 0.01, "mesh", 0.4),
        (0.13, 0.04, "nothing", 0.0),
        (None, 0.03, "mesh", 0.4),
        (None, 0.04, "nothing", 0.0),
    ],
)
def test_a_label_counts_in_inverse_proportion_to_how_far_its_teachers_are_apart(apart, spread, made_of, weight):
    assert teachers.choose(apart, spread) == made_of
    assert teachers.weigh(made_of, apart) == pytest.approx(weight)


def test_a_label_says_what_both_have_found(by_dlib, mesh_of_68):
    """A mesh 6 px aside is a tenth of the eye distance apart."""
    found = judge(by_dlib, (by_dlib.landmarks + np.array([6, 0]), 0.01234))
    assert (found.mesh_disagreement, found.apart) == (0.0123, 0.1)
    assert (found.made_of, found.weight, found.use) == ("dlib+mesh", 0.5, True)
    assert found.landmarks is by_dlib.landmarks


def test_what_the_teachers_cannot_agree_on_is_not_used(by_dlib, mesh_of_68):
    aside = by_dlib.landmarks + np.array([0, 9])  # 0.15 eye distances
    found = [
        judge(by_dlib, (aside, 0.04)),
        judge(by_dlib, None),
        judge(Label("a.png", box=BOX), (aside, 0.04)),
        judge(by_dlib, (aside, 0.01)),
        judge(Label("a.png", box=BOX), (aside, 0.01)),
    ]
    assert [label.use for label in found] == [False, False, False, True, True]
    assert [label.weight for label in found] == [None, None, None, 0.4, 0.4]
    assert [find_doubt(label) for label in found[:3]] == [
        "whose landmarks disagree", "without a mesh", "without landmarks",
    ]  # fmt: skip
    assert describe_labels(found).startswith("2 of 5 photos usable, 2 by the mesh alone; ")


def test_labels_of_two_teachers_are_read_as_they_were_written(by_dlib, tmp_path):
    written = [
        replace(by_dlib, mesh_disagreement=0.0123, apart=0.0789, made_of="dlib+mesh", weight=0.63),
        Label("b.png", box=BOX, mesh_disagreement=0.0123, made_of="mesh", weight=0.4, use=True),
        Label("c.png", box=BOX, made_of="nothing"),
    ]
    write_labels(tmp_path / "labels.csv", written)
    read = read_labels(tmp_path / "labels.csv", ["a.png", "b.png", "c.png"])
    for label, expected in zip(read, written, strict=True):
        found, wanted = vars(label), vars(expected)
        assert {name: found[name] for name in found if name != "landmarks"} == {
            name: wanted[name] for name in wanted if name != "landmarks"
        }


def change(file, **cells):
    """Writes into cells of the only label; drops columns that are to be None."""
    with file.open(encoding="utf-8", newline="") as stream:
        (row,) = csv.DictReader(stream)
    row = {name: text for name, text in (row | cells).items() if text is not None}
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([row.keys(), row.values()])


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"made_of": "both"}, "made_of is 'both'; write dlib, mesh, dlib+mesh or nothing"),
        ({"made_of": "nothing"}, "made_of is nothing; name a teacher"),
        ({"weight": "1.5"}, "weight is 1.5; write a number from 0 to 1"),
        ({"weight": "half"}, "weight is 'half'; write a number"),
        ({"apart": "far"}, "apart is 'far'; write a number"),
    ],
)
def test_what_cannot_be_right_is_refused(by_dlib, tmp_path, cells, message):
    file = tmp_path / "labels.csv"
    write_labels(file, [by_dlib])
    change(file, **cells)
    with pytest.raises(DataError, match=f"line 2: .*{re.escape(message)}"):
        read_labels(file, ["a.png"])


def test_a_person_may_use_what_the_teachers_could_not_agree_on(by_dlib, tmp_path):
    file = tmp_path / "labels.csv"
    write_labels(file, [replace(by_dlib, made_of="nothing", use=False)])
    for cells, weight in (
        ({"provider": "hand"}, 1),
        ({"provider": "dlib", "made_of": "mesh"}, 0.4),
        ({"weight": "0.2"}, 0.2),
    ):
        change(file, use="yes", **cells)
        (label,) = read_labels(file, ["a.png"])
        assert label.is_by_hand == (label.provider == "hand")
        assert labels.weight_of(label) == weight


def test_labels_of_older_versions_are_read(by_dlib, tmp_path):
    file = tmp_path / "labels.csv"
    write_labels(file, [by_dlib])
    change(file, **dict.fromkeys(BLEND_COLUMNS), fault=None)
    (label,) = read_labels(file, ["a.png"])
    assert (label.made_of, label.weight, label.use) == (None, None, True)
    assert labels.weight_of(label) == 1


def test_the_mesh_stands_in_with_both_teachers_alone(by_dlib):
    alone = replace(by_dlib, made_of="mesh", weight=0.4)
    doubtful = replace(by_dlib, disagreement=0.07, use=False)
    turned_down = replace(by_dlib, made_of="dlib+mesh", use=False)
    corrected, rejected = replace(alone, provider="hand"), replace(doubtful, provider="hand")
    cases = (alone, doubtful, turned_down, corrected, rejected)
    for teacher, used in (("blend", [True, True, False, True, False]), ("dlib", [False, False, False, True, False])):
        assert [is_used(label, teacher) for label in cases] == used


class Finder:
    """Finds the same in every photo: a mesh, and nothing for irises to be found with."""

    files = ()

    def __init__(self, points, spread=0.035):
        self.points, self.spread = points, spread

    def __call__(self):
        return self

    def label(self, photo, box):
        return self.points.astype(np.float32), self.spread


@pytest.fixture
def prepare(tmp_path, landmarks, mesh_of_68, monkeypatch):
    """Prepares photos of different people with a mesh that is 6 px (0.1 eye distances) to the right, and labels."""
    monkeypatch.setattr(targets, "MediaPipeLandmarks", Finder(landmarks + np.array([6, 0])))
    monkeypatch.setattr(targets, "MediaPipeIrises", lambda: None)
    for kind in (preparation.MediaPipeLandmarks, preparation.MediaPipeIrises):
        monkeypatch.setattr(kind, "files", ())
    names = [name for name in map("person{}".format, range(30)) if split_of(name) == "train"]

    def run(*changes, teacher="blend"):
        label = Label("", box=BOX, landmarks=landmarks, provider="dlib", disagreement=0.01, use=True)
        written = [replace(label, photo=f"{name}/1.png", **what) for name, what in zip(names, changes, strict=False)]
        for found in written:
            photo = tmp_path / "data" / found.photo
            if not photo.exists():
                photo.parent.mkdir(parents=True)
                Image.new("RGB", (200, 220)).save(photo)
        write_labels(tmp_path / "labels.csv", written, replace=True)
        annotations = Annotations(labels=tmp_path / "labels.csv")
        return preparation.prepare(survey(tmp_path / "data"), tmp_path / "made", teacher, silent, 1, annotations)

    return run


def shift_of(prepared, row):
    """How far, in eye distances, the frame of a warp lies right of that by dlib's landmarks alone, the first row's."""
    moved = (prepared.warps[row] - prepared.warps[0])[0, 0, 0]
    return float(moved) / (2 * EYES / (1.725 * 120) * 192 / 191)


def test_targets_are_made_of_what_the_labels_name(prepare):
    prepared = prepare(
        {"made_of": "dlib"},
        {"made_of": "mesh"},
        {"made_of": "dlib+mesh", "apart": 0.1},
        {},  # judged here
        {"provider": "hand", "made_of": "mesh", "weight": 0.4},
        {"made_of": "nothing", "use": False},
    )
    shifts = [shift_of(prepared, row) for row in range(5)]
    assert shifts == pytest.approx([0, 0.1, 0.05, 0.05, 0], abs=1e-3)  # in the middle between both, on the frame
    assert np.array_equal(prepared.warps[2], prepared.warps[3])
    assert prepared.weights[:5].tolist() == pytest.approx([1, 0.4, 0.5, 0.5, 1])
    assert np.isnan(prepared.warps[5]).all()
    assert prepared.splits.tolist() == 5 * ["train"] + ["unused"]


def test_the_mesh_alone_is_learned_from_whatever_dlib_has_found(prepare, landmarks, monkeypatch):
    monkeypatch.setattr(targets, "MediaPipeLandmarks", Finder(landmarks + np.array([6, 0]), 0.01))
    monkeypatch.setattr(targets, "find_irises", lambda finder, photo, mesh: np.full((2, 3), np.nan))
    monkeypatch.setattr(preparation, "MediaPipeSegments", lambda: lambda face: (preparation.UNKNOWN_SEGMENTS,))
    changes = (
        {"made_of": "dlib+mesh", "apart": 0.1},
        {"made_of": "dlib"},  # a person has decided so: the mesh is wrong
        {},
        {"provider": "hand"},
        {"landmarks": None, "provider": "", "disagreement": None, "use": False},
    )
    by_dlib = prepare({}, teacher="dlib").warps[0]
    prepared = prepare(*changes, teacher="mesh")
    assert prepared.splits.tolist() == ["train", "unused", "train", "train", "train"]
    moved = (prepared.warps - by_dlib)[:, 0, 0, 0] / (2 * EYES / (1.725 * 120) * 192 / 191)
    assert moved[[0, 2, 3, 4]] == pytest.approx([0.1, 0.1, 0, 0.1], abs=1e-3)
    assert prepared.weights[[0, 2, 3, 4]].tolist() == pytest.approx([0.4, 0.4, 1, 0.4])


def test_a_person_may_change_weights(prepare):
    for teacher in ("blend", "dlib"):
        prepared = prepare({"weight": 0.3}, {"made_of": "dlib+mesh", "weight": 0.7}, {"weight": 0.0}, teacher=teacher)
        assert prepared.weights.tolist() == pytest.approx([0.3, 0.7, 0])
        assert prepared.splits.tolist() == ["train", "train", "unused"]


def test_targets_are_made_anew_when_a_person_decides_otherwise(prepare, tmp_path):
    made = []
    for what in ({}, {"made_of": "mesh"}, {"made_of": "mesh", "weight": 0.9}, {"provider": "hand"}):
        for _ in range(2):
            prepare(what)
            made.append((tmp_path / "made" / "warps.npy").stat().st_mtime_ns)
    assert made[::2] == made[1::2]
    assert len(set(made)) == 4


@pytest.fixture
def people(tmp_path, landmarks, mesh_of_68, monkeypatch):
    """Three photos, in which dlib and the mesh find the fixture's face, 0.1 eye distances apart."""
    names = [name for name in map("person{}".format, range(30)) if split_of(name) != "test"][:3]
    for name in names:
        (tmp_path / "data" / name).mkdir(parents=True)
        Image.new("RGB", (200, 220)).save(tmp_path / "data" / name / "1.png")
    monkeypatch.setattr(labels, "model_file", lambda name: None)
    monkeypatch.setattr(labels, "_find_box", lambda pixels: BOX)
    monkeypatch.setattr(labels, "DlibLandmarks", Finder(landmarks, 0.02))
    monkeypatch.setattr(labels, "MediaPipeLandmarks", Finder(landmarks + np.array([6, 0]), 0.01))
    return photos_to_label(survey(tmp_path / "data"))


def test_a_labeling_with_both_teachers_goes_on_where_it_was(people, tmp_path, monkeypatch):
    path, read = tmp_path / "labels.csv", []

    def stop_at(number):
        def progress(done, total):
            if done == number:
                raise KeyboardInterrupt

        return progress

    def reading(photo):
        read.append(photo)
        return np.zeros((220, 200, 3), np.uint8)

    monkeypatch.setattr(labels, "read_photo", reading)
    for teacher in ("dlib", "blend"):  # what one has found is not what both have
        with pytest.raises(KeyboardInterrupt):
            label_into(path, people, stop_at(2), 1, teacher)
    read.clear()
    found = label_into(path, people, silent, 1, "blend").labels
    assert len(read) == 1
    assert [(label.made_of, label.apart, label.weight) for label in found] == 3 * [("dlib+mesh", 0.1, 0.5)]
    assert [label.apart for label in read_labels(path, people)] == 3 * [0.1]
    assert labeling.label_into(tmp_path / "dlib.csv", people, silent, 1).labels[0].made_of is None


def test_a_run_labels_its_photos_with_its_teacher(people, tmp_path, landmarks, monkeypatch):
    monkeypatch.setattr(targets, "MediaPipeLandmarks", Finder(landmarks + np.array([6, 0])))
    monkeypatch.setattr(targets, "MediaPipeIrises", lambda: None)
    for kind in (preparation.MediaPipeLandmarks, preparation.MediaPipeIrises):
        monkeypatch.setattr(kind, "files", ())

    def made_of(teacher):
        prepared = preparation.prepare(survey(tmp_path / "data"), tmp_path / "made", teacher, silent, 1)
        words = [label.made_of for label in read_labels(tmp_path / "made" / "labels.csv", people)]
        return words, prepared.weights.tolist()

    assert made_of("dlib") == (3 * [None], 3 * [1])
    assert made_of("blend") == (3 * ["dlib+mesh"], 3 * [0.5])
    assert made_of("dlib") == (3 * [None], 3 * [1])


def test_the_review_draws_both_teachers_and_shows_what_counts_least_first(by_dlib, tmp_path, mesh_of_68, monkeypatch):
    """A pixel of the photo is 256 / (1.725 * 120) of the picture."""
    monkeypatch.setattr(review, "MediaPipeLandmarks", Finder(by_dlib.landmarks + np.array([6, 0])))
    shown = [
        replace(by_dlib, photo="near.png", apart=0.02, mesh_disagreement=0.01, made_of="dlib+mesh", weight=1.0),
        replace(by_dlib, photo="far.png", apart=0.1, mesh_disagreement=0.01, made_of="dlib+mesh", weight=0.5),
        Label("mesh.png", box=BOX, mesh_disagreement=0.01, made_of="mesh", weight=0.4, use=True),
        replace(by_dlib, photo="near too.png", apart=0.03, mesh_disagreement=0.01, made_of="dlib+mesh", weight=1.0),
    ]
    for label in shown:
        Image.new("RGB", (200, 220)).save(tmp_path / label.photo)
    page = Reader(as_html(shown, tmp_path, "labels.csv"))
    assert page.text_in("bdi") == ["mesh.png", "far.png", "near too.png", "near.png"]
    paths = [(str(path["class"]), str(path["d"])) for path in page.named("path")]
    alone, both = dict(paths[:6]), dict(paths[6:18])
    assert {kind.split()[-2] for kind in alone} == {"mesh"}
    middles = [float(re.match(r"M([\d.]+) ", both[f"{teacher} midline"])[1]) for teacher in ("landmarks", "mesh")]
    assert middles[1] - middles[0] == pytest.approx(6 * 256 / (1.725 * 120), abs=0.11)
    assert "made of dlib+mesh, weight 0.50" in " ".join(page.text_in("span"))


@pytest.mark.shared
@pytest.mark.landmarks
def test_labels_of_both_teachers_from_the_command_line(symface, portrait, tmp_path, monkeypatch):
    monkeypatch.setenv("SYMFACE_MODEL_DIR", str(SHARED / "models"))
    monkeypatch.setenv("SYMFACE_OFFLINE", "1")
    (tmp_path / "data" / "Ann").mkdir(parents=True)
    (tmp_path / "data" / "Ann" / "1.jpg").write_bytes(portrait.read_bytes())
    path, page = tmp_path / "faces.csv", tmp_path / "review.html"
    finished = symface("label", tmp_path / "data", "--teacher", "blend", "-o", path, "--review", page, "--jobs", 1)
    assert finished.status == 0, finished.err
    (label,) = read_labels(path, ["Ann/1.jpg"])
    assert label.made_of == "dlib+mesh" and 0 < label.apart < 0.06 and 0 < label.mesh_disagreement < 0.03
    assert len(Reader(page.read_text("utf-8")).named("path")) == 12

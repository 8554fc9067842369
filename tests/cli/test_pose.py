"""`symface symmetrize --pose`: heads that stay turned, and faces that look to the front."""

import json
import re

import numpy as np
import pytest
from PIL import Image

from symface_cli.imaging.photo import read_photo


@pytest.fixture
def photo(tmp_path, portrait):
    """The portrait, small, as PNG; its head is turned by 2 to 6 degrees, as its measures and its landmarks say."""
    path = tmp_path / "portrait.png"
    Image.open(portrait).resize((300, 300)).save(path)
    return path


@pytest.fixture
def made(symface, photo, tmp_path):
    """Makes the photo's results with options, and returns their pixels."""

    def make(options):
        finished = symface("symmetrize", photo, *options.split(), "-o", f"{tmp_path}/out/", "--force")
        assert finished.status == 0
        return [np.asarray(Image.open(path)) for path in finished.out.splitlines()]

    return make


def test_heads_stay_turned_but_in_aligned_faces(made):
    outputs = "--output photo --output crop --output face"
    plain, kept, front = (made(f"{outputs} {pose}") for pose in ("", "--pose keep", "--pose front"))
    assert [np.array_equal(*images) for images in zip(plain, kept, strict=True)] == [True, True, False]
    assert [np.array_equal(*images) for images in zip(plain, front, strict=True)] == [False, False, True]
    assert [image.shape for image in kept[:2]] == [image.shape for image in front[:2]]
    assert (front[2] == front[2][:, ::-1]).all()
    assert (kept[2] != kept[2][:, ::-1]).any()


def test_a_continuum_of_a_turned_face_begins_with_the_photo_and_ends_with_the_result(made):
    (nothing,), (all_of_it,) = made("--output face --pose keep --shape 0 --color 0"), made("--output face --pose keep")
    frames = made("--output face --pose keep --continuum 0:1:0.5")
    assert np.array_equal(frames[0], nothing)
    assert not np.array_equal(frames[1], frames[0]) and not np.array_equal(frames[1], frames[2])
    assert np.array_equal(frames[2], all_of_it)


def test_the_background_of_a_turned_face_is_left_out_at_its_own_outline(made):
    (front,), (kept,) = (made(f"--output face --background transparent --pose {pose}") for pose in ("front", "keep"))
    assert (front[..., 3] == front[:, ::-1, 3]).all()
    assert (kept[..., 3] != kept[:, ::-1, 3]).any()
    middle = len(kept) // 2
    assert kept[middle, middle, 3] == 255
    assert (kept[[0, -1, middle, middle], [middle, middle, 0, -1], 3] == 0).all()


def test_a_head_that_is_turned_far_is_changed_less_and_said_to_be(symface, photo, tmp_path, monkeypatch):
    assert symface("symmetrize", photo, "-o", f"{tmp_path}/whole/").err == ""
    monkeypatch.setattr("symface_cli.inference.face.FAR_TURNS", (0.0, 10.0))
    finished = symface("symmetrize", photo, "-o", f"{tmp_path}/part/")
    assert finished.status == 0
    (line,) = map(json.loads, (tmp_path / "part/manifest.jsonl").read_text().splitlines())
    yaw = abs(line["yaw_degrees"])
    assert 2 < yaw < 6
    assert 0 < line["pose_share"] <= 1
    (note,) = line["notes"]
    assert finished.err == f"symface: {photo}: {note}\n"
    said = re.fullmatch(r"face 1 is turned by (\d) degrees: changed by (0\.\d) of the way", note)
    assert float(said[1]) == pytest.approx(yaw, abs=0.55)
    assert float(said[2]) == pytest.approx(1 - yaw / 10, abs=0.06)
    whole, part = (
        np.abs(read_photo(tmp_path / f"{folder}/portrait.symmetric.png") - read_photo(photo).astype(int)).sum()
        for folder in ("whole", "part")
    )
    assert 0.2 * whole < part < 0.95 * whole


def test_a_head_that_is_turned_too_far_stays_as_it_is(symface, photo, tmp_path, monkeypatch):
    monkeypatch.setattr("symface_cli.inference.face.FAR_TURNS", (0.0, 1.0))
    finished = symface("symmetrize", photo, "-o", tmp_path / "out.png")
    assert re.search(r": face 1 is turned by \d degrees: not changed\n", finished.err)
    assert (read_photo(tmp_path / "out.png") == read_photo(photo)).all()


@pytest.mark.parametrize("options", ["--output face", "--pose front", "--preview"])
def test_of_faces_that_look_to_the_front_no_turn_is_told(symface, photo, tmp_path, monkeypatch, options):
    monkeypatch.setattr("symface_cli.inference.face.FAR_TURNS", (0.0, 1.0))
    assert symface("symmetrize", photo, "-o", f"{tmp_path}/out/", *options.split()).err == ""

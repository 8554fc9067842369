"""The path of a photo."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import symface_cli
from symface_cli.detection.detector import detect
from symface_cli.engines import torch_engine
from symface_cli.errors import NoFaceError
from symface_cli.geometry.frames import EYES_Y
from symface_cli.imaging.photo import read_photo
from symface_cli.inference import symmetrizer as symmetrizer_module
from symface_cli.landmarks import scheme
from symface_cli.network.weights import load_weights, save_weights


@pytest.fixture(scope="module")
def symmetrizer():
    return symface_cli.Symmetrizer(device="cpu")


def test_face_is_symmetric_and_says_where_it_comes_from(portrait, symmetrizer):
    photo = read_photo(portrait)
    (face,) = symmetrizer.symmetrize(photo)
    assert (face.image == face.image[:, ::-1]).all()
    assert face.image.dtype == np.uint8
    assert face.photo_from_face.shape == (17, 17, 2)
    assert face.mask.shape == (17, 17)
    height, width = photo.shape[:2]
    inside = face.photo_from_face[face.mask > 0.9]
    assert len(inside) > 50
    assert ((inside > 0) & (inside < [width, height])).all()


def test_the_mirrored_photo_gives_the_same_face(portrait, symmetrizer):
    photo = read_photo(portrait)
    (face,) = detect(photo)
    crop = photo[: photo.shape[1], : photo.shape[0]]
    mirrored = np.ascontiguousarray(crop[:, ::-1])
    (other,) = detect(mirrored)
    first, second = (symmetrizer.symmetrize(p, [f])[0].image for p, f in ((photo, face), (mirrored, other)))
    size = (96, 96)
    first, second = (np.asarray(Image.fromarray(image).resize(size)).astype(int) for image in (first, second))
    middle = slice(24, 72)
    assert np.abs(first[middle, middle] - second[middle, middle]).mean() < 6


def test_faces_come_in_the_order_in_which_they_are_asked_for(pair, symmetrizer):
    photo = read_photo(pair)
    found = detect(photo)
    straight = symmetrizer.symmetrize(photo, found)
    swapped = symmetrizer.symmetrize(photo, found[::-1])
    assert [face.found for face in swapped] == found[::-1]
    for face, same in zip(straight, swapped[::-1], strict=True):
        assert (face.image == same.image).all()


def test_no_face_is_an_error_of_its_own(symmetrizer):
    with pytest.raises(NoFaceError):
        symmetrizer.symmetrize(np.zeros((50, 50, 3), np.uint8))


@pytest.mark.parametrize("side", ["left", "right"])
def test_something_in_front_of_one_side_is_replaced_by_the_other(portrait, symmetrizer, side):
    photo = read_photo(portrait)
    (face,) = detect(photo)
    plain = symmetrizer.symmetrize(photo, [face])[0]
    covered = photo.copy()
    columns = (3, 6) if side == "left" else (10, 13)
    corners = plain.photo_from_face[[9, 12]][:, columns].reshape(-1, 2).astype(int)  # a cheek
    low, high = corners.min(0), corners.max(0)
    covered[low[1] : high[1], low[0] : high[0]] = (30, 200, 60)
    result = symmetrizer.symmetrize(covered, [face])[0].image.astype(int)
    size = len(result)
    cheek = slice(round(0.58 * size), round(0.72 * size)), slice(round(0.24 * size), round(0.34 * size))
    expected = np.asarray(Image.fromarray(plain.image).resize((size, size))).astype(int)
    mirrored_patch = np.abs(np.array([30, 200, 60]) - expected[cheek]).mean()
    assert np.abs(result[cheek] - expected[cheek]).mean() < 0.25 * mirrored_patch


def test_what_hides_both_sides_alike_stays_unless_the_vae_draws_all(portrait, symmetrizer):
    """A black bar over both eyes: kept in the photo's own pixels, replaced by eyes by the VAE."""
    photo = read_photo(portrait)
    (face,) = detect(photo)
    warp = symmetrizer.symmetrize(photo, [face])[0].photo_from_face
    row = round((EYES_Y + 1) / 2 * 16)
    covered = photo.copy()
    (left, y), (right, _) = warp[row, 4].round().astype(int), warp[row, 12].round().astype(int)
    covered[y - 22 : y + 23, left:right] = 12

    def eye(detail):
        image = symmetrizer.symmetrize(covered, [face], detail=detail)[0].image
        x, y = round(0.375 * len(image)), round((EYES_Y + 1) / 2 * len(image))
        return image[y - 4 : y + 5, x - 4 : x + 5].mean()

    assert eye(detail=True) < 25
    assert eye(detail=False) > 50


@pytest.mark.parametrize(("hidden", "decoded"), [(0.01, 0), (0.5, 1)])
def test_what_is_hardly_hidden_is_not_drawn(portrait, symmetrizer, monkeypatch, hidden, decoded):
    plain, times = symmetrizer.engine.locate, []
    monkeypatch.setattr(symmetrizer.engine, "locate", lambda crop: replace_hidden(plain(crop), hidden))
    monkeypatch.setattr(symmetrizer_module, "unlike_sides", lambda face: np.ones((17, 17), np.float32))
    monkeypatch.setattr(symmetrizer.engine, "decode", lambda *_: times.append(1) or np.zeros((128, 128, 3), np.uint8))
    symmetrizer.symmetrize(read_photo(portrait))
    assert len(times) == decoded


def replace_hidden(located, hidden):
    return replace(located, hidden=np.full_like(located.hidden, hidden))


def test_weights_can_be_saved_after_a_symmetrizer_was_made_of_them(monkeypatch, tmp_path):
    again = tmp_path / "again.safetensors"
    loaded = load_weights()
    monkeypatch.setattr(torch_engine, "load_weights", lambda path: loaded)
    engine = torch_engine.TorchEngine(None, "cpu")
    save_weights(again, loaded.network, loaded.stage)
    assert (engine.sha256, engine.stage) == (loaded.sha256, 3)
    assert load_weights(again).sha256 == loaded.sha256


@pytest.mark.landmarks
def test_dlib_finds_the_symmetric_face_level_and_in_its_frame(portrait, symmetrizer):
    from symface_cli.landmarks.dlib import DlibLandmarks

    image = symmetrizer.symmetrize(read_photo(portrait))[0].image
    (landmarks,) = DlibLandmarks().find_faces(image)
    left, right = scheme.eye_centers(landmarks / (len(image) - 1) * 2 - 1)
    assert left == pytest.approx([-0.27, -0.12], abs=0.04)
    assert right == pytest.approx([0.27, -0.12], abs=0.04)

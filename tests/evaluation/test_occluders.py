"""Occluders: the same picture for the same seed, over the eyes or over one side of the face, and over nothing else."""

import subprocess
import sys

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from symface_cli.errors import UsageError
from symface_cli.evaluation.occluders import CONDITIONS, OCCLUDERS, PATCH_HEIGHT, PATCH_WIDTH, occlude
from symface_cli.geometry.types import Photo
from symface_cli.landmarks import scheme
from tests.conftest import ROOT

EYE_DISTANCE_FACE = 60  # px, of the fixture's face, whose midline is at x = 100
MIDLINE = 100


@pytest.fixture
def photo() -> Photo:
    return np.full((220, 200, 3), 255, np.uint8)


def changed(photo: Photo, result: Photo) -> NDArray[np.bool_]:
    return (photo != result).any(-1)


@pytest.mark.parametrize("kind", OCCLUDERS)
def test_same_seed_gives_the_same_picture_and_leaves_the_photo_alone(
    kind: str, photo: Photo, landmarks: NDArray[np.float64]
) -> None:
    before = photo.copy()
    first, second = occlude(photo, landmarks, kind, 7), occlude(photo, landmarks, kind, 7)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(photo, before)
    assert len({occlude(photo, landmarks, kind, seed).tobytes() for seed in range(40)}) >= 3


def test_another_process_makes_the_same_picture(photo: Photo, landmarks: NDArray[np.float64]) -> None:
    script = (
        "import sys, numpy as np; from symface_cli.evaluation.occluders import occlude;"
        "landmarks = np.frombuffer(sys.stdin.buffer.read()).reshape(68, 2);"
        "photo = np.full((220, 200, 3), 255, np.uint8);"
        "sys.stdout.buffer.write(occlude(photo, landmarks, 'patch', 2**200 + 1).tobytes())"
    )
    environment = {"PYTHONHASHSEED": "1", "PYTHONPATH": str(ROOT)}
    other = subprocess.run(
        [sys.executable, "-c", script], input=landmarks.tobytes(), capture_output=True, check=True, env=environment
    )
    assert other.stdout == occlude(photo, landmarks, "patch", 2**200 + 1).tobytes()


def test_glasses_cover_both_eyes_and_nothing_below_them(photo: Photo, landmarks: NDArray[np.float64]) -> None:
    result = occlude(photo, landmarks, "glasses", 0)
    for x, y in np.round(landmarks[scheme.EYES]).astype(int):
        assert result[y, x].max() < 80
    cover = changed(photo, result)
    rows, columns = np.nonzero(cover)
    eyes_y = landmarks[scheme.EYES, 1].mean()
    assert rows.min() > landmarks[scheme.BROWS, 1].min() - 2  # not above the brows
    assert rows.max() < eyes_y + 0.45 * EYE_DISTANCE_FACE  # above the nose's tip, far above the mouth
    assert (columns.min(), columns.max()) == (pytest.approx(199 - columns.max() + 1, abs=1), columns.max())  # centered
    assert 1.8 * EYE_DISTANCE_FACE < np.ptp(columns) < 2.3 * EYE_DISTANCE_FACE
    nose = np.round(landmarks[29]).astype(int)
    assert not cover[nose[1], nose[0]]  # between the lenses, below the bridge


def test_glasses_tilt_with_the_eyes(landmarks: NDArray[np.float64]) -> None:
    photo = np.full((240, 240, 3), 255, np.uint8)
    turn = cv2.getRotationMatrix2D((100, 110), 20, 1.0)
    tilted = landmarks @ turn[:, :2].T + turn[:, 2]
    expected = cv2.warpAffine(
        occlude(photo, landmarks, "glasses", 3), turn, (240, 240), borderValue=(255, 255, 255), flags=cv2.INTER_CUBIC
    )
    difference = np.abs(occlude(photo, tilted, "glasses", 3).astype(float) - expected)
    assert difference.mean() < 1  # but for the edges, of 255


@pytest.mark.parametrize("seed", range(12))
def test_patch_covers_one_side_of_the_face(seed: int, photo: Photo, landmarks: NDArray[np.float64]) -> None:
    photo = photo // 255 * np.array([1, 2, 3], np.uint8)  # a color that no patch has
    cover = changed(photo, occlude(photo, landmarks, "patch", seed))
    area = cover.sum() / EYE_DISTANCE_FACE**2
    assert 0.85 * PATCH_WIDTH * PATCH_HEIGHT < area < 1.25 * PATCH_WIDTH * PATCH_HEIGHT  # its soft edge included
    columns = np.nonzero(cover)[1]
    inner = (
        min(columns.max() - MIDLINE, MIDLINE - columns.min()) / EYE_DISTANCE_FACE
    )  # how far it reaches to the other side
    assert inner < 0.15
    outline = cv2.convexHull(landmarks.astype(np.float32)).astype(np.int32)
    face = cv2.fillPoly(np.zeros(photo.shape[:2], np.uint8), [outline], 1).astype(bool)
    assert (cover & face).sum() > 0.5 * cover.sum()  # in front of the face, not beside it


def test_patch_is_on_either_side_at_eye_cheek_and_mouth(photo: Photo, landmarks: NDArray[np.float64]) -> None:
    centers = []
    for seed in range(60):
        rows, columns = np.nonzero(changed(photo, occlude(photo, landmarks, "patch", seed)))
        centers.append((columns.mean() - MIDLINE, rows.mean() - landmarks[scheme.EYES, 1].mean()))
    across, down = np.array(centers).T / EYE_DISTANCE_FACE
    assert 15 <= (across > 0).sum() <= 45
    assert [int(((down > low) & (down < low + 0.3)).sum() >= 8) for low in (-0.05, 0.4, 0.85)] == [1, 1, 1]


@pytest.mark.parametrize("kind", OCCLUDERS)
def test_occluder_grows_with_the_face(kind: str, landmarks: NDArray[np.float64]) -> None:
    small = np.full((220, 200, 3), 255, np.uint8)
    large = np.full((660, 600, 3), 255, np.uint8)
    darker = [
        (photo - occlude(photo, landmarks * factor, kind, 5)).sum() / factor**2
        for photo, factor in ((small, 1), (large, 3))
    ]
    assert darker[1] == pytest.approx(darker[0], rel=0.06)  # outlines are drawn half a pixel wider than they are


@pytest.mark.parametrize("shift", [(-95, 0), (90, -80), (0, 150), (1000, 1000), (-1000, 0)])
@pytest.mark.parametrize("kind", OCCLUDERS)
def test_face_at_or_beyond_the_edge_is_no_problem(
    kind: str, shift: tuple[int, int], photo: Photo, landmarks: NDArray[np.float64]
) -> None:
    result = occlude(photo, landmarks + shift, kind, 1)
    assert result.shape == photo.shape and result.dtype == np.uint8
    if abs(shift[0]) == 1000:
        np.testing.assert_array_equal(result, photo)


def test_unknown_occluder_is_a_usage_error_that_names_the_choices(photo: Photo, landmarks: NDArray[np.float64]) -> None:
    assert CONDITIONS == ("none", "glasses", "patch")
    with pytest.raises(UsageError, match="none, glasses, patch"):
        occlude(photo, landmarks, "nonsense", 0)


def test_no_occluder_changes_nothing(photo: Photo, landmarks: NDArray[np.float64]) -> None:
    np.testing.assert_array_equal(occlude(photo, landmarks, "none", 0), photo)

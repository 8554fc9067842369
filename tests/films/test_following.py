"""Faces followed: on still pictures, when they move, at cuts, when they leave, and several of them."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from symface_cli.errors import UsageError
from symface_cli.films import following
from symface_cli.films.cuts import CutFinder
from symface_cli.films.following import Person, SeenFrame, follow
from symface_cli.films.leash import draw_along, eyes_of
from symface_cli.geometry.types import Photo
from symface_cli.inference.symmetrizer import Symmetrizer
from tests.films.made import as_photo, example, frames_of, moved, noisy


@pytest.fixture(scope="module")
def symmetrizer() -> Symmetrizer:
    return Symmetrizer()


def seen(photos: Sequence[Photo], symmetrizer: Symmetrizer, person: Person = "largest") -> list[SeenFrame]:
    return list(follow(frames_of(photos), symmetrizer, person))


def eyes(frames: list[SeenFrame]) -> NDArray[np.float64]:
    """Where the middle between the eyes of the only face is in each frame, (N, 2)."""
    return np.array([eyes_of(frame.faces[0].warp).mean(0) for frame in frames])


def on_ground(x: int) -> Photo:
    """A face on a ground, a part of it beyond the right edge if it is far to the right."""
    ground = np.full((240, 420, 3), (60, 80, 70), np.uint8)
    ground[150:] = (130, 100, 80)
    face = example()[20:220, 40:200]
    width = max(min(420 - x, face.shape[1]), 0)
    ground[30:230, x : x + width] = face[:, :width]
    return ground


def test_a_still_face_is_the_same_in_all_frames(symmetrizer: Symmetrizer) -> None:
    first, *others = seen([example()] * 5, symmetrizer)
    for other in others:
        assert np.array_equal(other.faces[0].warp.photo_from_face, first.faces[0].warp.photo_from_face)
        assert np.array_equal(other.faces[0].found.crop_from_photo, first.faces[0].found.crop_from_photo)


def test_noise_does_not_move_the_crop(symmetrizer: Symmetrizer) -> None:
    frames = seen(noisy(example(), 6), symmetrizer)
    crops = [frame.faces[0].found.crop_from_photo for frame in frames]
    assert all(np.array_equal(crop, crops[0]) for crop in crops)
    assert eyes(frames).std(0).max() < 0.1


def test_a_moving_face_is_followed_to_the_pixel(symmetrizer: Symmetrizer) -> None:
    steps = np.arange(10) * 4 - 20
    frames = seen([moved(example(), step, step / 2) for step in steps], symmetrizer)
    rest = eyes(frames) - np.stack([steps, steps / 2], -1)
    assert abs(rest - rest.mean(0)).max() < 0.5
    assert {face.track for frame in frames for face in frame.faces} == {1}


def test_after_a_cut_the_face_is_found_at_once(symmetrizer: Symmetrizer) -> None:
    other = example("pair")[:, 220:]
    frames = seen([example()] * 3 + [other] * 3 + [example()] * 3, symmetrizer)
    assert [frame.shot for frame in frames] == [0] * 3 + [1] * 3 + [2] * 3
    assert [[face.track for face in frame.faces] for frame in frames] == [[1]] * 3 + [[2]] * 3 + [[3]] * 3


def test_a_face_that_leaves_and_comes_back_is_found_within_three_frames(symmetrizer: Symmetrizer) -> None:
    way = [*range(200, 430, 20), *[430] * 4, *range(420, 200, -20)]
    frames = seen([on_ground(x) for x in way], symmetrizer)
    there = [len(frame.faces) for frame in frames]
    back = next(index for index, x in enumerate(way) if index > 12 and x <= 280)  # all in the frame again
    assert there[0] == 1
    assert sum(there[11:17]) == 0
    assert all(there[back + 3 :])
    assert {face.person for frame in frames for face in frame.faces} == {1}


def test_where_a_face_was_the_ground_is_no_face(symmetrizer: Symmetrizer) -> None:
    frames = seen([on_ground(200)] * 3 + [on_ground(430)] * 3, symmetrizer)
    assert [len(frame.faces) for frame in frames] == [1, 1, 1, 0, 0, 0]


def test_people_are_numbered_by_size_and_keep_their_numbers(symmetrizer: Symmetrizer) -> None:
    pair = example("pair")
    everybody = seen([pair] * 2, symmetrizer, "all")
    left, right = ([face.found.center[0] for face in frame.faces] for frame in everybody)
    assert left == right
    assert left[0] < pair.shape[1] / 2 < left[1]  # the larger face is on the left
    (second,) = seen([pair], symmetrizer, 2)[0].faces
    assert second.person == 2
    assert second.found.center[0] == left[1]
    assert seen([pair], symmetrizer, 3)[0].faces == ()
    with pytest.raises(UsageError, match="person 0"):
        seen([pair], symmetrizer, 0)


def test_who_comes_within_a_shot_is_followed_and_who_left_is_given_up(
    symmetrizer: Symmetrizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched: list[int] = []
    search = following.detect_sure
    monkeypatch.setattr(following, "detect_sure", lambda photo: searched.append(1) or search(photo))
    monkeypatch.setattr(following, "PATIENCE", 3)
    monkeypatch.setattr(following, "LOOK_AROUND", 4)
    monkeypatch.setattr(CutFinder, "is_cut", lambda finder, photo: False)
    alone, both = (np.full((200, 800, 3), (60, 80, 70), np.uint8) for _ in range(2))
    for ground in (alone, both):
        ground[120:] = (130, 100, 80)
        ground[:, 600:760] = example()[20:220, 40:200]
    both[:, 60:220] = moved(example(), turned=3)[20:220, 40:200]
    frames = seen([alone] * 2 + [both] * 5 + [alone] * 10, symmetrizer, "all")
    assert [len(frame.faces) for frame in frames] == [1] * 4 + [2] * 3 + [1] * 10
    assert {face.person for frame in frames for face in frame.faces} == {1, 2}
    assert len(searched) == 6  # in frame 4; from 7 to 10, while she may come back; in frame 14


def test_light_and_movement_are_no_cuts_but_another_picture_is() -> None:
    cuts = CutFinder()
    dark = as_photo(example() * 0.5)
    moving = [moved(example(), 8 * step) for step in range(5)]
    told = [cuts.is_cut(photo) for photo in [example(), dark, example(), *moving, example("group")]]
    assert told == [False] * 8 + [True]


def test_the_leash_is_drawn_only_beyond_its_length() -> None:
    held = np.array([[100.0, 100], [200, 100]])
    assert draw_along(held, held + np.array([5, 6])) is held  # 7.8 px of 8
    assert np.allclose(draw_along(held, held + np.array([20, 0])), held + np.array([12, 0]))
    apart = np.array([[90.0, 100], [210, 100]])
    assert np.allclose(np.diff(draw_along(held, apart)[:, 0]), 120 * np.exp(-0.03))

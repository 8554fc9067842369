"""What is seen, smoothed: still faces, movement, noise, cuts, and faces that come and go."""

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from symface_cli.films.following import SeenFrame, follow
from symface_cli.films.smoothing import smooth
from symface_cli.geometry.types import Photo
from symface_cli.inference.symmetrizer import Symmetrizer
from tests.films.made import example, frames_of, moved, noisy
from tests.films.test_following import on_ground

FEATURES = slice(4, 13)  # control points around eyes, nose and mouth


@pytest.fixture(scope="module")
def symmetrizer() -> Symmetrizer:
    return Symmetrizer()


def seen(photos: Sequence[Photo], symmetrizer: Symmetrizer) -> list[SeenFrame]:
    return list(follow(frames_of(photos), symmetrizer))


def points(frames: Sequence[SeenFrame]) -> NDArray[np.float64]:
    """Where the points of the only face lie in each frame, (N, 9, 9, 2)."""
    return np.array([frame.faces[0].warp.photo_from_face[FEATURES, FEATURES] for frame in frames])


def test_a_still_face_stays_exactly_the_same(symmetrizer: Symmetrizer) -> None:
    frames = list(smooth(seen([example()] * 6, symmetrizer)))
    first = frames[0].faces[0].warp
    for frame in frames:
        warp = frame.faces[0].warp
        assert np.array_equal(warp.photo_from_face, first.photo_from_face)
        assert np.array_equal(warp.mask, first.mask)
        assert np.array_equal(warp.pose.displacement, first.pose.displacement)
        assert frame.faces[0].share == 1


def test_noise_is_less_and_movement_stays(symmetrizer: Symmetrizer) -> None:
    noise = seen(noisy(example(), 9), symmetrizer)
    assert points(list(smooth(noise)))[2:-2].std(0).mean() < 0.7 * points(noise)[2:-2].std(0).mean()
    way = 20 * np.sin(np.arange(14) / 3)  # up to 7 px a frame
    swaying = list(smooth(seen([moved(example(), step) for step in way], symmetrizer)))
    rest = points(swaying) - np.stack([way, 0 * way], -1)[:, None, None]
    assert abs(np.diff(rest, axis=0)).max() < 1


def test_nothing_is_smoothed_across_a_cut(symmetrizer: Symmetrizer) -> None:
    one, other = example(), example("pair")[:, 220:]
    alone = [*smooth(seen([one] * 2, symmetrizer)), *smooth(seen([other] * 2, symmetrizer))]
    together = list(smooth(seen([one] * 2 + [other] * 2, symmetrizer)))
    assert np.array_equal(points(together), points(alone))
    assert [frame.faces[0].share for frame in together] == [1] * 4


def test_a_face_that_leaves_is_changed_less_and_less(symmetrizer: Symmetrizer) -> None:
    frames = list(smooth(seen([on_ground(x) for x in range(200, 420, 20)], symmetrizer)))
    shares = [frame.faces[0].share for frame in frames if frame.faces][-6:]
    assert not frames[-1].faces
    apart = np.array([6, 5, 4, 3, 2, 1]) * 0.04 / 0.16  # from the frame without a face, of REACH
    expected = apart.clip(0, 1) ** 2 * (3 - 2 * apart.clip(0, 1))
    assert np.allclose(shares, expected)


def test_frames_come_out_as_soon_as_enough_are_known() -> None:
    taken = 0

    def counted() -> Iterator[SeenFrame]:
        nonlocal taken
        for frame in frames_of([example()] * 40):
            taken += 1
            yield SeenFrame(frame=frame, shot=0, faces=())

    smoothed = smooth(counted())
    next(smoothed)
    assert taken == 6  # the next after 0.16 s, which are four frames

"""Symmetric films: what they show, how steady they are, and what of the source they keep."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from symface_cli.errors import NoFaceError, OutputError, PhotoError, UsageError
from symface_cli.films.symmetrizing import FilmOptions, SymmetricFrame, symmetrize_film, symmetrize_frames
from symface_cli.geometry.types import Photo
from symface_cli.inference.symmetrizer import Symmetrizer
from symface_cli.rendering.morphing import Amounts
from symface_cli.rendering.options import Output, OutputOptions
from symface_cli.video.reading import open_film
from symface_cli.video.writing import Encoding
from tests.films.made import add_sound, as_photo, example, moved, noisy, rotate, sound_of, write_film
from tests.films.test_following import on_ground

FACE = OutputOptions(outputs=(Output.FACE,))


@pytest.fixture(scope="module")
def symmetrizer() -> Symmetrizer:
    return Symmetrizer()


def made(
    tmp_path: Path, photos: Sequence[Photo], symmetrizer: Symmetrizer, options: FilmOptions | None = None
) -> list[SymmetricFrame]:
    """The frames of the symmetric film of a film of these pictures."""
    with open_film(write_film(tmp_path / "film.mp4", photos)) as film:
        return list(symmetrize_frames(film, symmetrizer, options or FilmOptions()))


@pytest.mark.slow
def test_a_still_picture_gives_equal_frames(tmp_path: Path, symmetrizer: Symmetrizer) -> None:
    frames = made(tmp_path, [example()] * 100, symmetrizer)
    assert len(frames) == 100
    assert all(np.array_equal(frame.image, frames[0].image) for frame in frames)
    assert not np.array_equal(frames[0].image, example())


def test_noise_does_not_flicker_more_than_it_did(tmp_path: Path, symmetrizer: Symmetrizer) -> None:
    noise = noisy(example(), 12)
    path = write_film(tmp_path / "film.mp4", noise)
    with open_film(path) as film:
        before = np.array([frame.photo for frame in film.frames()], float)
        after = np.array([frame.image for frame in symmetrize_frames(film, symmetrizer, FilmOptions())], float)
    changed = abs(after - before).mean((0, 3)) > 0.1
    assert changed.mean() > 0.05
    assert after.std(0)[changed].mean() <= 1.1 * before.std(0)[changed].mean()


def test_light_that_changes_is_followed_at_once(tmp_path: Path, symmetrizer: Symmetrizer) -> None:
    dark = as_photo(example() * 0.5)
    frames = made(tmp_path, [example()] * 3 + [dark] * 3, symmetrizer)
    means = [frame.image.mean() for frame in frames]
    assert np.ptp(means[:3]) < 0.1
    assert np.ptp(means[3:]) < 0.1
    assert abs(means[3] - means[0] / 2) < 1


def test_aligned_faces_have_one_size_and_are_symmetric(tmp_path: Path, symmetrizer: Symmetrizer) -> None:
    photos = [moved(example(), 2 * step, scale=1 + step / 40) for step in range(4)]
    frames = made(tmp_path, photos, symmetrizer, FilmOptions(rendering=FACE))
    assert {frame.image.shape for frame in frames} == {frames[0].image.shape}
    for frame in frames:
        assert np.array_equal(frame.image, frame.image[:, ::-1])
    one, other = (
        made(tmp_path, photos[:1], symmetrizer, FilmOptions(rendering=replace(FACE, amounts=Amounts(side=side))))
        for side in ("left", "right")
    )
    assert abs(one[0].image.astype(int) - other[0].image).mean() > 1


def test_aligned_faces_wait_for_the_first_and_are_black_where_there_is_none(
    tmp_path: Path, symmetrizer: Symmetrizer
) -> None:
    photos = [on_ground(430)] * 2 + [on_ground(180)] * 3 + [on_ground(430)] * 2
    frames = made(tmp_path, photos, symmetrizer, FilmOptions(rendering=FACE))
    assert [frame.people for frame in frames] == [(), (), (1,), (1,), (1,), (), ()]
    assert [bool(frame.image.any()) for frame in frames] == [bool(frame.people) for frame in frames]
    with pytest.raises(NoFaceError):
        made(tmp_path, [on_ground(430)], symmetrizer, FilmOptions(rendering=FACE))


def test_one_person_of_two_becomes_symmetric(tmp_path: Path, symmetrizer: Symmetrizer) -> None:
    pair = example("pair")
    half = pair.shape[1] // 2
    (everybody,) = made(tmp_path, [pair], symmetrizer)
    (second,) = made(tmp_path, [pair], symmetrizer, FilmOptions(person=2))
    assert everybody.people == (1, 2)
    assert second.people == (2,)
    assert np.array_equal(second.image[:, half:], everybody.image[:, half:])
    assert not np.array_equal(second.image[:, :half], everybody.image[:, :half])


def test_a_film_keeps_its_sound_its_times_and_all_but_the_face(tmp_path: Path, symmetrizer: Symmetrizer) -> None:
    path, result = tmp_path / "film.mp4", tmp_path / "result.mp4"
    write_film(path, [example()] * 4, [Fraction(ms, 1000) for ms in (0, 40, 111, 150)])
    add_sound(path, 0.2)
    done: list[int] = []
    with open_film(path) as film:
        options = FilmOptions(encoding=Encoding(crf=0))
        told = symmetrize_film(film, result, symmetrizer, options, progress=done.append)
    assert told == (4, 4, (), None)
    assert done == [1, 2, 3, 4]
    assert sound_of(result) == sound_of(path)
    with open_film(path) as before, open_film(result) as after:
        for one, other in zip(before.frames(), after.frames(), strict=True):
            assert one.time == other.time
            changed = one.planes[0] != other.planes[0]
            assert changed.any()
            rows, columns = (np.flatnonzero(changed.any(axis)) for axis in (1, 0))
            assert (rows.min() > 60, rows.max() < 180) == (True, True)  # brows to chin
            assert (columns.min() > 60, columns.max() < 180) == (True, True)


def test_a_film_that_is_shown_turned_is_written_upright(tmp_path: Path, symmetrizer: Symmetrizer) -> None:
    upright = example("pair")[:, :220]
    path = write_film(tmp_path / "film.mp4", [np.ascontiguousarray(np.rot90(upright))] * 2)
    rotate(path, -90)
    with open_film(path) as film:
        symmetrize_film(film, tmp_path / "result.mp4", symmetrizer, FilmOptions(encoding=Encoding(crf=0)))
    with open_film(tmp_path / "result.mp4") as film:
        assert (film.size, film.quarter_turns) == ((220, 240), 0)
        frame = next(film.frames())
    changed = abs(frame.photo.astype(int) - upright).mean(-1)
    assert changed[:40].mean() < 2
    assert changed[60:180, 60:180].mean() > 2


def test_a_damaged_film_ends_where_it_is_damaged(tmp_path: Path, symmetrizer: Symmetrizer) -> None:
    path = write_film(tmp_path / "film.mkv", [example()] * 50, options={"crf": "20", "g": "10"})
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    with open_film(path) as film:
        told = symmetrize_film(film, tmp_path / "result.mp4", symmetrizer, FilmOptions())
    assert told.damage is not None
    with open_film(tmp_path / "result.mp4") as film:
        assert len(list(film.frames())) == told.frames < 50


def test_nothing_is_written_without_a_face(tmp_path: Path, symmetrizer: Symmetrizer) -> None:
    path = write_film(tmp_path / "film.mp4", [on_ground(430)])
    with open_film(path) as film, pytest.raises(NoFaceError, match="no face found in the film"):
        symmetrize_film(film, tmp_path / "result.mp4", symmetrizer, FilmOptions())
    with open_film(path) as film, pytest.raises(PhotoError, match="no frames between these times"):
        symmetrize_film(film, tmp_path / "result.mp4", symmetrizer, FilmOptions(start=Fraction(5)))
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]


def test_a_film_that_is_left_leaves_no_threads(tmp_path: Path, symmetrizer: Symmetrizer) -> None:
    before = threading.active_count()
    with open_film(write_film(tmp_path / "film.mp4", [example()] * 20)) as film:
        frames = symmetrize_frames(film, symmetrizer, FilmOptions())
        next(frames)
        frames.close()
        assert threading.active_count() == before


def test_what_no_film_can_be_is_refused() -> None:
    for options, told in (
        ({"rendering": OutputOptions(outputs=(Output.CROP,))}, "one film"),
        ({"rendering": FACE, "person": "all"}, "one person"),
        ({"rendering": OutputOptions(outputs=(Output.FACE,), size=101)}, "even number"),
        ({"rendering": OutputOptions(outputs=(Output.FACE,), background="transparent")}, "no transparency"),
        ({"start": Fraction(2), "end": Fraction(1)}, "from 2 s to 1 s"),
    ):
        with pytest.raises(UsageError, match=told):
            FilmOptions(**options)


def test_a_film_that_is_there_is_kept(tmp_path: Path, symmetrizer: Symmetrizer) -> None:
    path = write_film(tmp_path / "film.mp4", [example()])
    (tmp_path / "result.mp4").write_bytes(b"mine")
    with open_film(path) as film, pytest.raises(OutputError, match="already exists"):
        symmetrize_film(film, tmp_path / "result.mp4", symmetrizer, FilmOptions())
    assert (tmp_path / "result.mp4").read_bytes() == b"mine"

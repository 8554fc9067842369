"""Films written: times, sound, colors, parts, and what is not written."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from symface_cli.errors import OutputError, UsageError
from symface_cli.video.colors import ColorTags, change_planes, matrix_from_rgb, plain_planes
from symface_cli.video.reading import open_film
from symface_cli.video.writing import Encoding, Layout, writing_film
from tests.films.made import add_sound, sound_of, write_film
from tests.video.test_reading import BARS, UNEVEN, times

LOSSLESS = Encoding(crf=0)


def copy(
    source: Path,
    target: Path,
    encoding: Encoding = LOSSLESS,
    start: Fraction | None = None,
    end: Fraction | None = None,
) -> tuple[str, ...]:
    """Write a film of the frames of another; returns what is noted."""
    shift = start or Fraction(0)
    with open_film(source) as film, writing_film(target, film, Layout.of(film), encoding, start) as writer:
        for frame in film.frames(start, end):
            writer.write(frame.planes, frame.time - shift, frame.duration)
        writer.end(None if end is None else end - shift)
        return writer.notes


@pytest.fixture
def sounding(tmp_path: Path) -> Path:
    """A film of uneven times, with sound."""
    path = write_film(tmp_path / "film.mp4", [BARS] * 8, UNEVEN)
    add_sound(path, 1.5)
    return path


def test_times_pictures_and_sound_are_those_of_the_source(sounding: Path, tmp_path: Path) -> None:
    result = tmp_path / "copy.mp4"
    assert copy(sounding, result) == ()
    assert times(result) == times(sounding) == [float(time) for time in UNEVEN]
    assert sound_of(result) == sound_of(sounding)
    with open_film(result) as one, open_film(sounding) as other:
        for copied, frame in zip(one.frames(), other.frames(), strict=True):
            assert all(map(np.array_equal, copied.planes, frame.planes))


def test_of_a_part_pictures_and_sound_are_cut_alike(sounding: Path, tmp_path: Path) -> None:
    result = tmp_path / "part.mp4"
    copy(sounding, result, start=Fraction("0.1"), end=Fraction("0.4"))
    assert times(result) == [0, 0.15, 0.151]
    kept = [(time, data) for time, data in sound_of(sounding) if 0.1 <= time < 0.4]
    cut = sound_of(result)
    assert [data for _, data in cut] == [data for _, data in kept]
    assert all(abs(one[0] + Fraction("0.1") - other[0]) < 1e-4 for one, other in zip(cut, kept, strict=True))


def test_tags_and_pixel_aspect_are_kept(tmp_path: Path) -> None:
    import av

    source = write_film(tmp_path / "film.mkv", [BARS] * 2, tags=(9, 1, 9, 2))
    anamorphic = tmp_path / "anamorphic.mkv"
    with open_film(source) as film:
        layout = Layout.of(film)
        wide = Layout(**{**vars(layout), "pixel_aspect": Fraction(4, 3)})
        with writing_film(anamorphic, film, wide, LOSSLESS) as writer:
            for frame in film.frames():
                writer.write(frame.planes, frame.time, frame.duration)
            writer.end(None)
    copy(anamorphic, tmp_path / "copy.mkv")
    with av.open(str(tmp_path / "copy.mkv")) as container:
        stream = container.streams.video[0]
        assert stream.sample_aspect_ratio == Fraction(4, 3)
        assert ColorTags.of(stream) == ColorTags(primaries=9, transfer=1, matrix=9, range=2)


def test_sound_that_a_format_does_not_take_is_left_out_and_named(sounding: Path, tmp_path: Path) -> None:
    (note,) = copy(sounding, tmp_path / "film.webm", Encoding())
    assert note == "without its sound (aac), which webm does not take; use .mkv"
    assert times(tmp_path / "film.webm") == times(sounding)


@pytest.mark.parametrize(
    ("name", "encoding", "told"),
    [
        ("film.mp4", Encoding(codec="none"), "codec none: there is none of this name"),
        ("film.mp4", Encoding(codec="mpeg4", crf=20), "codec mpeg4 has no CRF"),
        ("film.avi", Encoding(), r"film\.avi: .*\.mp4"),
        ("film", Encoding(), r"film: .*\.mp4"),
    ],
)
def test_what_does_not_go_together_is_refused(tmp_path: Path, name: str, encoding: Encoding, told: str) -> None:
    source = write_film(tmp_path / "source.mp4", [BARS])
    with pytest.raises(UsageError, match=told):
        copy(source, tmp_path / name, encoding)
    assert [path.name for path in tmp_path.iterdir()] == ["source.mp4"]


def test_nothing_is_left_of_a_film_that_was_not_finished(tmp_path: Path) -> None:
    source = write_film(tmp_path / "film.mp4", [BARS] * 2)
    with (
        pytest.raises(KeyboardInterrupt),
        open_film(source) as film,
        writing_film(tmp_path / "new.mp4", film, Layout.of(film), LOSSLESS) as writer,
    ):
        writer.write(next(film.frames()).planes, Fraction(0), None)
        raise KeyboardInterrupt
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]


def test_a_film_that_is_there_is_not_replaced(tmp_path: Path) -> None:
    source = write_film(tmp_path / "film.mp4", [BARS] * 2)
    with pytest.raises(OutputError, match="already exists"):
        copy(source, source)


def test_only_what_differs_is_changed() -> None:
    tags = ColorTags(primaries=1, transfer=1, matrix=1, range=2)
    planes = plain_planes((8, 6), tags)
    before = np.zeros((6, 8, 3), np.uint8)
    after = before.copy()
    after[2:4, 4:6] = 255, 0, 0
    brightness, blue, red = change_planes(planes, before, after, matrix_from_rgb(tags, 6))
    expected = np.zeros((6, 8))
    expected[2:4, 4:6] = round(0.2126 * 255)
    assert np.array_equal(brightness, expected)
    places = np.zeros((3, 4), bool)
    places[1, 2] = True
    assert np.array_equal(red, np.where(places, 255, 128))  # 128 + 127.5
    assert np.array_equal(blue, np.where(places, 128 - round(0.1146 * 255), 128))
    same = change_planes(planes, before, before, matrix_from_rgb(tags, 6))
    assert all(map(np.array_equal, same, planes))

"""Films read: times, colors, rotation, parts, and what cannot be read."""

import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from symface_cli.errors import MissingExtraError, PhotoError
from symface_cli.video.colors import ColorTags, matrix_from_rgb
from symface_cli.video.reading import open_film
from tests.films.made import example, rotate, write_film

UNEVEN = [Fraction(ms, 1000) for ms in (0, 33, 67, 100, 250, 251, 400, 1433)]
BARS = np.repeat(
    np.repeat(np.array([[[200, 40, 60], [60, 180, 40], [40, 70, 190], [128] * 3]], np.uint8), 64, 0), 32, 1
)


def times(path: Path, start: Fraction | None = None, end: Fraction | None = None) -> list[float]:
    with open_film(path) as film:
        return [round(frame.time_s, 6) for frame in film.frames(start, end)]


def test_times_are_those_of_the_container(tmp_path: Path) -> None:
    path = write_film(tmp_path / "film.mp4", [BARS] * 8, UNEVEN)
    assert times(path) == [0, 0.033, 0.067, 0.1, 0.25, 0.251, 0.4, 1.433]


def test_a_part_is_read_from_its_start_up_to_its_end(tmp_path: Path) -> None:
    path = write_film(tmp_path / "film.mp4", [BARS] * 8, UNEVEN)
    assert times(path, Fraction("0.1"), Fraction("0.4")) == [0.1, 0.25, 0.251]
    assert times(path, Fraction("0.26")) == [0.4, 1.433]
    assert times(path, Fraction(9)) == []


def test_frames_are_numbered_from_the_first_that_is_read(tmp_path: Path) -> None:
    path = write_film(tmp_path / "film.mp4", [BARS] * 8)
    with open_film(path) as film:
        assert [frame.index for frame in film.frames(Fraction("0.2"))] == [0, 1, 2]
        assert film.size == (128, 64)
        assert film.count_frames() == 8
        assert film.count_frames(Fraction("0.2")) == 3


@pytest.mark.parametrize("tags", [(1, 1, 1, 1), (1, 1, 1, 2), (6, 6, 6, 1), (9, 1, 9, 1)])
def test_colors_are_those_that_were_written(tmp_path: Path, tags: tuple[int, ...]) -> None:
    path = write_film(tmp_path / "film.mkv", [BARS], tags=tags)
    with open_film(path) as film:
        (frame,) = film.frames()
    for middle in range(16, 128, 32):
        assert abs(frame.photo[32, middle].astype(int) - BARS[32, middle]).max() <= 2


def test_the_matrix_of_bt_709_is_that_of_the_standard() -> None:
    tags = ColorTags(primaries=1, transfer=1, matrix=1, range=2)
    expected = [[0.2126, 0.7152, 0.0722], [-0.1146, -0.3854, 0.5], [0.5, -0.4542, -0.0458]]
    assert np.allclose(matrix_from_rgb(tags, 64), expected, atol=5e-5)
    limited = ColorTags(primaries=1, transfer=1, matrix=1, range=1)
    assert np.allclose(matrix_from_rgb(limited, 64).sum(1) * 255, [219, 0, 0], atol=1e-9)


def test_films_without_a_tag_have_the_matrix_of_their_size() -> None:
    tags = ColorTags(primaries=2, transfer=2, matrix=2, range=0)
    assert tags.luma(1080) == (0.2126, 0.0722)
    assert tags.luma(576) == (0.299, 0.114)


def test_films_in_hdr_are_refused_by_their_transfer(tmp_path: Path) -> None:
    path = write_film(tmp_path / "film.mkv", [BARS], tags=(9, 16, 9, 1))
    with pytest.raises(PhotoError, match=r"film\.mkv: a film in HDR \(PQ\), .*SDR"), open_film(path):
        pass


def test_rotated_frames_are_upright(tmp_path: Path) -> None:
    path = write_film(tmp_path / "film.mp4", [np.ascontiguousarray(np.rot90(BARS))])
    rotate(path, -90)
    with open_film(path) as film:
        (frame,) = film.frames()
        assert film.size == (128, 64)
    assert frame.photo.shape == (64, 128, 3)
    assert frame.planes[0].shape == (64, 128)
    assert abs(frame.photo[32, 16].astype(int) - BARS[32, 16]).max() <= 2


def test_a_film_whose_end_is_missing_ends_there(tmp_path: Path) -> None:
    photos = [example(size=64)] * 100
    whole = write_film(tmp_path / "whole.mkv", photos, options={"crf": "30", "g": "10"}).read_bytes()
    path = tmp_path / "part.mkv"
    path.write_bytes(whole[: len(whole) // 2])
    with open_film(path) as film:
        frames = list(film.frames())
        assert film.damage is not None
        assert film.damage.startswith(("damaged after ", "ends after "))
        assert f"{frames[-1].time_s:.3f} s" in film.damage
    assert 10 < len(frames) < 90


def test_what_is_no_film_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "text.mp4").write_text("no film")
    for name, told in (
        ("empty.mp4", "it is no film"),
        ("text.mp4", "it is no film"),
        ("missing.mp4", "no such file or directory"),
    ):
        with pytest.raises(PhotoError, match=f"{name}: {told}"), open_film(tmp_path / name):
            pass


def test_the_extra_is_named_where_it_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtraError, match=r'pip install "symface\[video\]"'), open_film(tmp_path / "film.mp4"):
        pass


@pytest.mark.parametrize(
    ("codec", "pixels", "apart"), [("ffv1", "yuv444p10le", 2), ("ffv1", "bgr0", 2), ("ffv1", "gray", None)]
)
def test_films_of_other_samples_are_read(tmp_path: Path, codec: str, pixels: str, apart: int | None) -> None:
    import av

    path = tmp_path / "film.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 128, 64, pixels
        container.mux(stream.encode(av.VideoFrame.from_ndarray(BARS, format="rgb24")))
        container.mux(stream.encode())
    with open_film(path) as film:
        (frame,) = film.frames()
    for middle in range(16, 128, 32):
        shown = frame.photo[32, middle].astype(int)
        if apart is None:
            assert np.ptp(shown) <= 1  # gray, as bright as it was
            assert abs(shown[0] - BARS[32, middle] @ [0.299, 0.587, 0.114]) <= 2
        else:
            assert abs(shown - BARS[32, middle]).max() <= apart

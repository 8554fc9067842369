"""`symface symmetrize` of films, and `symmetrize_video` from Python."""

import json
import os
import signal
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import symface_cli
from symface_cli.errors import UsageError
from symface_cli.video.reading import open_film
from symface_cli.video.writing import FilmWriter
from tests.conftest import Finished
from tests.films.made import add_sound, example, sound_of, write_film

Symface = Callable[..., Finished]


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A film of four frames and sound."""
    path = write_film(tmp_path / "talk.mp4", [example()] * 4)
    add_sound(path, 0.16)
    (tmp_path / "silent.mp4").unlink()
    return path


def size_and_times(path: Path) -> tuple[tuple[int, int], list[float]]:
    with open_film(path) as film:
        return film.size, [frame.time_s for frame in film.frames()]


def test_the_film_lies_beside_the_other_and_is_not_overwritten(symface: Symface, film: Path) -> None:
    assert symface("symmetrize", film) == Finished(0, f"{film.with_name('talk.symmetric.mp4')}\n", "")
    result = film.with_name("talk.symmetric.mp4")
    assert size_and_times(result) == size_and_times(film)
    assert sound_of(result) == sound_of(film)
    again = symface("symmetrize", film)
    assert again.status == 3
    assert again.err == f"symface: {result}: already exists; use --force to overwrite it\n"


def test_a_part_of_it_becomes_a_film_of_aligned_faces(symface: Symface, film: Path, tmp_path: Path) -> None:
    run = symface(
        "symmetrize", film, "--output", "face", "--size", 160, "--start", "0.04", "--end", "0:00.12", "-o", "out"
    )
    result = Path("out") / "talk.symmetric-face.mp4"
    assert (run.status, run.out) == (0, f"{result}\n")
    assert size_and_times(result) == ((160, 160), [0, 0.04])
    (entry,) = map(json.loads, (tmp_path / "out" / "manifest.jsonl").read_text().splitlines())
    assert entry["outputs"] == [str(result)]
    assert entry["status"] == 0
    assert entry["parameters"]["film"] == {
        "person": "largest",
        "start": "1/25",
        "end": "3/25",
        "codec": None,
        "crf": None,
    }


def test_codec_and_quality_are_chosen(symface: Symface, film: Path) -> None:
    import av

    assert symface("symmetrize", film, "--codec", "ffv1", "-o", "lossless.mkv").status == 0
    with av.open("lossless.mkv") as container:
        assert container.streams.video[0].codec_context.name == "ffv1"
    assert symface("symmetrize", film, "--crf", 5, "-o", "good.mp4").status == 0
    assert symface("symmetrize", film, "--crf", 45, "-o", "small.mp4").status == 0
    assert Path("small.mp4").stat().st_size < Path("good.mp4").stat().st_size


def test_a_damaged_film_ends_there_with_status_3(symface: Symface, tmp_path: Path) -> None:
    path = write_film(tmp_path / "talk.mkv", [example()] * 50, options={"crf": "20", "g": "10"})
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 4])
    run = symface("symmetrize", path)
    assert run.status == 3
    assert run.out == f"{tmp_path / 'talk.symmetric.mp4'}\n"
    assert f"symface: {path}: " in run.err
    with open_film(tmp_path / "talk.symmetric.mp4") as film:
        assert 0 < len(list(film.frames())) < 50


def test_one_film_never_costs_the_others(symface: Symface, film: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_bytes(b"no film")
    write_film(tmp_path / "empty.mp4", [np.full((64, 64, 3), 90, np.uint8)] * 2)
    run = symface("symmetrize", "bad.mp4", "empty.mp4", film, "-o", "out")
    assert run.status == 3
    assert run.out == "out/talk.symmetric.mp4\n"
    assert run.err.splitlines() == [
        "symface: cannot read bad.mp4: it is no film, or damaged at its start",
        "symface: empty.mp4: no face found in the film",
        "1 of 3 films done, 2 failed",
    ]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["manifest.jsonl", "talk.symmetric.mp4"]


def test_a_run_that_is_terminated_leaves_nothing(
    symface: Symface, film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def terminate(writer: FilmWriter, *frame: object) -> None:
        assert len(list(tmp_path.iterdir())) == 2
        os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(FilmWriter, "write", terminate)
    run = symface("symmetrize", film)
    assert (run.status, run.out, run.err) == (130, "", "symface: interrupted\n")
    assert list(tmp_path.iterdir()) == [film]
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("talk.mp4", "photo.jpg"), "films and photos do not go together; give them one after the other"),
        (
            ("talk.mp4", "-o", "x.avi"),
            "x.avi: give the film a name that ends with one of .mp4, .m4v, .mov, .mkv, .webm",
        ),
        (("talk.mp4", "--codec", "none"), "codec none: there is none of this name; try h264, hevc, vp9, av1 or ffv1"),
        (("talk.mp4", "--output", "crop"), "a film becomes one film, of whole frames or of aligned faces"),
        (
            ("talk.mp4", "--start", "soon"),
            "--start soon: no time; write seconds, such as 2.5, or minutes, too, such as 1:02.5",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(symface: Symface, film: Path, arguments: tuple[str, ...], told: str) -> None:
    run = symface("symmetrize", *arguments)
    assert (run.status, run.out, run.err) == (2, "", f"symface: {told}\n")


def test_frames_come_one_by_one_from_python(film: Path) -> None:
    frames = list(symface_cli.symmetrize_video(film, start=0.04))
    assert [frame.time_s for frame in frames] == [0.04, 0.08, 0.12]
    assert [frame.index for frame in frames] == [0, 1, 2]
    assert frames[0].image.shape == example().shape
    assert frames[0].people == (1,)
    (face,) = symface_cli.symmetrize_video(film, output="face", size=128, end=0.04)
    assert np.array_equal(face.image, face.image[:, ::-1])
    assert face.image.shape == (128, 128, 3)
    with pytest.raises(UsageError, match="output crop"):
        symface_cli.symmetrize_video(film, output="crop")


def test_a_film_that_is_damaged_warns(tmp_path: Path) -> None:
    path = write_film(tmp_path / "talk.mkv", [example()] * 50, options={"crf": "20", "g": "10"})
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 4])
    with pytest.warns(UserWarning, match=r"talk\.mkv: (damaged|ends) after"):
        list(symface_cli.symmetrize_video(path, start=float(Fraction(0))))

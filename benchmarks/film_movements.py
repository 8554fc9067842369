"""How near the measured movements of a film come to movements that are known.

    python benchmarks/film_movements.py examples/people
    python benchmarks/film_movements.py london/neutral --limit 24
    python benchmarks/film_movements.py examples/people --speed

Each photo is a face at rest. The corner of the mouth, or the brow, of one side is moved up by 3 to 12 % of the distance
between the pupils, and what is around it by less, the farther away: by a Gaussian of 0.2 or 0.3 such distances. Both
frames get noise of a camera. Printed are the amplitude that is found as a share of the true one (mean and deviation),
how far the other side is off, as a share of the same, and the deviation of a value that noise alone
makes, in per cent of the distance between the pupils: for one look at each frame, and for points that are followed.
Then, for each measure, how far the difference between the sides by one look is from that of `symface measure`, in per
cent of that distance or degrees: mean, deviation. With --speed, instead, a film of 1080p is made of the first photo,
and the time that `symface measure --video` takes for a frame of it is printed: of all processors, and by the clock.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from symface_cli.detection.detector import detect, face_with_eyes
from symface_cli.files import find_photos
from symface_cli.films.leash import eyes_of
from symface_cli.films.measuring.films import FilmOptions, measure_frames
from symface_cli.films.measuring.looks import Look, look_at
from symface_cli.films.measuring.records import PLACES, columns_of
from symface_cli.geometry.types import Array, Photo
from symface_cli.imaging.photo import read_photo
from symface_cli.inference.symmetrizer import Symmetrizer
from symface_cli.measurement.asymmetry import measure_asymmetry
from symface_cli.measurement.measures import MEASURES, measure_points
from symface_cli.measurement.points.scheme import index_of
from symface_cli.parallel.work import one_thread
from symface_cli.rendering.renderers import warp_of

Values = NDArray[np.floating]
Field = tuple[Values, float, float]
"""Where, by how many pixels up, and over how many."""

MOVES = (("commissure", "commissure_height"), ("brow_3", "brow_height"))
SHIFTS = (0.03, 0.06, 0.12)  # distances between the pupils
SPREADS = (0.2, 0.3)
NOISE = 2.0  # gray levels
FRAMES, FIRST = 60, 10  # of the film whose speed is measured, and those that are not counted
SIDES = ("left", "right")  # the viewer's


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--limit", type=int, default=100)
    parser.add_argument("--speed", action="store_true")
    arguments = parser.parse_args()
    if arguments.speed:
        tell_speed(read_photo(find_photos(arguments.photos).photos[0]))
        return
    symmetrizer, random = Symmetrizer(), np.random.default_rng(0)
    found: dict[tuple[str, float], list[Array]] = {}
    noise: dict[str, list[Array]] = {}
    apart: dict[str, list[float]] = {}
    with one_thread():
        for path in find_photos(arguments.photos).photos[: arguments.limit]:
            photo = read_photo(path)
            if detect(photo):
                for key, shares in follow_moves(symmetrizer, photo, random):
                    found.setdefault(key, []).append(shares)
                for name, deviations in see_noise(symmetrizer, photo, random):
                    noise.setdefault(name, []).append(deviations)
                for name, difference in compare_with_photo(symmetrizer, photo):
                    apart.setdefault(name, []).append(difference)
    print("movement, spread: one look: share, deviation, other side; followed: share, deviation, other side")
    for (name, spread), shares in found.items():
        (look, other), (followed, still) = np.array(shares).transpose(1, 2, 0)
        print(f"{name} {spread}: {look.mean():.2f} {look.std():.2f} {np.abs(other).mean():.2f}; ", end="")
        print(f"{followed.mean():.2f} {followed.std():.2f} {np.abs(still).mean():.2f}  ({len(shares)})")
    for name, deviations in noise.items():
        look, followed = np.mean(deviations, 0)
        print(f"{name}, noise: {look:.3f}; {followed:.3f}")
    for name, differences in apart.items():
        print(f"{name}, one look less eight: {np.mean(differences):.2f} {np.std(differences):.2f}")


def follow_moves(
    symmetrizer: Symmetrizer, photo: Photo, random: np.random.Generator
) -> Iterator[tuple[tuple[str, float], Array]]:
    """Yield what is found of each movement: by one look and followed, of the side that moves and of the other."""
    rest = look(symmetrizer, noisy(photo, random))
    before, pupils = rest.measure("viewer"), float(rest.measure("viewer")[PLACES["pupil_distance_px"]])
    for point, measure in MOVES:
        for spread in SPREADS:
            for number, shift in enumerate(SHIFTS):
                side = number % 2
                center = rest.places[index_of(point, side)]
                field = center, shift * pupils, spread * pupils
                single = look(symmetrizer, noisy(raised(photo, *field), random))
                names = [f"{measure}_{SIDES[side]}", f"{measure}_{SIDES[1 - side]}"]
                true = true_changes(rest, field, names)
                found = [
                    [float(each[PLACES[name]] - before[PLACES[name]]) for name in names]
                    for each in (single.measure("viewer"), single.followed_from(rest).measure("viewer"))
                ]
                off = np.array(found) - [0, true[1]]
                yield (measure, spread), off / true[0]


def true_changes(rest: Look, field: Field, names: Sequence[str]) -> list[float]:
    """Return how measures change if points move by a field, in per cent of the distance between the pupils."""
    center, up, spread = field
    before = rest.places.astype(np.float64)
    after = before.copy()
    for _ in range(20):  # a point comes from where the field takes what it shows
        after[:, 1] = before[:, 1] - up * weights_at(after[:, 0], after[:, 1], center, up, spread)
    values = []
    for points in (before, after):
        measured = measure_points(points)
        values.append([100 * getattr(measured[name.rpartition("_")[0]], name.rpartition("_")[2]) for name in names])
    return [float(new - old) for old, new in zip(*values, strict=True)]


def see_noise(symmetrizer: Symmetrizer, photo: Photo, random: np.random.Generator) -> Iterator[tuple[str, Array]]:
    """Yield the deviations that noise makes, by one look and followed."""
    rest, *others = (look(symmetrizer, noisy(photo, random)) for _ in range(5))
    singles = [other.measure("viewer") for other in others]
    followed = [other.followed_from(rest).measure("viewer") for other in others]
    for _, measure in MOVES:
        place = PLACES[f"{measure}_left"]
        yield measure, np.array([np.std([each[place] for each in looks], ddof=1) for looks in (singles, followed)])


def compare_with_photo(symmetrizer: Symmetrizer, photo: Photo) -> Iterator[tuple[str, float]]:
    """Yield how far one look at a photo is from all of `symface measure`, by the names of measures."""
    single = look(symmetrizer, photo).measure("viewer")
    (face,) = measure_asymmetry(symmetrizer, photo, detect(photo)[:1])
    for measure in MEASURES:
        factor = 1 if measure.dimension == "angle" else 100
        yield (
            measure.name,
            float(single[PLACES[columns_of(measure)[-1]]] - factor * face.named[measure.name].values.diff),
        )


def tell_speed(photo: Photo) -> None:
    """Print the time for a frame of 1080p with a large face."""
    import av

    frame = np.full((1080, 1920, 3), 128, np.uint8)
    frame[40:1040, 460:1460] = cv2.resize(photo, (1000, 1000), interpolation=cv2.INTER_CUBIC)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=30, options={"crf": "20", "preset": "veryfast"})
            stream.width, stream.height, stream.pix_fmt = 1920, 1080, "yuv420p"
            for number in range(FRAMES):
                shown = np.roll(frame, round(20 * np.sin(number / 10)), 1)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(shown, "rgb24")))
            container.mux(stream.encode())
        marks = [
            (time.process_time(), time.perf_counter())
            for _ in measure_frames(path, Symmetrizer(), FilmOptions(), lambda damage: None)
        ]
    used, passed = (np.array(marks[-1]) - marks[FIRST]) / (FRAMES - 1 - FIRST)
    print(f"a frame of 1080p: {1000 * used:.0f} ms of processors, {1000 * passed:.0f} ms by the clock")


def look(symmetrizer: Symmetrizer, photo: Photo) -> Look:
    """Look at the largest face, where a film would look for it."""
    found = detect(photo)[0]
    for _ in range(2):
        warp = warp_of(symmetrizer.predict(photo, found))
        found = face_with_eyes(*eyes_of(warp))
    return look_at(photo, warp_of(symmetrizer.predict(photo, found)), raw=False)


def raised(photo: Photo, place: Values, up: float, spread: float) -> Photo:
    """Return a photo in which what is at a place (2,) lies higher by pixels, and what is around it by less."""
    y, x = np.mgrid[: photo.shape[0], : photo.shape[1]].astype(np.float32)
    weights = weights_at(x, y, place, up, spread)
    moved: Photo = cv2.remap(photo, x, (y + up * weights).astype(np.float32), cv2.INTER_CUBIC)
    return moved


def weights_at(x: Values, y: Values, place: Values, up: float, spread: float) -> Values:
    """Return which part of the whole way has come what is seen at points."""
    weights: Values = np.exp(-((x - place[0]) ** 2 + (y - place[1] + up) ** 2) / (2 * spread**2))
    return weights


def noisy(photo: Photo, random: np.random.Generator) -> Photo:
    """Return a photo with noise."""
    noise = random.normal(0, NOISE, photo.shape).astype(np.float32)
    changed: Photo = (photo + noise).round().clip(0, 255).astype(np.uint8)
    return changed


if __name__ == "__main__":
    main()

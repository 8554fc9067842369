"""What symmetric films cost, and how steady they are; on films made of an example picture with known movements.

    python benchmarks/films.py [--frames N] [--height PX] [--long N]

First the processor time of each stage, one after the other, in a film of 16:9 with a large face that moves, then all of
them together as `symface symmetrize` has them. Of several parts, the one that took least is told: other programs only
make it longer. Then steadiness: each frame laid back on the first by the known movement, deviations over time where
faces are changed, beside those of the film itself. With --long, memory over a small film of so many frames.
"""

import argparse
import math
import tempfile
import time
from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np

from symface_cli.films.following import follow
from symface_cli.films.smoothing import smooth
from symface_cli.films.symmetrizing import FilmOptions, symmetrize_film, symmetrize_frames
from symface_cli.geometry.types import Array, Photo
from symface_cli.imaging.picture import read_picture
from symface_cli.inference.symmetrizer import Symmetrizer
from symface_cli.rendering.morphing import Amounts, Morph
from symface_cli.video.colors import change_planes, matrix_from_rgb
from symface_cli.video.frames import Plane
from symface_cli.video.reading import Film, open_film
from symface_cli.video.writing import Encoding, Layout, writing_film

T = TypeVar("T")
EXAMPLES = Path(__file__).parents[1] / "examples"
RATE = 25  # frames per second
PART = 10  # frames of which the processor time is taken
ENCODED = 50  # the same where they are encoded: the encoder collects 40 frames before it begins


def movement(index: int, photo: Photo) -> Array:
    """Return the matrix (2, 3) that moves a picture as a head moves: it sways, nods, tilts and comes nearer."""
    height, width = photo.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 4 * math.sin(index / 23), 1 + 0.05 * math.sin(index / 31))
    matrix[:, 2] += 0.035 * width * math.sin(index / 17), 0.03 * height * math.sin(index / 11)
    return np.asarray(matrix)


def film_of(photo: Photo, frames: int, path: Path, noise: float, moves: bool = True, crf: int = 20) -> Path:
    """Write a film of a picture that moves, with camera noise of a deviation in gray levels."""
    import av

    random = np.random.default_rng(0)
    grain = random.normal(0, noise, (photo.shape[0] + 64, photo.shape[1] + 64, 3)).astype(np.float32)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": str(crf), "preset": "veryfast"})
        stream.height, stream.width = photo.shape[:2]
        for index in range(frames):
            matrix = movement(index, photo) if moves else np.eye(2, 3)
            shown = cv2.warpAffine(
                photo, matrix, photo.shape[1::-1], flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
            )
            down, right = random.integers(0, 64, 2)
            noisy = shown + grain[down : down + photo.shape[0], right : right + photo.shape[1]]
            frame = av.VideoFrame.from_ndarray(noisy.round().clip(0, 255).astype(np.uint8), format="rgb24")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def timed(items: Iterable[T], name: str) -> list[T]:
    """Take all items, and tell the least processor time for one, over parts of them."""
    made, times, iterator = list[T](), list[float](), iter(items)
    while True:
        start = time.process_time()
        part = list(islice(iterator, PART))
        if not part:
            print(f"{name:32} {1000 * min(times):6.1f} ms")
            return made
        times.append((time.process_time() - start) / len(part))
        made += part


def write_all(film: Film, path: Path, layout: Layout, planes: Sequence[tuple[Plane, ...]]) -> int:
    """Encode frames, and return how many."""
    with writing_film(path, film, layout, Encoding(), replace=True) as writer:
        for index, stored in enumerate(planes):
            writer.write(stored, Fraction(index, RATE), None)
        writer.end(None)
    return len(planes)


def tell_costs(path: Path, symmetrizer: Symmetrizer, result: Path) -> None:
    """Print what each stage takes, and all of them together."""
    with open_film(path) as film:
        layout = Layout.of(film)
        frames = timed(islice(film.frames(), 6 * PART), "decoded, and made RGB")
        seen = timed(follow(frames, symmetrizer, "all"), "followed")
        smoothed = timed(smooth(seen), "smoothed")
        faces = [(frame.frame, frame.faces[0]) for frame in smoothed]
        distance = faces[0][1].warp.eye_distance
        morphs = (Morph(frame.photo, face.warp, lambda: face.prediction.decoded) for frame, face in faces)  # noqa: B023
        images = timed((morph.in_photo(Amounts()) for morph in morphs), f"rendered, eyes {distance:.0f} px apart")
        matrix = matrix_from_rgb(layout.tags, layout.size[1])
        pairs = zip(frames, images, strict=True)
        changes = (change_planes(frame.planes, frame.photo, image, matrix) for frame, image in pairs)
        planes = timed(changes, "changed in the film")
        start = time.process_time()
        count = write_all(film, result, layout, planes)
        print(f"{'encoded':32} {1000 * (time.process_time() - start) / count:6.1f} ms")
        del frames, seen, smoothed, faces, images, planes
        marks: list[tuple[float, float]] = []
        told = symmetrize_film(film, result, symmetrizer, FilmOptions(), True, lambda done: marks.append(clocks()))
        busy, wall = 1000 * (np.diff(np.array(marks[ENCODED::ENCODED]), axis=0) / ENCODED).min(0)
        print(f"{f'all, {told.frames} frames':32} {busy:6.1f} ms, {wall:.1f} ms on the clock")


def clocks() -> tuple[float, float]:
    """Return the processor time and the time."""
    return time.process_time(), time.perf_counter()


def tell_steadiness(photo: Photo, symmetrizer: Symmetrizer, folder: Path) -> None:
    """Print how much frames differ over time, laid back on the first one."""
    for name, noise, moves in (
        ("still, with noise", 4.0, False),
        ("moving", 0.0, True),
        ("moving, with noise", 4.0, True),
    ):
        path = film_of(photo, 24, folder / "steady.mkv", noise, moves, crf=0)
        with open_film(path) as film:
            before = [frame.photo for frame in film.frames()]
            after = [frame.image for frame in symmetrize_frames(film, symmetrizer, FilmOptions())]
        one, other = (laid_back(frames, moves) for frames in (before, after))
        changed = abs(other - one).mean((0, 3)) > 1
        film_std, result_std = (frames.std(0).mean(-1)[changed].mean() for frames in (one, other))
        print(f"{name:20} deviation over time {film_std:.2f} gray levels, in the symmetric film {result_std:.2f}")


def laid_back(frames: Sequence[Photo], moves: bool) -> Array:
    """Return frames (N, H, W, 3) with their movement undone."""
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP

    def undone(index: int, frame: Photo) -> Photo:
        matrix = movement(index, frame)
        back: Photo = cv2.warpAffine(frame, matrix, frame.shape[1::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return back

    return np.array([undone(index, frame) if moves else frame for index, frame in enumerate(frames)], float)


def tell_memory(path: Path, symmetrizer: Symmetrizer, result: Path, every: int) -> None:
    """Print the memory of this process now and then."""

    def show(done: int) -> None:
        if done % every == 0:
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            print(f"{done:6} frames: {pages * 4096 / 2**20:.0f} MiB")

    with open_film(path) as film:
        symmetrize_film(film, result, symmetrizer, FilmOptions(), True, show)


def main() -> None:
    """Make the films, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=150)
    parser.add_argument("--height", type=int, default=1080)
    parser.add_argument("--long", type=int, default=0)
    options = parser.parse_args()
    symmetrizer = Symmetrizer()
    portrait = read_picture(EXAMPLES / "portrait.jpg").photo
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small = cv2.resize(portrait, (400, 400), interpolation=cv2.INTER_AREA)
        side = round(1.25 * options.height)
        large = cv2.resize(portrait, (side, side), interpolation=cv2.INTER_CUBIC)[side // 8 :][: options.height]
        sideways = (options.height * 16 // 9 // 2 * 2 - side) // 2
        wide = cv2.copyMakeBorder(large, 0, 0, sideways, sideways, cv2.BORDER_REPLICATE)
        wide = np.ascontiguousarray(wide[:, : wide.shape[1] // 2 * 2])
        path = film_of(wide, options.frames, folder / "film.mp4", 2.5)
        tell_costs(path, symmetrizer, folder / "result.mp4")
        tell_steadiness(small, symmetrizer, folder)
        if options.long:
            tiny = cv2.resize(portrait, (240, 240), interpolation=cv2.INTER_AREA)
            path = film_of(tiny, options.long, folder / "long.mp4", 0)
            tell_memory(path, symmetrizer, folder / "result.mp4", options.long // 10)


if __name__ == "__main__":
    main()

"""How far symface's face mesh, MediaPipe's networks run by OpenCV, lies from the points of MediaPipe's own package.

    python3.12 -m venv package && package/bin/pip install mediapipe==0.10.21    # or an older Python
    package/bin/python benchmarks/face_mesh.py find PHOTOS POINTS.npz [--limit N]
    python benchmarks/face_mesh.py compare PHOTOS POINTS.npz

The package has an environment of its own, since it needs an older NumPy; the first command imports nothing of symface.
Photos are evenly spaced among all of the folder's. Per photo, what counts is the mean distance between a point and the
package's, in eye distances.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
COUNT = 468
SUFFIXES = (".jpg", ".jpeg", ".png")


def choose(folder: Path, limit: int) -> list[Path]:
    """List photos of a folder and those in it, evenly spaced."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    count = min(limit, len(paths))
    return [paths[i * len(paths) // count] for i in range(count)]


def find_with_package(paths: list[Path]) -> Points:
    """Find the points of the surest face in each photo, (N, 468, 2) in pixels; NaN where the package finds none."""
    import cv2
    import mediapipe

    found = np.full((len(paths), COUNT, 2), np.nan)
    with mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=True, refine_landmarks=False) as mesh:
        for path, points in zip(paths, found, strict=True):
            photo = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
            height, width = photo.shape[:2]
            for face in mesh.process(photo).multi_face_landmarks or ():
                edges = np.array([(point.x, point.y) for point in face.landmark])  # 0..1, from edge to edge
                points[:] = edges * [width, height] - 0.5
    return found


def compare(folder: Path, names: list[str], expected: Points) -> None:
    """Print how far symface's points lie from the package's in the photos of these names."""
    from symface_cli.geometry.frames import center_of
    from symface_cli.imaging.photo import read_photo
    from symface_cli.landmarks.mediapipe import MediaPipeLandmarks
    from symface_cli.landmarks.mesh import MESH_468

    finder, distances, alone, missed = MediaPipeLandmarks(), [], 0, 0
    for name, points in zip(names, expected, strict=True):
        photo, theirs = read_photo(folder / name), not np.isnan(points).any()
        found = finder.find_nearest(photo, points.mean(0) if theirs else center_of(photo))
        if found is not None and theirs:
            apart = MESH_468.eye_distance(points.astype(np.float32))
            distances.append(float(np.linalg.norm(found - points, axis=1).mean()) / apart)
        alone += found is not None and not theirs
        missed += found is None and theirs
    counts = f"by both in {len(distances)}, by symface alone in {alone}, by the package alone in {missed}"
    print(f"{len(names)} photos; a face is found {counts}")
    median, high, worst = np.quantile(distances, [0.5, 0.9, 1])
    print(f"distance in eye distances: median {median:.4f}, 90th percentile {high:.4f}, worst {worst:.4f}")


def main() -> None:
    """Write the package's points, or compare symface's with them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("find", "compare"))
    parser.add_argument("photos", type=Path)
    parser.add_argument("points", type=Path, help="the file with the package's points")
    parser.add_argument("--limit", type=int, default=100, help="photos")
    options = parser.parse_args()
    if options.command == "find":
        paths = choose(options.photos, options.limit)
        names = [path.relative_to(options.photos).as_posix() for path in paths]
        np.savez(options.points, names=names, points=find_with_package(paths))
    else:
        with np.load(options.points) as found:
            compare(options.photos, list(found["names"]), found["points"])


if __name__ == "__main__":
    main()

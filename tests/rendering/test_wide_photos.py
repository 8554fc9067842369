"""Photos wider or higher than OpenCV's warps can address: panoramas, strips of comics, scans."""

import io

import numpy as np
from PIL import Image

from symface_cli.detection.selection import Selection
from symface_cli.geometry.frames import Box
from symface_cli.imaging.picture import Picture
from symface_cli.measurement.photo import Convention, FaceMeter
from symface_cli.rendering.options import Output, OutputOptions
from symface_cli.rendering.plan import NetworkPlanner
from tests.conftest import ROOT
from tests.rendering.examples import symmetrizer

LENGTH = 33_040
FAR = LENGTH - 640  # px, where the part begins that has the face: a multiple of groups of 2 to 6 pixels


def images(photo, corner):
    """The heat map and the results of a photo with the portrait, which has 300 px, at a corner."""
    outputs = (Output.FACE, Output.CROP, Output.COMPARE, Output.PHOTO)
    box = Box(corner[0] + 88, corner[1] + 80, 130, 130)
    selection = Selection(box=box)
    (measured,) = FaceMeter(symmetrizer(), Convention(heatmaps=True)).measure_photo(photo, selection)
    assert measured.heatmap is not None
    planner = NetworkPlanner(symmetrizer(), OutputOptions(outputs=outputs), selection)
    files = planner.plan(Picture.from_array(photo), None).files
    return [measured.heatmap, *(np.asarray(Image.open(io.BytesIO(file.render()))) for file in files)]


def test_results_are_those_of_the_part_with_the_face():
    with Image.open(ROOT / "examples" / "portrait.jpg") as portrait:
        face = np.asarray(portrait.resize((300, 300)))
    whole = np.full((320, LENGTH, 3), 128, np.uint8)
    part = whole[:, FAR:]
    part[10:310, 300:600] = face
    heatmap, *results, photo = images(whole, (FAR + 300, 10))
    heatmap_of_part, *expected, photo_of_part = images(part, (300, 10))
    for found, wanted in zip([*results, photo[:, FAR:]], [*expected, photo_of_part], strict=True):
        assert np.abs(found.astype(int) - wanted).max() <= 4  # so far from the corner, float32 has 256ths of a pixel
    differences = np.abs(heatmap.astype(int) - heatmap_of_part)
    assert (differences > 4).mean() < 0.01  # but for a digit
    assert (photo_of_part != part).any(-1).sum() > 2000
    assert (photo[:, :FAR] == 128).all()

"""Cut-outs: transparency moves with the colors, and what is transparent lends none."""

import io
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from symface_cli.imaging.metadata.record import Metadata
from symface_cli.imaging.picture import Picture, read_picture
from symface_cli.rendering.morphing import SHAPE_FADE, Amounts
from symface_cli.rendering.options import Output, OutputOptions
from symface_cli.rendering.outputs import plan_files
from symface_cli.rendering.renderers import CropRenderer, PhotoRenderer
from symface_cli.rendering.transparency import premultiply, replace_changed
from tests.imaging.picture_files import png
from tests.rendering.examples import example, mask_in_photo, predict

AMOUNTS = {
    "default": Amounts(),
    "half": Amounts(0.5, 0.5),
    "twice": Amounts(2, 1),
    "left": Amounts(side="left"),
}
DETAIL = OutputOptions()


def outline() -> NDArray[np.uint8]:
    """An ellipse along the face's outline, with a soft edge."""
    ((found, _),) = predict("portrait")
    x, y = found.center
    alpha = np.zeros(example("portrait").shape[:2], np.uint8)
    side = found.box.width
    cv2.ellipse(alpha, (round(x), round(y)), (round(0.42 * side), round(0.58 * side)), 3, 0, 360, 255, -1, cv2.LINE_AA)
    return cv2.GaussianBlur(alpha, (0, 0), 1.5)


def cut_out(background: int, channels: int = 3, deep: bool = False) -> Picture:
    """The portrait, with one color where it is wholly transparent."""
    alpha = outline()
    pixels = np.where((alpha > 0)[..., None], example("portrait"), np.uint8(background))[..., :channels]
    samples = np.dstack([pixels, alpha])
    return read_picture(png(samples.astype(np.uint16) * 257 if deep else samples))


def as_levels(samples: Any) -> NDArray[np.float64]:
    """Samples of 8 or 16 bits on a scale of 0 to 255."""
    return np.asarray(samples / (257 if samples.dtype == np.uint16 else 1), float)


def render(picture: Picture, amounts: Amounts, options: OutputOptions = DETAIL) -> Picture:
    return PhotoRenderer(picture, predict("portrait"), options).render(amounts)


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("amounts", AMOUNTS)
def test_color_of_what_is_transparent_does_not_come_into_the_face(amounts: str, deep: bool) -> None:
    black, gray = (render(cut_out(level, deep=deep), AMOUNTS[amounts]) for level in (0, 128))
    assert black.alpha is not None and gray.alpha is not None
    np.testing.assert_array_equal(black.alpha, gray.alpha)
    shares = as_levels(black.alpha)[..., None] / 255
    assert np.abs(shares * (as_levels(black.pixels) - as_levels(gray.pixels))).max() <= 1


def test_outline_has_no_dark_pixels() -> None:
    """Black pixels pulled in from under the transparency would be darker than anything of the photo nearby."""
    picture = cut_out(0)
    result = render(picture, Amounts(2, 1))
    assert picture.alpha is not None and result.alpha is not None
    visible = np.where(picture.alpha[..., None] > 0, picture.pixels, np.uint8(255)).min(-1)
    darkest = cv2.erode(visible, np.ones((61, 61)))
    opaque = result.alpha == 255
    assert (result.pixels.min(-1).astype(int) - darkest)[opaque].min() > -12  # cubic interpolation overshoots


@pytest.mark.parametrize("shape", [0.5, 1, 2])
def test_alpha_is_morphed_like_a_gray_photo(shape: float) -> None:
    """But for the light, which does not make a photo transparent."""
    picture = cut_out(0)
    assert picture.alpha is not None
    result = render(picture, Amounts(shape, 0))
    as_gray = render(Picture.from_array(picture.alpha), Amounts(shape, 0))
    assert result.alpha is not None and (result.alpha != picture.alpha).sum() > 1000
    assert np.abs(result.alpha.astype(int) - as_gray.pixels[..., 0]).max() <= 1


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("deep", [False, True])
def test_opaque_alpha_changes_nothing(channels: int, deep: bool) -> None:
    samples = example("portrait")[..., :channels]
    full = np.dstack([samples, np.full_like(samples[..., 0], 255)])
    scale = np.uint16(257)
    with_alpha, without = (
        render(read_picture(png(array * scale if deep else array)), Amounts()) for array in (full, samples)
    )
    np.testing.assert_array_equal(with_alpha.pixels, without.pixels)
    assert with_alpha.alpha is not None and (with_alpha.alpha == np.iinfo(with_alpha.alpha.dtype).max).all()


def test_what_is_opaque_is_as_in_an_opaque_photo() -> None:
    """Deep inside of a cut-out, the face is that of the whole photo."""
    inside = cv2.erode(outline(), np.ones((81, 81))) == 255
    whole = render(Picture.from_array(example("portrait")), Amounts(1, 0))
    difference = np.abs(render(cut_out(0), Amounts(1, 0)).pixels.astype(int) - whole.pixels)[inside]
    assert inside.sum() > 5000 and difference.max() <= 1


@pytest.mark.parametrize("background", [0, 77])
def test_pixels_outside_of_the_mask_are_kept(background: int) -> None:
    picture, ((_, prediction),) = cut_out(background), predict("portrait")
    assert prediction.warp is not None and picture.alpha is not None
    result = render(picture, Amounts())
    outside = mask_in_photo(prediction.warp, example("portrait")) < SHAPE_FADE[0] / 2
    assert result.alpha is not None
    for before, after in ((picture.pixels, result.pixels), (picture.alpha, result.alpha)):
        np.testing.assert_array_equal(after[outside], before[outside])


def test_decoded_face_stays_within_the_outline() -> None:
    picture = cut_out(0)
    result = render(picture, Amounts(), OutputOptions(detail=False))
    assert picture.alpha is not None and result.alpha is not None
    far = cv2.dilate(picture.alpha, np.ones((41, 41))) == 0
    assert far.sum() > 10_000 and (result.alpha[far] == 0).all()
    inside = cv2.erode(picture.alpha, np.ones((41, 41))) == 255
    assert (result.alpha[inside] >= 250).all()


def test_crop_is_cut_from_the_whole_result() -> None:
    picture = cut_out(0)
    whole, crop = render(picture, Amounts()), CropRenderer(picture, predict("portrait"), DETAIL).render(Amounts())
    assert whole.alpha is not None and crop.alpha is not None
    samples, part = np.dstack([whole.pixels, whole.alpha]), np.dstack([crop.pixels, crop.alpha])
    differences = cv2.matchTemplate(samples.astype(np.float32), part.astype(np.float32), cv2.TM_SQDIFF)
    _, _, (x, y), _ = cv2.minMaxLoc(differences)
    np.testing.assert_array_equal(samples[y : y + len(part), x : x + part.shape[1]], part)
    assert crop.photo.shape[:2] == part.shape[:2]


@pytest.mark.parametrize("output", [Output.PHOTO, Output.CROP])
def test_animation_is_over_white(output: Output) -> None:
    options = OutputOptions(outputs=(output,), steps=(0, 1), animated=True)
    (file,) = plan_files(cut_out(0), predict("portrait"), options)
    animation = Image.open(io.BytesIO(file.render()))
    assert [animation.seek(frame) or animation.convert("RGB").getpixel((1, 1)) for frame in (0, 1)] == [(255,) * 3] * 2


@pytest.mark.parametrize("detail", [True, False])
def test_inks_with_transparency_are_morphed(detail: bool) -> None:
    """Five channels, of which OpenCV samples four at a time; what is transparent has no ink."""
    inks = np.asarray(Image.fromarray(example("portrait")).convert("CMYK"))
    picture = replace(cut_out(0), pixels=inks, metadata=Metadata())
    black = replace(picture, pixels=np.where((outline() > 0)[..., None], inks, np.uint8(255)))
    options = OutputOptions(detail=detail)
    result, other = render(picture, Amounts(), options), render(black, Amounts(), options)
    assert result.alpha is not None and (result.alpha != picture.alpha).sum() > 1000
    opaque = result.alpha == 255
    assert np.abs(result.pixels[opaque].astype(int) - other.pixels[opaque]).max() <= 1


# 8 bits become 16 by a factor of 257. Half of 51400 is 25700, rounded; a third of the alpha 255 is 85.
def test_colors_are_multiplied_by_their_alpha() -> None:
    pixels, alpha = np.array([[[200], [90], [7]]], np.uint8), np.array([[255, 85, 0]], np.uint8)
    layers = premultiply(pixels, alpha)
    assert layers.tolist() == [[[51400, 65535], [7710, 21845], [0, 0]]]
    kept = replace_changed(pixels, alpha, layers, layers)
    assert [array.tolist() for array in kept] == [pixels.tolist(), alpha.tolist()]


def test_changed_colors_are_divided_by_their_alpha() -> None:
    pixels, alpha = np.array([[[200], [90], [7], [8]]], np.uint8), np.array([[255, 85, 9, 9]], np.uint8)
    after = np.array([[[25700, 32768], [30000, 21845], [0, 0], [100, 100]]], np.uint16)
    changed = replace_changed(pixels, alpha, premultiply(pixels, alpha), after)
    # 25700 / 0.5 / 257 = 200; more color than alpha is white; what is wholly transparent in 8 bits keeps its color.
    assert [array.tolist() for array in changed] == [[[[200], [255], [7], [8]]], [[128, 85, 0, 0]]]

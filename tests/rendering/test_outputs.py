"""Photos are rendered: the face in place, alone or cut out, part of the way, moving; in every kind of picture."""

import io
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from symface_cli.detection.detector import detect
from symface_cli.errors import Hint, WeightsError
from symface_cli.geometry.frames import apply
from symface_cli.geometry.types import Array, Photo
from symface_cli.imaging.photo import read_photo
from symface_cli.imaging.picture import read_picture
from symface_cli.inference.face import FacePrediction
from symface_cli.rendering.morphing import SHAPE_FADE, Amounts
from symface_cli.rendering.options import Output, OutputOptions
from symface_cli.rendering.outputs import OutputFile, plan_files
from symface_cli.rendering.renderers import Faces
from tests.conftest import ROOT
from tests.rendering.examples import example, mask_in_photo, predict, symmetrizer

KINDS = ("RGB", "RGBA", "L", "LA", "RGB;16", "RGBA;16", "L;16", "CMYK")


def encode(photo: Photo, kind: str) -> bytes:
    """A photo as a file that loses nothing, of a kind of samples; alpha is a ramp, 16 bits differ in the low ones."""
    mode, _, deep = kind.partition(";")
    ramp = np.tile(np.linspace(0, 255, photo.shape[1]).astype(np.uint8), (len(photo), 1))
    image = Image.fromarray(photo).convert(mode[:1] if mode[0] == "L" else mode[:4].rstrip("A"))
    if mode.endswith("A"):
        image.putalpha(Image.fromarray(ramp))
    if not deep:
        buffer = io.BytesIO()
        image.save(buffer, "TIFF" if mode == "CMYK" else "PNG")
        return buffer.getvalue()
    samples = np.asarray(image).astype(np.uint16) * 257
    samples ^= np.random.default_rng(3).integers(0, 16, samples.shape, dtype=np.uint16)
    order = {2: slice(None), 3: [2, 1, 0], 4: [2, 1, 0, 3]}[samples.ndim if samples.ndim == 2 else samples.shape[2]]
    return bytes(cv2.imencode(".png", samples[..., order] if samples.ndim == 3 else samples)[1])


def decode(data: bytes) -> NDArray[Any]:
    """The samples (H, W, C) of a file as other programs read them: alpha is the last."""
    if data[:4] == b"\x89PNG":
        samples = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    else:
        samples = np.asarray(Image.open(io.BytesIO(data)))
    return samples.reshape(*samples.shape[:2], -1)


def render(
    options: OutputOptions, data: bytes | None = None, faces: Faces | None = None
) -> list[tuple[OutputFile, bytes]]:
    """What becomes of a file of the portrait, or of a PNG of it."""
    picture = read_picture(encode(example("portrait"), "RGB") if data is None else data)
    files = plan_files(picture, predict("portrait") if faces is None else faces, options)
    return [(file, file.render()) for file in files]


def render_one(options: OutputOptions, data: bytes | None = None) -> NDArray[Any]:
    ((_, made),) = render(options, data)
    return decode(made)


def is_symmetric(image: NDArray[Any]) -> bool:
    return bool((image == image[:, ::-1]).all())


# The whole photo


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_face_is_changed_in_a_picture_of_any_kind(kind: str) -> None:
    data = encode(example("portrait"), kind)
    before, after = decode(data), render_one(OutputOptions(), data)
    ((_, prediction),) = predict("portrait")
    assert prediction.warp is not None
    mask = mask_in_photo(prediction.warp, example("portrait"))
    outside = mask < SHAPE_FADE[0] - 0.01
    assert 0.4 < outside.mean() < 0.9
    assert after.dtype == before.dtype
    assert (after[outside] == before[outside]).all()
    channels = slice(None, -1 if kind.split(";")[0].endswith("A") else None)
    changed = (after != before)[..., channels].any(-1)
    assert changed[mask > 0.9].mean() > 0.8
    if channels.stop:
        assert (after[..., -1] != before[..., -1])[mask > 0.5].mean() > 0.2  # a ramp, which moves with the colors


@pytest.mark.parametrize("output", [Output.PHOTO, Output.CROP])
@pytest.mark.parametrize("kind", KINDS)
def test_amounts_of_nothing_give_the_picture_back(kind: str, output: Output) -> None:
    data = encode(example("portrait"), kind)
    ((file, made),) = render(OutputOptions(outputs=(output,), amounts=Amounts(0, 0)), data)
    assert (decode(made) == cut(decode(data), file.photo_from_image)).all()


@pytest.mark.parametrize("kind", ["L", "RGB;16", "CMYK"])
def test_every_kind_of_picture_shows_the_same_face(kind: str) -> None:
    # Gray is compared as gray; CMYK comes with another black.
    wanted = read_photo(render(OutputOptions())[0][1])
    shown = read_photo(render(OutputOptions(), encode(example("portrait"), kind))[0][1])
    if kind == "L":
        wanted = np.asarray(Image.fromarray(wanted).convert("L").convert("RGB"))
    assert np.abs(wanted.astype(int) - shown).mean() < 1


# Part of the way


def test_a_continuum_leads_from_the_photo_to_the_result() -> None:
    frames = [decode(data) for _, data in render(OutputOptions(steps=(0, 0.5, 1)))]
    photo, result = decode(encode(example("portrait"), "RGB")).astype(int), render_one(OutputOptions()).astype(int)
    assert (frames[0] == photo).all()
    assert (frames[2] == result).all()
    whole = np.abs(result - photo).mean()
    assert 0.2 * whole < np.abs(frames[1] - photo).mean() < 0.9 * whole
    assert 0.2 * whole < np.abs(frames[1] - result).mean() < 0.9 * whole


@pytest.mark.parametrize("output", [Output.PHOTO, Output.FACE, Output.CROP])
def test_an_animation_goes_there_and_back_without_end(output: Output) -> None:
    ((file, data),) = render(OutputOptions(outputs=(output,), steps=(0, 0.25, 0.75, 1), animated=True, size=96))
    animation = Image.open(io.BytesIO(data))
    assert (file.suffix, animation.format) == (".gif", "GIF")
    assert animation.n_frames == 2 * 4 - 2
    assert animation.info["loop"] == 0  # for ever
    frames, times = [], []
    for number in range(6):
        animation.seek(number)
        frames.append(np.asarray(animation.convert("RGB")).astype(int))
        times.append(animation.info["duration"])
    assert [number for number, time in enumerate(times) if time > 500] == [0, 3]  # photo and result stay
    assert np.abs(frames[1] - frames[5]).mean() < np.abs(frames[1] - frames[3]).mean()


def test_an_animation_without_steps_has_thirteen_on_the_way() -> None:
    ((_, data),) = render(OutputOptions(outputs=(Output.FACE,), animated=True, size=64))
    assert Image.open(io.BytesIO(data)).n_frames == 24


# The face alone


@pytest.mark.parametrize("size", [None, 200, 101])
@pytest.mark.parametrize("detail", [True, False])
@pytest.mark.parametrize("background", [None, "transparent", (10, 120, 200)])
def test_the_face_equals_its_mirror_image(size: int | None, detail: bool, background: Any) -> None:
    face = render_one(OutputOptions(outputs=(Output.FACE,), detail=detail, size=size, background=background))
    assert is_symmetric(face)
    assert face.shape[0] == face.shape[1] == (size or face.shape[0])
    middle = slice(len(face) // 4, -len(face) // 4)
    assert face[middle, middle].std() > 15


def test_only_what_surrounds_the_face_is_transparent_or_colored() -> None:
    plain, clear, colored = (
        render_one(OutputOptions(outputs=(Output.FACE,), background=background))
        for background in (None, "transparent", (10, 120, 200))
    )
    edge = np.ones(plain.shape[:2], bool)
    edge[1:-1, 1:-1] = False
    middle = tuple(slice(int(share * len(plain)), int((share + 0.2) * len(plain))) for share in (0.35, 0.4))  # the nose
    assert (clear[edge][:, 3] == 0).all()
    assert (clear[..., :3] == plain).all()
    assert (clear[middle][..., 3] == 255).all()
    assert (colored[edge] == [200, 120, 10]).all()  # blue, green, red
    assert (colored[middle] == plain[middle]).all()


def test_one_side_only_is_the_other_sides_mirror_image() -> None:
    left, right, both = (
        render_one(OutputOptions(outputs=(Output.FACE,), amounts=Amounts(side=side)))
        for side in ("left", "right", "both")
    )
    assert is_symmetric(left) and is_symmetric(right)
    assert np.abs(left.astype(int) - right).mean() > np.abs(left.astype(int) - both).mean()


# The square around the head


def cut(samples: NDArray[Any], photo_from_image: Array | None) -> NDArray[Any]:
    """The part of a photo that a file says that it shows, which has no roll and the photo's own scale."""
    if photo_from_image is None:
        return samples
    (left, top), (right, bottom) = apply(photo_from_image, np.array([[-1, -1], [1, 1.0]])).round().astype(int)
    return samples[top : bottom + 1, left : right + 1]


@pytest.mark.parametrize("kind", KINDS)
def test_a_crop_is_a_square_of_the_result(kind: str) -> None:
    data = encode(example("portrait"), kind)
    ((file, made),) = render(OutputOptions(outputs=(Output.CROP,)), data)
    crop, whole = decode(made), render_one(OutputOptions(), data)
    assert crop.shape[0] == crop.shape[1]
    assert 400 < len(crop) < 500  # the head is about 350 px high
    assert (crop == cut(whole, file.photo_from_image)).all()
    assert file.suffix == (".tif" if kind == "CMYK" else ".png")


def test_a_crop_stays_inside_a_narrow_photo() -> None:
    narrow = np.ascontiguousarray(example("portrait")[120:380])
    faces = [(found, symmetrizer().predict(narrow, found)) for found in detect(narrow)]
    ((file, made),) = render(OutputOptions(outputs=(Output.CROP,), amounts=Amounts(0, 0)), encode(narrow, "RGB"), faces)
    assert decode(made).shape == (260, 260, 3)
    assert (read_photo(made) == cut(narrow, file.photo_from_image)).all()


# Every kind of output


@pytest.mark.parametrize("kind", ["RGB", "LA", "RGBA;16", "CMYK"])
@pytest.mark.parametrize("output", Output)
def test_everything_can_be_made_of_every_picture(output: Output, kind: str) -> None:
    ((file, data),) = render(OutputOptions(outputs=(output,)), encode(example("portrait"), kind))
    assert (file.output, file.face, file.frame) == (output, None, None)
    expected = {".png": "PNG", ".tif": "TIFF"}[file.suffix]
    assert Image.open(io.BytesIO(data)).format == expected
    assert read_photo(data).std() > 15


@pytest.mark.parametrize("output", Output)
def test_several_faces_are_numbered_and_all_are_in_the_photo(output: Output) -> None:
    picture = read_picture(ROOT / "examples" / "pair.jpg")
    files = list(plan_files(picture, predict("pair"), OutputOptions(outputs=(output,))))
    whole = output in (Output.PHOTO, Output.PREVIEW)
    assert [file.face for file in files] == ([None] if whole else [1, 2])
    if whole:
        changed = np.abs(read_photo(files[0].render()).astype(int) - picture.photo).max(-1) > 12
        assert changed[:, :600].any() and changed[:, 700:].any()


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_photos_crops_and_previews_come_in_the_format_that_is_wanted(suffix: str) -> None:
    picture = read_picture(encode(example("portrait"), "RGBA;16"))
    for output in (Output.PHOTO, Output.CROP, Output.PREVIEW):
        (file,) = plan_files(picture, predict("portrait"), OutputOptions(outputs=(output,)), suffix)
        assert file.suffix == suffix
        format = Image.open(io.BytesIO(file.render())).format
        assert format == {".jpg": "JPEG", ".png": "PNG", ".webp": "WEBP"}[suffix]


def test_a_preview_has_none_of_the_photos_metadata() -> None:
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "at home"
    Image.fromarray(example("portrait")).save(buffer, "JPEG", exif=exif)
    ((file, data),) = render(OutputOptions(outputs=(Output.PREVIEW,)), buffer.getvalue())
    assert file.suffix == ".jpg"
    assert b"at home" in buffer.getvalue() and b"at home" not in data


@pytest.mark.parametrize("output", [Output.PHOTO, Output.CROP, Output.COMPARE])
def test_the_papers_network_gives_faces_alone(output: Output) -> None:
    ((found, prediction),) = predict("portrait")
    faces = [(found, FacePrediction(prediction.decode, None))]
    with pytest.raises(WeightsError, match="the paper's network") as caught:
        render(OutputOptions(outputs=(output,)), faces=faces)
    assert caught.value.hint is Hint.FACE_ALONE
    ((_, data),) = render(OutputOptions(outputs=(Output.FACE,)), faces=faces)
    assert (read_photo(data) == prediction.decoded).all()

"""Plan the output files of one photo, each rendered when it is asked for."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from PIL import Image

from symface_cli.detection.detector import Detection
from symface_cli.geometry.types import Array, Photo
from symface_cli.imaging.encoding import encode_picture
from symface_cli.imaging.metadata.record import Metadata
from symface_cli.imaging.photo import encode_png
from symface_cli.imaging.picture import Picture
from symface_cli.inference.face import FacePrediction
from symface_cli.rendering.comparison import draw_comparison, draw_preview
from symface_cli.rendering.options import Output, OutputOptions, scaled
from symface_cli.rendering.renderers import CropRenderer, FaceRenderer, Faces, PhotoRenderer, warp_of

FRAMES = 13  # of an animation from the photo to its symmetric version; the way back shows them again
FRAME_TIME = 60  # ms
HOLD_TIME = 700  # ms, of the first and the last frame
ANIMATION_SIDE = 640  # px, longest side of an animation


@dataclass(frozen=True, eq=False, kw_only=True)
class OutputFile:
    """File that is to be written.

    Attributes:
        output: What it shows.
        suffix: Of the file's name, with the dot.
        render: Renders its contents.
        face: The face's number, from 1; None for a picture of all faces, or of the only one.
        frame: Its number in a sequence, from 0; None outside of one.
        photo_from_image: Where the square that it shows lies: the matrix from its normalized coordinates to photo
            pixels. None for a whole photo, a sheet, or where that is not known.
    """

    output: Output
    suffix: str
    render: Callable[[], bytes]
    face: int | None = None
    frame: int | None = None
    photo_from_image: Array | None = None

    def label(self, main: Output = Output.PHOTO) -> str:
        """Return what tells it from the photo's others, such as face-2 or crop-1-007; `main` goes without its name."""
        kind = [] if self.output is main else [self.output.value]
        face = [] if self.face is None else [str(self.face)]
        frame = [] if self.frame is None else [f"{self.frame:03d}"]
        return "-".join([*kind, *face, *frame])


def plan_files(
    picture: Picture, faces: Faces, options: OutputOptions, suffix: str | None = None
) -> Iterator[OutputFile]:
    """Plan every file that the options ask for; each is rendered when its `render` is called.

    Args:
        picture: The photo as it is stored.
        faces: Its faces, and what the network predicted for them.
        options: What to render.
        suffix: Format of whole photos and crops, by its file name suffix; None for the picture's own.

    Raises:
        WeightsError: If more than faces alone is asked for, and the network has no warp.
    """
    for output in options.outputs:
        if output is Output.PREVIEW:
            yield _plan_preview(picture, faces, suffix)
        elif output is Output.COMPARE:
            for number, (found, prediction) in enumerate(faces, 1):
                warp_of(prediction)  # or say at once that there is none
                render = partial(_encode_comparison, picture.photo, found, prediction)
                face = number if len(faces) > 1 else None
                yield OutputFile(output=output, face=face, suffix=".png", render=render)
        else:
            ending = ".png" if output is Output.FACE else suffix or picture.suffix
            for face, renderer in _renderers(picture, faces, options, output):
                yield from _plan_results(output, face, renderer, options, ending)


def _plan_results(
    output: Output,
    face: int | None,
    renderer: "PhotoRenderer | FaceRenderer | CropRenderer",
    options: OutputOptions,
    ending: str,
) -> Iterator[OutputFile]:
    """Plan the result, the frames or the animation that the options ask for."""
    file = OutputFile(
        output=output,
        suffix=ending,
        render=partial(renderer.encode, options.amounts, ending),
        face=face,
        photo_from_image=renderer.photo_from_image,
    )
    if options.animated:
        yield replace(file, suffix=".gif", render=partial(_animate, renderer, options))
    elif not options.steps:
        yield file
    else:
        for frame, step in enumerate(options.steps):
            yield replace(file, frame=frame, render=partial(renderer.encode, scaled(options.amounts, step), ending))


def _plan_preview(picture: Picture, faces: Faces, suffix: str | None) -> OutputFile:
    """Plan the preview in the format of whole photos, but in sRGB and without metadata: it is only to be looked at."""
    shown = replace(picture, pixels=picture.photo, alpha=None, metadata=Metadata())
    ending = suffix or shown.suffix
    return OutputFile(
        output=Output.PREVIEW,
        suffix=ending,
        render=lambda: encode_picture(shown, draw_preview(shown.photo, faces), ending),
    )


def _encode_comparison(photo: Photo, found: Detection, prediction: FacePrediction) -> bytes:
    return encode_png(draw_comparison(photo, found, prediction))


def _renderers(
    picture: Picture, faces: Faces, options: OutputOptions, output: Output
) -> "Iterator[tuple[int | None, PhotoRenderer | FaceRenderer | CropRenderer]]":
    """Yield one renderer for the photo, or one for each face, with its number."""
    if output is Output.PHOTO:
        yield None, PhotoRenderer(picture, faces, options)
        return
    renderer = FaceRenderer if output is Output.FACE else CropRenderer
    for number, face in enumerate(faces, 1):
        yield number if len(faces) > 1 else None, renderer(picture, [face], options)


def _animate(renderer: "PhotoRenderer | FaceRenderer", options: OutputOptions) -> bytes:
    """Render a GIF from the photo to its symmetric version and back, without end."""
    shares = options.steps or tuple(np.linspace(0, 1, FRAMES).tolist())
    frames = [Image.fromarray(renderer.image(scaled(options.amounts, share))) for share in shares]
    for frame in frames:
        frame.thumbnail((ANIMATION_SIDE, ANIMATION_SIDE), Image.Resampling.LANCZOS)
    there_and_back = [*frames, *frames[-2:0:-1]]
    times = [FRAME_TIME] * len(there_and_back)
    times[0] = times[len(frames) - 1] = HOLD_TIME
    stream = io.BytesIO()
    first, *others = there_and_back
    first.save(stream, "GIF", save_all=True, append_images=others, duration=times, loop=0)
    return stream.getvalue()

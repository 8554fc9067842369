"""Films written frame by frame, beside the sound of the film that they are made of."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from symface_cli.errors import OutputError, UsageError
from symface_cli.files import on_one_line
from symface_cli.video.colors import ColorTags
from symface_cli.video.frames import Plane
from symface_cli.video.reading import Film, import_av
from symface_cli.writing import written_gradually

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer
    from av.packet import Packet
    from av.stream import Stream

WRITTEN_SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm")
"""Suffixes of films that are written: formats in which each frame has a time of its own."""
MP4_OPTIONS = {"movflags": "faststart", "movie_timescale": "90000"}
"""To be played before all of it is there, and to begin sound and pictures apart by less than milliseconds."""
DEFAULT_CODEC, DEFAULT_CODECS = "h264", {".webm": "vp9"}  # of all formats, and of some
PRESETS = {"libx264": "veryfast", "libx265": "veryfast"}
"""How thoroughly frames are encoded: more takes twice to four times as long, and saves a tenth of the size."""
DEFAULT_CRF = {"libx264": 18, "libx265": 20, "libvpx-vp9": 24, "libsvtav1": 26}
"""Quality by codec, at which nothing is seen to be lost."""
CRF_CODECS = {*DEFAULT_CRF, "libaom-av1", "libvpx"}
DEFAULT_RATE = Fraction(25)  # frames per second, of films that do not say
COPIED = ("audio", "subtitle")


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """How frames are encoded.

    Attributes:
        codec: Name of FFmpeg's; None for H.264, or what the format of the file has instead.
        crf: Quality, the less the better; None for one at which nothing is seen to be lost.
    """

    codec: str | None = None
    crf: float | None = None


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What frames have in common.

    Attributes:
        size: Width and height.
        tags: What is said of their colors.
        time_base: The unit of their times, in seconds.
        rate: Frames per second, on average.
        pixel_aspect: How many times as wide as high pixels are to be shown.
    """

    size: tuple[int, int]
    tags: ColorTags
    time_base: Fraction
    rate: Fraction
    pixel_aspect: Fraction = Fraction(1)

    @classmethod
    def of(cls, film: Film) -> "Layout":
        """Return that of a film's frames."""
        return cls(
            size=film.size,
            tags=film.tags.stored(film.size[1]),
            time_base=film.time_base,
            rate=film.rate or DEFAULT_RATE,
            pixel_aspect=film.pixel_aspect,
        )

    def resized(self, size: tuple[int, int]) -> "Layout":
        """Return that of frames of another width and height, of the same times and colors; their pixels are square."""
        return self if size == self.size else replace(self, size=size, pixel_aspect=Fraction(1))


class FilmWriter:
    """A film that is being written.

    Args:
        target: Its file, as PyAV opened it.
        layout: What its frames have in common.
        encoding: How they are encoded.
        sound: What else it gets.

    Attributes:
        notes: What a user should know of it.

    Raises:
        UsageError: If its format or its codec does not go with what is asked for.
    """

    def __init__(self, target: "OutputContainer", layout: Layout, encoding: Encoding, sound: "_Copier") -> None:
        self._target = target
        self._layout = layout
        self._sound = sound
        self._last = -(1 << 62)
        self._stream = _add_pictures(target, layout, encoding)
        self.notes = sound.add_streams(target)

    def write(self, planes: Sequence[Plane], time: Fraction, duration: Fraction | None) -> None:
        """Write the next frame: its planes, its time and its duration in seconds."""
        import av

        base, (height, width) = self._layout.time_base, planes[0].shape
        if (width, height) != self._layout.size:
            raise ValueError(f"a frame of {width} x {height} in a film of {self._layout.size}")
        frame = av.VideoFrame.from_ndarray(_join(planes), format=_format(self._layout.size))
        self._last = frame.pts = max(round(time / base), self._last + 1)  # no two at the same time
        frame.time_base = base
        if duration is not None:
            frame.duration = round(duration / base)
        frame.colorspace, frame.color_range = self._layout.tags.matrix, self._layout.tags.range
        self._mux(self._stream.encode(frame))

    def end(self, time: Fraction | None) -> None:
        """Write what is left; sound and subtitles up to a time in seconds, None for all."""
        self._mux(self._stream.encode())
        self._sound.copy(self._target, time)

    def _mux(self, packets: "Sequence[Packet]") -> None:
        for packet in packets:
            if packet.dts is not None:
                self._sound.copy(self._target, packet.dts * packet.time_base)
            self._target.mux(packet)


class _Copier:
    """Copies sound and subtitles of a film, as they are stored.

    Args:
        source: The film.
        begin: The time of the film's own clock, in seconds, at which the copy begins; None for its start.
        shift: By how many seconds times become less.
    """

    def __init__(self, source: "InputContainer", begin: Fraction | None, shift: Fraction) -> None:
        self._source = source
        self._begin = begin
        self._shift = shift
        self._copies: dict[int, Stream] = {}
        self._packets: Iterator[Packet] = iter(())
        self._waiting: Packet | None = None

    def add_streams(self, target: "OutputContainer") -> tuple[str, ...]:
        """Add what a film can take of the streams; return what a user should know of the others."""
        target.metadata.update(self._source.metadata)
        notes = []
        for stream in self._source.streams:
            if stream.type not in COPIED:
                continue
            if stream.codec_context is not None and stream.codec_context.name in target.supported_codecs:
                copy = target.add_stream_from_template(stream)
                copy.metadata.update(stream.metadata)
                self._copies[stream.index] = copy
            else:
                kind = "sound" if stream.type == "audio" else "subtitles"
                name = "" if stream.codec_context is None else f" ({stream.codec_context.name})"
                notes.append(f"without its {kind}{name}, which {target.format.name} does not take; use .mkv")
        if self._copies:
            streams = [stream for stream in self._source.streams if stream.index in self._copies]
            if self._begin is not None:
                self._source.seek(int(self._begin * 1_000_000))
            self._packets = self._source.demux(streams)
        return tuple(notes)

    def copy(self, target: "OutputContainer", until: Fraction | None) -> None:
        """Copy all packets up to a time of the new film in seconds, None for all; further ones wait."""
        while (packet := self._next()) is not None:
            time = packet.dts * packet.time_base - self._shift
            if until is not None and time >= until:
                self._waiting = packet
                return
            shift = round(self._shift / packet.time_base)
            packet.dts -= shift
            packet.pts = None if packet.pts is None else packet.pts - shift
            packet.stream = self._copies[packet.stream_index]
            target.mux(packet)

    def _next(self) -> "Packet | None":
        from av.error import FFmpegError

        packet, self._waiting = self._waiting, None
        while packet is None:
            try:
                packet = next(self._packets, None)
            except FFmpegError:  # damaged, as the pictures are there
                return None
            if packet is None:
                return None
            early = self._begin is not None and packet.dts is not None and packet.dts * packet.time_base < self._begin
            if packet.dts is None or early:
                packet = None
        return packet


def choose_suffix(film: Film, encoding: Encoding) -> str:
    """Return the suffix of the format in which a film is written: MP4, or Matroska where something does not fit there.

    Raises:
        UsageError: If there is no such codec.
    """
    av = import_av()
    with av.open(film.path) as source, av.open(io.BytesIO(), "w", format="mp4") as target:
        names = {stream.codec_context.name for stream in source.streams if stream.type == "audio"}
        names.add(_find_codec(encoding.codec or DEFAULT_CODEC).canonical_name)
        return ".mp4" if names <= target.supported_codecs else ".mkv"


@contextmanager
def writing_film(
    path: Path, film: Film, layout: Layout, encoding: Encoding, start: Fraction | None = None, replace: bool = False
) -> Iterator[FilmWriter]:
    """Write a film in the context; its file gets its name when the context is left, and none if by an exception.

    Args:
        path: The file; its suffix says the format.
        film: The film whose sound, subtitles and metadata it gets.
        layout: What its frames have in common.
        encoding: How they are encoded.
        start: The time of the film, in seconds, at which this one begins.
        replace: Whether a file that is there may be replaced.

    Raises:
        OutputError: If it cannot be written, or may not.
        UsageError: If its format or codec does not go with what is asked for.
    """
    av = import_av()
    if path.suffix.lower() not in WRITTEN_SUFFIXES:
        names = ", ".join(WRITTEN_SUFFIXES)
        raise UsageError(f"{on_one_line(str(path))}: give the film a name that ends with one of {names}")
    begin = None if start is None else start + film.start
    shift = film.start if begin is None else begin
    with written_gradually(path, replace) as temporary, av.open(film.path) as source:
        try:
            options = MP4_OPTIONS if path.suffix.lower() in (".mp4", ".m4v", ".mov") else {}
            with av.open(str(temporary), "w", container_options=options) as target:
                yield FilmWriter(target, layout, encoding, _Copier(source, begin, shift))
        except av.error.FFmpegError as error:
            raise OutputError(f"cannot write {on_one_line(str(path))}: {error.strerror or error}") from error


def _add_pictures(target: "OutputContainer", layout: Layout, encoding: Encoding) -> Any:
    """Add the stream of pictures."""
    suffix = Path(target.name).suffix.lower()
    name = encoding.codec or DEFAULT_CODECS.get(suffix, DEFAULT_CODEC)
    codec = _find_codec(name)
    if codec.canonical_name not in target.supported_codecs:
        raise UsageError(f"codec {name} does not go into {suffix}; try .mkv")
    stream = target.add_stream(codec.name, rate=layout.rate, options=_options(codec.name, encoding))
    stream.width, stream.height = layout.size
    stream.pix_fmt = _format(layout.size)
    stream.sample_aspect_ratio = layout.pixel_aspect
    context = stream.codec_context
    context.time_base = stream.time_base = layout.time_base
    context.color_primaries, context.color_trc = layout.tags.primaries, layout.tags.transfer
    context.colorspace, context.color_range = layout.tags.matrix, layout.tags.range
    return stream


def _find_codec(name: str) -> Any:
    """Return the encoder of a name, its own or that of what it makes."""
    av = import_av()
    try:
        codec = av.Codec(name, "w")
    except (av.error.FFmpegError, ValueError) as error:
        raise UsageError(f"codec {name}: there is none of this name; try h264, hevc, vp9, av1 or ffv1") from error
    if codec.type != "video":
        raise UsageError(f"codec {name}: it is for {codec.type}; try h264, hevc, vp9, av1 or ffv1")
    return codec


def _options(codec: str, encoding: Encoding) -> dict[str, str]:
    """Return the options of an encoder by its own name."""
    if encoding.crf is not None and codec not in CRF_CODECS:
        raise UsageError(f"codec {codec} has no CRF; leave it out, or use h264, hevc, vp9 or av1")
    crf = DEFAULT_CRF.get(codec) if encoding.crf is None else encoding.crf
    options = {} if crf is None else {"crf": f"{crf:g}"}
    if codec in PRESETS:
        options["preset"] = PRESETS[codec]
    if codec == "libx265":
        options["x265-params"] = "log-level=error"
    return options


def _format(size: tuple[int, int]) -> str:
    """Return how frames of a width and height are stored: H.264 takes colors of half the size for even ones alone."""
    return "yuv420p" if size[0] % 2 == size[1] % 2 == 0 else "yuv444p"


def _join(planes: Sequence[Plane]) -> Plane:
    """Return the planes of a frame as PyAV takes them."""
    height, width = planes[0].shape
    if _format((width, height)) == "yuv420p":
        joined = np.concatenate([plane.ravel() for plane in planes])
        return joined.reshape(-1, width)
    colors = [plane.repeat(2, 0).repeat(2, 1)[:height, :width] for plane in planes[1:]]
    return np.stack([planes[0], *colors])

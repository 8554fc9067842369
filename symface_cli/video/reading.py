"""Films read frame by frame, each with its time as the film has it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from symface_cli.errors import MissingExtraError, PhotoError
from symface_cli.files import on_one_line
from symface_cli.storage.address import Address
from symface_cli.video.colors import ColorTags, show_planes, to_planes
from symface_cli.video.frames import Frame

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

MOST_MISSING = Fraction(1)  # s that may be missing at the end of a film: sound may be longer, and stated times rough
FAR_START = 1  # s; a film whose clock starts later, as those of broadcasts, is counted from its start

_DURATION = re.compile(r"(\d+):(\d+):([\d.]+)")


class Film:
    """A film that is open.

    Args:
        container: Its file, as PyAV opened it.
        path: Its path.

    Attributes:
        path: Its path.
        name: The same for messages.
        tags: What it says of its colors.
        damage: What is wrong with it, if that was met while it was read.

    Raises:
        PhotoError: If it shows nothing, or is of a kind that is not read.
    """

    def __init__(self, container: "InputContainer", path: Path) -> None:
        name = on_one_line(str(path))
        stream = container.streams.best("video")
        if stream is None:
            raise PhotoError(f"{name}: a file without a picture; give a film")
        self._container = container
        self._stream = stream
        self._stream.thread_type = "AUTO"
        self.path = str(path)
        self.name = name
        self.damage: str | None = None
        self.tags = ColorTags.of(self._stream)
        if self.tags.hdr is not None:
            told = f"{name}: a film in HDR ({self.tags.hdr}), which is not read"
            raise PhotoError(f"{told}; convert it to SDR (BT.709) first")

    @cached_property
    def _first(self) -> "VideoFrame":
        """The first frame, for what only frames say; reading starts anew."""
        for frame in self._decoded(None):
            return frame
        raise PhotoError(f"{self.name}: a film without a frame that can be read")

    @cached_property
    def quarter_turns(self) -> int:
        """By how many quarter turns, counterclockwise, its frames are to be shown."""
        rotation: float = self._first.rotation
        return round(rotation / 90) % 4

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of its frames, upright."""
        size = self._stream.codec_context.width, self._stream.codec_context.height
        return size if self.quarter_turns % 2 == 0 else size[::-1]

    @property
    def pixel_aspect(self) -> Fraction:
        """How many times as wide as high its pixels are to be shown, upright."""
        aspect = Fraction(self._stream.sample_aspect_ratio or 0) or Fraction(1)
        return aspect if self.quarter_turns % 2 == 0 else 1 / aspect

    @property
    def time_base(self) -> Fraction:
        """The unit of its times, in seconds."""
        return self._stream.time_base or Fraction(1, 1000)

    @property
    def start(self) -> Fraction:
        """The time of its own clock, in seconds, from which its times are counted: 0 unless that is far from there."""
        start = Fraction(self._container.start_time or 0, 1_000_000)
        return start if abs(start) >= FAR_START else Fraction(0)

    @property
    def duration_s(self) -> float | None:
        """How long it lasts in seconds; None if it does not say."""
        duration = _duration_of(self._stream)
        if duration is not None:
            return float(duration)
        return None if self._container.duration is None else self._container.duration / 1_000_000

    @property
    def rate(self) -> Fraction | None:
        """Frames per second, on average; None if it does not say."""
        rate: Fraction | None = self._stream.average_rate or self._stream.guessed_rate
        return rate

    def count_frames(self, start: Fraction | None = None, end: Fraction | None = None) -> int | None:
        """Estimate how many frames there are between two times in seconds; None if the film does not say."""
        if self.duration_s is None or self.rate is None:
            return None
        first, last = start or Fraction(0), min(end or Fraction(10**9), Fraction(self.duration_s))
        return max(round((last - first) * self.rate), 0)

    def frames(self, start: Fraction | None = None, end: Fraction | None = None) -> Iterator[Frame]:
        """Yield its frames from one time in seconds up to, but not with, another; all by default.

        Where the film is damaged, they end, and `damage` says so.
        """
        self.damage = None
        index, last = 0, None
        turns, base = self.quarter_turns, self.time_base
        for decoded in self._decoded(start):
            if decoded.is_corrupt:
                self._end_at(last)
                return
            stamp = decoded.pts if decoded.pts is not None else decoded.dts
            if stamp is None:
                continue
            time = stamp * base - self.start
            if end is not None and time >= end:
                return
            last = time
            if start is None or time >= start:
                yield self._frame(decoded, index, time, turns)
                index += 1
        if self.damage is None:
            self._check_end(last)

    def _frame(self, decoded: "VideoFrame", index: int, time: Fraction, turns: int) -> Frame:
        planes = to_planes(decoded, self.tags)
        if turns:
            planes = tuple(np.ascontiguousarray(np.rot90(plane, turns)) for plane in planes)
        photo = show_planes(planes, self.tags.stored(decoded.height))
        duration = decoded.duration * self.time_base if decoded.duration else None
        return Frame(index=index, time=time, duration=duration, photo=photo, planes=planes)

    def _decoded(self, start: Fraction | None) -> "Iterator[VideoFrame]":
        """Decode frames from the last one before a time that needs no other; they end where nothing can be read."""
        from av.error import FFmpegError

        at = 0 if start is None else start + self.start
        last = None
        with suppress(FFmpegError):  # a stream that cannot be gone back in, which is at its start
            self._container.seek(int(at / self.time_base), stream=self._stream)
        try:
            for packet in self._container.demux(self._stream):
                if packet.is_corrupt:
                    self._end_at(last)
                    return
                for frame in packet.decode():
                    last = None if frame.pts is None else frame.pts * self.time_base - self.start
                    yield frame
        except (FFmpegError, OSError):
            self._end_at(last)

    def _end_at(self, last: Fraction | None) -> None:
        place = "at its start" if last is None else f"after {float(last):.3f} s"
        self.damage = f"damaged {place}; what follows is left out"

    def _check_end(self, last: Fraction | None) -> None:
        """Note that frames are missing at the end."""
        duration = _duration_of(self._stream)
        if last is None or duration is None:
            return
        stated = (self._stream.start_time or 0) * self.time_base - self.start + duration
        if last + MOST_MISSING < stated:
            self.damage = f"ends after {float(last):.3f} s of {float(stated):.3f} s; the rest of its file is missing"


def _duration_of(stream: "VideoStream") -> Fraction | None:
    """Return how long the pictures of a film last in seconds, whatever else is in it; None if that is not said."""
    if stream.duration is not None:
        return Fraction(stream.duration * stream.time_base)
    stated = _DURATION.fullmatch(stream.metadata.get("DURATION", ""))  # of Matroska
    if stated is None:
        return None
    hours, minutes, seconds = map(Fraction, stated.groups())
    return 60 * (60 * hours + minutes) + seconds


@contextmanager
def open_film(path: Path) -> Iterator[Film]:
    """Open a film while the context lasts.

    Raises:
        MissingExtraError: If PyAV is not installed.
        PhotoError: If it cannot be read, or is in HDR.
    """
    av = import_av()
    name = on_one_line(str(path))
    if isinstance(path, Address):
        raise PhotoError(f"cannot read {name}: films are read from files; copy it to one")
    try:
        container = av.open(str(path), metadata_errors="replace")
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise PhotoError(f"cannot read {name}: {_explain(error)}") from error
    with container:
        yield Film(container, path)


def import_av() -> Any:
    """Import PyAV.

    Raises:
        MissingExtraError: If it is not installed.
    """
    try:
        import av
    except ImportError as error:
        raise MissingExtraError("films need PyAV", "video") from error
    return av


def _explain(error: Exception) -> str:
    """Say why a film cannot be opened."""
    if isinstance(error, OSError) and isinstance(error, (FileNotFoundError, PermissionError, IsADirectoryError)):
        return (error.strerror or "it is not there").lower()
    return "it is no film, or damaged at its start"

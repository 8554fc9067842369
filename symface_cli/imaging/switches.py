"""The global switches of Pillow and OpenCV that reading needs, shared by the threads that read."""

import ctypes
import logging
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import cache
from importlib.metadata import files

from PIL import Image, ImageFile

MAX_PIXELS = 200_000_000
"""The most pixels a photo may claim in its header (a decompression bomb claims more); today's largest phone photos,
16320 x 12240, have just fewer. Replaces Pillow's own limit, which is lower and warns on stderr."""


class SharedContext:
    """Share one context between threads: the first enters it, the last leaves it, and none waits for another.

    Meant for switches that are global to the process: two threads that each set them and put them back would put back
    what the other one had set.

    Args:
        context: Make the context.
    """

    def __init__(self, context: Callable[[], AbstractContextManager[None]]) -> None:
        self._context = context
        self._lock = threading.Lock()
        self._users = 0
        self._entered: AbstractContextManager[None] | None = None

    def __enter__(self) -> None:
        with self._lock:
            if self._entered is None:
                entered = self._context()
                entered.__enter__()
                self._entered = entered
            self._users += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0 and self._entered is not None:
                entered, self._entered = self._entered, None
                entered.__exit__(None, None, None)


@contextmanager
def _switch_pillow() -> Iterator[None]:
    """Set Pillow's global switches as reading needs them, and put them back."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of corrupt EXIF: they would clutter stderr
        switches = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES
        # Other libraries switch LOAD_TRUNCATED_IMAGES on, for good: half-gray photos.
        Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES = MAX_PIXELS, False
        log = logging.getLogger("PIL")
        level = log.level
        log.setLevel(logging.CRITICAL + 1)  # without handlers, it goes to stderr
        try:
            yield
        finally:
            log.setLevel(level)
            Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES = switches


@contextmanager
def silence_opencv() -> Iterator[None]:
    """Keep OpenCV from warning on stderr."""
    import cv2

    level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)


@contextmanager
def _silence_tifffile() -> Iterator[None]:
    """Keep tifffile from writing of oddities to its log, which without handlers is stderr."""
    log = logging.getLogger("tifffile")
    disabled, log.disabled = log.disabled, True
    try:
        yield
    finally:
        log.disabled = disabled


@cache
def silence_libtiff() -> None:
    """Keep Pillow's libtiff from writing errors to stderr, for good; they are raised, too.

    Where it is no library of its own, as in a Pillow that was built here, it goes on doing so.
    """
    for file in files("pillow") or ():
        if file.name.startswith("libtiff"):
            with suppress(OSError, AttributeError):
                ctypes.CDLL(str(file.locate())).TIFFSetErrorHandler(None)


PILLOW_SWITCHED = SharedContext(_switch_pillow)
"""Pillow's switches as reading needs them."""
OPENCV_SILENCED = SharedContext(silence_opencv)
"""OpenCV without its warnings; imports it, which takes 0.1 s."""
TIFFFILE_SILENCED = SharedContext(_silence_tifffile)
"""tifffile without its log."""

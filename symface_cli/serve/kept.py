"""Photos that are kept for pages, in memory and for a time."""

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from symface_cli.serve.limits import Limits
from symface_cli.serve.work.studio import Upload


@dataclass
class _Kept:
    upload: Upload
    used: float


class KeptPhotos:
    """Photos by keys that nobody can guess; the one used last stays longest.

    Args:
        limits: How many, and for how long.
        now: The time in seconds.
    """

    def __init__(self, limits: Limits, now: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._now = now
        self._photos: OrderedDict[str, _Kept] = OrderedDict()

    def __len__(self) -> int:
        return len(self._photos)

    def add(self, upload: Upload) -> Upload:
        """Keep a photo, and return it with its key."""
        kept = Upload(upload.data, upload.name, secrets.token_urlsafe(18))
        self._photos[kept.key] = _Kept(kept, self._now())
        return kept

    def get(self, key: str) -> Upload | None:
        """Return a photo, if it is still kept."""
        kept = self._photos.get(key)
        if kept is None or self._is_old(kept):
            return None
        kept.used = self._now()
        self._photos.move_to_end(key)
        return kept.upload

    def drop(self, key: str) -> bool:
        """Drop a photo; tell whether it was there."""
        return self._photos.pop(key, None) is not None

    def take_surplus(self) -> list[str]:
        """Drop what is old or too much, and return the keys."""
        dropped = []
        while self._photos and (self._is_too_much() or self._is_old(next(iter(self._photos.values())))):
            dropped.append(self._photos.popitem(last=False)[0])
        return dropped

    def _is_old(self, kept: _Kept) -> bool:
        return self._now() - kept.used > self._limits.kept_seconds

    def _is_too_much(self) -> bool:
        size = sum(len(kept.upload.data) for kept in self._photos.values())
        return len(self._photos) > self._limits.kept_photos or size > self._limits.kept_bytes

"""Who is at which photos: an actor that outlives the workers, so that a photo that kills them is known."""

from collections import Counter
from collections.abc import Sequence

MOST_DEATHS = 2  # workers that a photo may have killed before it is left out


class Ledger:
    """Photos that workers are at, by the workers' numbers; a worker that was started anew has another number."""

    def __init__(self) -> None:
        self._at: dict[str, Sequence[str]] = {}
        self._deaths: Counter[str] = Counter()
        self._done = 0

    def begin(self, worker: str, photos: Sequence[str]) -> tuple[int, int]:
        """Take note that a worker is through with its last photos, and begins with these.

        Nobody is given a photo that another worker is at: who was at it is dead. Which of its photos has killed it is
        not known, so all of them are suspects: each of these is begun with alone, and its next death is its own.

        Returns:
            How many of the first photos are to be done before the next call, and how many workers have died at the
            first.
        """
        self.end(worker)
        self._bury(set(photos))
        deaths = self._deaths[photos[0]]
        trusted = next((place for place, photo in enumerate(photos) if self._deaths[photo]), len(photos))
        count = max(trusted, 1)
        self._at[worker] = photos[:count]
        return count, deaths

    def end(self, worker: str) -> None:
        """Take note that a worker is through with its photos."""
        self._done += len(self._at.pop(worker, ()))

    def count(self) -> int:
        """Return how many photos were done; some twice, where their block was done again."""
        return self._done

    def _bury(self, photos: set[str]) -> None:
        for other in [other for other, at in self._at.items() if not photos.isdisjoint(at)]:
            self._deaths.update(self._at.pop(other))

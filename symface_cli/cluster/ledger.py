"""Who is at which photo: an actor that outlives the workers, so that a photo that kills them is known."""

from collections import Counter

MOST_DEATHS = 2  # workers that a photo may have killed before it is left out


class Ledger:
    """Photos that workers are at, by the workers' numbers; a worker that was started anew has another number."""

    def __init__(self) -> None:
        self._at: dict[str, str] = {}
        self._deaths: Counter[str] = Counter()
        self._done = 0

    def begin(self, worker: str, photo: str) -> int:
        """Take note that a worker begins with a photo; return how many workers have died at it.

        Nobody is given a photo that another worker is at: who was at it is dead.
        """
        for other in [other for other, at in self._at.items() if at == photo and other != worker]:
            del self._at[other]
            self._deaths[photo] += 1
        self._at[worker] = photo
        return self._deaths[photo]

    def end(self, worker: str) -> None:
        """Take note that a worker has done its photo."""
        self._at.pop(worker, None)
        self._done += 1

    def count(self) -> int:
        """Return how many photos were done; some twice, where their block was done again."""
        return self._done

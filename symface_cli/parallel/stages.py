"""Stages of a work on a stream of items, at the same time in threads, with few items between them.

Whatever is not used is not made: when the last stage is closed, all end.
"""

import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")
R = TypeVar("R")

PAUSE = 0.1  # s after which a thread that waits looks whether it is still needed


class _End(NamedTuple):
    """What comes after the last item: what was raised, if anything."""

    error: BaseException | None = None


class _Maker(Generic[T]):
    """A thread that makes items, and waits while enough of them wait.

    Args:
        items: The items.
        most: How many may wait.
    """

    def __init__(self, items: Iterable[T], most: int) -> None:
        self._items = items
        self._made: queue.Queue[T | _End] = queue.Queue(most)
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._make, daemon=True)
        self._thread.start()

    def take(self) -> T | _End:
        """Return the next item; the end after the last one."""
        return self._made.get()

    def close(self) -> None:
        """End the thread, whatever it is at."""
        self._is_closed.set()
        self._thread.join()

    def _make(self) -> None:
        error = None
        try:
            for item in self._items:
                if not self._put(item):
                    break
        except BaseException as raised:  # noqa: BLE001 (raised in the other thread)
            error = raised
        if isinstance(self._items, Generator):
            self._items.close()
        self._put(_End(error))

    def _put(self, item: T | _End) -> bool:
        """Let an item wait; tell whether it is still needed."""
        while not self._is_closed.is_set():
            with suppress(queue.Full):
                self._made.put(item, timeout=PAUSE)
                return True
        return False


def make_ahead(items: Iterable[T], most: int) -> Generator[T, None, None]:
    """Yield items that a thread makes, up to `most` before they are asked for; what it raises is raised here."""
    maker = _Maker(items, most)
    try:
        while not isinstance(item := maker.take(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        maker.close()


def map_ahead(task: Callable[[T], R], items: Iterable[T], jobs: int) -> Iterator[R]:
    """Yield the results of a task in the order of its items, from `jobs` threads; one more item waits for each."""
    pool = ThreadPoolExecutor(jobs, "symface")
    results: deque[Future[R]] = deque()
    try:
        for item in items:
            results.append(pool.submit(task, item))
            if len(results) > 2 * jobs:
                yield results.popleft().result()
        while results:
            yield results.popleft().result()
    finally:
        for result in results:
            result.cancel()
        pool.shutdown(cancel_futures=True)

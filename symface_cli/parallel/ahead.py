"""Work on what comes one after the other, such as the frames of a film: in threads, in order, a few at a time."""

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Queue
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

AHEAD = 4  # items that are made before they are needed


def read_ahead(items: Iterable[T], ahead: int = AHEAD) -> Generator[T, None, None]:
    """Yield items that a thread of its own takes from an iterable, at most some ahead; what it raises is raised here.

    Once this is closed, no more are taken.
    """
    queue: Queue[tuple[bool, object]] = Queue(ahead)
    is_over = threading.Event()

    def take() -> None:
        try:
            for item in items:
                queue.put((True, item))
                if is_over.is_set():
                    return
            queue.put((False, None))
        except BaseException as error:  # noqa: BLE001 (it is raised where the items are used)
            queue.put((False, error))

    thread = threading.Thread(target=take, name="symface-reader", daemon=True)
    thread.start()
    try:
        while True:
            is_item, item = queue.get()
            if is_item:
                yield item  # type: ignore[misc]
            elif item is None:
                return
            else:
                raise item  # type: ignore[misc]
    finally:
        is_over.set()
        while thread.is_alive():  # it may wait for room
            while not queue.empty():
                queue.get_nowait()
            thread.join(0.01)


def work_ahead(task: Callable[[T], R], items: Iterable[T], workers: int) -> Iterator[R]:
    """Yield `task(item)` of every item, in order, from threads; items are taken here, few ahead of what is yielded.

    Args:
        task: Thread-safe.
        items: Its arguments.
        workers: Number of threads; with 0, the work is done here.
    """
    if not workers:
        yield from map(task, items)
        return
    pool, waiting = ThreadPoolExecutor(workers, "symface"), deque[Future[R]]()
    try:
        for item in items:
            waiting.append(pool.submit(task, item))
            if len(waiting) > workers + 1:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)

"""Work on what comes one after the other."""

import itertools
import threading

import pytest

from symface_cli.parallel.ahead import read_ahead, work_ahead


def counted(most, taken):
    for number in range(most):
        taken.append(number)
        yield number


def test_items_are_read_in_order_and_only_some_ahead():
    taken = []
    items = read_ahead(counted(100, taken), 3)
    assert next(items) == 0
    assert list(itertools.islice(items, 4)) == [1, 2, 3, 4]
    assert len(taken) <= 5 + 3 + 1
    items.close()
    count = len(taken)
    assert count < 15
    assert not [thread for thread in threading.enumerate() if thread.name == "symface-reader"]


def test_what_goes_wrong_while_reading_is_raised_after_what_came_before():
    def items():
        yield 1
        raise ValueError("damaged")

    found = read_ahead(items())
    assert next(found) == 1
    with pytest.raises(ValueError, match="damaged"):
        next(found)


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_results_come_in_order_and_items_are_taken_as_they_are_needed(workers):
    taken = []
    results = work_ahead(lambda number: number**2, counted(50, taken), workers)
    assert [next(results) for _ in range(5)] == [0, 1, 4, 9, 16]
    assert len(taken) <= 5 + workers + 2
    assert list(results) == [number**2 for number in range(5, 50)]


def test_what_a_task_raises_is_raised_in_its_place():
    results = work_ahead(lambda number: 1 // (number - 2), range(5), 2)
    assert [next(results), next(results)] == [-1, -1]
    with pytest.raises(ZeroDivisionError):
        next(results)

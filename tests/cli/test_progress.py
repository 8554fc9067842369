"""What is shown of how far a command is: lines everywhere, bars on a terminal alone."""

import pytest

from symface_cli.cli.commands.train import ProgressObserver
from symface_cli.cli.progress import count_bytes, count_photos, follow


def test_results_are_followed_in_their_order_and_no_sooner_than_they_come(capsys):
    begun = []
    results = follow((begun.append(i) or i for i in range(3)), "measuring", 3)
    assert next(results) == 0
    assert begun == [0]
    assert list(results) == [1, 2]
    assert capsys.readouterr() == ("", "")


def test_without_a_terminal_there_is_no_bar(capsys):
    with count_photos("labeling") as show:
        show(1, None)
        show(2, 2)
    assert capsys.readouterr() == ("", "")


def test_what_is_fetched_is_said_once(capsys):
    with count_bytes() as show:
        for done in (0, 10, 20):
            show("downloading https://example.org/lfw.tgz", done, None)
        show("unpacking lfw.tgz", 0, 20)
    assert capsys.readouterr() == ("", "downloading https://example.org/lfw.tgz\nunpacking lfw.tgz\n")


@pytest.mark.parametrize("shown", [True, False])
def test_one_process_alone_shows_a_training(capsys, shown):
    with count_bytes(shown) as show:
        show("unpacking lfw.tgz", 0, 20)
    with ProgressObserver(2, shown) as observer:
        observer.noted("stage 1")
        observer.prepared(1, 2)
        observer.stepped(1, 1, 1, 10.0, {"total": 0.5})
        observer.finished_epoch({"epoch": 1, "validation_total": 0.25, "train_total": 0.5})
    out, err = capsys.readouterr()
    assert out == ""
    if shown:
        for told in ("unpacking lfw.tgz", "stage 1", "epoch 1/2: validation total 0.25"):
            assert told in err
    else:
        assert err == ""

"""`tools/fuzz.py` sees what it looks for."""

import importlib.util
import sys
from random import Random

import pytest

from tests.conftest import ROOT

COMMANDS = {"symmetrize", "measure", "asymmetry", "label", "evaluate", "train", "doctor"}
CHANGED = "'photos/a.jpg' is changed"


@pytest.fixture(scope="module")
def fuzz():
    spec = importlib.util.spec_from_file_location("fuzz", ROOT / "tools" / "fuzz.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["fuzz"] = module  # where dataclasses look for types
    spec.loader.exec_module(module)
    yield module
    del sys.modules["fuzz"]


def faults(fuzz, arguments, before, after, status=0, err=""):
    files = [
        {f"/root/{name}": fuzz.State(0o100644, content) for name, content in tree.items()} for tree in (before, after)
    ]
    run = fuzz.Finished(status, "", err, *files)
    return [fault.replace("/root/", "") for fault in fuzz.faults_of(arguments, fuzz.Path("/root"), run)]


@pytest.mark.parametrize(
    ("arguments", "after", "seen"),
    [
        (["measure", "a.jpg"], {"photos/a.jpg": b"1"}, []),
        (["measure", "a.jpg"], {}, ["'photos/a.jpg' is gone"]),
        (["measure", "photos", "--csv", "photos/a.jpg", "--force"], {"photos/a.jpg": b"2"}, [CHANGED]),
        (["measure", "a.jpg", "--csv", "photos/a.jpg"], {"photos/a.jpg": b"2"}, [CHANGED]),
        (["measure", "a.jpg", "--csv", "photos/a.jpg", "--force"], {"photos/a.jpg": b"2"}, []),
        (["measure", "a.jpg"], {"photos/a.jpg": b"1", "b.csv": b""}, ["'b.csv' is new, and was not asked for"]),
        (["measure", "a.jpg", "--csv", "b.csv"], {"photos/a.jpg": b"1", "b.csv": b""}, []),
        (["measure", "a.jpg"], {"photos/a.jpg": b"1", ".symface-0": b""}, ["'.symface-0' is left behind"]),
        (["measure", "a.jpg"], {"photos/a.jpg": b"1", "photos/a.asymmetry.png": b""}, []),
    ],
)
def test_files_that_change_unasked_are_seen(fuzz, arguments, after, seen):
    assert faults(fuzz, arguments, {"photos/a.jpg": b"1"}, after) == seen


def test_bugs_and_silent_failures_are_seen(fuzz):
    traceback = "Traceback (most recent call last):\n"
    assert faults(fuzz, ["measure"], {}, {}, 1, traceback) == [
        "exit status 1",
        "a traceback",
        "no word about the failure",
    ]
    assert faults(fuzz, ["measure"], {}, {}, 3) == ["no word about the failure"]
    assert faults(fuzz, ["measure"], {}, {}, 3, "symface: cannot read a.jpg\n") == []


def test_every_command_is_tried_with_all_its_options(fuzz):
    chosen = [fuzz.choose_arguments(Random(number)) for number in range(3000)]
    assert {command for command, *_ in chosen} == COMMANDS
    given = {argument for command, *arguments in chosen for argument in arguments if command == "symmetrize"}
    assert {max(option.opts, key=len) for option in fuzz.options_of("symmetrize")} <= given

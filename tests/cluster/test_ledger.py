"""The ledger knows at which photos workers have died, and results travel as JSON without a loss."""

import json
from pathlib import Path

import numpy as np
import pytest

from symface_cli.batch.outcomes import Outcome, Pair
from symface_cli.batch.states import FileState
from symface_cli.batch.targets import Target
from symface_cli.cluster.ledger import Ledger
from symface_cli.cluster.tasks import outcome_as_json, parse_outcome
from symface_cli.cluster.worker import describe_target, parse_target
from symface_cli.errors import Hint, NoFaceError, OutputError, UnexpectedError
from symface_cli.rendering.records import FaceRecord

TARGET = Target(photo=Path("in/\udce9.jpg"), folder=Path("out"), stem="\udce9", name="\udce9.jpg")


def test_a_worker_that_is_through_with_photos_has_not_died_at_them():
    ledger = Ledger()
    assert [ledger.begin("one", ["a", "b"]), ledger.begin("two", ["c"])] == [(2, 0), (1, 0)]
    assert ledger.begin("one", ["d"]) == (1, 0)
    ledger.end("two")
    assert ledger.begin("two", ["a", "c"]) == (2, 0)
    assert ledger.count() == 3


def test_a_photo_that_another_takes_over_has_killed_who_was_at_it():
    ledger = Ledger()
    ledger.begin("one", ["a"])
    ledger.begin("other", ["b"])
    assert ledger.begin("two", ["a"]) == (1, 1)
    assert ledger.begin("three", ["a"]) == (1, 2)
    ledger.end("three")
    assert ledger.begin("four", ["b"]) == (1, 1)


def test_of_several_photos_that_may_have_killed_a_worker_the_one_that_does_it_again_is_known():
    ledger = Ledger()
    assert ledger.begin("one", ["b", "c", "d"]) == (3, 0)
    assert ledger.begin("two", ["a", "b", "c", "d", "e"]) == (1, 0)
    assert ledger.begin("two", ["b", "c", "d", "e"]) == (1, 1)
    assert ledger.begin("two", ["c", "d", "e"]) == (1, 1)
    deaths = [ledger.begin("three", [photo, "e"]) for photo in "abcd"]
    assert deaths == [(2, 0), (1, 1), (1, 2), (1, 1)]
    assert ledger.begin("three", ["e", "f"]) == (2, 0)


def test_targets_travel_whatever_their_names():
    text = describe_target(TARGET)
    text.encode("ascii")
    found = parse_target(text)
    assert (found.photo, found.folder, found.stem) == (TARGET.photo.absolute(), TARGET.folder.absolute(), TARGET.stem)


def test_outcomes_travel_without_a_loss():
    state = FileState(bytes=1, mtime_ns=2, ctime_ns=3, inode=4, sha256="5")
    outcome = Outcome(
        target=TARGET,
        written=(Path("out/a.png"),),
        faces=(FaceRecord(roll_degrees=3.0, asymmetry={"nose": (1.0, 0.5)}),),
        seconds={"read": 0.5},
        pairs=(Pair(Path("out/a.png"), 1, np.eye(3)),),
        notes=("a note",),
        input_state=state,
        output_states=(state, None),
    )
    again = parse_outcome(TARGET, json.loads(json.dumps(outcome_as_json(outcome))))
    assert json.dumps(outcome_as_json(again)) == json.dumps(outcome_as_json(outcome))
    assert (again.written, again.input_state, again.pairs[0].photo_from_image[0, 0]) == (outcome.written, state, 1)


@pytest.mark.parametrize("error", [NoFaceError("none"), OutputError("there", Hint.OVERWRITE), UnexpectedError("a bug")])
def test_failures_travel_with_their_kind_and_hint(error):
    error.traceback = "where"
    again = parse_outcome(TARGET, outcome_as_json(Outcome(target=TARGET, error=error))).error
    assert (type(again), str(again), again.hint, again.traceback) == (type(error), str(error), error.hint, "where")

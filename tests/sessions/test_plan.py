"""Which photo shows whom, when, and in which pose."""

from datetime import date

import pytest

from symface_cli.errors import DataError
from symface_cli.sessions.plan import Visit
from tests.sessions.studies import LINES, session_of


def test_every_pose_is_asked_of_every_subject_at_every_date(tmp_path):
    session = session_of(tmp_path, "Bob,2026-02-01,smile,d.png", *LINES)
    assert session.poses == ("rest", "smile", "pucker")  # rest first, the others as they come
    days = {"Ada": (date(2026, 1, 10), date(2026, 3, 11)), "Bob": (date(2026, 2, 1),)}
    assert session.days == days
    assert list(session.visits()) == [
        Visit(subject, day, pose) for subject in ("Bob", "Ada") for day in days[subject] for pose in session.poses
    ]
    assert session.photos[Visit("Ada", date(2026, 1, 10), "smile")] == tmp_path / "b.png"
    assert Visit("Ada", date(2026, 3, 11), "pucker") not in session.photos


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ((), "it names no photo"),
        (("Ada,2026-01-10,rest,",), "it names no photo"),
        (("Ada,10.1.2026,rest,a.png",), "line 2: '10.1.2026' is no date; write it as 2026-03-31"),
        (("Ada,2026-01-10,,a.png",), "line 2: pose is empty"),
        ((LINES[0], "Ada,2026-01-10,rest,z.png"), "line 3: Ada, 2026-01-10, rest is in a line above"),
    ],
)
def test_what_cannot_be_right_is_refused(tmp_path, lines, message):
    with pytest.raises(DataError) as error:
        session_of(tmp_path, *lines)
    assert message in str(error.value)


def test_a_missing_column_is_named(tmp_path):
    with pytest.raises(DataError, match="the column pose is missing"):
        session_of(tmp_path, "Ada,2026-01-10,a.png", header="subject,date,photo")

"""Photos that are kept for pages."""

from symface_cli.serve.kept import KeptPhotos
from symface_cli.serve.limits import Limits
from symface_cli.serve.work.studio import Upload
from tests.serve.apps import Asked


class Clock:
    """A time that stands still."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_photo_is_kept_until_it_was_not_used_for_a_time() -> None:
    clock = Clock()
    kept = KeptPhotos(Limits(kept_seconds=10), clock)
    key = kept.add(Upload(b"photo", "a.jpg")).key
    clock.now = 9
    assert kept.get(key) is not None
    clock.now = 18
    assert kept.take_surplus() == []
    assert kept.get(key) is not None
    clock.now = 29
    assert kept.get(key) is None
    assert kept.take_surplus() == [key]
    assert len(kept) == 0


def test_the_one_used_last_stays_when_there_are_too_many() -> None:
    kept = KeptPhotos(Limits(kept_photos=2))
    first, second = (kept.add(Upload(b"photo", name)).key for name in "ab")
    assert kept.get(first) is not None
    third = kept.add(Upload(b"photo", "c")).key
    assert kept.take_surplus() == [second]
    assert {first, third} == {key for key in (first, second, third) if kept.get(key)}


def test_they_are_not_larger_together_than_is_allowed() -> None:
    kept = KeptPhotos(Limits(kept_bytes=10))
    keys = [kept.add(Upload(b"12345", name)).key for name in "abc"]
    assert kept.take_surplus() == keys[:1]


def test_keys_cannot_be_guessed_and_the_name_leads_to_nothing() -> None:
    kept = KeptPhotos(Limits())
    keys = {kept.add(Upload(b"photo", "a.jpg")).key for _ in range(50)}
    assert len(keys) == 50
    assert min(map(len, keys)) >= 24
    assert kept.get("a.jpg") is None


def test_a_photo_that_is_dropped_is_gone_everywhere() -> None:
    asked = Asked()
    answer = asked("POST", "/api/photos", content=b"x", headers={"Content-Type": "image/png"})
    key = answer.json()["key"]
    assert answer.headers["location"] == f"/api/photos/{key}"
    assert asked("POST", f"/api/photos/{key}/symmetrize").content == b"x"
    assert asked("DELETE", f"/api/photos/{key}").status_code == 204
    assert asked.crew.forgotten == [key]
    assert asked("POST", f"/api/photos/{key}/symmetrize").status_code == 404
    assert asked("DELETE", f"/api/photos/{key}").status_code == 404


def test_what_is_not_there_is_a_problem_and_so_is_another_method() -> None:
    asked = Asked()
    assert asked("GET", "/nowhere").json()["status"] == 404
    assert asked("GET", "/api/symmetrize").json()["status"] == 405
    assert asked("HEAD", "/").status_code == 200

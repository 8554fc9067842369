"""What requests may bring, and how much."""

import httpx
import pytest

from symface_cli.serve.limits import Limits
from symface_cli.serve.uploads import clean_name
from tests.serve.apps import Asked, slowly

PNG = {"Content-Type": "image/png"}
TINY = Limits(upload_bytes=1000, arriving_bytes=1500, arriving_seconds=0.2)


def kind_of(answer: httpx.Response) -> tuple[int, str]:
    """Status and kind of a problem."""
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == answer.status_code
    return answer.status_code, answer.json()["type"].removeprefix("urn:symface:")


def test_a_picture_comes_as_a_form_or_as_the_body() -> None:
    asked = Asked()
    form = asked("POST", "/api/symmetrize", files={"photo": ("me.png", b"picture")}, data={"shape": "0.5"})
    body = asked("POST", "/api/symmetrize?shape=0.5", content=b"picture", headers=PNG)
    assert form.content == body.content == b"picture"
    first, second = asked.crew.asked
    assert (first.upload.name, second.upload.name) == ("me.png", "photo")
    assert first.options == second.options
    assert first.options.amounts.shape == 0.5


def test_what_is_larger_is_refused_before_it_is_read() -> None:
    asked = Asked(TINY)
    read = []

    async def body():
        read.append(True)
        yield b"x"

    answer = asked("POST", "/api/symmetrize", content=body(), headers={**PNG, "Content-Length": str(500 * 2**20)})
    assert kind_of(answer) == (413, "too-large")
    assert asked.crew.asked == []


@pytest.mark.parametrize("kind", ["image/png", "multipart/form-data; boundary=b"])
def test_what_turns_out_to_be_larger_is_refused(kind: str) -> None:
    start = b'--b\r\nContent-Disposition: form-data; name="photo"; filename="a.png"\r\n\r\n'
    body = slowly(start, *[b"x" * 100] * 20, seconds=0)
    answer = Asked(TINY)("POST", "/api/symmetrize", content=body, headers={"Content-Type": kind})
    assert kind_of(answer) == (413, "too-large")


def test_a_slow_sender_is_refused() -> None:
    body = slowly(*[b"x"] * 20, seconds=0.05)
    assert kind_of(Asked(TINY)("POST", "/api/symmetrize", content=body, headers=PNG)) == (408, "too-slow")


def test_too_much_at_once_is_refused_and_may_come_later() -> None:
    asked = Asked(Limits(upload_bytes=1000, arriving_bytes=1500))
    request = ("POST", "/api/symmetrize", {"headers": PNG})
    bodies = [slowly(b"x" * 900, b"", seconds=0.05) for _ in range(2)]
    answers = asked.together(*[(*request[:2], {**request[2], "content": body}) for body in bodies])
    assert sorted(answer.status_code for answer in answers) == [200, 503]
    (busy,) = [answer for answer in answers if answer.status_code == 503]
    assert int(busy.headers["retry-after"]) > 0
    assert asked("POST", "/api/symmetrize", content=b"x" * 900, headers=PNG).status_code == 200


@pytest.mark.parametrize(
    ("options", "refused"),
    [
        ({"content": b"x", "headers": {"Content-Type": "text/plain"}}, (415, "content-type")),
        ({"content": b"x"}, (415, "content-type")),
        ({}, (400, "usage")),
        ({"data": {"shape": "1"}}, (400, "usage")),
        ({"content": b"x", "headers": {"Content-Type": "multipart/form-data"}}, (400, "usage")),
        ({"content": b"--b\r\nx", "headers": {"Content-Type": "multipart/form-data; boundary=b"}}, (400, "usage")),
        ({"files": {"file": b"picture"}}, (400, "usage")),
        ({"files": [("photo", b"one"), ("photo", b"two")]}, (400, "usage")),
        ({"files": {"photo": b"picture"}, "data": {"shape": ["0", "1"]}}, (400, "usage")),
        ({"files": {"photo": b"picture"}, "data": {"path": "/etc/passwd"}}, (400, "usage")),
        ({"files": {"photo": b"picture"}, "data": {f"f{i}": "" for i in range(100)}}, (400, "usage")),
    ],
)
def test_what_is_no_picture_and_no_form_is_refused(options: dict[str, object], refused: tuple[int, str]) -> None:
    asked = Asked()
    assert kind_of(asked("POST", "/api/symmetrize", **options)) == refused
    assert asked.crew.asked == []


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\a.jpg", "a.jpg"),
        ("..", "photo"),
        ("", "photo"),
        ("a\r\nSet-Cookie: b.jpg", "a_r_nSet-Cookie_ b.jpg"),
        ("smile?.jpg", "smile_.jpg"),
        ("مريم.png", "مريم.png"),
        ("x" * 300 + ".jpg", "x" * 116 + ".jpg"),
    ],
)
def test_names_are_names_alone(sent: str, name: str) -> None:
    assert clean_name(sent) == name


def test_names_go_back_as_they_came() -> None:
    answer = Asked()("POST", "/api/symmetrize", files={"photo": ("Zoë/..\\a.png", b"picture")})
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''a.png"

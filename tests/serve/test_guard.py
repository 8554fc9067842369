"""Who is answered, and what every answer says."""

import pytest

from symface_cli.serve.guard import HEADERS, Policy
from tests.serve.apps import Asked

PICTURE = {"content": b"picture", "headers": {"Content-Type": "image/png"}}


def posted(asked: Asked, **headers: str) -> int:
    """The status of a picture that is sent with some headers."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return asked("POST", "/api/symmetrize", content=b"x", headers={"Content-Type": "image/png", **named}).status_code


@pytest.mark.parametrize("host", ["127.0.0.1:8137", "localhost:8137", "LOCALHOST", "[::1]:80"])
def test_names_of_this_machine_are_answered(host: str) -> None:
    assert posted(Asked(), Host=host) == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8137", "127.0.0.1.evil.example", "", "192.168.1.5"])
def test_another_host_is_refused_whatever_is_asked(host: str) -> None:
    asked = Asked()
    assert posted(asked, Host=host) == 421
    assert asked("GET", "/api/health", headers={"Host": host}).status_code == 421
    assert asked.crew.asked == []


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:9999", "http://localhost:8137", "file://", ""]
)
def test_a_page_of_another_origin_is_refused(origin: str) -> None:
    asked = Asked()
    answer = asked("POST", "/api/photos", content=b"x", headers={"Content-Type": "image/png", "Origin": origin})
    assert answer.status_code == 403
    assert answer.json()["type"] == "urn:symface:origin"
    assert asked("DELETE", "/api/photos/key", headers={"Origin": origin}).status_code == 403
    assert asked.crew.asked == []


def test_the_own_page_and_programs_are_answered() -> None:
    assert posted(Asked(), Origin="http://127.0.0.1:8137", Sec_Fetch_Site="same-origin") == 200
    assert posted(Asked(), Origin="http://localhost:8137", Host="localhost:8137") == 200
    assert posted(Asked()) == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_a_browser_sends_for_another_site_is_refused_without_origin_too(site: str) -> None:
    assert posted(Asked(), Sec_Fetch_Site=site) == 403


def test_every_answer_forbids_scripts_of_others_and_being_kept() -> None:
    asked = Asked()
    answers = [
        asked("GET", "/api/health"),
        asked("GET", "/nowhere"),
        asked("POST", "/api/symmetrize", headers={"Host": "evil.example"}),
    ]
    for answer in answers:
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    policy = dict(part.split(" ", 1) for part in HEADERS["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"


def test_elsewhere_a_token_is_needed() -> None:
    asked = Asked(policy=Policy("0.0.0.0", "secret"))
    assert posted(asked) == 401
    assert posted(asked, Authorization="Bearer wrong") == 401
    assert posted(asked, Cookie="symface-token=wrong") == 401
    assert asked("GET", "/api/openapi.json").status_code == 401
    assert asked.crew.asked == []
    assert posted(asked, Authorization="Bearer secret") == 200
    assert posted(asked, Cookie="a=b; symface-token=secret", Host="any.example") == 200


def test_the_address_with_the_token_leads_to_the_page_with_a_cookie() -> None:
    asked = Asked(policy=Policy("192.168.1.5", "secret"))
    answer = asked("GET", "/?token=secret&lang=de", headers={"Host": "192.168.1.5:8137"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/?lang=de")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("symface-token=secret;")
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert asked("GET", "/?token=wrong", headers={"Host": "192.168.1.5:8137"}).status_code == 401


def test_health_needs_no_token_but_the_right_host() -> None:
    asked = Asked(policy=Policy("192.168.1.5", "secret"))
    assert asked("GET", "/api/health").json()["status"] == "ok"
    assert asked("GET", "/api/health", headers={"Host": "evil.example"}).status_code == 421

"""The container's files: what they take exists, and what they start is understood."""

import json
import re
import shlex

from typer.main import get_command

from symface_cli.cli.app import app
from symface_cli.serve.guard import HEALTH
from symface_cli.serve.server import ServerOptions
from tests.conftest import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
COMPOSE = (ROOT / "compose.yaml").read_text("utf-8")
TAKEN = [line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")]


def instructions(name: str) -> list[str]:
    return re.findall(rf"^{name} (.+)$", DOCKERFILE, re.MULTILINE)


def test_what_the_package_is_built_of_is_taken_along() -> None:
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    forced = re.findall(r'^"([\w./-]+)" = ', project.split("wheel.force-include]")[1], re.MULTILINE)
    licenses = re.findall(r'"([^"]+)"', re.search(r"license-files = \[(.*?)\]", project).group(1))
    needed = ["pyproject.toml", "README.md", "symface_cli/version.py", *licenses, *forced]
    assert len(needed) > 8
    assert [file for file in needed if not any(file == taken or file.startswith(f"{taken}/") for taken in TAKEN)] == []


def test_it_starts_the_server_for_others_and_that_needs_a_token() -> None:
    command, *arguments = [*json.loads(instructions("ENTRYPOINT")[0]), *json.loads(instructions("CMD")[-1])][1:]
    parsed = get_command(app).commands[command].make_context(command, arguments).params
    assert (parsed["host"], parsed["browser"]) == ("0.0.0.0", False)
    assert "SYMFACE_SERVE_TOKEN: ${SYMFACE_SERVE_TOKEN:?" in COMPOSE


def test_it_has_no_rights_and_can_write_nothing() -> None:
    assert int(instructions("USER")[-1].split(":")[0]) > 0
    assert shlex.split(instructions("RUN")[-1])[:3] == ["useradd", "--uid", instructions("USER")[-1].split(":")[0]]
    for rule in ("read_only: true", "cap_drop: [ALL]", 'security_opt: ["no-new-privileges:true"]'):
        assert rule in COMPOSE


def test_ports_and_health_are_those_of_the_server() -> None:
    port = ServerOptions().port
    assert instructions("EXPOSE") == [str(port)]
    assert f'"127.0.0.1:{port}:{port}"' in COMPOSE
    assert f"http://127.0.0.1:{port}{HEALTH}" in DOCKERFILE

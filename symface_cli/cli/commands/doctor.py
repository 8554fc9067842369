"""`symface doctor`: what could keep symface from working here."""

import json
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from symface_cli.cli.console import out, print_text
from symface_cli.cli.hints import with_hint
from symface_cli.cli.options import DeviceOption
from symface_cli.errors import ExitStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symface_cli.doctor.checks import Check

STYLES = {"ok": "green", "absent": "dim", "warning": "yellow", "problem": "bold red"}
VERDICT, NAME = 7, 11  # characters, widths of the first two columns


def doctor(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print the checks as JSON.")] = False,
    device: DeviceOption = "auto",
) -> int:
    """Check the installation, and make a built-in face symmetric.

    Every part is ok, absent (symface works without it), a warning or a problem; the exit status is that of the first
    problem. Nothing is downloaded or changed.
    """
    from symface_cli.doctor.checks import diagnose

    checks = []
    for check in diagnose(context.obj, device):
        checks.append(check)
        if not as_json:
            _print(check)
    problems = [check for check in checks if check.verdict == "problem"]
    status = problems[0].status if problems else ExitStatus.OK
    if as_json:
        _print_json(checks, status)
    else:
        counts = Counter[str](check.verdict for check in checks)
        print_text(", ".join(f"{counts[verdict]} {verdict}" for verdict in STYLES))
    return status


def _print(check: "Check") -> None:
    """Print a row of a table that grows with the checks; a plain line if there is no terminal."""
    found = with_hint(check.found, check.hint)
    if not out.is_terminal:
        print_text(f"{check.verdict:<{VERDICT}}  {check.name:<{NAME}}  {found}")
        return
    row = Table.grid(padding=(0, 2, 0, 0))
    row.add_column(width=VERDICT)
    row.add_column(width=NAME)
    row.add_column(overflow="fold")
    row.add_row(Text(check.verdict, STYLES[check.verdict]), check.name, Text(found))
    print_text(row, folded=True)


def _print_json(checks: "Sequence[Check]", status: ExitStatus) -> None:
    rows = [
        {"name": check.name, "verdict": check.verdict, "found": with_hint(check.found, check.hint)} for check in checks
    ]
    print_text(json.dumps({"status": status, "checks": rows}, indent=1))

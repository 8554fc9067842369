"""A command of symface: its options are shown in groups, and checked together before it runs."""

from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperOption

from symface_cli.cli.rules import check_options

if TYPE_CHECKING:
    from typer._click import HelpFormatter


class SymfaceCommand(TyperCommand):
    """A command with its options in the groups that their `rich_help_panel` names, which plain help leaves out."""

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        """Run the command, unless options do not go together."""
        check_options(ctx)
        return super().invoke(ctx)

    def format_options(self, ctx: typer.Context, formatter: "HelpFormatter") -> None:  # type: ignore[override]
        """Write arguments and groups of options in the order in which they first come; the others at the end."""
        groups: dict[str, list[tuple[str, str]]] = {"Arguments": []}
        others = []
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is None:
                continue
            if not isinstance(parameter, TyperOption):
                groups["Arguments"].append(record)
            elif parameter.rich_help_panel is None:
                others.append(record)
            else:
                groups.setdefault(parameter.rich_help_panel, []).append(record)
        for title, records in (*groups.items(), ("Other" if len(groups) > 1 else "Options", others)):
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)

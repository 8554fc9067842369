"""`symface merge`: one manifest, table or run of what was made in shards."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from symface_cli.cli.console import ResultPrinter, mention, show_tracebacks
from symface_cli.cli.options import MADE, DebugOption, ForceOption
from symface_cli.storage.address import parse_path

if TYPE_CHECKING:
    from symface_cli.batch.merging.manifests import PhotoLines
    from symface_cli.shards.parts import Parts


def merge(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", parser=parse_path, help="Where the files of shards lie.")],
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            parser=parse_path,
            help="A page to look through the results of symmetrize, as HTML.",
            rich_help_panel=MADE,
        ),
    ] = None,
    force: ForceOption = False,
    debug: DebugOption = False,
) -> int:
    """Make one file of the files of all shards, and print its path: a manifest, a table, labels, results.

    It is refused if a shard is missing, not finished, there twice, or made of other photos, with other options or by
    another version. The shards' own files stay.
    """
    show_tracebacks(debug)
    from symface_cli.errors import DataError
    from symface_cli.shards.parts import find_parts
    from symface_cli.writing import Destination, Inputs, prepare_files

    found = find_parts(folder)
    named = [Destination(parts.whole, force) for parts in found]
    page = None if report is None else Destination(report, force)
    prepare_files([*named, *([] if page is None else [page])], Inputs())
    if page is not None and all(parts.kind != "manifest" for parts in found):
        raise DataError(f"{folder}: no manifests of shards in it, of which a page could be made")
    printer, photos = ResultPrinter(), list["PhotoLines"]()
    for parts in found:
        photos += _merge(parts, force)
        printer.print(parts.whole)
    if page is not None:
        from symface_cli.batch.gallery import as_html
        from symface_cli.batch.merging.manifests import read_outcomes

        mention(page.write(as_html(read_outcomes(photos), page.path.parent).encode()))
        printer.print(page.path)
    return printer.status


def _merge(parts: "Parts", force: bool) -> "list[PhotoLines]":
    """Merge parts by their kind; return what becomes of photos, if they are manifests."""
    from symface_cli.batch.merging.manifests import merge_manifests
    from symface_cli.batch.merging.tables import merge_tables
    from symface_cli.batch.tables import CSV, JSON
    from symface_cli.evaluation.store import merge_stores
    from symface_cli.training.data.labeling import merge_labels

    if parts.kind == "manifest":
        return merge_manifests(parts, force)
    if parts.kind == "labels":
        mention(merge_labels(parts, force))
    elif parts.kind == "results":
        merge_stores(parts, force)
    else:
        mention(merge_tables(parts, CSV if parts.kind == "csv" else JSON, force))
    return []

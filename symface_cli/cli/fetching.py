"""Fetches what others publish, with progress bars: data sets, model files."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from symface_cli.cli.console import print_error, print_line
from symface_cli.cli.options import DATA
from symface_cli.cli.progress import count_bytes
from symface_cli.errors import UsageError

if TYPE_CHECKING:
    from symface_cli.data.datasets import Dataset

DataArgument = Annotated[
    Path | None,
    typer.Argument(
        metavar="DATA", readable=False, help="A folder of photos, one sub-folder per person, or an archive of one."
    ),
]
DownloadOption = Annotated[
    Literal["lfw"] | None,
    typer.Option("--download", help="Download this data set instead of naming DATA.", rich_help_panel=DATA),
]


def find_dataset(data: Path | None, download: str | None, shown: bool = True) -> Path:
    """Return the folder of the data set that is named or to be downloaded; unpack its archive.

    Args:
        data: The one that is named.
        download: The one that is to be downloaded.
        shown: Whether to show its license, and what is done.

    Raises:
        UsageError: If not exactly one of the two is given.
        DataError: If it does not exist, or cannot be downloaded or unpacked.
    """
    if (data is None) == (download is None):
        raise UsageError("give either DATA, a folder of photos or an archive of one, or --download lfw")
    from symface_cli.data.datasets import open_dataset
    from symface_cli.data.lfw import LFW, fetch_lfw

    with count_bytes(shown) as show:
        if data is None:
            if shown:
                print_line(LFW.license)
            data = fetch_lfw(lambda address: partial(show, f"downloading {address}"))
        return open_dataset(data, partial(show, f"unpacking {data.name}"))


def survey_dataset(data: Path | None, download: str | None) -> "Dataset":
    """Find the photos of the data set that is named or to be downloaded; show whom they show, and what is passed over.

    Raises:
        UsageError, DataError: As `find_dataset`; also if there are no photos.
    """
    from symface_cli.data.datasets import survey

    dataset = survey(find_dataset(data, download))
    count, *warnings = dataset.remarks
    print_line(count)
    for warning in warnings:
        print_error(warning)
    return dataset


def fetch_models(names: Iterable[str], folder: Path | None) -> None:
    """Download the published model files that are not here; show their licenses before.

    Args:
        names: Keys of `data.published.FILES`.
        folder: The user's own, as for `data.published.find`.

    Raises:
        WeightsError: If one cannot be downloaded.
    """
    from symface_cli.data.published import FILES, locate

    with count_bytes() as show:
        for name in names:
            locate(name, folder, partial(show, f"downloading {name}: {FILES[name].source.license}"))

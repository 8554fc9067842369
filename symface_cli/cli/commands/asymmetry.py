"""`symface asymmetry`: directional and fluctuating asymmetry of a sample of people."""

from pathlib import Path
from typing import Annotated

import typer

from symface_cli.cli.console import mention, print_line
from symface_cli.cli.options import DATA, NUMBERS, ForceOption
from symface_cli.cli.tables import print_table
from symface_cli.errors import ExitStatus, UsageError
from symface_cli.files import write_to_stdout

STREAM = Path("-")


def asymmetry(
    measured: Annotated[
        Path,
        typer.Argument(
            metavar="MEASURED",
            readable=False,
            help="Table of points (photo, point, x, y), TPS file, or folder with a table (x, y) for each photo.",
        ),
    ],
    people: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Whose the photos are: CSV with photo, person. [default: each of another person]",
            rich_help_panel=DATA,
        ),
    ] = None,
    mirror: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The points' mirror images: CSV with point, mirror. [default: NAME_left and NAME_right]",
            rich_help_panel=DATA,
        ),
    ] = None,
    csv_path: Annotated[
        Path | None,
        typer.Option("--csv", metavar="FILE", help="Write the scores of each person.", rich_help_panel=NUMBERS),
    ] = None,
    json_path: Annotated[
        Path | None,
        typer.Option("--json", metavar="FILE", help="Write all numbers as JSON.", rich_help_panel=NUMBERS),
    ] = None,
    permutations: Annotated[
        int,
        typer.Option(min=1, metavar="N", help="Number of permutations, the data among them.", rich_help_panel=NUMBERS),
    ] = 1000,
    seed: Annotated[
        int, typer.Option(min=0, metavar="N", help="Seed of the permutations.", rich_help_panel=NUMBERS)
    ] = 0,
    force: ForceOption = False,
) -> int:
    """Analyze the asymmetry of a sample of people, from landmarks. For research; not a medical device.

    Prints a Procrustes ANOVA in the layout of geomorph's bilat.symmetry, for object symmetry: individuals (ind),
    directional asymmetry (side), fluctuating asymmetry (ind:side) and, where people have several photos, the error
    (ind:side:replicate). Scores are Procrustes distances, as calc_as and calc_fa of facefuns.
    """
    from symface_cli.morphometrics.analysis import analyze
    from symface_cli.morphometrics.permutations import Permutations
    from symface_cli.morphometrics.reading import read_sample
    from symface_cli.morphometrics.tables import ANOVA_HEADER, anova_texts, as_json, describe, scores_as_csv
    from symface_cli.writing import Destination, Inputs, prepare_files

    if csv_path == json_path == STREAM:
        raise UsageError("--json - and --csv - do not both go to standard output; give one of them a file")
    wanted = [(path, write) for path, write in ((csv_path, scores_as_csv), (json_path, as_json)) if path is not None]
    files = {path: Destination(path, force) for path, _ in wanted if path != STREAM}
    prepare_files(list(files.values()), Inputs(path for path in (measured, people, mirror) if path is not None))
    analysis = analyze(read_sample(measured, people, mirror), Permutations(permutations, seed))
    for path, write in wanted:
        if path == STREAM:
            write_to_stdout(write(analysis))
        else:
            mention(files[path].write(write(analysis)))
    if STREAM not in (csv_path, json_path):
        print_table("Procrustes ANOVA", ANOVA_HEADER, anova_texts(analysis.anova))
    for line in describe(analysis):
        print_line(line)
    return ExitStatus.OK

"""Which photos are shown of an evaluation, and the pictures of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite

from symface_cli.evaluation.occluders import NONE
from symface_cli.evaluation.protocol import EvaluationPlan, Evaluator, ExaminedPhoto, Key
from symface_cli.evaluation.scores import Report, Table
from symface_cli.geometry.types import Photo
from symface_cli.methods.registry import OURS
from symface_cli.pages import InlineImage, inline_image
from symface_cli.recognition.registry import find_recognizer

LONGEST_SIDE = 160  # px, of a picture
MOST = 3  # photos of a kind
NAMES = {OURS: "symmetric face", "vae-decode": "face only"}  # as in the paper's Figure 4


@dataclass(frozen=True)
class Panel:
    """A photo, or what a method made of it.

    Attributes:
        name: What it shows.
        method: The method's name, empty for the photo.
        image: The picture itself; None if there is none.
        verdict: What the recognizer says.
        failed: Whether the recognizer does not recognize it.
    """

    name: str
    method: str = ""
    image: InlineImage | None = None
    verdict: str = ""
    failed: bool = False


@dataclass(frozen=True)
class Case:
    """A photo, and what each method made of it."""

    title: str
    pictures: tuple[Panel, ...]


@dataclass(frozen=True)
class Sheet:
    """Cases of a kind."""

    title: str
    cases: tuple[Case, ...]


@dataclass(frozen=True)
class Ranking:
    """By what photos are chosen: a recognizer's distances to a method's results; `threshold` is its published one."""

    method: str
    recognizer: str
    threshold: float


def choose_ranking(plan: EvaluationPlan) -> Ranking:
    """By the first recognizer and `vae`, or else the first method."""
    recognizer = plan.recognizers[0]
    method = OURS if OURS in plan.methods else plan.methods[0]
    return Ranking(method, recognizer, find_recognizer(recognizer).thresholds[0])


def draw_sheets(report: Report, ranking: Ranking) -> list[Sheet]:
    """The best, median, worst and missed photos under each condition, drawn again.

    Under conditions after the first, one photo of a kind is shown.

    Raises:
        PhotoError: If one of the photos cannot be read any more.
        WeightsError, DataError: If a model cannot be loaded.
    """
    bench = Evaluator(report.plan)
    tables = [table for table in report.tables if table.recognizer == ranking.recognizer]
    sheets = []
    for table in tables:
        hidden = "" if table.condition == NONE else f", occluder: {table.condition}"
        most = MOST if table is tables[0] else 1
        for kind, places in choose_cases(table.distances[ranking.method], most).items():
            cases = tuple(_draw_case(report, table, place, bench) for place in places)
            sheets.append(Sheet(kind + hidden, cases))
    return sheets


def choose_cases(distances: Sequence[float], most: int) -> dict[str, list[int]]:
    """Places of the photos to show, by kind: at most so many of a kind, no photo twice, no kind without photos.

    Args:
        distances: Of each photo; infinite for a miss.
        most: At least 1.
    """
    order = sorted((place for place, distance in enumerate(distances) if isfinite(distance)), key=distances.__getitem__)
    count = min(most, max(1, len(order) // 3))
    best, rest = order[:count], order[count:]
    worst, middle = rest[-count:], rest[:-count]
    start = (len(middle) - count) // 2
    missed = [place for place, distance in enumerate(distances) if distance == inf]
    kinds = {
        "Best": best,
        "Median": middle[start : start + count],
        "Worst": worst[::-1],
        "Missed": missed[:most],
    }
    return {kind: places for kind, places in kinds.items() if places}


def _draw_case(report: Report, table: Table, place: int, bench: Evaluator) -> Case:
    examined = report.examined[place]
    photo, images = bench.draw(examined, table.condition)
    methods = sorted(report.plan.methods, key=lambda method: {"vae-decode": 0, OURS: 1}.get(method, 2))
    pictures = [
        Panel(NAMES.get(method, ""), method, _inline(images.get(method)), *_judge(examined, table, place, method))
        for method in methods
    ]
    path = examined.photo.path
    return Case(f"{path.parent.name}/{path.name}", (Panel("photo", "", _inline(photo)), *pictures))


def _inline(photo: Photo | None) -> InlineImage | None:
    return None if photo is None else inline_image(photo, LONGEST_SIDE)


def _judge(examined: ExaminedPhoto, table: Table, place: int, method: str) -> tuple[str, bool]:
    """What the recognizer says of a method's result, and whether it does not recognize the person."""
    distance = table.distances[method][place]
    if isfinite(distance):
        failed = not distance < find_recognizer(table.recognizer).thresholds[0]
        return f"{distance:.2f}" + (", not recognized" if failed else ""), failed
    if not examined.attempts[Key(table.condition, method, table.recognizer)].found:
        return "no face found", True
    if examined.originals[table.recognizer] is None:
        return "no face seen in the photo", True
    return "no face seen in it", True

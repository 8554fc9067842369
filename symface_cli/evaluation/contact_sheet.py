"""Which photos are shown of an evaluation, and the pictures of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite

from symface_cli.errors import UNREADABLE
from symface_cli.evaluation.occluders import NO_OCCLUDER
from symface_cli.evaluation.protocol import EvaluationPlan, Evaluator, Key, PhotoResult
from symface_cli.evaluation.scores import EvaluationReport, ScoreTable
from symface_cli.files import on_one_line
from symface_cli.geometry.types import Photo
from symface_cli.methods.network import OURS
from symface_cli.methods.provider import Method
from symface_cli.methods.registry import choose_methods
from symface_cli.pages import InlineImage, inline_image
from symface_cli.recognition.registry import find_recognizer
from symface_cli.rendering.options import Output

PICTURE_SIDE = 160  # px, the longer one
MOST_CASES = 3  # photos of a kind


@dataclass(frozen=True, kw_only=True)
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
class PhotoCase:
    """A photo, and what each method made of it."""

    title: str
    pictures: tuple[Panel, ...]


@dataclass(frozen=True)
class Sheet:
    """Cases of a kind."""

    title: str
    cases: tuple[PhotoCase, ...]


@dataclass(frozen=True)
class Ranking:
    """What photos are chosen by: a recognizer's distances to a method's results; `threshold` is its published one."""

    method: str
    recognizer: str
    threshold: float


def choose_ranking(plan: EvaluationPlan) -> Ranking:
    """Choose the first recognizer and `vae`, or else the first method."""
    recognizer = plan.recognizers[0]
    method = OURS.name if OURS.name in plan.methods else plan.methods[0]
    return Ranking(method, recognizer, find_recognizer(recognizer).thresholds[0])


def draw_sheets(report: EvaluationReport, ranking: Ranking) -> list[Sheet]:
    """Draw again the best, median, worst and missed photos under each condition.

    Under conditions and of outputs after the first, one photo of a kind is shown. Of a photo that cannot be read any
    more, there are no pictures.

    Raises:
        SymfaceError: If a model cannot be loaded.
    """
    evaluator = Evaluator(report.plan)
    tables = [table for table in report.tables if table.recognizer == ranking.recognizer]
    sheets = []
    for table in tables:
        whole = ", whole photos" if table.output is Output.PHOTO else ""
        hidden = whole if table.condition == NO_OCCLUDER else f"{whole}, occluder: {table.condition}"
        most = MOST_CASES if table is tables[0] else 1
        for kind, places in choose_cases(table.distances[ranking.method], most).items():
            cases = tuple(_draw_case(report, table, place, evaluator) for place in places)
            sheets.append(Sheet(kind + hidden, cases))
    return sheets


def choose_cases(distances: Sequence[float], most: int) -> dict[str, list[int]]:
    """Choose the places of photos to show, by kind: at most so many of each, no photo twice, no kind without photos.

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


def _draw_case(report: EvaluationReport, table: ScoreTable, place: int, evaluator: Evaluator) -> PhotoCase:
    result = report.results[place]
    try:
        photo, images = evaluator.render(result, table.condition, table.output)
    except UNREADABLE:
        photo, images = None, {}
    panels = [Panel(name="photo", image=_inline(photo))]
    for method in sorted(choose_methods(report.plan.methods), key=_panel_order):
        verdict, failed = _judge(result, table, place, method.name)
        image = _inline(images.get(method.name))
        panels.append(Panel(name=method.title, method=method.name, image=image, verdict=verdict, failed=failed))
    path = result.photo.path
    return PhotoCase(on_one_line(f"{path.parent.name}/{path.name}"), tuple(panels))


def _panel_order(method: Method) -> tuple[bool, bool]:
    """Sort as the paper's Figure 4 does, the symmetric face after the face only; methods that are not there follow."""
    return not method.title, method.name == OURS.name


def _inline(photo: Photo | None) -> InlineImage | None:
    return None if photo is None else inline_image(photo, PICTURE_SIDE)


def _judge(result: PhotoResult, table: ScoreTable, place: int, method: str) -> tuple[str, bool]:
    """Say what the recognizer says of a method's result, and whether it does not recognize the person."""
    distance = table.distances[method][place]
    if isfinite(distance):
        failed = not distance < find_recognizer(table.recognizer).thresholds[0]
        return f"{distance:.2f}" + (", not recognized" if failed else ""), failed
    if not result.attempts[Key(table.condition, method, table.recognizer, table.output)].found:
        return "no face found", True
    if result.originals[table.recognizer] is None:
        return "no face seen in the photo", True
    return "no face seen in it", True

"""The evaluation says what it should of methods whose results are known, and its statistics are the published ones."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from symface_cli.cli import main
from symface_cli.errors import DataError, UsageError
from symface_cli.evaluation import methods, recognisers
from symface_cli.evaluation.methods import PROVIDERS, ProviderEntry, baselines, choose_methods
from symface_cli.evaluation.metrics import wilson_interval
from symface_cli.evaluation.protocol import Attempt, Examined, Plan, choose_photos, evaluate, mismatched_distances
from symface_cli.evaluation.recognisers import DlibRecogniser, centre_of
from symface_cli.evaluation.report import Report, as_dict, as_markdown, summarise, table_header, table_rows
from symface_cli.images import Photo, read_photo
from symface_cli.training.preparation import TrainingPhoto, split_of

EXAMPLES = Path(__file__).parent.parent / "examples"
DLIB_METHODS = ("dlib-left", "dlib-right", "dlib-average", "dlib-warp")


# Which photos


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Sixty people with two photos each, that are never opened."""
    for i in range(60):
        folder = tmp_path / "data" / f"Person_{i:02d}"
        folder.mkdir(parents=True)
        for j in (1, 2):
            (folder / f"{j}.jpg").touch()
    return tmp_path / "data"


def test_splits_share_no_person_and_lose_none(data: Path) -> None:
    persons = {
        split: {photo.identity for photo in choose_photos(data, split)} for split in ("test", "validation", "train")
    }
    assert {name for names in persons.values() for name in names} == {f"Person_{i:02d}" for i in range(60)}
    assert sum(map(len, persons.values())) == 60
    assert all(split_of(name) == split for split, names in persons.items() for name in names)
    assert len(choose_photos(data, "all")) == 120


def test_limit_takes_evenly_spaced_photos_and_always_the_same(data: Path) -> None:
    everything = choose_photos(data, "all")
    assert choose_photos(data, "all", 4) == [everything[i] for i in (0, 30, 60, 90)]
    assert choose_photos(data, "all", 7) == choose_photos(data, "all", 7)
    assert choose_photos(data, "all", 1000) == everything


def test_split_without_photos_is_a_data_error(tmp_path: Path) -> None:
    name = next(f"Person_{i}" for i in range(100) if split_of(f"Person_{i}") == "train")
    (tmp_path / f"{name}.jpg").touch()
    assert len(choose_photos(tmp_path, "train")) == 1
    with pytest.raises(DataError, match="--split all"):
        choose_photos(tmp_path, "test")


@pytest.mark.parametrize(("split", "limit"), [("tset", None), ("all", 0)])
def test_split_or_limit_that_means_nothing_is_a_usage_error(data: Path, split: str, limit: int | None) -> None:
    with pytest.raises(UsageError):
        choose_photos(data, split, limit)


# Registries


def test_baselines_are_a_providers_methods() -> None:
    assert baselines("dlib") == DLIB_METHODS
    assert set(DLIB_METHODS) <= set(baselines("all"))
    assert "vae" not in baselines("all")


def test_every_method_belongs_to_one_provider() -> None:
    names = methods.method_names()
    assert len(set(names)) == len(names)
    assert all(name in PROVIDERS[methods.provider_of(name)].methods for name in names)


def test_methods_asked_for_twice_run_once() -> None:
    assert choose_methods(["dlib-warp", "vae", "dlib-warp"]) == ("dlib-warp", "vae")


# Half-mirroring and averaging, by hand


def test_left_half_is_the_viewers() -> None:
    image = np.array([[1, 2, 3, 4]], np.uint8)
    assert methods.mirror_half(image, "left").tolist() == [[1, 2, 2, 1]]
    assert methods.mirror_half(image, "right").tolist() == [[4, 3, 3, 4]]


def test_average_does_not_overflow() -> None:
    assert methods.average(np.array([[255, 10, 20, 254]], np.uint8)).tolist() == [[255, 15, 15, 255]]


# dlib on a real face


@pytest.fixture(scope="session")
def portrait() -> Photo:
    return read_photo(EXAMPLES / "portrait.jpg")


@pytest.fixture(scope="session")
def recogniser() -> DlibRecogniser:
    pytest.importorskip("dlib")
    return DlibRecogniser()


@pytest.fixture(scope="session")
def drawings(portrait: Photo) -> Mapping[str, methods.Draw]:
    pytest.importorskip("dlib")
    found = PROVIDERS["dlib"].load(None).prepare(portrait)
    assert found is not None
    return found


@pytest.mark.parametrize("name", DLIB_METHODS)
def test_dlib_methods_keep_the_person_in_a_symmetric_image(
    name: str, drawings: Mapping[str, methods.Draw], portrait: Photo, recogniser: DlibRecogniser
) -> None:
    image = drawings[name]()
    assert image.dtype == np.uint8
    assert image.shape == (len(image), len(image), 3)
    assert np.array_equal(image, image[:, ::-1])
    original, result = recogniser.embed(portrait), recogniser.embed(image)
    assert original is not None and result is not None
    assert recogniser.distance(original, result) < recogniser.thresholds[0]


def test_provider_without_a_face_has_nothing_to_draw() -> None:
    pytest.importorskip("dlib")
    assert PROVIDERS["dlib"].load(None).prepare(np.full((120, 120, 3), 128, np.uint8)) is None


def test_recogniser_sees_nobody_in_noise(recogniser: DlibRecogniser) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    assert recogniser.embed(noise) is None


def test_recogniser_takes_the_face_nearest_to_the_point(recogniser: DlibRecogniser) -> None:
    pair = read_photo(EXAMPLES / "pair.jpg")
    height, width = pair.shape[:2]
    left, right = (recogniser.embed(pair, np.array([x, height / 2])) for x in (width / 4, 3 * width / 4))
    alone = recogniser.embed(np.ascontiguousarray(pair[:, : width // 2]))
    assert left is not None and right is not None and alone is not None
    assert recogniser.distance(left, alone) < 0.2 < recogniser.distance(right, alone)


# The protocol, with methods and a recogniser whose answers are known


class BrightnessRecogniser:
    """Knows people by how bright their photos are; sees nobody in black ones."""

    thresholds = (0.6, 0.5, 0.4)

    def embed(self, photo: Photo, point: object = None) -> recognisers.Embedding | None:
        return np.array([photo.mean()]) if photo.any() else None

    @staticmethod
    def distance(a: recognisers.Embedding, b: recognisers.Embedding) -> float:
        return float(abs(a - b)[0])


class KnownMethods:
    """`vae` changes nothing, `noise` knows nothing of the photo, in `black` nobody is seen."""

    def prepare(self, photo: Photo) -> Mapping[str, methods.Draw] | None:
        noise = np.random.default_rng(int(photo.mean())).integers(0, 256, photo.shape, dtype=np.uint8)
        return {"vae": lambda: photo, "noise": lambda: noise, "black": lambda: 0 * photo}


class Blind:
    """Changes nothing, and finds no face in bright photos."""

    def prepare(self, photo: Photo) -> Mapping[str, methods.Draw] | None:
        return {"blind": lambda: photo} if photo.mean() < 100 else None


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Plan:
    monkeypatch.setitem(recognisers.RECOGNISERS, "brightness", BrightnessRecogniser)
    monkeypatch.setitem(PROVIDERS, "vae", ProviderEntry(("vae", "noise", "black"), lambda weights: KnownMethods()))
    monkeypatch.setitem(PROVIDERS, "blind", ProviderEntry(("blind",), lambda weights: Blind()))
    return Plan(("vae", "noise", "black", "blind"), "brightness", jobs=1)


@pytest.fixture
def people(tmp_path: Path) -> list[TrainingPhoto]:
    """Four persons, two photos each, all grey, of four brightnesses; noise is 127.5 on average."""
    photos = []
    for brightness in (25, 50, 75, 105):
        for i in range(2):
            path = tmp_path / "people" / str(brightness) / f"{i}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (16, 16), (brightness,) * 3).save(path)
            photos.append(TrainingPhoto(path, str(brightness)))
    return photos


@pytest.fixture
def report(known: Plan, people: list[TrainingPhoto]) -> Report:
    return summarise(known, list(evaluate(people, known, lambda done, total: None)))


def test_unchanged_photos_are_all_recognised(report: Report) -> None:
    unchanged = report.scores[0]
    assert [recognised.share for recognised in unchanged.recognised] == [1, 1, 1]
    assert (unchanged.missed.total, unchanged.mirror_error, unchanged.mcnemar_p) == (0, 0, None)


def test_noise_is_never_recognised(report: Report) -> None:
    noise = report.scores[1]
    assert [recognised.count for recognised in noise.recognised] == [0, 0, 0]
    assert noise.missed.total == 0
    assert noise.mirror_error is not None and noise.mirror_error > 100
    assert noise.mcnemar_p == 2 / 2**8  # `vae` alone succeeds, eight times


def test_missed_faces_are_not_recognised_and_counted_by_reason(report: Report) -> None:
    black, blind = report.scores[2:]
    assert [recognised.count for recognised in black.recognised] == [0, 0, 0]
    assert (black.missed.by_method, black.missed.in_photo, black.missed.in_result) == (0, 0, 8)
    assert [recognised.count for recognised in blind.recognised] == [6, 6, 6]  # finds three of four persons
    assert (blind.missed.by_method, blind.missed.in_photo, blind.missed.in_result) == (2, 0, 0)


def test_photo_in_which_the_recogniser_sees_nobody_counts(known: Plan, people: list[TrainingPhoto]) -> None:
    Image.new("RGB", (16, 16)).save(people[0].path)
    report = summarise(known, list(evaluate(people, known, lambda done, total: None)))
    assert report.scores[0].missed.in_photo == 1
    assert report.scores[0].recognised[0].share == 7 / 8


def test_no_one_passes_for_another_of_another_brightness(report: Report) -> None:
    assert [recognised.false_accepts for recognised in report.scores[0].recognised] == [0, 0, 0]


def test_shuffled_identities_drop_to_the_false_accept_rate() -> None:
    # Six people at known places on a line; each is compared with the next: distances 0.45, 0.55, 2, 0.1, 5, 8.1.
    places = [0.0, 0.45, 1.0, 3.0, 3.1, 8.1]
    examined = [
        Examined(TrainingPhoto(Path(f"{i}.jpg"), f"{i}"), np.array([x]), {"vae": Attempt(True, np.array([x]), 0, 0.1)})
        for i, x in enumerate(places)
    ]
    found = mismatched_distances("vae", examined, BrightnessRecogniser)
    assert found == pytest.approx([0.45, 0.55, 2, 0.1, 5, 8.1])
    shifted = [
        Examined(photo.photo, following.original, photo.attempts)
        for photo, following in zip(examined, [*examined[1:], examined[0]], strict=True)
    ]
    plan = Plan(("vae",), "shuffled")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(recognisers.RECOGNISERS, "shuffled", BrightnessRecogniser)
        honest, shuffled = summarise(plan, examined).scores[0], summarise(plan, shifted).scores[0]
    assert [r.false_accepts for r in honest.recognised] == [3 / 6, 2 / 6, 1 / 6]
    assert [r.share for r in honest.recognised] == [1, 1, 1]
    assert [r.share for r in shuffled.recognised] == [3 / 6, 2 / 6, 1 / 6]


def test_mismatched_pairs_never_show_the_same_person(known: Plan, people: list[TrainingPhoto]) -> None:
    one_person = summarise(known, list(evaluate(people[:2], known, lambda done, total: None)))
    assert one_person.scores[0].recognised[0].false_accepts is None


def test_progress_counts_every_photo(known: Plan, people: list[TrainingPhoto]) -> None:
    seen: list[tuple[int, int]] = []
    list(evaluate(people, known, lambda done, total: seen.append((done, total))))
    assert seen == [(i, 8) for i in range(1, 9)]


def test_unreadable_photo_is_reported_and_counts_nowhere(known: Plan, people: list[TrainingPhoto]) -> None:
    people[0].path.write_bytes(b"no picture")
    report = summarise(known, list(evaluate(people, known, lambda done, total: None)))
    assert len(report.unreadable) == 1 and str(people[0].path) in report.unreadable[0]
    assert report.scores[0].recognised[0].count == len(report.examined) == 7


def test_table_markdown_and_json_tell_the_same(report: Report) -> None:
    rows = table_rows(report)
    assert all(len(row) == len(table_header(report)) for row in rows)
    low = wilson_interval(8, 8)[0]
    assert rows[0][:2] == ["vae", f"1.000 ({low:.3f}-1.000)"]
    lines = as_markdown(report).splitlines()
    assert [line.split(" | ")[0] for line in lines[2:6]] == ["| vae", "| noise", "| black", "| blind"]
    assert "8 photos of 4 persons" in lines[-1]
    loaded = json.loads(json.dumps(as_dict(report), allow_nan=False))
    assert [score["method"] for score in loaded["scores"]] == ["vae", "noise", "black", "blind"]
    assert loaded["photos"][0]["distances"]["vae"] == 0
    assert loaded["photos"][0]["distances"]["black"] is None


# The command


@pytest.fixture
def portraits(tmp_path: Path) -> Iterator[Path]:
    """Two persons: the portrait and the pair's right half, smaller, so that dlib is quick."""
    pytest.importorskip("dlib")
    pair = Image.open(EXAMPLES / "pair.jpg")
    for name, image in (("A", Image.open(EXAMPLES / "portrait.jpg")), ("B", pair.crop((620, 0, 1235, 675)))):
        folder = tmp_path / "photos" / name
        folder.mkdir(parents=True)
        image.resize((300, 300)).save(folder / "1.png")
    yield tmp_path / "photos"


def test_command_writes_table_json_and_markdown(portraits: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = portraits.parent
    status = main(
        f"evaluate {portraits} --split all --method dlib-left --baseline dlib --jobs 2".split()
        + f"--json {folder / 'out.json'} --markdown {folder / 'out.md'}".split()
    )
    captured = capsys.readouterr()
    assert status == 0
    assert all(name in captured.out for name in DLIB_METHODS)
    assert len({len(line) for line in captured.out.splitlines()}) == 1  # one line per row, nothing folded
    assert "2 photos of 2 persons" in captured.err
    scores = json.loads((folder / "out.json").read_text())["scores"]
    assert [score["method"] for score in scores] == list(DLIB_METHODS)
    assert all(score["mirror_error"] == 0 for score in scores)
    assert (folder / "out.md").read_text().startswith("| method |")


@pytest.mark.parametrize(
    ("option", "choices"),
    [
        ("--method", "vae, vae-decode, dlib-left"),
        ("--baseline", "dlib, sdm, clm, clnf, all"),
        ("--recognizer", "dlib"),
        ("--split", "test, validation, train, all"),
    ],
)
def test_unknown_name_exits_2_and_names_the_choices(
    option: str, choices: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(tmp_path), option, "nonsense"]) == 2
    message = capsys.readouterr().err
    assert choices in message and "nonsense" in message and message.count("\n") == 1


def test_folder_without_photos_exits_6(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(tmp_path)]) == 6
    assert "no photos" in capsys.readouterr().err


def test_centre_of_a_photo_lies_between_its_pixels() -> None:
    assert centre_of(np.zeros((3, 4, 3), np.uint8)).tolist() == [1.5, 1.0]

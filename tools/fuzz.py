"""Try random combinations of commands, options, odd inputs and odd names.

    python tools/fuzz.py [--runs 1000] [--seed 0] [--only 17]

Each run has a fresh copy of a small tree: photos of many kinds, files that only look like some, a data set, files that
must be kept. A run passes if the exit status is one of those that the documentation lists, but not that of a bug; if
every failure says why in lines that begin with the program's name; if no file is changed that was not asked for, and no
input ever; if nothing half-written stays behind; and if the paths that it prints are there. The same seed gives the
same runs. Options are taken from the commands themselves, so that new ones take part.
"""

import argparse
import contextlib
import io
import os
import re
import shlex
import shutil
import signal
import stat
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
import typer.main
from PIL import Image
from typer.core import TyperGroup, TyperOption

from symface_cli.cli.app import app, main
from symface_cli.data.datasets import split_of
from symface_cli.errors import ExitStatus
from symface_cli.files import PHOTO_SUFFIXES
from symface_cli.inference import symmetrizer

EXAMPLES = Path(__file__).parent.parent / "examples"
STATUSES = set(ExitStatus) - {ExitStatus.BUG, ExitStatus.INTERRUPTED}
LIMIT = 120  # seconds; a run of this size takes a few
RESULT = re.compile(r"\.(symmetric|asymmetry)(-[a-z0-9-]+)?\.\w+$")
COMMANDS = {"symmetrize": 60, "measure": 18, "asymmetry": 2, "label": 6, "evaluate": 8, "train": 3, "doctor": 3}
"""How often each command is tried, in per cent."""

SENSIBLE = 0.9  # share of options whose value makes sense, at least by itself
NUMBERS = ("0", "1", "-1", "2", "0.5", "1e9", "nan", "inf", "-0", "x", "", "1,5")
OUTPUTS = ("new", "new/", "new/deep/x.csv", "new.png", "new.jpg", "kept.txt", "kept.csv", "kept", "photos", "-", "")
FILES = (*OUTPUTS, "photos/face.png", "photos/../photos/face.png", "link.png", "/dev/full", "/proc/no/x", "n" * 255)
WRITTEN = ("out", "json", "csv", "report", "manifest", "markdown", "review", "run")
"""Options that name what is written, without their dashes."""

VALUES: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
    "output": (("photo", "face", "crop"), ("faces",)),
    "continuum": (("0:1:0.5", "-1:2:1.5"), ("0:1:0", "1:0:1", "0:1", "0:1:1e-9")),
    "size": (("16", "64"), ("15", "4097", "64.5")),
    "background": (("keep", "transparent", "white", "#12f"), ("#nothing", "reddish")),
    "shape": (("0", "1", "-1", "2", "0.5"), NUMBERS),
    "color": (("0", "1", "-1", "2", "0.5"), NUMBERS),
    "side": (("both", "left", "right"), ("middle",)),
    "pose": (("keep", "front"), ("turn",)),
    "faces": (("all", "largest", "1", "2"), ("99", "0", "-1", "some")),
    "min-face": (("16", "40", "80"), ("5000", "15", "nan")),
    "box": (("60,60,90,90", "-5,-5,150,150"), ("9000,9000,80,80", "0,0,0,0", "nan,1,2,3", "1,2,3", "1e30,0,1e30,9")),
    "eyes": (("80,90,120,90",), ("120,90,80,90", "5,5,5,5", "9000,9000,9040,9000", "nan,1,2,3", "1,2")),
    "method": (("vae", "vae-left", "vae-decode"), ("identity", "dlib-average", "dlib-warp", "sdm-left", "nothing")),
    "baseline": (("dlib",), ("all", "nothing")),
    "recognizer": (("dlib",), ("embedding", "nothing")),
    "occluder": (("none", "mask"), ("scarf", "nothing")),
    "weights": ((), ("kept.txt", "photos", "absent.safetensors", "photos/empty.jpg")),
    "device": (("auto", "cpu"), ("cuda", "cuda:9", "mps", "tpu")),
    "model-dir": (("kept", "photos"), ("absent", "kept.txt")),
    "jobs": (("0", "1", "2"), ("-1", "x")),
    "split": (("test", "validation", "all"), ("some",)),
    "limit": (("1", "2"), ("0", "-3")),
    "stage": (("1", "2", "3"), ("0", "4")),
    "labels": (("labels.csv",), ("kept.csv", "photos/face.png", "absent.csv")),
    "teacher": (("dlib",), ("blend", "me")),
    "init": ((), ("kept.txt", "absent.safetensors")),
    "epochs": (("1",), ("0",)),
    "batch-size": (("2",), ("1",)),
    "lr": (("1e-4",), ("0", "2", "nan")),
    "session": ((), ("kept.csv", "points.csv", "photos", "absent.csv")),
    "people": ((), ("kept.csv", "absent.csv", "points.csv")),
    "mirror": ((), ("kept.csv", "photos", "points.csv")),
    "permutations": (("1", "20"), ("0", "-1", "x")),
    "seed": (("0", "7"), ("-1", "x")),
    "arch": (("paper",), ("symface", "other")),
}
"""Values of options: sensible ones, and others."""

PLACES: Mapping[str, Sequence[Sequence[str]]] = {
    "symmetrize": (
        ("-o", "new/"),
        ("-o", "new", "--output", "face"),
        ("-o", "kept/", "--force"),
        ("--manifest", "new"),
    ),
    "measure": (("--csv", "new.csv"), ("--heatmap", "-o", "new/"), ("--csv", "kept.csv", "--force"), ("--json", "new")),
}
"""Where results go, which many other options need."""

PHOTOS = ("photos", "photos/face.png", "photos/pair.jpg", "photos/none.png", "photos/broken.jpg", "photos/empty.jpg")
NAMED = (*PHOTOS, "photos/*.png", "photos/[odd].png", "link.png", "loop", "absent.jpg", "kept.txt", "y" * 300, "", "-")
DATA = ("people", "people", "people", "photos", "photos/face.png", "kept.txt", "absent", "new", "loop")
MEASURED = ("points.csv", "points.csv", "points.csv", "kept.csv", "people", "absent", "photos/face.png")
ODD_NAMES = (
    *(b"caf\xe9.png", b"a:man:1.png", b"tab\tname.png", b"first\nsecond.png", b"\xff\xfe.png", b"[odd].png"),
    *(b" space.png", b"-o.png", b"100%.png", b"#tag?.png", b"'quote\".png", b"n" * 245 + b".png"),
    "e\u0301\u202e.png".encode(),
)


@dataclass(frozen=True)
class State:
    """A file as it is: its kind and mode, and what is in it."""

    mode: int
    content: bytes


@dataclass(frozen=True)
class Finished:
    """What a run left behind."""

    status: int
    out: str
    err: str
    before: Mapping[str, State]
    after: Mapping[str, State]


@cache
def portrait(side: int, orientation: int = 1) -> bytes:
    """Encode the example portrait as a small PNG."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    stream = io.BytesIO()
    with Image.open(EXAMPLES / "portrait.jpg") as image:
        image.resize((side, side)).save(stream, "PNG", exif=exif)
    return stream.getvalue()


def make_tree(root: Path) -> None:
    """Fill a folder with photos, a data set, and files that must be kept."""
    photos = root / "photos"
    (photos / "below" / "@eaDir").mkdir(parents=True)
    face = portrait(200)
    for name in (b"face.png", *ODD_NAMES, b"below/face.png", b"below/@eaDir/thumb.png", b".hidden.png"):
        Path(os.fsdecode(bytes(photos) + b"/" + name)).write_bytes(face)
    (photos / "turned.png").write_bytes(portrait(200, 6))
    with Image.open(EXAMPLES / "pair.jpg") as image:
        image.reduce(4).save(photos / "pair.jpg")
    with Image.open(io.BytesIO(face)) as image:
        transparent = image.convert("RGBA")
        transparent.putalpha(Image.linear_gradient("L").resize(image.size))
        transparent.save(photos / "transparent.webp")
        image.convert("CMYK").save(photos / "print.tif")
        Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257).save(photos / "deep.png")
    Image.new("RGB", (120, 90), "gray").save(photos / "none.png")
    Image.new("RGB", (1, 1)).save(photos / "one.png")
    (photos / "broken.jpg").write_bytes((EXAMPLES / "portrait.jpg").read_bytes()[:5000])
    (photos / "empty.jpg").touch()
    (photos / "text.jpg").write_text("no picture")
    (photos / "face.symmetric.png").write_bytes(portrait(64))
    os.mkfifo(photos / "pipe.jpg")
    (photos / "gone.jpg").symlink_to("absent")
    (photos / "loop").symlink_to("..")
    make_people(root / "people")
    lines = [f"{photo},nose_{side},{x},{ord(photo)}" for photo in "abc" for side, x in (("left", 9), ("right", 1))]
    lines += [f"{photo},chin,{ord(photo) % 7},200" for photo in "abc"]
    (root / "points.csv").write_text("\n".join(["photo,point,x,y", *lines]))
    (root / "loop").symlink_to("photos")
    (root / "link.png").symlink_to("photos/face.png")
    (root / "kept").mkdir()
    for name in ("kept.txt", "kept.csv", "kept/manifest.jsonl", "kept/face.symmetric.png"):
        (root / name).write_text("to be kept\n")
    (root / "kept.txt").chmod(0o640)


def make_people(folder: Path) -> None:
    """Make a data set of two persons for each split, of two photos each, and a broken one."""
    wanted = {"train": 2, "validation": 2, "test": 2}
    for name in (f"person{number}" for number in range(60)):
        if wanted[split_of(name)]:
            wanted[split_of(name)] -= 1
            (folder / name).mkdir(parents=True)
            for photo in ("1.png", "2.png"):
                (folder / name / photo).write_bytes(portrait(160 if photo == "1.png" else 180))
    (folder / name).mkdir(exist_ok=True)
    (folder / name / "broken.png").write_bytes(portrait(160)[:3000])


@cache
def options_of(command: str) -> list[TyperOption]:
    """List the options of a command."""
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    return [option for option in group.commands[command].params if isinstance(option, TyperOption)]


def _name(option: TyperOption) -> str:
    return max(option.opts, key=len).lstrip("-")


def choose_arguments(random: Random) -> list[str]:
    """Choose a command, what it works on, and up to five options."""
    command = random.choices(list(COMMANDS), list(COMMANDS.values()))[0]
    arguments = []
    if command in ("symmetrize", "measure"):
        arguments += [random.choice(random.choice((PHOTOS, NAMED))) for _ in range(random.choice((1, 1, 1, 2, 3)))]
        arguments += random.choice(((), *PLACES[command]))
    elif command == "asymmetry":
        arguments.append(random.choice(MEASURED))
    elif command != "doctor" and random.random() < 0.95:
        arguments.append(random.choice(DATA))
    options = options_of(command)
    chosen = random.sample(options, min(random.randrange(6), len(options)))
    if command == "train" and random.random() < 0.9:
        chosen += [option for option in options if option.name in ("stage", "epochs", "batch_size", "run")]
    for option in chosen:
        arguments[random.randrange(len(arguments) + 1) :] += write_option(option, random)
    return [command, *arguments]


def write_option(option: TyperOption, random: Random) -> list[str]:
    """Write an option with a value, if it takes one."""
    flag = random.choice([*option.opts, *option.secondary_opts])
    if option.is_bool_flag or option.is_flag:
        return [flag]
    name = _name(option)
    sensible, odd = VALUES.get(name, (FILES, () if name in WRITTEN else NUMBERS))
    return [flag, random.choice(sensible if sensible and random.random() < SENSIBLE else (*sensible, *odd))]


def take_stock(root: Path) -> dict[str, State]:
    """Read every file below a folder; links are not followed."""
    found = {}
    for parent, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = Path(parent, name)
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                found[str(path)] = State(mode, os.fsencode(path.readlink()))
            else:
                found[str(path)] = State(mode, path.read_bytes() if stat.S_ISREG(mode) else b"")
    return found


def run_command(arguments: Sequence[str], root: Path) -> Finished:
    """Run the command line in this process, in a fresh tree."""
    make_tree(root)
    before = take_stock(root)
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", "surrogateescape", write_through=True) for _ in range(2))
    sys.stdin = io.TextIOWrapper(io.BytesIO(portrait(200)))
    os.chdir(root)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), _limit(LIMIT):
        status = main(arguments)
    printed, told = (stream.buffer.getvalue().decode("utf-8", "surrogateescape") for stream in (out, err))  # type: ignore[attr-defined]
    return Finished(status, printed, told, before, take_stock(root))


@contextlib.contextmanager
def _limit(seconds: int) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TimeoutError(f"not done after {seconds} s")

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


def faults_of(arguments: Sequence[str], root: Path, run: Finished) -> Iterator[str]:
    """Yield what a run must not do, one line each."""
    if run.status not in STATUSES:
        yield f"exit status {run.status}"
    if "Traceback (most recent call last)" in run.err + run.out:
        yield "a traceback"
    if run.status != ExitStatus.OK and "symface: " not in run.err and arguments[0] != "doctor":
        yield "no word about the failure"
    yield from _changed(arguments, root, run)
    yield from _added(arguments, root, run)
    if arguments[0] == "symmetrize" and not {"-", "-0", "--print0"} & set(arguments):
        for line in run.out.splitlines():
            if not line.endswith("first") and "second." not in line and not os.path.lexists(root / line):
                yield f"{line!r} is printed, but not there"


def _changed(arguments: Sequence[str], root: Path, run: Finished) -> Iterator[str]:
    """Yield the files that are no longer as they were; only --force may change some, and never an input."""
    for path, state in run.before.items():
        now = run.after.get(path)
        if now is None:
            yield f"{path!r} is gone"
        elif now.mode != state.mode:
            yield f"{path!r} has the mode {now.mode:o} instead of {state.mode:o}"
        elif now.content != state.content:
            is_read = Path(path).suffix in PHOTO_SUFFIXES and any(
                Path(path).is_relative_to(place) for place in _places(_read(arguments), root)
            )
            if "--force" not in arguments or (is_read and not RESULT.search(path)):
                yield f"{path!r} is changed"
            elif not RESULT.search(path) and not _is_named(Path(path), arguments, root):
                yield f"{path!r} is changed, and was not named"


def _added(arguments: Sequence[str], root: Path, run: Finished) -> Iterator[str]:
    """Yield the new files that nobody asked for."""
    for path in run.after.keys() - run.before.keys():
        if ".symface-" in path or path.endswith(".lock"):
            yield f"{path!r} is left behind"
        elif not RESULT.search(path) and not _is_named(Path(path), arguments, root):
            yield f"{path!r} is new, and was not asked for"


def _read(arguments: Sequence[str]) -> list[str]:
    """Return the arguments that do not name what is written."""
    flags = {flag for option in options_of(arguments[0]) if _name(option) in WRITTEN for flag in option.opts}
    return [argument for before, argument in pairwise(arguments) if before not in flags]


def _is_named(path: Path, arguments: Sequence[str], root: Path) -> bool:
    """Tell whether an argument names a path, a folder above or below it, or the first of a sequence that it is of.

    Some commands have places where they write unasked, too.
    """
    unasked = {"label": ("labels.csv",), "train": ("runs",), "evaluate": ("runs",)}.get(arguments[0], ())
    places = _places((*arguments[1:], *unasked), root)
    is_numbered = any(path.parent == place.parent and path.name.startswith(f"{place.stem}-") for place in places)
    return is_numbered or any(path.is_relative_to(place) or place.is_relative_to(path) for place in places)


def _places(names: Sequence[str], root: Path) -> list[Path]:
    """Return the real paths of names; an empty one is the working folder."""
    return [Path(os.path.realpath(root / name)) for name in names if len(name) < 256]


def try_once(seed: int, number: int, folder: Path) -> tuple[list[str], list[str], Finished | None]:
    """Run one combination; return its arguments, its faults, and what it left behind."""
    arguments = choose_arguments(Random(f"{seed}:{number}"))
    root = folder / str(number)
    root.mkdir()
    try:
        run = run_command(arguments, root)
        return arguments, list(faults_of(arguments, root, run)), run
    except (Exception, SystemExit) as error:  # noqa: BLE001  # whatever gets out is what is looked for
        return arguments, [f"{type(error).__name__} got out: {error}"], None
    finally:
        os.chdir(folder)
        shutil.rmtree(root, ignore_errors=True)


def try_all(seed: int, numbers: Sequence[int]) -> int:
    """Run combinations, print those with faults, and return how many there are."""
    symmetrizer.load_engine = cache(symmetrizer.load_engine)  # type: ignore[assignment]  # once, not once a run
    faulty, statuses = 0, Counter[str]()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        folder = Path(os.path.realpath(name))
        os.environ |= {"SYMFACE_OFFLINE": "1", "SYMFACE_HOME": str(folder / "home"), "HOME": str(folder)}
        for number in numbers:
            arguments, faults, run = try_once(seed, number, folder)
            faulty += bool(faults)
            statuses["none" if run is None else str(run.status)] += 1
            if faults or len(numbers) == 1:
                print(f"{number}: symface {shlex.join(arguments)!r}\n  " + "\n  ".join(faults), flush=True)
                if run is not None:
                    print(f"  status {run.status}\n  " + "\n  ".join(run.err.splitlines()[-4:]), flush=True)
    print("exit statuses:", ", ".join(f"{status} ({count})" for status, count in sorted(statuses.items())))
    return faulty


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, help="the number of the one run to repeat")
    given = parser.parse_args()
    numbers = range(given.runs) if given.only is None else [given.only]
    count = try_all(given.seed, numbers)
    print(f"{count} of {len(numbers)} runs at fault")
    sys.exit(min(count, 1))

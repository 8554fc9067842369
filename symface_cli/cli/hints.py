"""What the library suggests, in the command line's words: its options."""

from symface_cli.errors import Hint, SymfaceError

_WORDS: dict[Hint, str] = {
    Hint.ALL_FACES: "; try --faces all",
    Hint.ALL_SPLITS: "; try --split all",
    Hint.CORRECT_LABELS: ", or --labels with corrections",
    Hint.FACE_ALONE: "; use --output face alone",
    Hint.FEWER_JOBS: "; try fewer --jobs",
    Hint.FIRST_WEIGHTS: ", or give --init WEIGHTS",
    Hint.GIVE_LABELS: ", and give it with --labels",
    Hint.LARGEST_FACE: "; try --faces largest",
    Hint.LOG_NOTHING: ", or leave out --tensorboard",
    Hint.MAKE_LABELS: "; make it with symface label DATA --out FILE",
    Hint.MARK_FACE: ", or mark it with --eyes",
    Hint.MODEL_FOLDER: " or --model-dir",
    Hint.NAME_OUTPUT: "; name the file with -o FILE",
    Hint.OTHER_MANIFEST: "; give another with --manifest",
    Hint.OTHER_RUN: ", or choose another --run",
    Hint.OVERWRITE: "; use --force to overwrite it",
    Hint.REPORT: "; please report it, with what --debug shows",
    Hint.RESUME_OR_OVERWRITE: "; use --resume to go on with it, --force to lose it, or another --run",
    Hint.RESUME: "; use --resume, or another --run",
    Hint.START_ANEW: "; start without --resume",
    Hint.TRAIN_ON: ", or train on from best.safetensors beside it: with --init, in another --run, without --resume",
    Hint.USE_CPU: "; try --device cpu",
}


def with_hint(message: str, hint: Hint | None) -> str:
    """Return a message, and how to do with options what its hint means."""
    return message if hint is None else message + _WORDS[hint]


def explain(error: SymfaceError) -> str:
    """Return an error's message with its hint."""
    return with_hint(str(error), error.hint)

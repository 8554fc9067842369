"""Every recognizer by name; a new one is a module of its own and one entry here."""

from symface_cli.errors import UsageError
from symface_cli.recognition.dlib import DlibRecognizer
from symface_cli.recognition.openface import OpenFaceRecognizer
from symface_cli.recognition.recognizer import Recognizer
from symface_cli.recognition.sface import SFaceRecognizer

RECOGNIZERS: dict[str, type[Recognizer]] = {
    "dlib": DlibRecognizer,
    "openface": OpenFaceRecognizer,
    "sface": SFaceRecognizer,
}


def find_recognizer(name: str) -> type[Recognizer]:
    """Find a recognizer by its name; nothing is loaded yet.

    Raises:
        UsageError: If there is none.
    """
    if name not in RECOGNIZERS:
        raise UsageError(f"unknown recognizer {name}; choose from {', '.join(RECOGNIZERS)}")
    return RECOGNIZERS[name]

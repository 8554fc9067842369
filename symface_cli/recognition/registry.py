"""Every recognizer by name."""

from symface_cli.errors import UsageError
from symface_cli.recognition.dlib import DlibRecogniser
from symface_cli.recognition.openface import OpenFaceRecogniser
from symface_cli.recognition.recognizer import Recogniser

RECOGNISERS: dict[str, type[Recogniser]] = {"dlib": DlibRecogniser, "openface": OpenFaceRecogniser}


def find_recogniser(name: str) -> type[Recogniser]:
    """The recogniser of that name; nothing is loaded yet.

    Raises:
        UsageError: If there is none.
    """
    if name not in RECOGNISERS:
        raise UsageError(f"unknown recogniser {name}; choose from {', '.join(RECOGNISERS)}")
    return RECOGNISERS[name]

"""The two streams: results on stdout, everything else on stderr."""

from rich.console import Console

out = Console(soft_wrap=True, highlight=False, markup=False)
err = Console(stderr=True, highlight=False, markup=False)


def print_error(message: str) -> None:
    """One line on stderr, whatever the terminal's width and the message's content."""
    err.print("symface: " + " ".join(message.split()), soft_wrap=True)

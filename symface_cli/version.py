"""The version of the package, of which pyproject.toml takes its own."""

__version__ = "0.2.0"

"""One photo to its output files."""

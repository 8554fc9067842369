"""The Python API: what the commands do, for files and for pictures in memory."""

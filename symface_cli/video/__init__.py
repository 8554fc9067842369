"""Film files: read frame by frame, and written."""

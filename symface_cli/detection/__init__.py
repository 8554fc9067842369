"""Find faces in photos."""

"""Faces found in photos."""

"""Asymmetry over time: what is measured in each frame, rest and movements."""

"""Asymmetry over time: what is measured in each frame, movements, and how that is written and drawn."""

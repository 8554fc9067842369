"""Frames, warps and sampling, on numpy arrays."""

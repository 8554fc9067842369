"""Render one photo's output files."""

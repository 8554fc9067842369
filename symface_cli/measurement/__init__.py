"""How asymmetric a face is."""

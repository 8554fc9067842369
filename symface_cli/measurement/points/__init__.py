"""Points of a face: which they are, where they are, and files of them."""

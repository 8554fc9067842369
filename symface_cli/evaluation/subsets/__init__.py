"""Some of the photos of an evaluation: by how hard they are, and by groups that a file names."""

"""What runs have recorded of their parts of the photos, made one."""

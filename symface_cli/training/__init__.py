"""Training: data, augmentation, objectives, loop."""

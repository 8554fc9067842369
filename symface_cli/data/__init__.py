"""What others publish: model files, data sets."""

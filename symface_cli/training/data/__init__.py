"""Training data: labels, their review, batches; prepared photos."""

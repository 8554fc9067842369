"""Training data: labels, their review, prepared crops, batches."""

"""What a person sees of a training: loss curves, example sheets, TensorBoard."""

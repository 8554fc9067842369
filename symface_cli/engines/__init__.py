"""What computes the network: ONNX Runtime or torch."""

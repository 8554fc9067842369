"""What computes the network: OpenCV or torch."""

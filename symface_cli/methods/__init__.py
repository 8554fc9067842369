"""Ways to make a face symmetric, by name: the network's and those of landmark providers."""

"""Training photos made ready: crops, and what is learned from each of them."""

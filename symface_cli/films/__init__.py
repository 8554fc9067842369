"""Films: faces followed from frame to frame, and what is made of them."""

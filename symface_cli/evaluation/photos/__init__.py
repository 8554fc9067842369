"""What becomes of whole photos: how their faces are made, and what changes in them."""

"""Work that is shared out among runs: which photos are whose, and what a run says of its part."""

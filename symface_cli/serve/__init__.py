"""A page on one's own machine, and the same as an API: photos come in by HTTP, and never to a disk."""

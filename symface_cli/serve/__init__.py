"""An API on one's own machine: photos come in by HTTP and go out again, and never to a disk."""

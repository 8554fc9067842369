"""Several photos at a time: cores, processes, threads."""

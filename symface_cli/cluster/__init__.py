"""Many photos on a Ray cluster: which workers there are, what each of them does, what is left of a job that ended."""

"""Learning rules, one file each: which program of a training step is derived from a graph."""

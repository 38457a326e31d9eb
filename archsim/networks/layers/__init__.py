"""Kinds of layers, a file each: what a workload says of one, and the nodes that it adds to a graph."""

"""Runs: workloads, training on chips, run directories, comparison. One run is one directory."""

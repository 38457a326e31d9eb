"""Doing one run: workload, specification, training on chips, its directory and summary. One run is one directory."""

"""Counts what a training loop that is not archsim's own did, and prices it as a run; knows no framework itself."""

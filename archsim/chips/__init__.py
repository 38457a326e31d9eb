"""Buildable chips: architecture files, placement of layers on tiles, the training step, and the five verbs of each chip."""

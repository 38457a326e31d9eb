"""Buildable chips: architecture files, placement of layers on tiles, the training step, the verbs of each chip."""

"""Estimates: one training step and one inference of a network, priced without data, weights or training."""

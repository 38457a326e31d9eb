"""Optimisers between a gradient and the weights: what they remember of each weight, the step they make, its cost."""

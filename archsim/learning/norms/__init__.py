"""Normalisation: moments, what is made of them, and the adjoints."""

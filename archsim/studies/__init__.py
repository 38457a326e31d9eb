"""Doing many runs, or asking one run a question: sweeps, ablations, explanations, retention, validation."""

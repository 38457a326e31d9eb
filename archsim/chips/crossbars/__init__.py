"""Chips with crossbar tiles: what they have in common, and how each kind keeps, accumulates and writes its weights."""

"""Kinds of layers of sequences: recurrent ones, attention, and codes of characters."""

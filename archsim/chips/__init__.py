"""Buildable chips: what all share, the loop over the calls of a program, and estimates of a step without numbers.

The kinds have rooms of their own: `crossbars`, `digital`, `published`. `fitting` says where a network goes on a chip.
"""

"""The chip's components on a SimPy clock of whole picoseconds.

A component method takes its resource, computes through its leaf, holds a closed-form time and counts what it did. It
never calls another component and never sees a joule. Those that change weights are in `updating`, those of published
designs, which work on counts alone, in `published`.
"""

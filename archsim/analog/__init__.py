"""The analogue side of a tile: converters, and cells that pair devices into signed weights.

Computes products of real arrays through the device model. Knows neither events nor joules.
"""

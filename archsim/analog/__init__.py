"""The analogue side of a tile: cells that hold devices as signed weights, and what converters make of their products.

Computes products of real arrays through the device model. Knows neither events nor joules.
"""

"""What every package stands on: errors, units, files, random streams, the registry, signals and the chip's verbs.

Imports nothing else of archsim and knows neither devices, chips nor joules.
"""

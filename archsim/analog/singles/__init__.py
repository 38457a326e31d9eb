"""Devices by themselves, one or several a weight, pulsed in place by trains."""

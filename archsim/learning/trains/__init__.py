"""Outer products by coincidences of trains of pulses: which are drawn, and where they meet."""

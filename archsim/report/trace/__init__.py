"""The time line of a step: picture, Perfetto trace, VCD."""

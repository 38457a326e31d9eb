"""PyTorch programs: a reader, and what it makes of their nodes."""

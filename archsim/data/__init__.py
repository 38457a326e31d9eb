"""Data sets: found, read, checked and prepared; the order in which a training sees them."""

"""Components of published designs: they work on counts, how often and how long, and hold no values."""

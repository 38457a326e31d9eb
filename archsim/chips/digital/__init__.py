"""Digital chips: weights in on-chip memory beside multiply-accumulate units."""

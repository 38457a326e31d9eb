"""Components that change weights: they accumulate gradients, make steps of them, turn steps into pulses, and write."""

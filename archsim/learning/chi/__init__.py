"""The accumulator of gradients in front of pulses."""

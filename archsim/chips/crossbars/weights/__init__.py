"""How matrices in arrays learn: what stands between an outer product and the pulses of devices."""

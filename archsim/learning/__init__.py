"""Networks, arithmetic, the chi accumulator and data: what is learnt, on arrays. Knows neither events nor joules."""

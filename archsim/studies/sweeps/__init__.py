"""Sweeps: a grid of designs, of which no more is trained than decides the counts; the rest is priced and re-timed.

`values` and `space` say what the points are, `study` reads them from a file, `chips` what each point asks of each chip,
`plan` what has to be trained for that, `work` does it, `pricing` makes joules of it, `store` keeps it.
"""

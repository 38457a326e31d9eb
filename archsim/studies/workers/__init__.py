"""Where the work of a study runs: processes of this machine, Dask, Slurm, flux, or any executor of Python's.

`pool` opens a place, `finished` sends tasks there and yields what comes back, `parcel` makes of a run what needs no
file of this machine. What comes back is written by the study: workers need no file system that it sees.
"""

"""Reading one run back: its directory, how it was priced, priced or timed again, held against another, repeated."""

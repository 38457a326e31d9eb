"""Searches: designs that a sampler proposes, estimated first, and trained where that decides something.

`space` says what may be proposed, `goals` what is wanted, `asking` asks Optuna, `loop` asks and tells in batches,
`designs` makes points of a sweep of what is proposed, `stages` says what is estimated and what is trained, and `search`
joins both into one table.
"""

"""Named random streams: one seed decides everything, and no stream's use changes another's numbers."""

from __future__ import annotations

import hashlib

import numpy as np


def _entropy(seed: int, name: str) -> np.random.SeedSequence:
    words = np.frombuffer(hashlib.sha256(name.encode()).digest(), np.uint32)
    return np.random.SeedSequence(entropy=seed, spawn_key=tuple(int(w) for w in words[:4]))


class Streams:
    """Factory of independent random streams, each known by a name such as "cells/fc1/0,0/read"."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def generator(self, name: str) -> np.random.Generator:
        """Return a fresh NumPy generator for the stream `name`: the same name gives the same numbers."""
        return np.random.Generator(np.random.PCG64(_entropy(self.seed, name)))

    def word(self, name: str) -> np.ndarray:
        """Return one 64-bit word of state, shape (1,), for kernels that keep their own counter-based generator."""
        return _entropy(self.seed, name).generate_state(1, np.uint64)

"""Named random streams: one seed decides everything, and no stream's use changes another's numbers."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from archsim.base.arrays import U64


def _entropy(seed: int, name: str) -> np.random.SeedSequence:
    words = np.frombuffer(hashlib.sha256(name.encode()).digest(), np.uint32)
    return np.random.SeedSequence(entropy=seed, spawn_key=tuple(int(w) for w in words[:4]))


class Normals:
    """Standard normals from a generator, drawn ahead in blocks: the same numbers, at a tenth of the price.

    A call for a handful of normals costs as much as hundreds; block after block, a handful is a slice.
    """

    BLOCK = 4096

    def __init__(self, generator: np.random.Generator) -> None:
        self._generator = generator
        self._block = np.empty(0)
        self._used = 0

    def standard_normal(self, size: int) -> NDArray[np.float64]:
        """Return the next `size` standard normals, (size,)."""
        end = self._used + size
        if end <= self._block.size:
            taken = self._block[self._used : end]
            self._used = end
            return taken
        rest = self._block[self._used :]
        fresh = self._generator.standard_normal(max(self.BLOCK, size - rest.size))
        self._used = size - rest.size
        self._block = fresh
        return np.concatenate([rest, fresh[: self._used]])


class Streams:
    """Factory of independent random streams, each known by a name such as "cells/fc1/0,0/read"."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def generator(self, name: str) -> np.random.Generator:
        """Return a fresh NumPy generator for the stream `name`: the same name gives the same numbers."""
        return np.random.Generator(np.random.PCG64(_entropy(self.seed, name)))

    def normals(self, name: str) -> Normals:
        """Return the stream `name` as standard normals drawn ahead in blocks."""
        return Normals(self.generator(name))

    def word(self, name: str) -> U64:
        """Return one 64-bit word of state, shape (1,), for kernels that keep their own counter-based generator."""
        return _entropy(self.seed, name).generate_state(1, np.uint64).astype(np.uint64)

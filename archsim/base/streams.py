"""Named random streams: one seed decides everything, and no stream's use changes another's numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

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
        self.generator = generator
        self._block = np.empty(0)
        self._used = 0

    @property
    def rest(self) -> NDArray[np.float64]:
        """Normals that were drawn and not yet taken, in order."""
        return self._block[self._used :]

    def go_on(self, rest: NDArray[np.float64]) -> None:
        """Take these normals next, then those of the generator."""
        self._block, self._used = rest.copy(), 0

    def ahead(self, size: int) -> NDArray[np.float64]:
        """Return the next `size` standard normals, (size,), without taking them: `skip` does."""
        if self._used + size > self._block.size:
            fresh = self.generator.standard_normal(max(self.BLOCK, size - self.rest.size))
            self._block, self._used = np.concatenate([self.rest, fresh]), 0
        return self._block[self._used : self._used + size]

    def skip(self, size: int) -> None:
        """Take so many of the normals that were looked at."""
        self._used += size

    def standard_normal(self, size: int) -> NDArray[np.float64]:
        """Return the next `size` standard normals, (size,)."""
        end = self._used + size
        if end <= self._block.size:
            taken = self._block[self._used : end]
            self._used = end
            return taken
        rest = self._block[self._used :]
        fresh = self.generator.standard_normal(max(self.BLOCK, size - rest.size))
        self._used = size - rest.size
        self._block = fresh
        return np.concatenate([rest, fresh[: self._used]])


class Streams:
    """Factory of independent random streams, each known by a name such as "cells/fc1/0,0/read".

    Keeps what it handed out, so that all streams of a training can be brought to where they were.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._given: dict[str, np.random.Generator | Normals | U64] = {}

    def generator(self, name: str) -> np.random.Generator:
        """Return a fresh NumPy generator for the stream `name`: the same name gives the same numbers."""
        made = np.random.Generator(np.random.PCG64(_entropy(self.seed, name)))
        self._given[name] = made
        return made

    def normals(self, name: str) -> Normals:
        """Return the stream `name` as standard normals drawn ahead in blocks."""
        made = Normals(self.generator(name))
        self._given[name] = made
        return made

    def word(self, name: str) -> U64:
        """Return one 64-bit word of state, shape (1,), for kernels that keep their own counter-based generator."""
        made = _entropy(self.seed, name).generate_state(1, np.uint64).astype(np.uint64)
        self._given[name] = made
        return made

    def positions(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return where every stream stands: states by name, as JSON has them, and arrays by name."""
        states: dict[str, Any] = {}
        arrays: dict[str, NDArray[Any]] = {}
        for name, one in self._given.items():
            if isinstance(one, np.ndarray):
                arrays[name] = one
                continue
            if isinstance(one, Normals):
                arrays[name] = one.rest
            states[name] = (one.generator if isinstance(one, Normals) else one).bit_generator.state
        return states, arrays

    def go_on(self, states: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Bring every stream to where `positions` found it."""
        for name, one in self._given.items():
            if isinstance(one, np.ndarray):
                one[...] = arrays[name]
                continue
            if isinstance(one, Normals):
                one.go_on(arrays[name])
            (one.generator if isinstance(one, Normals) else one).bit_generator.state = states[name]

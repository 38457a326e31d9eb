"""Random streams: a name and a seed decide the numbers, nothing else does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from archsim.base.streams import Normals, Streams

NAMES = (
    "cells/fc1/0,0/read",
    "cells/fc1/0,1/read",
    "cells/fc1/0,0/program",
    "cells/fc2/0,0/read",
    "data/order",
    "a",
    "b",
    "",
)


def test_the_same_name_gives_the_same_numbers_from_the_beginning() -> None:
    streams = Streams(5)
    first = streams.generator("a").standard_normal(4)
    assert (streams.generator("a").standard_normal(4) == first).all()
    assert (Streams(5).generator("a").standard_normal(4) == first).all()


@given(st.permutations(NAMES), st.integers(0, 2**63))
def test_the_order_in_which_streams_are_made_and_used_is_irrelevant(order: list[str], seed: int) -> None:
    streams = Streams(seed)
    made = {}
    for k, name in enumerate(order):
        made[name] = streams.generator(name)
        made[name].standard_normal(k)  # each has used a different amount of its own
    for k, name in enumerate(order):
        alone = Streams(seed).generator(name)
        assert (made[name].standard_normal(3) == alone.standard_normal(k + 3)[k:]).all()


def test_other_names_and_other_seeds_give_other_numbers() -> None:
    words = {int(Streams(seed).word(name)[0]) for seed in range(20) for name in NAMES}
    assert len(words) == 20 * len(NAMES)
    firsts = {float(Streams(seed).generator(name).random()) for seed in range(20) for name in NAMES}
    assert len(firsts) == 20 * len(NAMES)


def test_streams_of_different_names_are_uncorrelated() -> None:
    """28 pairs of 100,000 normals, each correlation at 1e-5: false-alarm rate below 3e-4."""
    n = 100_000
    draws = np.array([Streams(1).generator(name).standard_normal(n) for name in NAMES])
    correlation = draws @ draws.T / n
    limit = stats.norm.ppf(1 - 0.5e-5) / np.sqrt(n)
    assert np.abs(correlation[np.triu_indices(len(NAMES), 1)]).max() < limit


def test_streams_of_neighbouring_seeds_are_uncorrelated() -> None:
    """19 pairs of 100,000 normals, each correlation at 1e-5: false-alarm rate below 2e-4."""
    n = 100_000
    draws = np.array([Streams(seed).generator("a").standard_normal(n) for seed in range(20)])
    correlation = np.sum(draws[1:] * draws[:-1], axis=1) / n
    assert np.abs(correlation).max() < stats.norm.ppf(1 - 0.5e-5) / np.sqrt(n)


def test_a_word_is_one_state_of_64_bits_of_its_own() -> None:
    word = Streams(5).word("a")
    assert (word.shape, word.dtype) == ((1,), np.uint64)
    word += np.uint64(1)
    assert Streams(5).word("a")[0] == word[0] - np.uint64(1)


@given(st.lists(st.integers(0, 9000), max_size=12))
def test_normals_drawn_ahead_are_those_of_the_bare_generator_however_they_are_sliced(sizes: list[int]) -> None:
    ahead = Normals(np.random.default_rng(1))
    drawn = [ahead.standard_normal(n).copy() for n in sizes]
    assert [part.size for part in drawn] == sizes
    bare = np.random.default_rng(1).standard_normal(sum(sizes))
    assert (np.concatenate([np.empty(0), *drawn]) == bare).all()


@pytest.mark.parametrize("size", [0, 1, Normals.BLOCK - 1, Normals.BLOCK, Normals.BLOCK + 1, 3 * Normals.BLOCK])
def test_normals_at_the_edges_of_a_block(size: int) -> None:
    ahead = Streams(3).normals("x")
    drawn = np.concatenate([ahead.standard_normal(1), ahead.standard_normal(size), ahead.standard_normal(1)])
    assert (drawn == Streams(3).generator("x").standard_normal(size + 2)).all()

"""Samplers of texts: streams that go on, windows at random, a test that sees each character once, and resuming."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.base.errors import DataError
from archsim.base.streams import Streams
from archsim.data.dataset import Dataset, build
from archsim.data.sampler import Batches, Sampler, TextStreams, TextWindows
from archsim.data.text import TextDataset

exact = settings(max_examples=80, deadline=None, derandomize=True)


def numbers(train: int, test: int = 100) -> TextDataset:
    """Return a text whose codes are their own places."""
    return TextDataset("numbers", "numbers", "", np.arange(train), np.arange(test), "0" * 64)


@exact
@given(train=st.integers(2, 300), batch=st.integers(1, 12), length=st.integers(1, 20))
def test_streams_begin_at_their_share_of_the_text_and_go_on_without_gaps(train: int, batch: int, length: int) -> None:
    if train < batch * length + 1:
        return
    source = TextStreams(numbers(train), batch, length=length)
    share = (train - 1) // batch
    for _ in range(2):
        for step in range(source.per_pass):
            inputs, targets, begins = source.batch()
            assert inputs.shape == targets.shape == (batch, length)
            assert begins == (step == 0)
            assert (inputs == np.arange(batch)[:, None] * share + step * length + np.arange(length)).all()
            assert (targets == inputs + 1).all()
        unseen = share - source.per_pass * length
        assert 0 <= unseen < length


def test_the_streams_of_a_long_text_see_all_but_a_few_characters_once() -> None:
    source = TextStreams(numbers(100_001), 32, length=64)
    seen = np.concatenate([source.batch()[0].ravel() for _ in range(source.per_pass)])
    assert np.unique(seen).size == seen.size
    assert seen.size > 100_000 - 32 * 64


def test_windows_lie_at_every_place_alike_and_depend_on_the_seed_alone() -> None:
    """20,000 windows at 90 places: each count within 6 sigma (89) of 222; a false alarm in 5 million."""
    source = TextWindows(numbers(100), 50, Streams(3), length=10)
    places = []
    for _ in range(400):
        inputs, targets, begins = source.batch()
        assert inputs.shape == (50, 10)
        assert (np.diff(inputs) == 1).all()
        assert (targets == inputs + 1).all()
        assert begins
        places.append(inputs[:, 0])
    counts = np.bincount(np.concatenate(places), minlength=90)
    assert counts.size == 90
    assert counts == pytest.approx(np.full(90, 20000 / 90), abs=89)

    def first(seed: int) -> list[int]:
        return TextWindows(numbers(100), 50, Streams(seed), length=10).batch()[0][:, 0].tolist()  # type: ignore[no-any-return]

    assert first(1) == first(1) != first(2)


def test_a_pass_of_windows_has_as_many_characters_as_the_text() -> None:
    assert TextWindows(numbers(1001), 10, Streams(1), length=10).per_pass == 10
    assert TextWindows(numbers(1002), 10, Streams(1), length=10).per_pass == 11


def coloured(**changes: Any) -> Dataset:
    rng = np.random.default_rng(5)
    images, labels = rng.integers(0, 256, (40, 3, 12, 12), np.uint8), np.arange(40) % 4
    data = build("numbers", "numbers", (images, labels), (images, labels), classes=4)
    return Dataset(**{**{name: getattr(data, name) for name in Dataset.__slots__}, **changes})


def streams_of(_: Streams) -> TextStreams:
    return TextStreams(numbers(100), 4, length=5)


MADE: dict[str, Callable[[Streams], Batches]] = {
    "images": lambda streams: Sampler(coloured(), 7, streams),
    "images changed at random": lambda streams: Sampler(coloured(augment=("flip", "shift")), 7, streams),
    "streams": streams_of,
    "windows": lambda streams: TextWindows(numbers(100), 4, streams, length=5),
}


@pytest.mark.parametrize("made", MADE.values(), ids=MADE)
@pytest.mark.parametrize("before", [0, 1, 6, 23])
def test_a_sampler_that_is_brought_to_where_another_stood_gives_the_same_batches(
    made: Callable[[Streams], Batches], before: int
) -> None:
    streams, others = Streams(9), Streams(9)
    source, other = made(streams), made(others)
    for _ in range(before):
        source.batch()
    other.order, other.next = source.order.copy(), int(source.next)
    others.go_on(*streams.positions())
    for _ in range(2 * source.per_pass + 1):
        for one, same in zip(source.batch(), other.batch(), strict=True):
            assert np.array_equal(one, same)


def test_batches_through_the_images_once_are_counted() -> None:
    assert [Sampler(coloured(), batch, Streams(1)).per_pass for batch in (1, 7, 40, 50)] == [40, 6, 1, 1]


def test_the_order_of_the_images_is_the_same_whether_they_are_changed_at_random_or_not() -> None:
    plain, changed = (Sampler(coloured(augment=kinds), 7, Streams(2)) for kinds in ((), ("flip", "shift")))
    for _ in range(8):
        (x, _, labels), (other, _, others) = plain.batch(), changed.batch()
        assert np.array_equal(labels, others)
        assert not np.array_equal(x, other)


def test_a_text_too_short_for_its_sampler_is_refused() -> None:
    with pytest.raises(DataError, match="100 characters to train; expected at least 101, for 10 sequences of 10"):
        TextStreams(numbers(100), 10, length=10)
    with pytest.raises(DataError, match="10 characters to train; expected at least 11, for a sequence of 10"):
        TextWindows(numbers(10), 10, Streams(1), length=10)

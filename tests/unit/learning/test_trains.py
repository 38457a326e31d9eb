"""Trains of pulses against the formulas, and against how they are drawn one by one in NumPy."""

from __future__ import annotations

import math

import numpy as np
import pytest

from archsim.base.arrays import F32, F64, I64
from archsim.learning.trains import sending
from archsim.learning.trains.sending import PulseTrains, Sent


def one_by_one(x: F32, d: F32, k: float, length: int, managed: bool, random: np.random.Generator) -> tuple[int, F64]:
    """Return slots and signed coincidences, (rows, columns), of a vector, as the docstring of `PulseTrains` has them."""
    rows, columns = np.flatnonzero(x), np.flatnonzero(d)
    met = np.zeros((x.size, d.size))
    if k <= 0 or not rows.size or not columns.size:
        return 0, met
    slots = min(math.ceil(k), length) if managed else length
    factors = [math.sqrt(k / slots)] * 2
    if managed and k > slots:
        factors = [1.0, k / slots]
    up, across = (
        random.random((lines.size, slots), np.float32) < np.float32(factor) * abs(values[lines, None])
        for lines, values, factor in ((rows, x, factors[0]), (columns, d, factors[1]))
    )
    met[np.ix_(rows, columns)] = up.astype(float) @ across.T.astype(float)
    return slots, met * np.sign(np.outer(x, d))


def operands(vectors: int, rows: int, columns: int) -> tuple[F32, F32]:
    random = np.random.default_rng(8)
    x, d = (
        (random.standard_normal((vectors, n)) * random.integers(0, 2, (vectors, n))).astype(np.float32)
        for n in (rows, columns)
    )
    x[1] = 0
    return x / 3, d / 3


def dense(sent: Sent, vector: int, shape: tuple[int, int]) -> F64:
    found = np.zeros(shape)
    index, pulses = sent.to(slice(0, shape[0]), slice(0, shape[1])).met(vector)
    assert np.array_equal(index, np.sort(index))
    found.reshape(-1)[index] = pulses
    return found


@pytest.mark.parametrize("managed", [True, False])
@pytest.mark.parametrize("length", [1, 5, 31, 64, 150])
def test_trains_of_many_vectors_are_those_that_numpy_draws_one_by_one(length: int, managed: bool) -> None:
    shape, vectors = (7, 6), 9
    x, d = operands(vectors, *shape)
    k = np.linspace(0.0, 1.3 * length, vectors)
    sent = PulseTrains(shape, length=length, managed=managed, random=np.random.default_rng(2)).send(x, d, k)
    random = np.random.default_rng(2)
    for v in range(vectors):
        slots, met = one_by_one(x[v], d[v], float(k[v]), length, managed, random)
        assert sent.slots[v] == slots
        assert np.array_equal(dense(sent, v, shape), met)


def test_which_numbers_are_drawn_hangs_neither_on_bursts_nor_on_how_many_are_drawn_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shape, vectors = (7, 6), 9
    x, d = operands(vectors, *shape)
    k = np.geomspace(0.5, 200, vectors)

    def drawn(cuts: list[slice]) -> list[F64]:
        made = PulseTrains(shape, length=90, managed=True, random=np.random.default_rng(2))
        found = [(made.send(x[cut], d[cut], k[cut]), cut) for cut in cuts]
        return [dense(sent, v, shape) for sent, cut in found for v in range(len(x[cut]))]

    whole = drawn([slice(None)])
    one_by_one = drawn([slice(v, v + 1) for v in range(vectors)])
    monkeypatch.setattr(sending, "DRAWS", 500)
    in_parts = drawn([slice(None)])
    for others in (one_by_one, in_parts):
        assert all(np.array_equal(a, b) for a, b in zip(whole, others, strict=True))


def test_the_mean_of_coincidences_is_the_product_and_lines_are_pulsed_as_often_as_they_should() -> None:
    """4,000 vectors; each mean within five standard errors: a false alarm once in some 80,000 tries."""
    many, k = 4000, 3.4
    x, d = np.array([[1, -0.6, 0, 0.2]], np.float32), np.array([[0.5, -1]], np.float32)
    made = PulseTrains((4, 2), length=31, managed=True, random=np.random.default_rng(5))
    sent = made.send(np.repeat(x, many, 0), np.repeat(d, many, 0), np.full(many, k))
    assert (sent.slots == 4).all()
    part = sent.to(slice(0, 4), slice(0, 2))
    met = np.array([dense(sent, v, (4, 2)) for v in range(many)])
    error = met.std(axis=0) / math.sqrt(many) + 1e-9
    assert (abs(met.mean(axis=0) - k * np.outer(x[0], d[0])) < 5 * error).all()
    rows: I64 = np.array([part.on(v)[0] for v in range(many)])
    wanted = 4 * math.sqrt(k / 4) * abs(x[0])
    assert (abs(rows.mean(axis=0) - wanted) < 5 * rows.std(axis=0) / math.sqrt(many) + 1e-9).all()


def test_what_reaches_an_array_is_what_meets_on_its_lines() -> None:
    shape = (7, 6)
    x, d = operands(5, *shape)
    sent = PulseTrains(shape, length=5, managed=True, random=np.random.default_rng(2)).send(x, d, np.full(5, 4.0))
    part = sent.to(slice(2, 6), slice(1, 4))
    for v in range(5):
        index, pulses = part.met(v)
        found = np.zeros((4, 3))
        found.reshape(-1)[index] = pulses
        assert np.array_equal(found, dense(sent, v, shape)[2:6, 1:4])
    rows, columns = part.touched()
    on = [part.on(v) for v in range(5)]
    assert np.array_equal(rows, np.flatnonzero(sum(each[0] for each in on)))
    assert np.array_equal(columns, np.flatnonzero(sum(each[1] for each in on)))

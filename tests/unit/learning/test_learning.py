from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.base.errors import ModelError
from archsim.base.streams import Streams
from archsim.learning import _kernels
from archsim.learning.accumulate import Accumulator, RefreshLog
from archsim.learning.layers import with_bias
from archsim.learning.maths import ACTIVATIONS, OPS, OUTPUT_ACTIVATIONS
from archsim.learning.network import Dense, Network


def operands(seed: int, vectors: int, rows: int, columns: int, sparse: bool) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = (rng.uniform(0, 1, (vectors, rows)) * (rng.random((vectors, rows)) < 0.4)).astype(np.float32)
    d = rng.uniform(-1, 1, (vectors, columns)).astype(np.float32)
    if sparse:
        d *= rng.random((vectors, columns)) < 0.3
    return x, d


@given(
    seed=st.integers(0, 999), vectors=st.integers(1, 3), rows=st.integers(1, 9), columns=st.integers(1, 9),
    bits=st.sampled_from([8, 12, 32]), error_bits=st.integers(2, 8), sparse=st.booleans(), rate=st.floats(0.01, 3),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_chi_takes_what_is_added_and_gives_what_is_pulsed(
    seed: int, vectors: int, rows: int, columns: int, bits: int, error_bits: int, sparse: bool, rate: float
) -> None:
    """Against a plain reference: chi after = chi before + update - pulses, and |chi| stays below one epsilon."""
    limit = 64
    unit = Accumulator((rows, columns), epsilon=0.1, bits=bits, limit=limit, x_bits=8, error_bits=error_bits)
    chi = np.zeros((rows, columns))
    for step in range(3):
        x, d = operands(seed + step, vectors, rows, columns, sparse)
        done = unit.accumulate(x, d, x_scale=1.0, rate=rate)
        levels = 2 ** (error_bits - 1) - 1
        xq, dq = np.rint(x * 127) / 127, np.rint(d * levels) / levels
        for v in range(vectors):
            change = np.outer(xq[v], dq[v]) * rate / 0.1
            if bits < 24:
                grid = 2 * limit / 2**bits
                change = np.rint(change / grid) * grid
            chi = np.clip(chi + change, -limit, limit)
        expected = np.trunc(np.where(np.abs(np.abs(chi) - np.rint(np.abs(chi))) < 1e-4, np.nan, chi))
        pulses = np.zeros(rows * columns)
        pulses[done.index] = done.pulses
        pulses = pulses.reshape(rows, columns)
        clear = ~np.isnan(expected)
        assert (pulses[clear] == expected[clear]).all()
        chi -= pulses
        assert pytest.approx(chi, abs=2e-4 if bits >= 24 else 1e-1) == unit.chi.T
        chi = unit.chi.T.astype(float)
        assert np.abs(chi).max() < 1
        assert done.updates == sum(np.count_nonzero(xq[v]) * np.count_nonzero(dq[v]) for v in range(vectors))


def test_zeros_that_are_not_skipped_are_counted() -> None:
    unit = Accumulator((5, 4), epsilon=0.1, bits=32, limit=64, x_bits=8, error_bits=3, skip_zeros=False)
    done = unit.accumulate(np.zeros((2, 5), np.float32), np.zeros((2, 4), np.float32), x_scale=1.0, rate=0.1)
    assert (done.updates, done.rows) == (40, 10)


def test_chi_saturates_at_its_limit() -> None:
    unit = Accumulator((1, 1), epsilon=1e-6, bits=32, limit=8, x_bits=8, error_bits=8)
    done = unit.accumulate(np.ones((1, 1), np.float32), np.ones((1, 1), np.float32), x_scale=1.0, rate=1.0)
    assert done.pulses.tolist() == [8]


def test_more_crossings_than_the_buffer_holds_are_all_taken() -> None:
    unit = Accumulator((40, 30), epsilon=0.01, bits=32, limit=64, x_bits=8, error_bits=8)
    done = unit.accumulate(np.ones((1, 40), np.float32), np.ones((1, 30), np.float32), x_scale=1.0, rate=0.015)
    assert done.index.size == 1200
    assert sorted(done.index.tolist()) == list(range(1200))
    assert np.abs(unit.chi).max() < 1


def test_the_log_gives_each_pair_once_and_forgets() -> None:
    log = RefreshLog()
    log.add(np.array([5, 2]))
    log.add(np.array([2, 9]))
    assert log.take().tolist() == [2, 5, 9]
    assert log.take().tolist() == []


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_derivative_is_the_slope_of_its_activation(name: str) -> None:
    z = np.linspace(-3, 3, 31, dtype=np.float32)[None] + np.float32(0.01)
    h = np.float32(1e-3)
    slope = (OPS[name](z + h) - OPS[name](z - h)) / (2 * h)
    back = np.full_like(z, 0.7)
    assert OPS[f"{name}-derivative"](back, OPS[name](z)) == pytest.approx(0.7 * slope, abs=2e-3)


@pytest.mark.parametrize("name", OUTPUT_ACTIVATIONS)
def test_an_error_descends_the_squared_loss(name: str) -> None:
    z, target = np.linspace(-2, 2, 9, dtype=np.float32)[None], np.full((1, 9), 0.3, np.float32)
    h = np.float32(1e-2)

    def loss(at: np.ndarray) -> np.ndarray:
        return (OPS[name](at).astype(float) - target) ** 2 / 2

    slope = (loss(z + h) - loss(z - h)) / (2 * h)
    assert OPS[f"{name}-error"](target, OPS[name](z)) == pytest.approx(-slope, abs=2e-3)


def test_operands_of_unlike_shapes_are_refused() -> None:
    with pytest.raises(ModelError, match="expected 2 of equal shape"):
        OPS["sigmoid-error"](np.zeros((1, 3), np.float32), np.zeros((1, 4), np.float32))


def test_dense_products_are_those_of_numpy() -> None:
    rng = np.random.default_rng(0)
    w = rng.normal(size=(7, 5)).astype(np.float32)
    x, d = rng.normal(size=(2, 7)).astype(np.float32), rng.normal(size=(2, 5)).astype(np.float32)
    x[0, 2] = 0
    out, back = np.empty((2, 5), np.float32), np.empty((2, 7), np.float32)
    _kernels.dense(x, w, out)
    _kernels.dense_transposed(d, w, back)
    assert out == pytest.approx(x @ w, abs=1e-5)
    assert back == pytest.approx(d @ w.T, abs=1e-5)
    expected = w + x.T @ d
    _kernels.add_outer(x, d, w)
    assert w == pytest.approx(expected, abs=1e-5)
    assert _kernels.count_nonzero(x) == 13


def test_normalising_divides_by_the_largest_magnitude() -> None:
    out = np.empty((1, 3), np.float32)
    assert _kernels.normalise(np.array([[1, -4, 2]], np.float32), out) == 4
    assert out.tolist() == [[0.25, -1, 0.5]]
    assert _kernels.normalise(np.zeros((1, 3), np.float32), out) == 0
    assert (out == 0).all()


def test_the_start_depends_on_the_seed_and_on_each_layers_name() -> None:
    network = Network((Dense("a", 6, 4, "sigmoid"), Dense("b", 4, 2, "sigmoid")), 0.1)
    first, again = network.initial_weights(Streams(1)), network.initial_weights(Streams(1))
    assert all((first[name] == again[name]).all() for name in ("a", "b"))
    assert first["a"].shape == (7, 4)
    assert network.weights == 7 * 4 + 5 * 2
    assert (network.initial_weights(Streams(2))["a"] != first["a"]).any()


def test_the_bias_is_a_last_column_of_ones() -> None:
    assert with_bias(np.zeros((2, 3), np.float32)).tolist() == [[0, 0, 0, 1]] * 2

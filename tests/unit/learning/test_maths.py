"""Elementwise operations and 32-bit products, against NumPy and finite differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import ndtr

from archsim.learning import _kernels
from archsim.learning.functions import Elementwise
from archsim.learning.maths import ACTIVATIONS, OPS, normalised
from archsim.learning.products import add_outer, nonzero, product, swept, transposed_product

SIZES = st.tuples(st.integers(1, 7), st.integers(1, 9), st.integers(1, 9))
PLAIN = {
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "tanh": np.tanh,
    "leaky-relu": lambda x: np.where(x > 0, x, 0.01 * x),
    "gelu": lambda x: x * ndtr(x),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "hard-sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "hard-swish": lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    "elu": lambda x: np.where(x > 0, x, np.expm1(x)),
    "mish": lambda x: x * np.tanh(np.log1p(np.exp(x))),
}


def apply(name: str, *operands: np.ndarray) -> np.ndarray:
    return Elementwise(name, operands[0].shape[1:])(*operands)


def values(low: float = -6, high: float = 6) -> np.ndarray:
    return np.linspace(low, high, 42, dtype=np.float32).reshape(2, 21) + np.float32(0.01)


@pytest.mark.parametrize("name", PLAIN)
def test_an_activation_is_numpys(name: str) -> None:
    z = values()
    out = apply(name, z)
    assert out.dtype == np.float32
    assert out == pytest.approx(PLAIN[name](z.astype(float)), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("name", PLAIN)
def test_a_derivative_is_the_slope_of_its_activation(name: str) -> None:
    z, h = values(-3, 3), np.float32(1e-3)
    slope = (apply(name, z + h) - apply(name, z - h)) / (2 * h)
    back = np.random.default_rng(1).normal(size=z.shape).astype(np.float32)
    [(derivative, [need])] = OPS[name].adjoints.values()
    assert apply(derivative, back, z if need == 0 else apply(name, z)) == pytest.approx(back * slope, abs=3e-3)


@pytest.mark.parametrize("name", ["sigmoid"])
def test_an_error_descends_the_squared_loss(name: str) -> None:
    z, h = values(-2, 2), np.float32(1e-2)
    target = np.full_like(z, 0.3)

    def loss(at: np.ndarray) -> np.ndarray:
        return (apply(name, at).astype(float) - target) ** 2 / 2

    slope = (loss(z + h) - loss(z - h)) / (2 * h)
    assert apply(f"{name}-error", target, apply(name, z)) == pytest.approx(-slope, abs=2e-3)


def test_a_saturated_sigmoid_is_a_number() -> None:
    z = np.array([[-1e4, -100, -88, 88, 1e4, np.inf, -np.inf]], np.float32)
    y = apply("sigmoid", z)
    assert y[0] == pytest.approx([0, 0, 0, 1, 1, 1, 0], abs=1e-30)
    assert np.isfinite(apply("sigmoid-error", np.ones_like(y), y)).all()


@pytest.mark.parametrize("name", OPS)
def test_operands_are_left_alone_and_the_result_is_a_fresh_array(name: str) -> None:
    given_values = [values(0.1, 0.9), values(0.2, 0.8)][: OPS[name].operands]
    before = [value.copy() for value in given_values]
    out = apply(name, *given_values)
    assert all((value == old).all() for value, old in zip(given_values, before, strict=True))
    assert not any(np.shares_memory(out, value) for value in given_values)


def test_every_activation_declares_the_adjoint_that_is_tested_here() -> None:
    assert {*PLAIN, "linear"} == set(ACTIVATIONS)
    assert all(OPS[name].adjoints[0][0] == f"{name}-derivative" for name in PLAIN)


def test_a_leaky_relu_has_its_own_slope_below_zero_in_both_directions() -> None:
    leaky = Elementwise("leaky-relu", (3,), 0.2)
    y = leaky(np.array([[-2, 0, 3]], np.float32))
    assert y.ravel().tolist() == pytest.approx([-0.4, 0, 3])
    adjoint = leaky.adjoint(0)
    assert adjoint is not None
    assert adjoint.function(np.ones((1, 3), np.float32), y).ravel().tolist() == pytest.approx([0.2, 0.2, 1])
    assert leaky.name == "leaky-relu 0.2"


@pytest.mark.parametrize(("name", "at"), [("elu", [-0.5 * (1 - np.exp(-2)), 3]), ("hard-sigmoid", [0, 1])])
def test_an_elu_and_a_hard_sigmoid_have_a_slope_of_their_own(name: str, at: list[float]) -> None:
    z, h = np.array([[-2, 3]], np.float32), np.float32(1e-3)
    sloped = Elementwise(name, (2,), 0.5)
    assert sloped(z).ravel().tolist() == pytest.approx(at, abs=1e-6)
    adjoint = sloped.adjoint(0)
    assert adjoint is not None
    slope = (sloped(z + h) - sloped(z - h)) / (2 * h)
    assert adjoint.function(np.ones_like(z), sloped(z)) == pytest.approx(slope, abs=1e-3)


def test_a_far_negative_input_leaves_numbers() -> None:
    for name in ("silu", "mish", "elu", "hard-swish"):
        z = np.array([[-1e4, 1e4]], np.float32)
        assert np.isfinite(apply(name, z)).all()
        assert np.isfinite(apply(f"{name}-derivative", np.ones_like(z), z)).all()


def test_a_relu6_learns_nothing_at_its_ends() -> None:
    y = apply("relu6", np.array([[-1, 0, 2, 6, 7]], np.float32))
    assert y.ravel().tolist() == [0, 0, 2, 6, 6]
    assert apply("relu6-derivative", np.ones((1, 5), np.float32), y).ravel().tolist() == [0, 0, 1, 0, 0]


def test_a_gelu_is_exact_to_the_last_digits_of_32_bits() -> None:
    x = np.linspace(-9, 9, 100_001, dtype=np.float32).reshape(1, -1)
    assert np.abs(apply("gelu", x) - PLAIN["gelu"](x.astype(float))).max() < 1e-6


def test_operations_of_an_element_are_the_sum_of_its_kinds() -> None:
    assert {name: op.operations for name, op in OPS.items()} == {
        "sigmoid": 1, "sigmoid-error": 4, "sigmoid-derivative": 3, "tanh": 1, "tanh-derivative": 3, "relu": 1,
        "relu6": 2, "relu6-derivative": 2, "relu-derivative": 1, "difference": 1, "leaky-relu": 2, "leaky-relu-derivative": 2, "gelu": 2, "gelu-derivative": 5,
        "multiply": 1, "silu": 2, "silu-derivative": 6, "hard-sigmoid": 4, "hard-sigmoid-derivative": 3, "hard-swish": 5,
        "hard-swish-derivative": 5, "elu": 3, "elu-derivative": 3, "mish": 2, "mish-derivative": 8,
    }  # fmt: skip


# --- 32-bit products


def operands(sizes: tuple[int, int, int], seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    vectors, rows, columns = sizes
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(vectors, rows)) * (rng.random((vectors, rows)) < 0.6)
    d = rng.normal(size=(vectors, columns)) * (rng.random((vectors, columns)) < 0.6)
    return x.astype(np.float32), d.astype(np.float32), rng.normal(size=(rows, columns)).astype(np.float32)


@given(sizes=SIZES, seed=st.integers(0, 999))
@settings(max_examples=50, deadline=None)
def test_dense_products_and_their_update_are_those_of_numpy(sizes: tuple[int, int, int], seed: int) -> None:
    x, d, w = operands(sizes, seed)
    assert product(w, x) == pytest.approx(x @ w, abs=1e-5)
    assert transposed_product(w, d) == pytest.approx(d @ w.T, abs=1e-5)
    expected = w + x.T @ d
    add_outer(w, x, d)
    assert w == pytest.approx(expected, abs=1e-5)
    assert nonzero(x) == np.count_nonzero(x)


@given(sizes=SIZES, seed=st.integers(0, 999))
@settings(max_examples=50, deadline=None)
def test_a_burst_by_blas_is_what_the_kernels_of_one_vector_give(sizes: tuple[int, int, int], seed: int) -> None:
    x, d, w = operands(sizes, seed)
    both = np.empty((len(x), w.shape[1]), np.float32), np.empty((len(x), w.shape[0]), np.float32)
    _kernels.dense(x, w, both[0])
    _kernels.dense_transposed(d, w, both[1])
    assert product(w, x) == pytest.approx(both[0], abs=1e-5)
    assert transposed_product(w, d) == pytest.approx(both[1], abs=1e-5)
    changed = w.copy()
    _kernels.add_outer(x, d, changed)
    add_outer(w, x, d)
    assert w == pytest.approx(changed, abs=1e-5)
    if len(x) == 1:
        assert (w == changed).all()
        assert (product(w, x) == _again(_kernels.dense, x, w, w.shape[1])).all()


def _again(kernel: Any, x: np.ndarray, w: np.ndarray, size: int) -> np.ndarray:
    out = np.empty((len(x), size), np.float32)
    kernel(x, w, out)
    return out


@given(sizes=SIZES, seed=st.integers(0, 999), group=st.integers(1, 5))
@settings(max_examples=50, deadline=None)
def test_rows_of_weights_are_swept_once_for_each_group_of_vectors(
    sizes: tuple[int, int, int], seed: int, group: int
) -> None:
    x, _, _ = operands(sizes, seed)
    groups = [x[k : k + group] for k in range(0, len(x), group)]
    assert swept(x, group, skip_zeros=False) == len(groups) * x.shape[1]
    assert swept(x, group, skip_zeros=True) == sum(np.count_nonzero(one.any(axis=0)) for one in groups)


# --- Normalising


def test_normalising_divides_by_the_largest_magnitude() -> None:
    out, scale = normalised(np.array([[1, -4, 2], [0, 2, 0]], np.float32))
    assert (out.tolist(), scale) == ([[0.25, -1, 0.5], [0, 0.5, 0]], 4)
    out, scale = normalised(np.zeros((2, 3), np.float32))
    assert scale == 0
    assert (out == 0).all()


def test_the_largest_magnitude_is_that_of_numbers() -> None:
    out, scale = normalised(np.array([[1, np.nan, -4], [0, 2, -0.0]], np.float32))
    assert scale == 4
    assert np.array_equal(out, np.array([[0.25, np.nan, -1], [0, 0.5, 0]], np.float32), equal_nan=True)
    assert normalised(np.array([[1, -np.inf, np.nan]], np.float32))[1] == np.inf


@given(hnp.arrays(np.float32, (2, 5), elements=st.floats(allow_nan=False, allow_infinity=False, width=32)))
@example(np.full((2, 5), 1e-39, np.float32))
@example(np.array([[1e-45, 0, -1e-45, 0, 0]] * 2, np.float32))
@settings(max_examples=200)
def test_whatever_is_normalised_lies_within_one_and_comes_back(x: np.ndarray) -> None:
    """Also errors so small that one over them overflows: a last layer that is nearly right has such errors."""
    out, scale = normalised(x)
    assert scale == np.abs(x).max()
    assert np.abs(out).max() <= 1 + 1e-6
    assert out.astype(float) * scale == pytest.approx(x.astype(float), rel=1e-6, abs=1e-6 * scale)

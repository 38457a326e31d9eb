"""The grid of converters and operands: signed, symmetric, nearest code, clipped."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from archsim.base.rounding import Quantiser

values = hnp.arrays(np.float32, (2, 7), elements=st.floats(-30, 30, width=32))
scales = st.floats(0.1, 20)


@pytest.mark.parametrize(("bits", "levels"), [(2, 1), (3, 3), (8, 127), (16, 32767)])
def test_so_many_bits_have_so_many_levels_to_each_side(bits: int, levels: int) -> None:
    grid = Quantiser(bits)
    assert grid.levels == levels
    codes = np.unique(grid.convert(np.linspace(-1, 1, 200_001, dtype=np.float32)[None], 1.0)[0])
    assert codes.size == 2 * levels + 1
    assert (codes == -codes[::-1]).all()
    assert (codes[0], codes[levels], codes[-1]) == pytest.approx((-1, 0, 1), rel=1e-6)


@given(values, st.integers(2, 12), scales)
def test_every_result_is_a_code(x: np.ndarray, bits: int, scale: float) -> None:
    y, nonzero, _ = Quantiser(bits).convert(x, scale)
    codes = y.astype(float) * Quantiser(bits).levels / scale
    assert codes == pytest.approx(np.rint(codes), abs=1e-6 * Quantiser(bits).levels)
    assert np.abs(np.rint(codes)).max() <= Quantiser(bits).levels
    assert nonzero == np.count_nonzero(y) == np.count_nonzero(np.rint(codes))


@given(values, st.integers(2, 12), scales)
def test_a_value_within_the_scale_moves_by_half_a_step_at_most(x: np.ndarray, bits: int, scale: float) -> None:
    y, _, _ = Quantiser(bits).convert(x, scale)
    inside = np.abs(x) <= scale
    assert np.abs(y - x)[inside].max(initial=0) <= scale / Quantiser(bits).levels / 2 * (1 + 1e-4) + 1e-6
    assert np.abs(y)[~inside] == pytest.approx(np.full(np.count_nonzero(~inside), scale), rel=1e-5)
    assert (np.sign(y)[~inside] == np.sign(x)[~inside]).all()


@given(values, st.integers(2, 12), scales)
def test_what_lies_more_than_half_a_step_outside_is_counted_as_clipped(x: np.ndarray, bits: int, scale: float) -> None:
    _, _, clipped = Quantiser(bits).convert(x, scale)
    half = scale / Quantiser(bits).levels / 2
    assert np.count_nonzero(np.abs(x) > scale + 1.001 * half + 1e-5) <= clipped
    assert clipped <= np.count_nonzero(np.abs(x) >= scale + 0.999 * half - 1e-5)


@given(values, st.integers(2, 12), scales)
def test_converting_twice_changes_nothing_more(x: np.ndarray, bits: int, scale: float) -> None:
    once, _, _ = Quantiser(bits).convert(x, scale)
    twice, _, clipped = Quantiser(bits).convert(once, scale)
    assert (twice == once).all()
    assert clipped == 0


@given(values, st.integers(2, 12), scales)
def test_the_grid_is_odd_and_keeps_order(x: np.ndarray, bits: int, scale: float) -> None:
    y, nonzero, clipped = Quantiser(bits).convert(x, scale)
    mirrored = Quantiser(bits).convert(-x, scale)
    assert (mirrored[0] == -y).all()
    assert mirrored[1:] == (nonzero, clipped)
    order = np.argsort(x, axis=None)
    assert (np.diff(y.reshape(-1)[order]) >= 0).all()


def test_an_ideal_converter_changes_nothing() -> None:
    x = np.array([[1e9, -3.3, 0.0]], np.float32)
    y, nonzero, clipped = Quantiser(8, ideal=True).convert(x, 1.0)
    assert (y == x).all()
    assert (nonzero, clipped) == (2, 0)
    assert Quantiser(8, ideal=True).levels == 0


def test_the_input_is_left_alone() -> None:
    x = np.array([[0.3, -2.0]], np.float32)
    Quantiser(3).convert(x, 1.0)
    assert x.tolist() == [[np.float32(0.3), -2.0]]

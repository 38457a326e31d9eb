"""Grids of converters and integers, and floating-point numbers of fewer bits: against their definitions."""

from __future__ import annotations

import numpy as np
import pytest

from archsim.base.rounding import FloatGrid, Quantiser, to_integers, to_largest
from archsim.learning.formats import BF16, E4M3, E5M2


@pytest.mark.parametrize(("bits", "levels"), [(2, 1), (3, 3), (8, 127), (16, 32767)])
def test_so_many_bits_have_so_many_levels_to_each_side(bits: int, levels: int) -> None:
    assert Quantiser(bits).levels == levels


def test_an_ideal_converter_has_no_levels() -> None:
    assert Quantiser(8, ideal=True).levels == 0


def every(grid: FloatGrid) -> np.ndarray:
    """Return all numbers of a grid of 8 bits that are not negative, by its definition."""
    below = [m * 2.0 ** (grid.least - grid.mantissa) for m in range(2**grid.mantissa)]
    above = [
        (1 + m / 2**grid.mantissa) * 2.0**e for e in range(grid.least, 17) for m in range(2**grid.mantissa)
    ]  # fmt: skip
    return np.array([number for number in below + above if number <= grid.most], np.float32)


@pytest.mark.parametrize(("grid", "count"), [(E4M3, 127), (E5M2, 124)])
def test_floats_of_8_bits_are_as_many_as_their_codes(grid: FloatGrid, count: int) -> None:
    """E4M3 gives one code of each sign to "not a number", E5M2 three and one to infinity."""
    numbers = every(grid)
    assert numbers.size == count
    np.testing.assert_array_equal(grid.round(numbers), numbers)
    np.testing.assert_array_equal(grid.round(-numbers), -numbers)


@pytest.mark.parametrize("grid", [E4M3, E5M2])
def test_every_number_goes_to_the_nearest_and_ties_to_the_even_code(grid: FloatGrid) -> None:
    numbers = every(grid)
    x = np.random.default_rng(0).uniform(0, grid.most, 2000).astype(np.float32) ** np.float32(0.9)
    nearest = np.abs(x[:, None] - numbers).min(axis=1)
    np.testing.assert_array_equal(np.abs(grid.round(x) - x), nearest)
    middle = (numbers[:-1] + numbers[1:]) / 2
    codes = np.arange(numbers.size - 1)
    np.testing.assert_array_equal(grid.round(middle), numbers[codes + codes % 2])


def test_what_is_too_large_becomes_the_largest_and_zero_stays() -> None:
    np.testing.assert_array_equal(E4M3.round(np.float32([1e6, -1e6, 0, 449])), np.float32([448, -448, 0, 448]))
    assert np.isfinite(BF16.round(np.float32([3.4e38])))[0]


def test_a_brain_float_keeps_8_bits_of_a_number_at_any_magnitude() -> None:
    x = np.float32(10.0) ** np.random.default_rng(1).uniform(-37, 37, 1000).astype(np.float32)
    rounded = BF16.round(x)
    assert not (rounded.view(np.uint32) & 0xFFFF).any()
    error = np.abs(rounded / x - 1)
    assert error.max() <= 2**-8
    assert error.max() > 2**-9  # it does round


def test_ties_of_brain_floats_go_to_the_even_one() -> None:
    np.testing.assert_array_equal(BF16.round(np.float32([1 + 2**-8, 1 + 3 * 2**-8])), np.float32([1, 1 + 2**-6]))


def test_integers_are_127_levels_to_each_side_of_the_largest_magnitude() -> None:
    x = np.random.default_rng(2).normal(size=(40, 50)).astype(np.float32)
    rounded = to_integers(x, 127)
    step = np.abs(x).max() / 127
    codes = rounded / step
    np.testing.assert_allclose(codes, np.rint(codes), atol=1e-4)
    assert np.abs(rounded - x).max() <= step * 0.5001
    assert np.abs(codes).max() == pytest.approx(127)
    assert not to_integers(np.zeros((2, 3), np.float32), 127).any()


def test_random_rounding_keeps_the_mean_that_nearest_loses() -> None:
    """A quarter of a step, beside one number of 127: the mean over 20,000 lies within 5 standard deviations of it."""
    x = np.full((20_001,), 0.25, np.float32)
    x[0] = 127
    nearest, drawn = to_integers(x, 127)[1:], to_integers(x, 127, np.random.default_rng(3))[1:]
    assert not nearest.any()
    assert set(np.unique(drawn)) == {0.0, 1.0}
    assert abs(drawn.mean() - 0.25) < 5 * np.sqrt(0.25 * 0.75 / 20_000)


def test_a_scale_is_a_power_of_two_and_saves_numbers_that_the_grid_alone_would_lose() -> None:
    x = np.float32([3e-6, -1e-6, 2e-7])
    assert not E4M3.round(x).any()
    scaled = to_largest(x, E4M3)
    np.testing.assert_allclose(scaled, x, rtol=2**-4)
    exponent = np.log2(scaled / E4M3.round(scaled * np.float32(2**27)))
    np.testing.assert_array_equal(exponent, np.rint(exponent))
    assert np.abs(to_largest(np.float32([1e30]), E5M2))[0] == pytest.approx(1e30, rel=2**-3)
    assert not to_largest(np.zeros((2, 2), np.float32), E4M3).any()

"""Shares of variance: what is known of functions whose parts are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import sweep_kit
from hypothesis import given
from hypothesis import strategies as st

from archsim.records.sweeps.effects import GRID, MAINS, PAIRS, Effects, effects, factor


def of(frame: pd.DataFrame, names: list[str]) -> Effects:
    found = effects(frame["y"].to_numpy(float), [factor(name, frame[name]) for name in names])
    assert found is not None
    return found


def test_an_additive_function_has_no_interactions_and_shares_as_its_parts_vary() -> None:
    # Variance of 0, 1, ..., n - 1 is (n^2 - 1) / 12: of 3 a over 4 levels 9 x 15/12, of b over 6 levels 35/12.
    found = of(*sweep_kit.grid(lambda a, b, c: 3 * a + b + 7 + 0 * c, 4, 6, 2))
    whole = 9 * 15 / 12 + 35 / 12
    assert found.method == GRID
    assert found.shares[("a0",)] == pytest.approx(9 * 15 / 12 / whole)
    assert found.shares[("a1",)] == pytest.approx(35 / 12 / whole)
    assert found.shares[("a2",)] == pytest.approx(0, abs=1e-12)
    assert sum(share for names, share in found.shares.items() if len(names) == 2) == pytest.approx(0, abs=1e-12)
    assert found.rest == pytest.approx(0, abs=1e-12)
    assert found.means["a0"] == (("0", 9.5), ("1", 12.5), ("2", 15.5), ("3", 18.5))


def test_a_product_has_the_interaction_that_algebra_gives_it() -> None:
    # y = a b, means A, B, variances U, V: a has U B^2, b has A^2 V, the pair U V.
    found = of(*sweep_kit.grid(lambda a, b: a * b, 3, 5))
    mean, other, u, v = 1.0, 2.0, 2 / 3, 2.0
    whole = u * other**2 + mean**2 * v + u * v
    assert found.shares[("a0",)] == pytest.approx(u * other**2 / whole)
    assert found.shares[("a1",)] == pytest.approx(mean**2 * v / whole)
    assert found.shares["a0", "a1"] == pytest.approx(u * v / whole)
    assert found.total("a0") == pytest.approx((u * other**2 + u * v) / whole)


def test_what_three_parameters_make_together_is_the_rest() -> None:
    found = of(*sweep_kit.grid(lambda a, b, c: (2 * a - 1) * (2 * b - 1) * (2 * c - 1), 2, 2, 2))
    assert max(found.shares.values()) == pytest.approx(0, abs=1e-12)
    assert found.rest == pytest.approx(1)


def test_equal_designs_do_not_change_the_shares_and_noise_within_them_is_the_rest() -> None:
    frame, names = sweep_kit.grid(lambda a, b: 2 * a + b, 2, 2)
    twice = pd.concat([frame.assign(y=frame["y"] + 1), frame.assign(y=frame["y"] - 1)])
    alike = of(pd.concat([frame, frame]), names)
    noisy = of(twice, names)
    assert alike.shares == pytest.approx(of(frame, names).shares)
    assert noisy.rest == pytest.approx(1 / (1 + 1.25))  # the noise's variance 1, the function's 1 + 1/4


@given(st.integers(0, 2**32 - 1))
def test_a_fit_to_a_full_grid_gives_what_means_give(seed: int) -> None:
    from archsim.records.sweeps.effects import _of_fit

    values = np.random.default_rng(seed).normal(size=(3, 4, 5))
    frame, names = sweep_kit.grid(lambda a, b, c: values[a, b, c], 3, 4, 5)
    exact = of(frame, names)
    fitted = _of_fit(frame["y"].to_numpy(), [factor(name, frame[name]) for name in names])
    assert fitted is not None
    assert fitted[1] == PAIRS
    assert fitted[0] == pytest.approx(dict(exact.shares))
    assert sum(exact.shares.values()) + exact.rest == pytest.approx(1)


def test_with_designs_missing_a_function_of_pairs_is_still_found_and_shares_sum_to_one() -> None:
    frame, names = sweep_kit.grid(lambda a, b, c: a * b + 2 * c, 4, 5, 3)
    whole, part = of(frame, names), of(frame.drop(index=[0, 7, 23, 44]), names)
    assert part.method == PAIRS
    assert part.shares == pytest.approx(whole.shares, abs=1e-9)
    assert sum(part.shares.values()) + part.rest == pytest.approx(1)


def test_too_few_designs_for_pairs_tell_of_parameters_alone_and_far_too_few_of_nothing() -> None:
    frame, names = sweep_kit.grid(lambda a, b, c: a + b + c, 4, 4, 4)
    some = frame.sample(20, random_state=1)
    found = of(some, names)
    assert found.method == MAINS
    assert found.shares[("a0",)] == pytest.approx(1 / 3)
    assert effects(some["y"].to_numpy(float)[:6], [factor(name, some[name][:6]) for name in names]) is None


def test_what_does_not_vary_has_no_shares() -> None:
    frame, names = sweep_kit.grid(lambda *_: 1e-12, 2, 3)
    factors = [factor(name, frame[name]) for name in names]
    assert effects(frame["y"].to_numpy(), factors) is None
    assert effects(np.arange(6.0), [factor("a", pd.Series([1] * 6))]) is None
    assert effects(np.array([]), []) is None


def test_many_numbers_become_classes_of_equally_many_designs_and_a_missing_one_a_level() -> None:
    column = pd.Series([*np.linspace(0, 1, 99), np.nan])
    found = factor("a", column, lambda value: f"{value:.2f}")
    assert found.levels[0] == "0.00 to 0.20"
    assert found.levels[-1] == "-"
    assert np.bincount(found.codes).tolist() == [20, 20, 19, 20, 20, 1]
    assert factor("b", pd.Series(["x", "a", "x"])).levels == ("x", "a")
    assert factor("b", pd.Series([8, 4, 8])).levels == ("4", "8")


def test_classes_of_whole_numbers_are_named_by_the_numbers_in_them() -> None:
    found = factor("count", pd.Series([*range(1, 16)]), str)
    assert found.levels == ("1 to 3", "4 to 6", "7 to 9", "10 to 12", "13 to 15")

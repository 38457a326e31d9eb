from __future__ import annotations

import itertools
import json
import math
import time
from pathlib import Path

import numpy as np
import pytest
from explain_kit import TECHNOLOGIES, figure, small_run, spent

from archsim.accounting.draws import DISTRIBUTIONS, log_triangular, log_uniform
from archsim.accounting.technology import read_technology
from archsim.base.errors import InputError
from archsim.records.recorded import read
from archsim.studies.explain.sensitivity import (
    Spent,
    bounds,
    read_spent,
    spread,
    tornado,
)

CHIPS = ("digital32", "mixed-precision")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_run(tmp_path_factory.mktemp("sensitivity") / "run")


@pytest.mark.parametrize("name", TECHNOLOGIES)
def test_factors_of_one_give_the_recorded_ratio_and_energies(recorded: Path, name: str) -> None:
    found = read_spent(read(recorded), read_technology(name), CHIPS)
    summary = json.loads((recorded / "summary.json").read_text())
    (technology,) = (each for each in summary["technologies"] if each["name"] == name)
    assert found.nominal == pytest.approx(technology["ratio"]["energy"], rel=1e-12)
    for total, chip in zip(found.totals(np.ones((1, len(found.figures)))), CHIPS, strict=True):
        assert total[0] == pytest.approx(technology["energy_per_step_J"][chip]["total"], rel=1e-12)


def test_twice_every_figure_leaves_the_ratio(recorded: Path) -> None:
    found = read_spent(read(recorded), read_technology(TECHNOLOGIES[0]), CHIPS)
    assert found.values(np.full((1, len(found.figures)), 2.0))[0] == pytest.approx(found.nominal, rel=1e-12)


def test_a_run_that_another_technology_priced_is_refused(recorded: Path) -> None:
    from dataclasses import replace

    technology = read_technology(TECHNOLOGIES[0])
    with pytest.raises(InputError, match="expected one this run was priced by"):
        read_spent(read(recorded), replace(technology, name="another"), CHIPS)
    poorer = {name: each for name, each in technology.figures.items() if name != "sram.read"}
    with pytest.raises(InputError, match=r"sram\.read"):
        read_spent(read(recorded), replace(technology, figures=poorer), CHIPS)


def test_the_tornado_is_exact_at_both_ends() -> None:
    made = spent([figure("a", 0.5, 2.0), figure("b", 1.0, 3.0)], [6.0, 2.0], [1.0, 3.0])
    swings = {swing.figure.name: swing for swing in tornado(made)}
    assert swings["a"].values == pytest.approx(((3 + 2) / (0.5 + 3), (12 + 2) / (2 + 3)))
    assert swings["a"].energies[0] == pytest.approx((5, 14))
    assert swings["b"].values == pytest.approx((8 / 4, 12 / 10))
    assert swings["b"].energies[1] == pytest.approx((4, 10))
    assert [swing.figure.name for swing in tornado(made)] == ["a", "b"]  # x2 against x1.67


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_a_figure_that_both_chips_spend_alone_cancels(distribution: str) -> None:
    found = spread(spent([figure("sram", 0.01, 100.0)], [60.0], [1.0]), samples=2000, distribution=distribution)
    assert found.interval == pytest.approx((60.0, 60.0), rel=1e-12)
    assert [(share.first, share.total) for share in found.shares] == [(0.0, 0.0)]


def test_shares_of_a_ratio_of_two_figures_are_those_of_the_closed_form() -> None:
    """ln R = ln k_a - ln k_b: each share is its variance over the sum; five standard errors, so 1e-6 false alarms."""
    a, b = figure("a", 0.1, 10.0), figure("b", 0.5, 2.0)
    found = spread(spent([a, b], [1.0, 0.0], [0.0, 1.0]), samples=20_000, distribution="log-uniform", seed=3)
    variance = {each.name: math.log(each.high / each.low) ** 2 / 12 for each in (a, b)}
    whole = sum(variance.values())
    for share in found.shares:
        exact = variance[share.figure.name] / whole
        assert abs(share.first - exact) < 5 * share.error
        assert share.total == pytest.approx(exact, abs=0.03)
    assert [share.figure.name for share in found.shares] == ["a", "b"]
    assert np.var(np.log(found.values)) == pytest.approx(whole, rel=0.05)


def interval_of_many(causes: dict[str, float] | None, count: int = 16) -> float:
    """Return the width, in ln, of the interval of a sum of equal figures over one that is known."""
    figures = [figure(f"f{k}", 0.9, 1 / 0.9, causes=causes) for k in range(count)]
    made = spent([*figures, figure("known", 1, 1)], [1.0] * count + [0.0], [0.0] * count + [1.0])
    low, high = spread(made, samples=20_000, distribution="log-uniform", seed=5).interval
    return math.log(high / low)


def test_what_is_shared_adds_its_widths_and_what_is_apart_the_squares_of_them() -> None:
    """Sixteen equal parts of a sum, each 90 % within w: all shared the sum is within w, all apart within w/4."""
    alone = 0.9 * 2 * math.log(1 / 0.9)
    assert interval_of_many({"scaling": 1.0}) == pytest.approx(alone, rel=0.02)
    normal = 2 * 1.6449 * 2 * math.log(1 / 0.9) / math.sqrt(12) / 4  # sixteen uniform ones are nearly normal
    assert interval_of_many(None) == pytest.approx(normal, rel=0.03)
    half = interval_of_many({"scaling": 0.5})
    assert normal < half < alone
    assert half == pytest.approx(math.sqrt((0.5 + 0.5 / 16) * 16) * normal, rel=0.05)


def test_different_causes_are_apart() -> None:
    figures = [figure("a", 0.5, 2, causes={"scaling": 1.0}), figure("b", 0.5, 2, causes={"corner": 1.0})]
    apart = spread(spent(figures, [1.0, 0.0], [0.0, 1.0]), distribution="log-uniform")
    assert np.var(np.log(apart.values)) == pytest.approx(2 * math.log(4) ** 2 / 12, rel=0.05)


def test_a_shared_cause_cancels_between_chips_that_spend_equal_parts_of_it() -> None:
    figures = [figure("a", 0.5, 2, causes={"scaling": 1.0}), figure("b", 0.5, 2, causes={"scaling": 1.0})]
    found = spread(spent(figures, [1.0, 0.0], [0.0, 1.0]), distribution="log-uniform")
    assert found.interval == pytest.approx((1.0, 1.0))


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_a_figure_alone_is_spread_the_same_whatever_it_shares(distribution: str) -> None:
    def alone(causes: dict[str, float] | None) -> tuple[float, ...]:
        made = spent([figure("a", 0.2, 3.0, causes=causes), figure("known", 1, 1)], [1.0, 0.0], [0.0, 1.0])
        drawn = spread(made, distribution=distribution)
        return tuple(drawn.percentile(percent) for percent in (5, 25, 50, 75, 95))

    for causes in ({"scaling": 0.3}, {"scaling": 0.5, "supply": 0.5}):
        assert alone(causes) == pytest.approx(alone(None), rel=0.05)


def test_the_shares_of_causes_and_of_what_is_left_are_those_of_the_closed_form() -> None:
    """ln R = (ln k_a + ln k_b)/2 nearly, for narrow ranges: half of each variance is shared, so 2/3 of that of R."""
    figures = [figure(name, 0.99, 1 / 0.99, causes={"scaling": 0.5}) for name in ("a", "b")]
    found = spread(spent([*figures, figure("known", 1, 1)], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]), samples=40_000, seed=2)
    (cause,) = found.causes
    assert (cause.cause, [each.name for each in cause.figures]) == ("scaling", ["a", "b"])
    assert cause.first == pytest.approx(2 / 3, abs=0.03)
    by_name = {share.figure.name: share.first for share in found.shares}
    assert by_name == {"a": pytest.approx(1 / 6, abs=0.03), "b": pytest.approx(1 / 6, abs=0.03), "known": 0.0}


def test_shares_add_up_to_no_more_than_the_whole(recorded: Path) -> None:
    found = spread(read_spent(read(recorded), read_technology(TECHNOLOGIES[0]), CHIPS), samples=20_000)
    sources = [*found.shares, *found.causes]
    slack = 5 * math.fsum(share.error for share in sources)
    assert math.fsum(share.first for share in sources) <= 1 + slack
    assert math.fsum(share.total for share in sources) >= 1 - slack
    assert all(share.total >= share.first - 5 * share.error for share in sources)


def test_no_choice_of_figures_goes_beyond_the_bounds() -> None:
    figures = [figure("a", 0.2, 3), figure("b", 0.9, 1.1), figure("c", 0.01, 40), figure("d", 1, 1)]
    made = spent(figures, [5.0, 1.0, 0.2, 7.0], [0.1, 2.0, 0.3, 0.5])
    corners = np.array(list(itertools.product(*[(each.low, each.high) for each in figures])))
    ratios = made.values(corners)
    assert bounds(made) == pytest.approx((ratios.min(), ratios.max()), rel=1e-12)
    drawn = spread(made, samples=1000, distribution="log-uniform").values
    assert ratios.min() <= drawn.min() <= drawn.max() <= ratios.max()


def test_the_log_triangle_has_its_peak_at_the_value_and_ends_where_the_range_does() -> None:
    low, high = np.array([-1.0]), np.array([3.0])
    u = np.linspace(0, 1, 4001)[:, None]
    drawn = log_triangular(u, low, high)
    assert drawn[0, 0] == -1
    assert drawn[-1, 0] == 3
    assert log_triangular(np.array([[0.25]]), low, high)[0, 0] == pytest.approx(0)  # a quarter lies below the value
    density = 1 / np.diff(drawn[:, 0])
    assert abs(drawn[int(np.argmax(density)), 0]) < 0.02
    assert np.mean(drawn) == pytest.approx((-1 + 3 + 0) / 3, abs=1e-3)


@pytest.mark.parametrize("law", [log_uniform, log_triangular])
def test_a_figure_known_exactly_stays_where_it_is(law: object) -> None:
    zero = np.zeros(1)
    for u in (0.0, 0.5, 0.999):
        assert law(np.array([[u]]), zero, zero)[0, 0] == 0  # type: ignore[operator]


def test_one_sided_ranges_stay_on_their_side() -> None:
    above = log_triangular(np.linspace(0, 0.999, 100)[:, None], np.zeros(1), np.array([2.0]))
    below = log_triangular(np.linspace(0, 0.999, 100)[:, None], np.array([-2.0]), np.zeros(1))
    assert np.all(above >= 0)
    assert np.all(below <= 0)


def test_the_seed_decides_every_draw(recorded: Path) -> None:
    made = read_spent(read(recorded), read_technology(TECHNOLOGIES[0]), CHIPS)
    first, again, other = (spread(made, samples=500, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.values, again.values)
    assert first.shares == again.shares
    assert not np.array_equal(first.values, other.values)


def test_twenty_thousand_draws_and_their_shares_are_done_at_a_time_not_one_by_one(recorded: Path) -> None:
    made = read_spent(read(recorded), read_technology(TECHNOLOGIES[0]), CHIPS)
    begin = time.process_time()
    found = spread(made, samples=20_000)
    assert time.process_time() - begin < 10  # several times what they take
    assert found.values.size == 20_000


def test_what_cannot_be_drawn_is_refused() -> None:
    made = spent([figure("a", 0.5, 2.0)], [2.0], [1.0])
    with pytest.raises(InputError, match="log-uniform"):
        spread(made, distribution="log-unifrom")
    with pytest.raises(InputError, match="100 or more"):
        spread(made, samples=99)
    with pytest.raises(InputError, match=r"figures\.b\.range.*above zero"):
        spread(spent([figure("b", 0.0, 2.0)], [2.0], [1.0]))


def test_one_chip_alone_is_looked_at_by_its_energy() -> None:
    made = Spent(("mine",), (figure("a", 0.5, 2.0), figure("b", 1.0, 3.0)), np.array([[6.0, 2.0]]))
    assert made.nominal == 8
    assert bounds(made) == pytest.approx((3 + 2, 12 + 6))
    assert {swing.figure.name: swing.values for swing in tornado(made)} == {"a": (5, 14), "b": (8, 12)}
    found = spread(made, samples=2000)
    assert 5 <= found.interval[0] < found.percentile(50) < found.interval[1] <= 18
    assert [share.figure.name for share in found.shares] == ["a", "b"]

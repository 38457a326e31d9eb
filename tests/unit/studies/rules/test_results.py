"""The target, what reaching it took, and which learning rate a search takes."""

from __future__ import annotations

import math

import pytest
from rules_kit import result, results

from archsim.base.metrics import ACCURACY, METRICS
from archsim.studies.rules.rates import DIVERGED, chosen
from archsim.studies.rules.results import learns, spread, usual_target

BITS = METRICS["bits per character"]


def test_the_rate_of_the_best_score_is_taken_and_one_that_diverged_never() -> None:
    assert chosen({0.1: 0.4, 0.3: 0.8, 0.9: None}, ACCURACY).rate == 0.3
    assert chosen({0.1: 3.0, 0.3: 2.5, 0.9: 2.7}, BITS).rate == 0.3
    none = chosen({0.1: None, 0.3: None}, ACCURACY)
    assert (none.rate, none.reason) == (None, DIVERGED)


def test_of_equal_scores_the_lowest_rate_is_taken_whatever_the_order() -> None:
    assert chosen({0.9: 0.5, 0.1: 0.5, 0.3: 0.5}, ACCURACY).rate == 0.1


@pytest.mark.parametrize(("rate", "edge"), [(0.1, "lowest"), (0.3, ""), (0.9, "highest")])
def test_a_rate_at_an_end_of_the_grid_says_so(rate: float, edge: str) -> None:
    scores = dict.fromkeys((0.1, 0.3, 0.9), 0.5) | {rate: 0.6}
    assert chosen(scores, ACCURACY).edge == edge
    assert not chosen({0.1: 0.5}, ACCURACY).edge  # of one rate no end can be told


def test_the_usual_target_is_what_the_worst_rule_that_learns_reaches_with_its_worst_seed() -> None:
    found = results(
        result("a", (0.95, 0.93, 0.94)), result("b", (0.5, 0.52, 0.51)), result("b", (0.7, 0.8, 0.75), device="reram"),
        result("c", (0.1, 0.11, 0.12)),
    )  # fmt: skip
    assert usual_target(found.learning, ACCURACY) == 0.7  # of b its best device; c does not learn
    assert usual_target([], ACCURACY) is None


def test_a_rule_learns_if_every_seed_is_clearly_better_than_guessing() -> None:
    assert not learns(result("a", (0.9, 0.9, 0.14)), ACCURACY, 0.1)
    assert learns(result("a", (0.9, 0.9, 0.16)), ACCURACY, 0.1)
    assert not learns(result("a", (5.95, 4.0)), BITS, 6.02)
    assert learns(result("a", (4.5, 4.0)), BITS, 6.02)


def test_two_means_overlap_up_to_the_sum_of_their_deviations() -> None:
    one = spread([1.0, 2.0, 3.0])
    assert one.std == pytest.approx(1.0)
    assert one.overlaps(spread([3.0, 4.0, 5.0]))  # 2 apart, 1 and 1
    assert not one.overlaps(spread([3.1, 4.1, 5.1]))
    assert not spread([1.0]).overlaps(spread([1.1]))
    assert math.isclose(spread([2.0]).mean, 2.0)

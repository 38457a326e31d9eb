"""Joules to reach a metric: read off tests that were made, never beyond them."""

from __future__ import annotations

from costs_kit import OVER, TECHNOLOGY, UNDER, points, run_of

from archsim.studies.costs.reach import reached


def test_the_level_is_the_best_test_of_the_worse_chip_and_each_chip_reached_it() -> None:
    run = run_of({OVER: points(0.1, 0.3, 0.8, 0.9), UNDER: points(0.1, 0.2, 0.7, 0.6)})
    found = reached(run)
    assert found is not None
    assert (found.level, found.worst) == (0.7, UNDER)
    assert found.chips[UNDER].energy(TECHNOLOGY) == (1.0, 2.0)
    assert found.chips[OVER].energy(TECHNOLOGY) == (1.0, 2.0)
    assert found.chips[OVER].at.test == 0.8


def test_lower_is_better_where_the_metric_says_so() -> None:
    run = run_of({OVER: points(6.0, 5.0, 3.0), UNDER: points(6.0, 4.0, 3.5)}, metric="bits per character")
    found = reached(run)
    assert found is not None
    assert (found.level, found.chips[OVER].at.step, found.chips[UNDER].at.step) == (3.5, 2, 2)


def test_initial_weights_reach_nothing_even_where_they_were_better() -> None:
    found = reached(run_of({OVER: points(0.5, 0.2, 0.3), UNDER: points(0.4, 0.1, 0.2)}))
    assert found is not None
    assert found.level == 0.2
    assert found.chips[OVER].energy(TECHNOLOGY) == (0.0, 1.0)


def test_a_point_without_a_test_is_passed_over_and_a_chip_without_tests_reaches_nothing() -> None:
    found = reached(run_of({OVER: points(0.1, None, 0.6), UNDER: points(0.1, 0.5, None)}))
    assert found is not None
    assert found.chips[OVER].energy(TECHNOLOGY) == (0.0, 2.0)
    assert reached(run_of({OVER: points(0.1), UNDER: points(0.1, 0.5)})) is None

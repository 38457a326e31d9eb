"""Losses: their values, and the mean over positions."""

from __future__ import annotations

import numpy as np
import pytest
from network_kit import chain, dense

from archsim.base.errors import ModelError
from archsim.learning.losses import value as loss_value
from archsim.learning.reductions import LossValue
from archsim.networks.rules.backprop import training
from archsim.networks.rules.writer import Loss


def test_binary_cross_entropy_is_the_log_likelihood_of_each_element_alone() -> None:
    output, target = np.array([[0.9, 0.2], [0.5, 0.4]]), np.array([[1.0, 0.0], [1.0, 0.25]])
    by_hand = -(np.log(0.9) + np.log(0.8) + np.log(0.5) + 0.25 * np.log(0.4) + 0.75 * np.log(0.6)) / 2
    assert loss_value("binary-cross-entropy", output, target) == pytest.approx(by_hand)


@pytest.mark.parametrize(("inputs", "positions"), [(6, 1), ([6], 1), ([4, 6], 4), ([2, 4, 6], 8)])
def test_all_rates_are_divided_by_the_positions_over_which_the_loss_is_a_mean(inputs: object, positions: int) -> None:
    net = chain(inputs, dense("a", 3, "softmax", rate=2.0), std=0.3, loss="cross-entropy")
    [rate] = [call.rate for call in net.training[0].calls if call.verb == "accumulate"]
    assert rate == 2.0 / positions


def test_losses_over_unlike_positions_are_refused_together() -> None:
    net = chain([4, 6], dense("a", 3, "sigmoid"), std=0.3)
    [error] = [call.target for call in net.training[0].calls if str(call.target).startswith("sigmoid-error")]
    one, four = (Loss("a:3", "target", "a:2", error, positions) for positions in (1, 4))  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="losses over 1, 4 positions"):
        training(net.graph, [one, four])


def test_a_loss_that_does_not_suit_the_last_activation_says_which_does() -> None:
    with pytest.raises(ValueError, match="expected it after sigmoid"):
        chain(6, dense("a", 3, "tanh"), std=0.3, loss="binary-cross-entropy")


@pytest.mark.parametrize(
    ("loss", "adds", "multiplies", "lookups"),
    [("squared", 2, 1, 0), ("cross-entropy", 1, 1, 1), ("binary-cross-entropy", 4, 2, 2)],
)
def test_the_value_of_a_loss_costs_its_formula_for_each_element_and_one_product(
    loss: str, adds: int, multiplies: int, lookups: int
) -> None:
    """(t - y)^2; t log y; t log y + (1 - t) log(1 - y), with 1 - t and 1 - y; each into the sum of all."""
    cost = LossValue(loss, (4, 10)).cost
    found = (cost.adds, cost.multiplies, cost.lookups, cost.reads, cost.writes)
    assert found == (40 * adds, 40 * multiplies + 1, 40 * lookups, 80, 1)

"""Every learning rule on every chip; on every kind of layer for which it is defined, and refused by name elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from network_kit import chain, dense, roomy
from test_layers import CHIPS, NETWORKS, SAMPLES, batch

from archsim.base import registry
from archsim.chips.execute import training_step
from archsim.networks.network import Network

RULES = [name for name in registry.names("rule") if name != "backpropagation"]
ANYWHERE = {"feedback-alignment", "sign-symmetric"}
"""Rules that are defined for all networks."""


def network(name: str, rule: str) -> Network | None:
    """Return a network that learns by a rule; None where it is refused, with the name of a layer in the reason."""
    told = {key: value for key, value in NETWORKS[name].items() if key not in ("codes", "kinks")}
    inputs, layers = told.pop("inputs"), told.pop("layers")
    try:
        return chain(inputs, *layers, std=0.7, learning=rule, **told)
    except ValueError as error:
        assert rule in str(error)
        assert any(layer["name"] in str(error) for layer in layers), error
        assert rule not in ANYWHERE
        return None


def trained(architecture: str, net: Network, feeds: dict[str, np.ndarray]) -> Any:
    made = roomy(architecture, net, SAMPLES)
    outputs = made.run(training_step(made, net, feeds, 0.1))
    made.settle()
    assert np.isfinite(outputs).all()
    assert all(np.isfinite(array).all() for array in made.arrays().values() if array.dtype.kind == "f")
    return made


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", NETWORKS)
def test_a_kind_of_layer_learns_by_it_or_is_refused_by_name(name: str, rule: str) -> None:
    if (net := network(name, rule)) is None:
        return
    for architecture in ("digital32", "mixed-precision-large"):
        made = trained(architecture, net, batch(net, name))
        booked = {(row.phase, row.layer) for row in made.ledger.rows()}
        assert all(("update", call.layer) in booked for call in net.training[0].calls if call.verb == "accumulate")
    for program in net.training:
        written = {number for _, number in (*program.feeds, *program.parameters)}
        dropped: set[int] = set()
        for call in program.calls:
            assert set(call.inputs) <= written - dropped
            dropped.update(call.last)
            written.add(call.output)
        unread = {number for _, number in (*program.results, *program.feeds)}
        assert written - dropped - {-1} <= unread, "what nobody reads is not computed"


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("architecture", CHIPS)
def test_every_chip_trains_a_perceptron_by_it(architecture: str, rule: str) -> None:
    layers = [dense("a", 5, "sigmoid"), dense("b", 4, "sigmoid"), dense("c", 3, "sigmoid")]
    net = chain(6, *layers, std=0.7, learning=rule)
    feeds = batch(net, "sigmoid")
    made = trained(architecture, net, feeds)
    again = trained(architecture, net, feeds)
    ours, theirs = made.arrays(), again.arrays()
    assert all(ours[key].tobytes() == theirs[key].tobytes() for key in ours)
    assert made.ledger.rows() == again.ledger.rows()
    assert {matrix.name for matrix in net.fixed} <= {part for key in ours for part in key.split("/")}


def test_most_rules_are_defined_for_the_networks_of_dense_and_convolutional_layers() -> None:
    """So that the refusals above do not hide a rule that refuses everything."""
    for rule in ("direct-feedback-alignment", "local-losses"):
        assert sum(network(name, rule) is not None for name in NETWORKS) >= 10
    assert sum(network(name, "node-perturbation") is not None for name in NETWORKS) >= 5

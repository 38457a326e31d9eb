"""Optimisers on the chips: what weights and chi get, what it costs, what is kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from network_kit import Times, chain, dense, roomy

from archsim.base import registry
from archsim.base.errors import InputError
from archsim.base.signal import Signal, Tag
from archsim.base.streams import Streams
from archsim.chips import architecture as architectures
from archsim.chips.chip import Chip
from archsim.chips.execute import training_step
from archsim.learning.optimisers.rules import Adam, Learnt, Momentum, Optimiser
from archsim.networks.network import Network

NETWORK = chain(
    [4, 6], {"name": "norm", "kind": "layer-norm"}, {"name": "flat", "kind": "flatten"}, dense("fc1", 7, "tanh"),
    dense("fc2", 3, "linear"), std=0.3,
)  # fmt: skip
PLAIN = chain(12, dense("fc1", 7, "sigmoid"), dense("fc2", 3, "sigmoid"), std=0.3)
ADAM = Adam(beta1=0.9, beta2=0.99, epsilon=1e-6, decay=0.0)
KINDS: dict[str, Optimiser] = {"momentum": Momentum(0.9), "adam": ADAM}
TILES = {"outer_product.at": "tiles", "tile.rows": "8", "tile.columns": "4"}
TAG = Tag("update", "fc1")


def chip(
    name: str, optimiser: Optimiser | None = None, *, network: Network = PLAIN, samples: int = 4, **settings: str
) -> Any:
    keys = {tuple(key.split(".")): value for key, value in {"digital_unit.buffer_words": "9999", **settings}.items()}
    parsed = architectures.parse(architectures.document(name, keys))
    kind = registry.load("chip", parsed.chip)
    return kind.start(parsed, network, Times(), Streams(3), samples=samples, optimiser=optimiser)


def feeds(network: Network, n: int = 4, seed: int = 1) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    size, out = network.graph.tensors["x"].words, network.graph.tensors["target"].words
    return {
        "x": rng.uniform(0, 1, (n, size)).astype(np.float32),
        "target": np.eye(out, dtype=np.float32)[rng.integers(0, out, n)],
    }


def train(made: Chip, steps: int, rate: float = 0.01, *, first: int = 0) -> None:
    for k in range(first, first + steps):
        made.run(training_step(made, made.network, feeds(made.network, seed=k), rate))


def amounts(made: Chip, component: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for row in made.ledger.rows():
        if row.component == component:
            found[row.action] = found.get(row.action, 0) + row.amount
    return found


@pytest.mark.parametrize("name", KINDS)
def test_weights_and_parameters_of_the_digital_chip_move_by_the_mean_gradient(name: str) -> None:
    """The gradient of a step is what plain descent of rate 1 moves the same chip by."""
    made, shadow = chip("digital32", KINDS[name], network=NETWORK), roomy("digital32", NETWORK, 4)
    shadows = {**shadow.weights, **shadow.parameters}  # type: ignore[attr-defined]
    mine = {**made.weights, **made.parameters}
    assert len(mine) == 4
    learnt = {key: Learnt(KINDS[name], np.zeros_like(array)) for key, array in mine.items()}
    for k in range(5):
        before = {key: array.copy() for key, array in mine.items()}
        for key, array in shadows.items():
            array[...] = before[key]
        shadow.run(training_step(shadow, NETWORK, feeds(NETWORK, seed=k), 1.0))
        train(made, 1, 0.02, first=k)
        for key, array in mine.items():
            learnt[key].gradient[...] = shadows[key] - before[key]
            assert array == pytest.approx(before[key] + learnt[key].step(0.02), abs=2e-5), key


def test_a_matrix_with_a_rate_of_its_own_steps_by_it() -> None:
    own = chain(12, dense("fc1", 7, "sigmoid", rate=0.5), dense("fc2", 3, "sigmoid"), std=0.3)
    one, other = chip("digital32", ADAM), chip("digital32", ADAM, network=own)
    start = one.weights["fc1"].copy()
    train(one, 1)
    train(other, 1)
    assert other.weights["fc1"] - start == pytest.approx((one.weights["fc1"] - start) / 2, abs=1e-6)


@pytest.mark.parametrize("settings", [{}, TILES, {"outer_product.burst": "4"}], ids=["one unit", "tiles", "bursts"])
@pytest.mark.parametrize("name", KINDS)
def test_chi_gets_the_step_of_the_summed_rounded_outer_products(name: str, settings: dict[str, str]) -> None:
    made = chip("mixed-precision", KINDS[name], **settings)
    rng = np.random.default_rng(2)
    accumulator = made.state["fc1"].accumulator
    rows, columns = made.network.shapes["fc1"]
    learnt = Learnt(KINDS[name], np.zeros((columns, rows), np.float32))
    chi = np.zeros((columns, rows))
    for _ in range(3):
        x = (rng.integers(-127, 128, (2, rows)) / 127).astype(np.float32)
        d = rng.choice([-0.5, 0.0, 0.5], (2, columns)).astype(np.float32)
        d[0, 0] = 0.5
        made.run(made.accumulate("fc1", Signal(x), Signal(d), 0.25, TAG))
        learnt.gradient += (0.25 * d.T.astype(float) @ x).astype(np.float32)
        made.run(made.apply("fc1", 2, 0.1 * accumulator.epsilon, TAG))
        chi += learnt.step(0.1)
        learnt.clear()
        chi -= np.trunc(chi) * (np.abs(chi) >= 1)
        assert not made.state["fc1"].gradient.chi.any()
        grid = accumulator.step or 1e-6
        assert accumulator.chi == pytest.approx(chi, abs=3 * grid + 1e-3)


@pytest.mark.parametrize(("name", "per"), [("momentum", (1, 2, 0, 1)), ("adam", (5, 6, 2, 2))])
@pytest.mark.parametrize("architecture", ["mixed-precision", "digital32"])
def test_a_step_costs_what_the_table_of_the_rules_says(
    architecture: str, name: str, per: tuple[int, int, int, int]
) -> None:
    made = chip(architecture, KINDS[name])
    adds, multiplies, lookups, states = per
    n, steps = made.network.weights, 3
    train(made, steps)
    found = amounts(made, "optimiser_unit")
    assert (found["add"], found["multiply"]) == (adds * n * steps, multiplies * n * steps)
    assert found.get("lookup", 0) == lookups * n * steps
    assert found["state.read"] == found["state.write"] == states * n * steps
    assert found["gradient.read"] == found["gradient.write"] > n * steps
    where, word = ("outer_product_unit", "chi") if architecture == "mixed-precision" else ("mac_array", "weights")
    assert amounts(made, where)[f"{word}.write"] == n * steps


def test_outer_products_cost_the_same_with_an_optimiser_but_in_another_memory() -> None:
    plain, led = chip("mixed-precision"), chip("mixed-precision", ADAM)
    x = Signal(np.linspace(0, 1, 26, dtype=np.float32).reshape(2, 13))
    d = Signal(np.linspace(-1, 1, 14, dtype=np.float32).reshape(2, 7))
    for made in (plain, led):
        made.run(made.accumulate("fc1", x, d, 1e-6, TAG))
    one, other = amounts(plain, "outer_product_unit"), amounts(led, "outer_product_unit")
    assert {key: other[key] for key in ("multiply", "add", "control.cycle")} == {
        key: one[key] for key in ("multiply", "add", "control.cycle")
    }
    assert other.get("chi.read", 0) == 0
    assert amounts(led, "optimiser_unit") == {"gradient.read": one["chi.read"], "gradient.write": one["chi.write"]}


def test_the_time_of_a_step_is_the_longest_of_arithmetic_and_memories() -> None:
    made = chip("digital32", ADAM)
    unit, n = made.optimiser_units["fc1"], 1000
    assert unit.hold_ps(n) == max(
        -(-n * 13 // unit.lanes) * unit.cycle_ps, unit.gradients.hold_ps(2 * n), unit.states.hold_ps(4 * n)
    )
    wide = chip("digital32", ADAM, **{"mac_array.weights_per_access": "4"})
    assert wide.optimiser_units["fc1"].accesses(10) == 3


def test_units_at_tiles_stand_at_every_tile_of_the_chip() -> None:
    made = chip("mixed-precision", ADAM, **TILES, **{"tile.count": "20"})
    areas = {part.key: part.amount for part in made.parts()}
    assert areas["optimiser_unit.logic"] == areas["outer_product_unit.logic"]
    assert areas["optimiser_unit.gradient"] == 20 * max(32 * 32, 8 * 1024)


@pytest.mark.parametrize("architecture", ["mixed-precision", "digital32"])
@pytest.mark.parametrize("name", KINDS)
def test_a_restored_chip_goes_on_bit_for_bit(architecture: str, name: str) -> None:
    """On ideal devices: random streams are no part of a chip's arrays."""
    settings = {"weight.device": "ideal"} if architecture == "mixed-precision" else {}
    made, other = (chip(architecture, KINDS[name], network=NETWORK, **settings) for _ in range(2))
    train(made, 3)
    other.run(other.wait(made.clock.now))
    other.restore({key: array.copy() for key, array in made.arrays().items()})
    train(made, 3, first=3)
    train(other, 3, first=3)
    again = other.arrays()
    for key, array in made.arrays().items():
        assert np.array_equal(array, again[key]), key
    assert any(key.startswith("optimiser/") and "state 0" in key for key in again)


def test_a_twin_remembers_what_its_chip_does() -> None:
    made = chip("mixed-precision", ADAM)
    train(made, 2)
    assert made.twin().learnt is made.learnt
    assert made.twin().parts() == made.parts()


def test_weights_in_sram_decay_and_those_in_devices_are_refused_to() -> None:
    decaying = Adam(beta1=0.9, beta2=0.99, epsilon=1e-6, decay=0.5)
    one, other = chip("digital32", ADAM), chip("digital32", decaying)
    start = one.weights["fc1"].copy()
    train(one, 1, 0.1)
    train(other, 1, 0.1)
    assert other.weights["fc1"] - one.weights["fc1"] == pytest.approx(-0.05 * start, abs=1e-6)
    with pytest.raises(InputError, match=r"training.optimiser.decay: lets weights decay, but .* lie in devices"):
        chip("mixed-precision", decaying)


def test_a_chip_without_an_accumulator_refuses_an_optimiser() -> None:
    with pytest.raises(InputError, match=r"training.optimiser: asks for .* in-array has nowhere .*; expected sgd"):
        chip("in-array", ADAM)

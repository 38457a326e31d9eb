"""Scales of a burst and of each vector: what comes back, what chi gets, what it costs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from network_kit import Times, chain, dense

from archsim.base import registry
from archsim.base.signal import Signal, Tag
from archsim.base.streams import Streams
from archsim.chips import architecture as architectures
from archsim.learning.chi.accumulate import Accumulator

NETWORK = chain(12, dense("fc1", 7, "sigmoid"), dense("fc2", 3, "sigmoid"), std=0.3)
TAG = Tag("backward", "fc1")
VECTORS = {"tile.dac.error_scale": "vector", "tile.dac.input_scale": "vector"}
QUIET = {f"nonidealities.{name}": "false" for name in ("read_noise", "drift", "adc_quantisation", "adc_clipping")}


def chip(**settings: str) -> Any:
    told = {"digital_unit.buffer_words": "9999", "weight.device": "ideal", **QUIET, **settings}
    keys = {tuple(key.split(".")): value for key, value in told.items()}
    parsed = architectures.parse(architectures.document("mixed-precision", keys))
    return registry.load("chip", parsed.chip).start(parsed, NETWORK, Times(), Streams(3), samples=4)


def uneven(size: int, seed: int = 0) -> np.ndarray:
    """Return three vectors of very different size, and one of zeros."""
    rng = np.random.default_rng(seed)
    return (rng.uniform(-1, 1, (4, size)) * np.array([[100.0], [1.0], [0.01], [0.0]])).astype(np.float32)


def amounts(made: Any, component: str) -> dict[str, float]:
    return {row.action: row.amount for row in made.ledger.rows() if row.component == component}


@pytest.mark.parametrize("verb", ["multiply", "multiply_transposed"])
def test_a_scale_of_each_vector_keeps_the_small_ones_that_a_scale_of_the_burst_rounds_away(verb: str) -> None:
    rows, columns = NETWORK.shapes["fc1"]
    x = uneven(rows if verb == "multiply" else columns)
    found = {}
    for name, settings in {"burst": {"tile.dac.input_scale": "burst"}, "vector": VECTORS}.items():
        made = chip(**settings)
        weight = NETWORK.initial_weights(Streams(3))["fc1"].astype(float)
        due = x @ (weight if verb == "multiply" else weight.T)
        result = made.run(getattr(made, verb)("fc1", Signal(x), TAG)).values
        found[name] = np.abs(result - due)[:3].max(axis=1) / np.abs(due)[:3].max(axis=1)
        assert not result[3].any()
    assert (found["vector"] < 0.1).all()
    assert found["burst"][2] > 0.9, "nothing is left of it"


@pytest.mark.parametrize("settings", [{}, {"outer_product.burst": "3"}], ids=["vector by vector", "bursts"])
def test_each_outer_product_gets_the_rate_of_its_own_vector(settings: dict[str, str]) -> None:
    """One error a vector is its largest, so that no rounding is left in it."""
    made = chip(**VECTORS, **{"outer_product.chi.bits": "32"}, **settings)
    accumulator = made.state["fc1"].accumulator
    rows, columns = NETWORK.shapes["fc1"]
    x, d = np.zeros((4, rows), np.float32), np.zeros((4, columns), np.float32)
    x[np.arange(4), [0, 1, 2, 2]] = [50.0, 0.5, -0.002, 0.25]
    d[np.arange(4), [0, 1, 2, 3]] = [3.0, -0.3, 0.03, 1e-4]
    made.run(made.accumulate("fc1", Signal(x), Signal(d), 0.01, Tag("update", "fc1")))
    assert accumulator.chi == pytest.approx(0.01 * (d.T @ x) / accumulator.epsilon, rel=1e-4)


@pytest.mark.parametrize("burst", [1, 2, 8])
def test_equal_rates_of_all_vectors_are_one_rate(burst: int) -> None:
    rng = np.random.default_rng(1)
    x, d = (rng.uniform(-1, 1, (5, n)).astype(np.float32) for n in (6, 4))
    made = [Accumulator((6, 4), epsilon=1.0, bits=32, limit=64, x_bits=8, error_bits=4, burst=burst) for _ in range(2)]
    one = made[0].accumulate(x, d, x_scale=1.0, rate=0.3)
    other = made[1].accumulate(x, d, x_scale=np.ones((5, 1)), rate=np.full((5, 1), 0.3))
    assert made[1].chi == pytest.approx(made[0].chi, rel=1e-5, abs=1e-7)
    assert one == other


def test_a_vector_costs_a_reciprocal_more_than_its_share_of_a_burst() -> None:
    burst, vector = chip(), chip(**VECTORS)
    d = uneven(NETWORK.shapes["fc1"][1])
    for made in (burst, vector):
        made.run(made.multiply_transposed("fc1", Signal(d), TAG))
    one, other = amounts(burst, "digital_unit"), amounts(vector, "digital_unit")
    assert other.pop("lookup") == 4
    assert other.pop("control.cycle") == one.pop("control.cycle") + 4 / vector.digital_unit.lanes
    assert other == one


def test_one_vector_is_a_burst_of_its_own() -> None:
    burst, vector = chip(), chip(**{"tile.dac.error_scale": "vector"})
    d = uneven(NETWORK.shapes["fc1"][1])[:1]
    results = [made.run(made.multiply_transposed("fc1", Signal(d), TAG)).values for made in (burst, vector)]
    assert np.array_equal(*results)
    assert amounts(burst, "digital_unit") == amounts(vector, "digital_unit")


def test_a_signal_is_scaled_once_for_all_its_uses_by_one_rule() -> None:
    made = chip(**VECTORS)
    d = Signal(uneven(NETWORK.shapes["fc1"][1]))
    made.run(made.multiply_transposed("fc1", d, TAG))
    before = amounts(made, "digital_unit")["lookup"]
    x = Signal(uneven(NETWORK.shapes["fc1"][0]))
    made.run(made.accumulate("fc1", x, d, 1e-3, TAG))
    assert amounts(made, "digital_unit")["lookup"] == before + 4, "the input's alone"

"""Training in brain floats, 8-bit floats and 8-bit integers: what is rounded, what stays, that it learns, its estimate."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from network_kit import Times, chain, dense

from archsim.base import registry
from archsim.base.errors import InputError
from archsim.base.expected import ALL
from archsim.base.signal import Signal, Tag
from archsim.base.streams import Streams
from archsim.chips import architecture as architectures
from archsim.chips.estimate import expected_step
from archsim.chips.execute import inference, training_step
from archsim.learning.formats import FORMATS
from archsim.learning.optimisers.rules import Adam, Optimiser

NETWORK = chain(12, dense("fc1", 9, "sigmoid"), dense("fc2", 3, "softmax"), std=0.3, loss="cross-entropy")
NARROW = {"digital-bf16": "bf16", "digital-fp8": "fp8", "digital-int8": "int8"}
ADAM = Adam(beta1=0.9, beta2=0.99, epsilon=1e-6, decay=0.01)
TAG = Tag("forward", "fc1")


def chip(name: str, optimiser: Optimiser | None = None, **settings: str) -> Any:
    keys = {tuple(key.split(".")): value for key, value in settings.items()}
    parsed = architectures.parse(architectures.document(name, keys))
    kind = registry.load("chip", parsed.chip)
    return kind.start(parsed, NETWORK, Times(), Streams(3), samples=8, optimiser=optimiser)


def batch(seed: int, n: int = 8) -> dict[str, np.ndarray]:
    """Return vectors of three classes: a bump at one of three places, and noise."""
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, 3, n)
    x = rng.uniform(0, 0.4, (n, 12))
    x[np.arange(n)[:, None], 4 * classes[:, None] + np.arange(3)] += 0.5
    return {"x": x.astype(np.float32), "target": np.eye(3, dtype=np.float32)[classes]}


def loss(made: Any) -> float:
    test = batch(10**6, 200)
    out = made.run(inference(made, NETWORK, test["x"]))
    return float(-np.log(out[test["target"] == 1]).mean())


def train(made: Any, steps: int, rate: float = 0.5) -> Any:
    for k in range(steps):
        made.run(training_step(made, NETWORK, batch(k), rate))
    return made


@pytest.mark.parametrize("name", NARROW)
def test_products_read_rounded_weights_and_inputs_and_the_32_bit_weights_move(name: str) -> None:
    made = chip(name)
    number = FORMATS[NARROW[name]]()
    before = made.weights["fc1"].copy()
    x = batch(0)["x"]
    y = made.run(made.multiply("fc1", Signal(np.append(x, np.ones((8, 1), np.float32), axis=1)), TAG)).values
    rounded = number.operand(np.append(x, np.ones((8, 1), np.float32), axis=1)) @ number.operand(before)
    np.testing.assert_allclose(y, rounded, rtol=1e-5, atol=1e-6)
    train(made, 1, rate=1e-3)
    moved = made.weights["fc1"] - before
    assert 0 < np.abs(moved).max() < np.abs(number.operand(before) - before).max()  # less than a step of the format
    np.testing.assert_array_equal(made.rounded["fc1"], number.operand(made.weights["fc1"]))


@pytest.mark.parametrize("name", NARROW)
@pytest.mark.parametrize(("optimiser", "rate"), [(None, 0.5), (ADAM, 0.02)])
def test_each_format_learns_about_as_well_as_32_bits(name: str, optimiser: Optimiser | None, rate: float) -> None:
    wide, narrow = (train(chip(each, optimiser), 150, rate) for each in ("digital32-deep", name))
    start = loss(chip(name))
    assert loss(wide) < 0.3 * start
    assert loss(narrow) == pytest.approx(loss(wide), rel=0.2)
    assert (wide.weights["fc1"] != narrow.weights["fc1"]).any()


def test_errors_without_random_rounding_would_be_lost() -> None:
    """Errors of a hundredth of the step of the largest: the mean of their products over many draws is what they are."""
    made = chip("digital-int8")
    d = np.full((1, 9), 127 / 100, np.float32)
    d[0, 0] = 127 * 127
    totals = np.zeros(13)
    for _ in range(3000):
        totals += made.run(made.multiply_transposed("fc1", Signal(d), TAG)).values[0]
    weight = made.rounded["fc1"].astype(np.float64)
    only_largest = weight[:, 0] * d[0, 0]
    expected = weight[:, 1:].sum(axis=1) * d[0, 1]
    # standard deviation of a mean: step x sqrt(p (1 - p)) x root of the sum of squared weights / sqrt(3000)
    spread = 127 * np.sqrt(0.01 * 0.99) * np.sqrt((weight[:, 1:] ** 2).sum(axis=1)) / np.sqrt(3000)
    assert (np.abs(totals / 3000 - only_largest - expected) < 5 * spread + 1e-3 * np.abs(only_largest)).all()


@pytest.mark.parametrize("name", NARROW)
def test_equal_seeds_give_equal_bits_and_a_twin_reads_what_training_reads(name: str) -> None:
    one, other = (train(chip(name), 5) for _ in range(2))
    np.testing.assert_array_equal(one.weights["fc1"], other.weights["fc1"])
    twin = one.twin()
    train(one, 1)
    np.testing.assert_array_equal(twin.rounded["fc1"], one.rounded["fc1"])
    fresh = chip(name)
    fresh.restore({key: array.copy() for key, array in one.arrays().items()})
    np.testing.assert_array_equal(fresh.rounded["fc2"], one.rounded["fc2"])
    assert loss(fresh) == loss(one)


@pytest.mark.parametrize("name", ["digital32-strong", *NARROW])
@pytest.mark.parametrize("optimiser", [None, ADAM])
def test_an_estimate_has_the_counts_and_the_time_of_a_training(name: str, optimiser: Optimiser | None) -> None:
    made = train(chip(name, optimiser), 1)
    bare = type(made).expected(
        made.architecture, NETWORK, Times(), samples=8, optimiser=optimiser, writing={}
    )  # fmt: skip
    expected_step(bare, NETWORK, 8, lambda _: ALL)

    def amounts(one: Any) -> dict[tuple[str, ...], float]:
        return {
            (row.phase, row.layer, row.component, row.action): row.amount
            for row in one.ledger.rows()
            if not row.action.endswith("powered")
        }

    assert amounts(bare) == amounts(made)
    assert bare.ledger.time_ps == made.ledger.time_ps


def test_words_on_the_bus_have_the_bits_of_the_format() -> None:
    sent = {}
    for name in ("digital32-deep", "digital-bf16", "digital-fp8"):
        made = train(chip(name), 1)
        sent[name] = sum(row.amount for row in made.ledger.rows() if row.action == "transfer" and row.phase == "update")
    assert sent["digital-bf16"] == sent["digital32-deep"] / 2
    assert sent["digital-fp8"] == sent["digital32-deep"] / 4


@pytest.mark.parametrize(("name", "bits"), [("digital-bf16", 16), ("digital-fp8", 8)])
@pytest.mark.parametrize("optimiser", [None, ADAM])
def test_weights_below_the_chip_pass_rounded_to_products_and_whole_to_steps(
    name: str, bits: int, optimiser: Optimiser | None
) -> None:
    """fc2, 10 x 3, lies below. Forward and backward read it rounded; then it moves, and is rounded anew.

    Of a weight an update reads and writes 32 bits; with Adam the gradient likewise, gradient and two states for the
    step, then the weight. Rounding reads 32 bits and writes those of the format.
    """
    made = train(chip(name, optimiser, **{"mac_array.weight_words": "117"}), 1)
    moved = {
        phase: sum(row.amount for row in made.ledger.rows() if (row.component, row.phase) == ("dram", phase))
        for phase in ("forward", "backward", "update")
    }
    steps = 64 if optimiser is None else 64 + 6 * 32 + 64
    assert moved == {"forward": 30 * bits, "backward": 30 * bits, "update": 30 * (steps + 32 + bits)}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"mac_array.format": "fp16"}, "format"),
        ({"mac_array.timing": "lanes"}, "format bf16 with timing lanes"),
        ({"mac_array.format": "fp32"}, "format fp32 with timing systolic"),
        ({"mac_array.rows": "100"}, "16384 lanes in 100 rows"),
    ],
)
def test_what_does_not_go_together_is_named(settings: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        chip("digital-bf16", **settings)


def test_a_stream_that_does_not_fit_is_refused_with_what_it_takes() -> None:
    """512 vectors of 13 brain floats, 7 words, and of 128 sums: 69,120 words."""
    with pytest.raises(InputError, match=r"mac_array.operand_words.*69,?120|69,?120"):
        chip("digital-bf16", **{"mac_array.operand_words": "69119"})
    assert chip("digital-bf16", **{"mac_array.operand_words": "69120"})

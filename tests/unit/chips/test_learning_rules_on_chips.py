"""What learning rules take on chips: matrices in tiles, in a memory, of a generator; signs; nothing that is saved."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from network_kit import Times, chain, dense

from archsim.base import registry
from archsim.base.errors import DoesNotFitError, InputError
from archsim.base.signal import Tag
from archsim.base.streams import Streams
from archsim.chips import architecture as architectures
from archsim.chips.execute import training_step
from archsim.networks.network import Network

ROWS, HIDDEN, CLASSES = 40, 30, 5


def perceptron(rule: str) -> Network:
    return chain(
        ROWS, dense("a", HIDDEN, "sigmoid"), dense("b", CLASSES, "sigmoid"), std=0.3, learning=rule
    )  # fmt: skip


def chip(arch: str, net: Network, **settings: str) -> Any:
    told = {tuple(key.split("__")): value for key, value in settings.items()}
    parsed = architectures.parse(architectures.document(arch, told))
    return registry.load("chip", parsed.chip).start(parsed, net, Times(), Streams(3), samples=1)


def train(made: Any, net: Network, steps: int = 1) -> dict[tuple[str, str, str], float]:
    """Train, and return the sums of all that was booked, by phase, component and action."""
    rng = np.random.default_rng(0)
    for _ in range(steps):
        feeds = {
            "x": rng.random((1, ROWS), dtype=np.float32),
            "target": np.eye(CLASSES, dtype=np.float32)[rng.integers(CLASSES, size=1)],
            **net.drawn(rng, 1),
        }
        made.run(training_step(made, net, feeds, 0.3))
    made.settle()
    sums: dict[tuple[str, str, str], float] = {}
    for row in made.ledger.rows():
        key = row.phase, row.component, row.action
        sums[key] = sums.get(key, 0.0) + row.amount
    return sums


def test_direct_feedback_takes_no_transposed_product_and_one_read_of_a_small_matrix() -> None:
    """Back: 5 errors drive 5 lines of one tile, in the place of 5 columns of the weights; results are 30, not 31."""
    found = {}
    for rule in ("backpropagation", "direct-feedback-alignment"):
        net = perceptron(rule)
        found[rule] = train(chip("mixed-precision", net), net)
    back = {rule: sums["backward", "tile", "adc.convert"] for rule, sums in found.items()}
    assert back == {"backpropagation": HIDDEN + 1, "direct-feedback-alignment": HIDDEN}


@pytest.mark.parametrize("at", ["tiles", "memory", "generator"])
def test_random_matrices_stay_what_they_were(at: str) -> None:
    for rule in ("feedback-alignment", "direct-feedback-alignment", "local-losses"):
        net = perceptron(rule)
        made = chip("mixed-precision", net, feedback__at=at)
        [matrix] = net.fixed
        kept = [
            key for key in made.arrays() if f"{matrix.name}/0,0/conductance" in key or key == f"aside/{matrix.name}"
        ]
        assert bool(made.aside.values) == (at != "tiles")
        before = {key: made.arrays()[key].copy() for key in kept}
        train(made, net, 20)
        assert kept
        assert all((made.arrays()[key] == before[key]).all() for key in kept)


def test_the_gradient_memory_and_the_log_are_of_what_learns() -> None:
    """A random matrix in tiles has tiles, but no unit with chi beside them."""
    plain, aligned = (perceptron(rule) for rule in ("backpropagation", "feedback-alignment"))
    ours, theirs = (chip("mixed-precision", net) for net in (aligned, plain))
    assert ours.tile_counts() == {"a": 1, "b": 1, "b-feedback": 1}
    assert theirs.tile_counts() == {"a": 1, "b": 1}
    assert len(ours.outer_product_units) == len(theirs.outer_product_units) == 2
    assert ours._log_words == theirs._log_words
    assert {part.key: part.amount for part in ours.parts()} == {part.key: part.amount for part in theirs.parts()}


def test_tiles_of_random_matrices_have_to_fit() -> None:
    net = perceptron("direct-feedback-alignment")
    with pytest.raises(DoesNotFitError, match=r"needs 3 tiles .*a-feedback 5x30: 1"):
        chip("mixed-precision", net, tile__count="2")
    chip("mixed-precision", net, tile__count="2", feedback__at="memory")


def test_lanes_beside_tiles_take_what_the_digital_chip_does() -> None:
    """30 x 5 multiply-accumulates with as many words read; from a generator look-ups in their place."""
    net = perceptron("feedback-alignment")
    numbers = (HIDDEN + 1) * CLASSES
    for arch in ("mixed-precision", "in-array", "digital32"):
        memory = train(chip(arch, net, feedback__at="memory"), net)
        assert memory["backward", "mac_array", "multiply"] == numbers
        assert memory["backward", "mac_array", "weights.read"] == numbers
        assert memory["backward", "bus", "transfer"] == 32 * (CLASSES + HIDDEN + 1)  # errors there, results back
        made = train(chip(arch, net, feedback__at="generator"), net)
        assert made["backward", "mac_array", "multiply"] == numbers
        assert ("backward", "mac_array", "weights.read") not in made
        extra = made["backward", "digital_unit", "lookup"] - memory.get(("backward", "digital_unit", "lookup"), 0)
        assert extra == numbers


def test_where_random_matrices_lie_changes_no_bit_of_the_digital_chip() -> None:
    net = perceptron("feedback-alignment")
    found = []
    for at in ("memory", "generator"):
        made = chip("digital32", net, feedback__at=at)
        train(made, net, 10)
        found.append({name: weight.tobytes() for name, weight in made.weights.items()})
    assert found[0] == found[1]


def test_a_memory_of_random_matrices_is_part_of_the_chip() -> None:
    net = perceptron("feedback-alignment")
    for arch in ("mixed-precision", "digital32"):
        parts = {
            at: {part.key: part.amount for part in chip(arch, net, feedback__at=at).parts()}
            for at in ("memory", "generator")
        }
        bits = {at: each["mac_array.weights"] for at, each in parts.items()}
        assert bits["memory"] >= bits["generator"]
        assert all(each["mac_array.logic"] == 1 for each in parts.values())


def test_products_with_signs_take_no_multiplication_and_a_bit_a_weight() -> None:
    net = perceptron("sign-symmetric")
    numbers = (HIDDEN + 1) * CLASSES
    for arch in ("mixed-precision", "in-array", "digital32"):
        sums = train(chip(arch, net), net)
        assert ("backward", "mac_array", "multiply") not in sums
        assert sums["backward", "mac_array", "add"] == numbers
        assert sums["backward", "bus", "transfer"] == 32 * (CLASSES + HIDDEN + 1)
        assert sums["backward", "mac_array", "weights.read"] == -(-numbers // 32)


def test_signs_follow_the_weights_of_the_digital_chip_and_changes_are_written() -> None:
    net = perceptron("sign-symmetric")
    made = chip("digital32", net)
    before = made.weights["b-signs"].copy()
    plain = train(chip("digital32", perceptron("backpropagation")), perceptron("backpropagation"), 40)
    sums = train(made, net, 40)
    now = made.weights["b-signs"]
    assert (now == np.where(made.weights["b"] < 0, -1, 1).T).all()
    flipped = int((now != before).sum())
    assert flipped > 0
    extra = sums["update", "mac_array", "weights.write"] - plain["update", "mac_array", "weights.write"]
    assert 1 <= extra <= 40 * -(-now.size // 32)


def test_signs_on_tiles_are_read_when_weights_are_programmed() -> None:
    """Two devices for each programmed pair; without noise and drift they are those of the weights."""
    net = perceptron("sign-symmetric")
    quiet = {f"nonidealities__{name}": "false" for name in ("read_noise", "drift")}
    made = chip("mixed-precision", net, refresh__every="1000000", **quiet)
    sums = train(made, net, 100)
    of_b = sum(
        row.amount for row in made.ledger.rows() if row.action == "log.write" and row.layer == "b"
    )  # fmt: skip
    assert of_b > 0
    assert sums["update", "programmer", "device.read"] == 2 * of_b
    [[cells]] = made.state["b"].cells
    assert (made.aside.values["b-signs"] == np.where(cells.weight < 0, -1, 1).T).all()


def test_signs_beside_tiles_are_rewritten_by_the_words_in_which_one_changed() -> None:
    """b's signs, 5 x 31, lie row by row in words of 32: ten that change in the first row are one word, one more in the
    last is another, and what stays as it was is none."""
    made = chip("in-array", perceptron("sign-symmetric"))
    signs = made.aside.values["b-signs"]
    rows, columns = np.array([*range(10), 30]), np.array([0] * 10 + [CLASSES - 1])
    negative = signs[columns, rows] > 0
    for whole in (2, 2):  # the second time nothing changes
        made.run(made.aside.follow("b", rows, columns, negative, Tag("update", "b")))
        made.settle()
        found = {row.action: row.amount for row in made.ledger.rows() if row.component == "mac_array"}
        assert (found["weights.read"], found["weights.write"]) == (whole, whole)
        assert (signs[columns, rows] < 0).tolist() == negative.tolist()


def test_a_second_pass_reads_the_tiles_as_the_first_does() -> None:
    for rule in ("node-perturbation", "weight-perturbation"):
        net = perceptron(rule)
        sums = train(chip("mixed-precision", net), net)
        assert sums["backward", "tile", "adc.convert"] == sums["forward", "tile", "adc.convert"] == HIDDEN + CLASSES


def test_a_digital_chip_has_no_tiles_for_random_matrices() -> None:
    with pytest.raises(InputError, match=r"feedback.at: got 'tiles'; expected memory or generator"):
        chip("digital32", perceptron("feedback-alignment"), feedback__at="tiles")
    with pytest.raises(InputError, match=r"feedback.at: got 'generator'; expected memory"):
        chip("digital-bf16", perceptron("feedback-alignment"), feedback__at="generator")

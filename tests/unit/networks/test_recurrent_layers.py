"""Recurrent layers: programs, the state that is carried between batches, what is refused."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from network_kit import chain, dense, roomy
from sequence_kit import layer

from archsim.chips.execute import inference, training_step
from archsim.networks.network import Network

KINDS = ("lstm", "gru", "rnn")


def net(kind: str, steps: int, **more: Any) -> Network:
    return chain([steps, 4], layer("mix", kind, units=3, **more), dense("head", 2, "sigmoid"), std=0.5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_state_that_is_carried_makes_two_batches_one_long_sequence(kind: str) -> None:
    long, half = net(kind, 6), net(kind, 3, carry=True)
    whole, part = roomy("digital32", long, 2), roomy("digital32", half, 2)
    x = np.random.default_rng(0).uniform(0, 1, (2, 6 * 4)).astype(np.float32)
    expected = whole.run(inference(whole, long, x)).reshape(2, 6, 2)
    states: dict[str, np.ndarray] = {}
    first = part.run(inference(part, half, x[:, :12], states=states)).reshape(2, 3, 2)
    second = part.run(inference(part, half, x[:, 12:], states=states)).reshape(2, 3, 2)
    np.testing.assert_allclose(np.concatenate([first, second], axis=1), expected, rtol=1e-6)
    anew = part.run(inference(part, half, x[:, 12:])).reshape(2, 3, 2)
    assert np.abs(anew - second).max() > 1e-3, "a state that is not handed over is zero"


@pytest.mark.parametrize("kind", KINDS)
def test_training_hands_over_the_state_and_no_host_transfer_carries_it(kind: str) -> None:
    carried, plain = net(kind, 3, carry=True), net(kind, 3)
    feeds = {"x": np.full((2, 12), 0.5, np.float32), "target": np.zeros((2, 6), np.float32)}
    states: dict[str, np.ndarray] = {}
    one, other = roomy("digital32", carried, 2), roomy("digital32", plain, 2)
    one.run(training_step(one, carried, feeds, 0.1, states=states))
    other.run(training_step(other, plain, feeds, 0.1))
    assert set(states) == ({"mix.h", "mix.c"} if kind == "lstm" else {"mix.h"})
    assert {array.shape for array in states.values()} == {(2, 3)}
    before = states["mix.h"].copy()
    one.run(training_step(one, carried, feeds, 0.1, states=states))
    assert np.abs(states["mix.h"] - before).max() > 1e-4
    sent = [{row.action: row.amount for row in made.ledger.rows() if row.component == "host"} for made in (one, other)]
    assert sent[1]
    assert {action: amount / 2 for action, amount in sent[0].items()} == sent[1]


@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_in_reverse_gives_what_one_gives_of_the_sequence_turned(kind: str) -> None:
    plain, turned = net(kind, 4), net(kind, 4, reverse=True)
    x = np.random.default_rng(0).uniform(0, 1, (2, 4, 4)).astype(np.float32)
    one, other = roomy("digital32", plain, 2), roomy("digital32", turned, 2)
    expected = one.run(inference(one, plain, x.reshape(2, -1))).reshape(2, 4, 2)
    found = other.run(inference(other, turned, np.ascontiguousarray(x[:, ::-1]).reshape(2, -1))).reshape(2, 4, 2)
    np.testing.assert_array_equal(found[:, ::-1], expected)
    assert np.abs(expected - expected[:, ::-1]).max() > 1e-3


def test_an_lstm_asks_for_two_things_a_step_and_what_else_it_does_is_free() -> None:
    steps = 7
    program = chain(
        [steps, 4], layer("mix", "lstm", units=3), layer("two", "lstm", units=3, returns="last"),
        dense("head", 2, "sigmoid"), std=0.5,
    ).training[0]  # fmt: skip
    calls = Counter(
        (call.verb, str(call.target).partition("(")[0])
        for call in program.calls
        if call.layer in {"mix", "two"} and call.free is None
    )
    assert calls == {
        ("receive", "x"): 1,
        ("multiply", "mix"): steps, ("multiply", "two"): steps, ("compute", "lstm-step"): 2 * steps,
        ("compute", "lstm-step-derivative"): 2 * steps,
        ("multiply_transposed", "mix"): steps - 1, ("multiply_transposed", "two"): steps,
        ("compute", "sum of 2"): steps - 1,  # of the first layer, whose steps have a reader above
        ("accumulate", "mix"): steps, ("accumulate", "two"): steps,
        ("apply", "mix"): 1, ("apply", "two"): 1, ("maintain", "mix"): 1, ("maintain", "two"): 1,
    }  # fmt: skip


@pytest.mark.parametrize("steps", [4, 8])
def test_gradients_of_a_sequence_cost_in_proportion_to_its_length(steps: int) -> None:
    def adds(length: int) -> int:
        program = chain(
            [length, 4], layer("in", "lstm", units=3), layer("mix", "lstm", units=3), dense("head", 2, "sigmoid"), std=1
        ).training[0]
        return sum(call.target.cost.adds for call in program.calls if call.verb == "compute")  # type: ignore[union-attr]

    assert adds(2 * steps) - adds(steps) == pytest.approx(steps * (adds(3) - adds(2)))


@pytest.mark.parametrize(
    ("inputs", "told", "expected"),
    [
        ([8], layer("mix", "lstm", units=3), r"is given the input x, 8; expected a sequence, \(steps, size\)"),
        ([2, 3, 4], layer("mix", "gru", units=3), r"is given the input x, 2x3x4; expected a sequence"),
        ([5, 4], layer("mix", "rnn", units=3, carry=True, reverse=True), "has both carry and reverse"),
        ([5, 4], layer("mix", "attention", heads=3), "with a size that 3 heads divide"),
        ([5, 4], layer("mix", "tied", matrix="in", activation="tanh"), "the matrix 'in', which no layer before it has"),
        ([5, 4], layer("mix", "embedding", vocabulary=3, size=2), r"expected codes, one a vector: \(steps, 1\)"),
        ([5, 4], layer("mix", "one-hot", vocabulary=3), r"expected codes, one a vector: \(steps, 1\)"),
    ],
)
def test_a_shape_that_does_not_suit_is_refused_with_what_would(inputs: Any, told: Any, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        chain(inputs, told, dense("head", 2, "sigmoid"), std=0.5)

"""Steps of recurrent layers and attention beside plain NumPy written out, with what they cost; parts of samples."""

from __future__ import annotations

import numpy as np
import pytest

from archsim.learning.functions import Cost
from archsim.learning.moves import Place
from archsim.learning.parts import Row, Spread, Stack, Zeros, apart
from archsim.learning.sequences.attention import Attend, Heads, Scores, Weighted
from archsim.learning.sequences.recurrence import GruStep, LstmStep

RNG = np.random.default_rng(4)


def normal(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype(np.float32)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x.astype(float)))


def test_a_step_of_an_lstm_forgets_takes_in_and_shows() -> None:
    z, before = normal(5, 12), normal(5, 3)
    i, f, o = (sigmoid(z[:, k : k + 3]) for k in (0, 3, 6))
    c = f * before + i * np.tanh(z[:, 9:])
    step = LstmStep(3)
    y = step(z, before)
    np.testing.assert_allclose(y[:, :3], o * np.tanh(c), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(y[:, 3:6], c, rtol=1e-5, atol=1e-6)
    assert step.cost == Cost(lookups=15, multiplies=9, adds=3, reads=15, writes=21)
    adjoint = step.adjoint(0)
    assert adjoint is not None
    assert adjoint.function.cost == Cost(multiplies=48, adds=18, reads=24, writes=15)


def test_a_gate_far_beyond_its_range_is_shut_or_open_without_overflow() -> None:
    z = np.array([[-500, 500, 500, 500]], np.float32)
    with np.errstate(all="raise"):
        y = LstmStep(1)(z, np.array([[0.25]], np.float32))
    np.testing.assert_array_equal(y[0, 1:6], [0.25, 0, 1, 1, 1])


def test_a_step_of_a_gru_mixes_the_new_with_the_state() -> None:
    a, b, h = normal(5, 9), normal(5, 9), normal(5, 3)
    r, z = sigmoid(a[:, 3:6] + b[:, :3]), sigmoid(a[:, 6:] + b[:, 3:6])
    n = np.tanh(a[:, :3] + r * b[:, 6:])
    step = GruStep(3)
    np.testing.assert_allclose(step(a, b, h)[:, :3], (1 - z) * n + z * h, rtol=1e-5, atol=1e-6)
    assert step.cost == Cost(lookups=9, multiplies=6, adds=15, reads=21, writes=12)


@pytest.mark.parametrize("causal", [False, True])
def test_attention_weighs_each_value_by_the_softmax_of_scores_over_what_is_seen(causal: bool) -> None:
    heads = Heads(4, 6, 2, causal)
    q, k, v = normal(3 * 4, 6), normal(3 * 4, 6), normal(3 * 4, 6)
    weights = Attend(heads)(Scores(heads, 0.5)(q, k))
    found = Weighted(heads)(weights, v)
    for sample in range(3):
        for head in range(2):
            at = np.s_[4 * sample : 4 * sample + 4, 3 * head : 3 * head + 3]
            for step in range(4):
                seen = step + 1 if causal else 4
                score = np.exp(0.5 * k[at][:seen].astype(float) @ q[at][step])
                np.testing.assert_allclose(found[at][step], score / score.sum() @ v[at][:seen], rtol=2e-5, atol=1e-6)


def test_what_is_masked_costs_nothing() -> None:
    heads = Heads(4, 6, 2, causal=True)
    pairs = 10  # of 16
    assert Scores(heads, 0.5).cost == Cost(
        multiplies=pairs * 6 + pairs * 2, adds=pairs * 6, reads=24 + pairs * 6, writes=pairs * 2
    )
    assert Weighted(heads).cost == Cost(multiplies=pairs * 6, adds=pairs * 6, reads=pairs * 8, writes=24)
    n = pairs * 2
    assert Attend(heads).cost == Cost(compares=n, adds=2 * n, lookups=n + 8, multiplies=n, reads=n, writes=n)
    assert Attend(Heads(4, 6, 2, causal=False)).cost.compares == 32


def test_rows_of_a_stack_are_what_was_stacked() -> None:
    parts = [normal(5, 3) for _ in range(4)]
    stack = Stack(4, (3,))(*parts)
    assert stack.shape == (20, 3)
    for place, part in enumerate(parts):
        np.testing.assert_array_equal(Row((4, 3), place)(stack), part)
    assert Zeros((4, 3), (7,))(stack).shape == (5, 7)


def test_parts_are_set_side_by_side_and_what_lies_over_another_apart() -> None:
    places = [Place((2,), 0, start, 6) for start in (4, 0, 1, 3)]
    assert apart(places) == [[1, 3], [2, 0]]
    left, right = normal(5, 2), normal(5, 2)
    whole = Spread([places[1], places[3]])(left, right)
    np.testing.assert_array_equal(whole, places[1](left) + places[3](right))
    middle = normal(5, 2)
    thirds = [Place((2,), 0, start, 6) for start in (0, 2, 4)]
    np.testing.assert_array_equal(Spread(thirds)(left, middle, right), np.hstack([left, middle, right]))

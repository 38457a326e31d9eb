"""Steps of momentum and Adam(W): equal to PyTorch's, or to values that PyTorch's formulas give."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from archsim.learning.optimisers.rules import Adam, Learnt, Momentum, Optimiser

STEPS, RATE = 12, 0.03
ADAM = Adam(beta1=0.9, beta2=0.999, epsilon=1e-8, decay=0.0)
DECAYING = Adam(beta1=0.8, beta2=0.95, epsilon=1e-3, decay=0.2)
OPTIMISERS: dict[str, Optimiser] = {"momentum": Momentum(0.9), "adam": ADAM, "adamw": DECAYING}


def gradients() -> list[np.ndarray]:
    rng = np.random.default_rng(4)
    return [(rng.normal(size=(3, 5)) * rng.choice([1e-4, 1.0, 30.0], (3, 5))).astype(np.float32) for _ in range(STEPS)]


def ours(optimiser: Optimiser) -> list[np.ndarray]:
    """Return the weights after each step."""
    weight, found = np.full((3, 5), 0.5, np.float32), []
    learnt = Learnt(optimiser, np.zeros_like(weight))
    for slope in gradients():
        learnt.gradient -= slope
        weight *= np.float32(1 - RATE * optimiser.decay)
        weight += learnt.step(RATE)
        learnt.clear()
        found.append(weight.copy())
    return found


def formulas(optimiser: Any) -> list[np.ndarray]:
    """Return likewise what PyTorch's documentation says, step by step, in 64 bits and in no clever order."""
    weight, found = np.full((3, 5), 0.5), []
    first, second = np.zeros((3, 5)), np.zeros((3, 5))
    for t, slope in enumerate(gradients(), 1):
        g = slope.astype(float)
        if isinstance(optimiser, Momentum):
            first = optimiser.momentum * first + g
            weight = weight - RATE * first
        else:
            weight = weight - RATE * optimiser.decay * weight
            first = optimiser.beta1 * first + (1 - optimiser.beta1) * g
            second = optimiser.beta2 * second + (1 - optimiser.beta2) * g * g
            m, v = first / (1 - optimiser.beta1**t), second / (1 - optimiser.beta2**t)
            weight = weight - RATE * m / (np.sqrt(v) + optimiser.epsilon)
        found.append(weight)
    return found


def torchs(optimiser: Any) -> list[np.ndarray]:
    torch = pytest.importorskip("torch")
    weight = torch.full((3, 5), 0.5, requires_grad=True)
    if isinstance(optimiser, Momentum):
        made = torch.optim.SGD([weight], lr=RATE, momentum=optimiser.momentum)
    else:
        made = torch.optim.AdamW(
            [weight], lr=RATE, betas=(optimiser.beta1, optimiser.beta2), eps=optimiser.epsilon,
            weight_decay=optimiser.decay,
        )  # fmt: skip
    found = []
    for slope in gradients():
        weight.grad = torch.tensor(slope)
        made.step()
        found.append(weight.detach().numpy().copy())
    return found


@pytest.mark.parametrize("name", OPTIMISERS)
@pytest.mark.parametrize("theirs", [torchs, formulas], ids=["PyTorch", "formulas"])
def test_weights_move_as_pytorchs_do(name: str, theirs: Any) -> None:
    for mine, his in zip(ours(OPTIMISERS[name]), theirs(OPTIMISERS[name]), strict=True):
        assert mine == pytest.approx(his, rel=1e-6, abs=2e-6 * max(1, float(np.abs(his).max())))


def test_the_first_step_of_adam_is_the_rate_whatever_the_gradient() -> None:
    learnt = Learnt(ADAM, np.array([1e-3, -50.0, 0.0, 2.0], np.float32))
    assert learnt.step(0.25) == pytest.approx([0.25, -0.25, 0.0, 0.25], rel=1e-4)


def test_a_steady_gradient_moves_ten_times_as_far_under_momentum_of_nine_tenths() -> None:
    learnt = Learnt(Momentum(0.9), np.zeros(1, np.float32))
    for _ in range(200):
        learnt.gradient[:] = 2.0
        step = float(learnt.step(0.1)[0])
        learnt.clear()
    assert step == pytest.approx(0.1 * 2.0 / (1 - 0.9), rel=1e-5)


@pytest.mark.parametrize(("name", "operations"), [("momentum", 3), ("adam", 13)])
def test_the_cost_of_a_step_is_that_of_the_table(name: str, operations: int) -> None:
    one = OPTIMISERS[name]
    assert one.cost.operations == operations
    learnt = Learnt(one, np.zeros((2, 3), np.float32))
    words = sum(array.size for key, array in learnt.arrays().items() if key != "steps")
    assert words == 6 * (1 + one.states)


def test_the_gradient_is_the_callers_own_array() -> None:
    gradient = np.ones((2, 3), np.float32)
    learnt = Learnt(ADAM, gradient)
    learnt.step(0.1)
    assert math.isclose(float(gradient[0, 0]), 0.1, rel_tol=1e-5)
    learnt.clear()
    assert not gradient.any()

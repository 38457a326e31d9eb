"""Momentum and Adam(W): the step of each weight from its mean gradient and what is remembered of earlier ones.

Plain gradient descent needs none of this: outer products go straight into chi or the weights.

| a weight and step | words kept | adds | multiplies | look-ups | words read | words written |
| --- | --- | --- | --- | --- | --- | --- |
| SGD | 0 | 0 | 0 | 0 | 0 | 0 |
| momentum | 2 | 1 | 2 | 0 | 2 | 2 |
| Adam | 3 | 5 | 6 | 2 | 3 | 3 |

Beside it each outer product reads and writes the gradient, and the step reads, changes and writes what it is added to.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from archsim.base.arrays import F32
from archsim.learning.optimisers import _kernels


@dataclass(frozen=True, slots=True)
class StepCost:
    """Operations of 32 bits that the step of one weight takes; a look-up is a root or a reciprocal in a table."""

    adds: int
    multiplies: int
    lookups: int = 0

    @property
    def operations(self) -> int:
        """All of them."""
        return self.adds + self.multiplies + self.lookups


class Optimiser(Protocol):
    """What an optimiser says of itself; nothing is remembered in it."""

    @property
    def states(self) -> int:
        """Words that it remembers of each weight, beside the gradient."""

    @property
    def cost(self) -> StepCost:
        """Operations of the step of one weight."""

    @property
    def decay(self) -> float:
        """Share that a weight loses a step, over the learning rate."""

    def step(self, gradient: F32, states: list[F32], number: int, rate: float) -> None:
        """Turn a mean descent direction into the step, in place, and bring the states up to date.

        Parameters
        ----------
        gradient : float32 array, contiguous
        states : arrays of its shape, in place too
        number : int
            Of the step, from 1 on.
        rate : float
            Learning rate, in whatever unit the step is wanted.
        """


@dataclass(frozen=True, slots=True)
class Momentum:
    """Heavy ball: velocity = momentum x velocity + gradient; step = rate x velocity.

    As torch.optim.SGD has it, without dampening. The step costs the two products and the sum.
    """

    momentum: float
    states: ClassVar[int] = 1
    cost: ClassVar[StepCost] = StepCost(adds=1, multiplies=2)
    decay: ClassVar[float] = 0.0

    def step(self, gradient: F32, states: list[F32], number: int, rate: float) -> None:
        """Turn a mean descent direction into the step, in place."""
        del number
        _kernels.momentum(gradient.reshape(-1), states[0].reshape(-1), self.momentum, rate)


@dataclass(frozen=True, slots=True)
class Adam:
    """Adam, with decoupled weight decay (AdamW) where `decay` is not 0; as torch.optim.AdamW has it.

    Corrections of the bias are two numbers a step, folded into the rate and into the factor of the root. The running
    means cost 2 + 2 sums and 1 + 2 products, the step a sum, 3 products, a root and a reciprocal.

    Source
    ------
    Kingma and Ba 2015, algorithm 1: step and bias corrections; Loshchilov and Hutter 2019, algorithm 2: the decay
    outside the gradient, here times the learning rate.
    """

    beta1: float
    beta2: float
    epsilon: float
    decay: float
    states: ClassVar[int] = 2
    cost: ClassVar[StepCost] = StepCost(adds=5, multiplies=6, lookups=2)

    def step(self, gradient: F32, states: list[F32], number: int, rate: float) -> None:
        """Turn a mean descent direction into the step, in place."""
        first, second = (state.reshape(-1) for state in states)
        _kernels.adam(
            gradient.reshape(-1), first, second, 1.0 - self.beta1, 1.0 - self.beta2,
            1.0 / math.sqrt(1.0 - self.beta2**number), self.epsilon, rate / (1.0 - self.beta1**number),
        )  # fmt: skip


class Learnt:
    """Gradient and states of one matrix or parameter. Sole owner of the states; the gradient is whoever's adds to it.

    Parameters
    ----------
    optimiser : Optimiser
    gradient : float32 array
        Where descent directions are summed; it is the step after `step` until `clear`.
    """

    def __init__(self, optimiser: Optimiser, gradient: F32) -> None:
        self.optimiser, self.gradient = optimiser, gradient
        self._states = [np.zeros_like(gradient) for _ in range(optimiser.states)]
        self._steps = np.zeros(1, np.int64)

    def step(self, rate: float) -> F32:
        """Make a step of the gradient and return it, a view: it holds until `clear`."""
        self._steps += 1
        self.optimiser.step(self.gradient, self._states, int(self._steps[0]), rate)
        return self.gradient

    def clear(self) -> None:
        """Begin a new sum."""
        self.gradient[...] = 0

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return gradient, states and the number of steps, views."""
        states = {f"state {k}": state for k, state in enumerate(self._states)}
        return {"gradient": self.gradient, **states, "steps": self._steps}

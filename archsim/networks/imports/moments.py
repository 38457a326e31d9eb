"""Norms of vectors that a graph writes out: (x - mean) / sqrt(mean (x - mean)^2 + epsilon), node by node."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from archsim.networks.imports.channels_first import Value

What = Literal["mean", "centred", "squared", "variance", "deviation", "inverse"]


@dataclass(frozen=True, slots=True)
class Moment:
    """What is on its way to a norm of `of`: the name of the step, and what was added to the variance."""

    TOLD: ClassVar[str] = "a step of a norm that is written out"
    what: What
    of: Value
    epsilon: float = 0.0

    def squared(self) -> Moment | None:
        """Return it times itself, where a norm does that."""
        return replace(self, what="squared") if self.what == "centred" else None

    def meant(self) -> Moment | None:
        """Return its mean over each vector, where a norm takes that."""
        return replace(self, what="variance") if self.what == "squared" else None

    def raised(self, number: float) -> Moment | None:
        """Return it and a number."""
        return replace(self, epsilon=self.epsilon + number) if self.what == "variance" else None

    def rooted(self) -> Moment | None:
        """Return its root."""
        return replace(self, what="deviation") if self.what == "variance" else None

    def inverted(self) -> Moment | None:
        """Return one over it."""
        return replace(self, what="inverse") if self.what == "deviation" else None


def centred(x: Value, mean: Moment) -> Moment | None:
    """Return a signal without its mean."""
    return replace(mean, what="centred") if mean.what == "mean" and mean.of == x else None


def norm(one: Moment, other: Moment, *, divided: bool) -> float | None:
    """Return the epsilon of the norm that two moments make, one divided by the other or times it; None if none."""
    steps = ("centred", "deviation") if divided else ("centred", "inverse")
    for a, b in ((one, other),) if divided else ((one, other), (other, one)):
        if (a.what, b.what) == steps and a.of == b.of:
            return b.epsilon
    return None

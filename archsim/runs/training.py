"""What a workload says of its training: batch, steps, optimiser, and the learning rate of each step."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, FiniteFloat, Tag

from archsim.base.errors import InputError
from archsim.base.quantities import Count
from archsim.base.yamlfile import Record
from archsim.learning.optimisers.rules import Adam, Momentum, Optimiser

HIGHEST_RATE = 1e6
Rate = Annotated[FiniteFloat, Field(gt=0, le=HIGHEST_RATE)]
Share = Annotated[FiniteFloat, Field(ge=0, le=1)]
Below1 = Annotated[FiniteFloat, Field(ge=0, lt=1)]


class SgdFile(Record):
    """Plain gradient descent: outer products go straight into chi or the weights."""

    kind: Literal["sgd"]

    def build(self) -> None:
        """Return that nothing stands between."""
        return


class MomentumFile(Record):
    """Heavy ball (`learning.optimisers.rules.Momentum`)."""

    kind: Literal["momentum"]
    momentum: Below1 = 0.9

    def build(self) -> Optimiser:
        """Return the rule."""
        return Momentum(self.momentum)


class AdamFile(Record):
    """Adam, with decoupled weight decay where it is not 0 (`learning.optimisers.rules.Adam`).

    Values by default are those that Kingma and Ba 2015 recommend, algorithm 1.
    """

    kind: Literal["adam"]
    beta1: Below1 = 0.9
    beta2: Below1 = 0.999
    epsilon: Annotated[FiniteFloat, Field(gt=0, le=1)] = 1e-8
    decay: Below1 = 0.0

    def build(self) -> Optimiser:
        """Return the rule."""
        return Adam(beta1=self.beta1, beta2=self.beta2, epsilon=self.epsilon, decay=self.decay)


class ConstantFile(Record):
    """One learning rate for all steps."""

    kind: Literal["constant"]

    def share(self, step: int, per_epoch: int, steps: int) -> float:
        """Return 1."""
        del step, per_epoch, steps
        return 1.0


class StepFile(Record):
    """The learning rate times `factor` after `every` so many epochs."""

    kind: Literal["step"]
    every: Count = 1
    factor: Annotated[FiniteFloat, Field(gt=0, le=1)]

    def share(self, step: int, per_epoch: int, steps: int) -> float:
        """Return what is left of the learning rate after so many steps."""
        del steps
        return float(self.factor ** (step // (self.every * per_epoch)))


class CosineFile(Record):
    """A rise in `warmup` equal steps to the whole learning rate, then half a cosine to `final` of it at the end.

    Source
    ------
    Loshchilov and Hutter 2017, equation 5, without restarts; the linear rise is usual with Adam.
    """

    kind: Literal["cosine"]
    warmup: Annotated[int, Field(ge=0, strict=True)] = 0
    final: Share = 0.0

    def share(self, step: int, per_epoch: int, steps: int) -> float:
        """Return the part of the learning rate for the step after so many of all `steps`."""
        del per_epoch
        if step < self.warmup:
            return (step + 1) / (self.warmup + 1)
        gone = min((step - self.warmup) / max(steps - self.warmup, 1), 1.0)
        return self.final + (1 - self.final) * 0.5 * (1 + math.cos(math.pi * gone))


def _named(value: object) -> object:
    """Return a block of a kind by its name alone as a block."""
    return {"kind": value} if isinstance(value, str) else value


def _kind(block: object) -> str | None:
    kind = block.get("kind") if isinstance(block, Mapping) else getattr(block, "kind", None)
    return None if kind is None else f"<{kind}>"


OptimiserFile = Annotated[
    Annotated[SgdFile, Tag("<sgd>")] | Annotated[MomentumFile, Tag("<momentum>")] | Annotated[AdamFile, Tag("<adam>")],
    Discriminator(_kind),
    BeforeValidator(_named),
]
"""An optimiser by its kind, or by the name of it alone."""
ScheduleFile = Annotated[
    Annotated[ConstantFile, Tag("<constant>")]
    | Annotated[StepFile, Tag("<step>")]
    | Annotated[CosineFile, Tag("<cosine>")],
    Discriminator(_kind),
    BeforeValidator(_named),
]
"""What becomes of the learning rate, by its kind, or by the name of it alone."""


class Training(Record):
    """How to train. `steps`, if given, ends the training whatever the epochs.

    Only a workload without data leaves `learning_rate` and `epochs` out; they are 0 then.

    `samples_per_epoch` is the length of an epoch for the learning rate and for the number of steps, whatever the data
    set: a smaller one is gone through more often. The whole training set by default. `test_samples`: the first so many
    of the test set are tested on; all of them by default. The learning rate is multiplied by `decay` after each epoch,
    and by what `schedule` says of each step. `until` ends the training at the first test that is as good: a value of
    the metric, such as 0.97 of the accuracy.
    """

    batch: Count
    learning_rate: Rate = 0.0
    decay: Annotated[FiniteFloat, Field(gt=0, le=1)] = 1.0
    schedule: ScheduleFile = ConstantFile(kind="constant")
    optimiser: OptimiserFile = SgdFile(kind="sgd")
    epochs: Count = 0
    samples_per_epoch: Count | None = None
    steps: Count | None = None
    evaluations_per_epoch: Count = 1
    test_samples: Count | None = None
    until: Annotated[FiniteFloat, Field(ge=0)] | None = None

    def further(self) -> str:
        """Return the kinds of schedule and optimiser in words, where they are not the usual ones."""
        usual = {"constant", "sgd"}
        return "".join(f", {kind}" for kind in (self.schedule.kind, self.optimiser.kind) if kind not in usual)

    def rate(self, step: int, per_epoch: int, steps: int) -> float:
        """Return the learning rate after so many of all `steps`, `per_epoch` an epoch."""
        share = self.schedule.share(step, per_epoch, steps)
        return float(self.learning_rate * self.decay ** (step // per_epoch) * share)


class Preset(Record):
    """Values that replace those of `training`."""

    batch: Count | None = None
    learning_rate: Rate | None = None
    decay: Annotated[FiniteFloat, Field(gt=0, le=1)] | None = None
    schedule: ScheduleFile | None = None
    optimiser: OptimiserFile | None = None
    epochs: Count | None = None
    steps: Count | None = None
    evaluations_per_epoch: Count | None = None
    test_samples: Count | None = None

    def over(self, training: Training, settings: set[Any]) -> Training:
        """Return a training with these values in place of its own, but for keys that were set."""
        values = {key: getattr(self, key) for key in self.model_fields_set}
        changes = {key: value for key, value in values.items() if value is not None and key not in settings}
        return training.model_copy(update=changes)


MOST_STEPS, MOST_TESTS = 10**10, 10**6
"""Steps and tests that a training may have: years of them on any machine."""


def steps_of(training: Training, samples: int) -> tuple[int, int]:
    """Return the steps of the whole training and those of one epoch of so many samples.

    Raises
    ------
    InputError
        If these, or the tests among them, are more than could ever be done.
    """
    per_epoch = -(-samples // training.batch)
    steps = training.steps or training.epochs * per_epoch
    if steps > MOST_STEPS:
        key = "steps" if training.steps else "epochs"
        raise InputError(f"{steps:,} steps", key=f"training.{key}", expected=f"at most {MOST_STEPS:,}")
    if (tests := steps // every_steps(per_epoch, training.evaluations_per_epoch)) > MOST_TESTS:
        raise InputError(
            f"{tests:,} tests in {steps:,} steps", key="training.evaluations_per_epoch",
            expected=f"at most {MOST_TESTS:,}",
        )  # fmt: skip
    return steps, per_epoch


def every_steps(per_epoch: int, evaluations: int) -> int:
    """Return how many steps lie between two tests."""
    return max(per_epoch // evaluations, 1)

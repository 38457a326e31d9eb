"""The books of a loop while it runs: passes, steps, tests, each with what was seen of its operands."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import cast

import numpy as np

from archsim.base.arrays import F32
from archsim.base.signal import Tag
from archsim.chips.crossbars.in_array_file import InArrayArchitecture
from archsim.studies.estimate.books import layers
from archsim.studies.estimate.spec import EstimateSpec
from archsim.studies.meter.in_place import Sent, Trains, Vectors, sends_trains
from archsim.studies.meter.operands import lens
from archsim.studies.meter.sums import Sums

WeightsWritten = Mapping[str, Mapping[str, tuple[float, float]]]
"""Architecture -> matrix -> pairs pulsed, and pulses."""


@dataclass(slots=True)
class Group:
    """Steps, or passes, of so many samples each.

    Parameters
    ----------
    steps : int
        All of them, looked at or not.
    sums : architecture -> what those that were looked at did
    written : architecture -> matrix -> [pairs, pulses], or pulses up and down
    sent : architecture -> matrix -> trains of those that were looked at
    """

    steps: int = 0
    sums: dict[str, Sums] = field(default_factory=dict)
    written: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    sent: dict[str, dict[str, Sent]] = field(default_factory=dict)

    def look(self, sums: Iterable[Mapping[str, Sums]]) -> None:
        """Take up one step or pass, made of one part or several."""
        for part in sums:
            for name, one in part.items():
                self.sums.setdefault(name, Sums()).absorb(one)
        for one in self.sums.values():
            one.steps += 1


@dataclass(slots=True)
class Stretch:
    """A part of the loop that ends with a test, or with the loop: groups by samples of a step, and of a pass."""

    training: dict[int, Group] = field(default_factory=dict)
    evaluation: dict[int, Group] = field(default_factory=dict)
    test: float | None = None
    rate: float = 0.0

    def groups(self) -> list[Group]:
        """Return all groups, of training and of evaluation."""
        return [*self.training.values(), *self.evaluation.values()]

    @property
    def steps(self) -> int:
        """Training steps."""
        return sum(group.steps for group in self.training.values())


class Pass:
    """One pass of so many samples, forward and perhaps back."""

    def __init__(self, recorder: Recorder, samples: int) -> None:
        self.samples, self.sums = samples, {name: Sums() for name in recorder.lenses}
        self.returned, self.diverged = False, ""
        self.vectors: list[tuple[str, Vectors]] = []
        self._recorder = recorder

    def forward(self, matrix: str, x: F32) -> None:
        """Count a product with inputs, (vectors, rows)."""
        tag = Tag("forward", self._recorder.layers[matrix])
        self._check(matrix, x)
        for name, each in self._recorder.lenses.items():
            self.sums[name].add(tag, each.forward(matrix, x))

    def back(self, matrix: str, x: F32, d: F32, *, transposed: bool = True) -> None:
        """Count a transposed product with errors, (vectors, columns), if it is done, and the outer product of both."""
        layer = self._recorder.layers[matrix]
        self._check(matrix, d)
        if self._recorder.trains:
            self.vectors.append((matrix, Vectors.of(x, d)))
        for name, each in self._recorder.lenses.items():
            if transposed:
                self.sums[name].add(Tag("backward", layer), each.backward(matrix, d))
            self.sums[name].add(Tag("update", layer), each.update(matrix, x, d))

    def _check(self, matrix: str, values: F32) -> None:
        """Note the first layer whose operands are not all finite."""
        if not self.diverged and not np.isfinite(values.sum(dtype=np.float64)):
            self.diverged = self._recorder.layers[matrix]


class Recorder:
    """Counts a loop.

    Parameters
    ----------
    spec : EstimateSpec
        The network, and the chips that it is counted for.

    Attributes
    ----------
    diverged : layer and step whose operands were the first that are not finite; empty if all were
    """

    def __init__(self, spec: EstimateSpec) -> None:
        self.spec, self.layers = spec, layers(spec)
        self.lenses = {each.name: lens(each, spec.network) for each in spec.architectures}
        self.trains = {
            each.name: Trains(cast("InArrayArchitecture", each), spec.network)
            for each in spec.architectures
            if sends_trains(each)
        }
        self.stretches = [Stretch()]
        self.seen = hashlib.sha256()
        self.samples, self._last = 0, Group()
        self.diverged = ""

    def given(self, x: F32) -> None:
        """Note what samples the loop's model was given: the run is named by them."""
        self.seen.update(np.ascontiguousarray(x).data)

    def evaluated(self, one: Pass, *, looked: bool = True) -> None:
        """Count a pass that was no part of a training step."""
        group = self.stretches[-1].evaluation.setdefault(one.samples, Group())
        group.steps += 1
        if looked:
            group.look([one.sums])

    def step(self, passes: Iterable[Pass], written: WeightsWritten, *, rate: float, looked: bool = True) -> None:
        """Count a training step that took one pass or several, and what was written to matrices since the last."""
        several, now = list(passes), self.stretches[-1]
        several = [one for one in several if not one.diverged] or several  # a scaled loss too large: no step was taken
        samples = sum(one.samples for one in several)
        group = now.training.setdefault(samples, Group())
        group.steps += 1
        if not self.diverged and (layer := next((one.diverged for one in several if one.diverged), "")):
            self.diverged = f"{layer} in step {sum(each.steps for each in self.stretches):,}"
        self.samples += samples
        now.rate = rate
        if looked:
            group.look(one.sums for one in several)
            for name, trains in self.trains.items():
                mine = group.sent.setdefault(name, {})
                for matrix, vectors in (each for one in several for each in one.vectors):
                    mine[matrix] = mine.get(matrix, Sent()).plus(trains.send(matrix, vectors, rate))
        self._last = group
        self.wrote(written)

    def wrote(self, written: WeightsWritten) -> None:
        """Count what was written to matrices, with the last step."""
        for name, of in written.items():
            mine = self._last.written.setdefault(name, {})
            for matrix, (pairs, pulses) in of.items():
                both = mine.setdefault(matrix, [0.0, 0.0])
                both[0] += pairs
                both[1] += pulses

    def tested(self, value: float) -> None:
        """Note a test of the model as it is now."""
        self.stretches[-1].test = value
        self.stretches.append(Stretch(rate=self.stretches[-1].rate))

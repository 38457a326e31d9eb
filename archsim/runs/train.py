"""Train a network on a chip: order of the data, learning rate, evaluation, progress, interruption."""

from __future__ import annotations

import gc
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, astuple, dataclass, field
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.accounting.area import Part
from archsim.accounting.ledger import Entry, Row
from archsim.base import registry
from archsim.base.arrays import F32
from archsim.base.errors import InputError
from archsim.base.memory import keep_freed
from archsim.base.progress import Progress, Report
from archsim.base.streams import Streams
from archsim.base.verbs import Work
from archsim.chips.architecture import Architecture
from archsim.chips.chip import Chip
from archsim.chips.execute import training_step
from archsim.runs.spec import RunSpec
from archsim.runs.task import task, training_samples
from archsim.runs.tasks.base import Task
from archsim.runs.training import CosineFile, every_steps, steps_of

CHUNK = 250
"""Steps between two looks at the clock on the wall, at the progress display and at an interruption."""
WINDOW = 1000
"""Samples over which the running metric is taken."""


@dataclass(frozen=True, slots=True)
class TestPoint:
    """State of the training after so many steps, `running` and `test` in the task's metric.

    `running` is over the last samples trained on, NaN where that is of another metric; `test` is None between
    evaluations.
    """

    step: int
    samples: int
    epoch: float
    learning_rate: float
    running: float
    test: float | None
    simulated_time_s: float
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Trained:
    """What training on one chip gave.

    Parameters
    ----------
    steps : int
        Done; fewer than asked for if `finished` is False.
    rows, entries : the ledger, and what every action of the chip is
    parts : what takes area on the chip
    time_ps : simulated time by phase
    points : the course of the training
    wall_s, compile_s : seconds in all, and of the first steps, which load or compile the kernels
    steps_per_s : steady state: the median over chunks of some hundred steps, without the first and without evaluation;
        None if there was one chunk only
    events, holds : of the training chip's clock
    clipped_shares : by matrix, of its conversions
    reached : whether it ended because a test was as good as `training.until`
    """

    architecture: Architecture
    steps: int
    finished: bool
    rows: tuple[Row, ...]
    entries: tuple[Entry, ...]
    parts: tuple[Part, ...]
    time_ps: Mapping[str, float]
    points: tuple[TestPoint, ...]
    wall_s: float
    compile_s: float
    steps_per_s: float | None
    events: int
    holds: int
    diagnostics: dict[str, float]
    clipped_shares: dict[str, float] = field(default_factory=dict)
    reached: bool = False

    @property
    def test(self) -> float:
        """The metric at the last evaluation."""
        return next(p.test for p in reversed(self.points) if p.test is not None)

    @property
    def simulated_time_s(self) -> float:
        """Simulated time of all steps."""
        return self.points[-1].simulated_time_s


def _silent(report: Report) -> None:
    """Show nothing."""
    del report


def _keep_nothing(trainer: Trainer, ended: bool) -> None:
    """Keep nothing."""
    del trainer, ended


def build_chip(architecture: Architecture, spec: RunSpec, streams: Streams) -> Chip:
    """Return the chip that an architecture names, with the spec's network loaded."""
    chip: Chip = registry.load("chip", architecture.chip).start(
        architecture, spec.network, spec.technologies[0], streams, samples=spec.training.batch,
        optimiser=spec.training.optimiser.build(),
    )  # fmt: skip
    return chip


def task_of(spec: RunSpec, streams: Streams) -> Task:
    """Return what the spec's network is trained for."""
    training = spec.training
    return task(spec.dataset, spec.network, training.batch, streams, test_samples=training.test_samples)


def total_steps(spec: RunSpec) -> tuple[int, int]:
    """Return the steps of the whole training and those of one epoch.

    Raises
    ------
    InputError
        If the learning rate would rise all the time, or as `steps_of`.
    """
    training = spec.training
    steps, per_epoch = steps_of(training, training.samples_per_epoch or training_samples(spec.dataset, spec.network))
    if isinstance(training.schedule, CosineFile) and (warmup := training.schedule.warmup) >= steps:
        expected = f"fewer than the {steps} steps of the training"
        raise InputError(key="training.schedule.warmup", value=warmup, expected=expected)
    return steps, per_epoch


def evaluation_steps(steps: int, per_epoch: int, evaluations: int) -> list[int]:
    """Return the steps after which to evaluate: even parts of an epoch, a 1-3-10 series from 100 on before, the end."""
    every = every_steps(per_epoch, evaluations)
    series = {factor * 10**power for power in range(2, 9) for factor in (1, 3)}
    early = {step for step in series if step < every}
    return sorted(step for step in early | set(range(every, steps, every)) | {steps} if step <= steps)


class Trainer:
    """Trains one chip. Sole owner of the learning rate and of the course of the training.

    Parameters
    ----------
    spec : RunSpec
    architecture : Architecture
        The one of the spec's to train.
    progress : callable, optional
    stop : callable, optional
        Asked between chunks; True ends the training early, and what was done is kept.

    Attributes
    ----------
    samples : by step
        What tests generated, to be looked at.
    keep : callable
        Gets the trainer between chunks, and whether it trains no further: what it holds then is all that decides how
        it goes on (`archsim.runs.checkpoint`).
    """

    def __init__(
        self, spec: RunSpec, architecture: Architecture, *, progress: Progress | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> None:  # fmt: skip
        keep_freed()
        self.spec, self.architecture = spec, architecture
        self.streams = Streams(spec.seed)
        self.chip = build_chip(architecture, spec, self.streams)
        self.task = task_of(spec, self.streams)
        self.states: dict[str, F32] = {}
        self.samples: dict[str, NDArray[np.uint8]] = {}
        self._random = self.streams.generator("draws")
        self.steps, self.per_epoch = total_steps(spec)
        self._progress, self._stop = progress or _silent, stop or (lambda: False)
        self.keep: Callable[[Trainer, bool], None] = _keep_nothing
        self._hits: deque[float] = deque(maxlen=max(WINDOW // spec.training.batch, 1))
        self._points: list[TestPoint] = []
        self._samples = 0

    def rate(self) -> float:
        """Return the learning rate of the next step."""
        return self.spec.training.rate(self.chip.ledger.steps, self.per_epoch, self.steps)

    def run(self) -> Trained:
        """Train, evaluate on the way, and return what came of it."""
        begin = time.perf_counter()
        if not self._points:
            self.evaluate()
        marks = evaluation_steps(self.steps, self.per_epoch, self.spec.training.evaluations_per_epoch)
        rates: list[float] = []
        compile_s, finished = 0.0, True
        freezes = not gc.get_freeze_count()  # a caller that froze what stands has seen to it
        if freezes:
            gc.collect()
            gc.freeze()  # what stands now lives as long as the run; the collector need not look at it again
        try:
            for chunk, evaluate in () if self.reached else self._chunks(marks):
                since = time.perf_counter()
                self.train(chunk)
                seconds = time.perf_counter() - since
                if compile_s:
                    rates.append(chunk / seconds)
                else:
                    compile_s = seconds  # the first chunk loads or compiles the kernels
                if evaluate:
                    self.evaluate()
                self._report()
                done, stopped = self.chip.ledger.steps == self.steps or self.reached, self._stop()
                self.keep(self, stopped or done)
                if stopped or done:
                    finished = done
                    break
        finally:
            if freezes:
                gc.unfreeze()
        if self._points[-1].step != self.chip.ledger.steps:
            self.evaluate()
        return Trained(
            architecture=self.architecture, steps=self.chip.ledger.steps, finished=finished,
            rows=tuple(self.chip.ledger.rows()), entries=tuple(self.chip.entries()),
            parts=tuple(self.chip.parts()), time_ps=dict(self.chip.ledger.time_ps), points=tuple(self._points),
            wall_s=time.perf_counter() - begin, compile_s=compile_s, steps_per_s=median(rates) if rates else None,
            events=self.chip.clock.events, holds=self.chip.clock.holds,
            diagnostics=self.chip.diagnostics(), clipped_shares=self.chip.clipped_shares(), reached=self.reached,
        )  # fmt: skip

    @property
    def reached(self) -> bool:
        """Whether the training is as good as it was to become, by a test of just now."""
        until, last = self.spec.training.until, self._points[-1]
        if until is None or not last.step or last.step != self.chip.ledger.steps:
            return False
        return self.task.metric.reaches(last.test, until)

    def evaluate(self) -> float:
        """Test on the whole test set through the chip's own converters, on a twin, and return the metric."""
        twin = self.chip.twin()
        found = self.task.test(twin)
        if self.task.samples is not None:
            self.samples[str(self.chip.ledger.steps)] = self.task.samples
        self.chip.ledger.absorb(twin.ledger)
        self.chip.settle()
        self._note(found)
        return found

    def _chunks(self, marks: list[int]) -> Iterator[tuple[int, bool]]:
        """Yield (steps to do, evaluate afterwards?) until the last mark."""
        done = self.chip.ledger.steps
        for mark in marks:
            while done < mark:
                chunk = min(CHUNK, mark - done)
                done += chunk
                yield chunk, done == mark

    def train(self, steps: int) -> None:
        """Do so many steps, without evaluation.

        Raises
        ------
        InputError
            If the weights are no finite numbers any more.
        """
        with np.errstate(over="ignore", invalid="ignore"):  # what is no number any more is told below, in one line
            self.chip.run(self._train(steps))
            for name, array in self.chip.arrays().items():
                if array.dtype.kind == "f" and not np.isfinite(array.sum()):
                    raise self._diverged(name)

    def _diverged(self, array: str) -> InputError:
        """Return the error for an array of the chip that holds no finite numbers."""
        graph, parts = self.spec.network.graph, array.split("/")
        learning = next((name for name in parts if name in graph.matrices or name in graph.parameters), None)
        home = f" ({self.spec.home(learning)})" if learning else ""
        return self.spec.error(
            ("training", "learning_rate"),
            f"training diverged: {array} of {self.architecture.name}{home} holds no finite numbers any more within "
            f"{self.chip.ledger.steps} steps", expected="a smaller one",
        )  # fmt: skip

    def _train(self, steps: int) -> Work[None]:
        chip, task, network, hits = self.chip, self.task, self.spec.network, self._hits
        for _ in range(steps):
            batch = task.batch()
            if batch.begins:
                self.states.clear()
            feeds = {**batch.feeds, **network.drawn(self._random, batch.samples)}
            outputs = yield from training_step(chip, network, feeds, self.rate(), states=self.states)
            self._samples += batch.samples
            hits.append(task.judge(outputs, batch.answers))

    def content(self) -> dict[str, Any]:
        """Return where the training stands, but for the chip and the random streams, as JSON has it."""
        return {
            "hits": [float(hit) for hit in self._hits], "samples": self._samples,
            "points": [
                {**asdict(point), "rows": [list(astuple(row)) for row in point.rows]} for point in self._points
            ],
        }  # fmt: skip

    def go_on(self, content: Mapping[str, Any]) -> None:
        """Take up what `content` returned."""
        self._hits.extend(content["hits"])
        self._samples = content["samples"]
        self._points = [
            TestPoint(**{**point, "rows": tuple(Row(*row) for row in point["rows"])}) for point in content["points"]
        ]

    @property
    def running(self) -> float:
        """The task's running metric over the last samples, before each was learnt; NaN before the first."""
        return float(sum(self._hits)) / len(self._hits) if self._hits else float("nan")

    def recent(self, steps: int) -> float:
        """Return the running metric over the last so many steps alone, at most those that `running` is over."""
        hits = list(self._hits)[-steps:]
        return float(sum(hits)) / len(hits) if hits else float("nan")

    def _note(self, test: float | None) -> None:
        ledger = self.chip.ledger
        running = self.running if self.task.running is self.task.metric else float("nan")  # one metric a course
        self._points.append(
            TestPoint(
                step=ledger.steps, samples=self._samples, epoch=ledger.steps / self.per_epoch,
                learning_rate=self.rate(), running=running, test=test,
                simulated_time_s=self.chip.clock.now * 1e-12, rows=tuple(ledger.rows()),
            )
        )  # fmt: skip

    def _report(self) -> None:
        last = next((p.test for p in reversed(self._points) if p.test is not None), None)
        done, task = self.chip.ledger.steps, self.task
        self._progress(
            Report(self.architecture.name, done, self.steps, "steps", self.running, last, task.metric, task.running)
        )

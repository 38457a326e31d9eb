"""A meter: from a model and chips to a recorder, and from what it recorded to a run."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archsim.accounting.technology import read_technology
from archsim.base.errors import InputError, nearest
from archsim.base.metrics import METRICS, Metric, Sample
from archsim.base.signal import STEP_PHASES
from archsim.chips import architecture as architectures
from archsim.networks.imports.draft import Draft
from archsim.runs import rundir
from archsim.runs import workload as workloads
from archsim.runs.metered import Given, Metered
from archsim.runs.run import check_prices_of
from archsim.runs.spec import RunSpec, read_files
from archsim.runs.summarise import PricedChip, price_all, ratios
from archsim.runs.summary import Summary
from archsim.runs.train import Trained
from archsim.studies.estimate.assumed import assumed
from archsim.studies.estimate.books import estimate_chip
from archsim.studies.estimate.spec import EstimateSpec, resolve
from archsim.studies.meter.books import trained
from archsim.studies.meter.recorder import Recorder

ARCHITECTURES = ("mixed-precision-deep", "digital32-deep")
"""For which a loop is counted if nothing is asked for."""
TOTAL = "total"
IN_PLACE = "in-array"
PAIRS = "assumed: devices conduct the mean of their file; those pulsed are refreshed as in archsim's own trainings"
PLACES = "assumed: devices pulsed in place stand in the middle of their range, of fast arrays at the symmetry point"


@dataclass(frozen=True)
class Asked:
    """What a loop is to be counted for.

    Parameters
    ----------
    name : str
        Of the run.
    archs, techs : names, files or contents; the first technology is the run's own
    settings : as for `archsim.resolve`
    over : str, optional
        The chip over which the others are compared.
    loss : str, optional
        Of a workload, in place of the one that suits the model's last layer.
    """

    name: str
    archs: Sequence[str | Mapping[str, Any]] = ARCHITECTURES
    techs: Sequence[str] = ("bottom-up-14nm",)
    settings: Sequence[str] | Mapping[str, Any] = ()
    over: str | None = None
    loss: str | None = None

    def content(self, draft: Draft, batch: int, optimiser: Mapping[str, Any] | str = "sgd") -> dict[str, Any]:
        """Return the workload of a network as it was read."""
        return {
            "schema": 1, "kind": "workload", "name": self.name, "title": f"{self.name}, metered in its own loop",
            "architectures": [each if isinstance(each, str) else each["name"] for each in self.archs],
            "network": {
                "inputs": draft.inputs, "initial_std": "lecun", "layers": draft.content(),
                "loss": self.loss or draft.loss,
            },
            "training": {"batch": batch, "optimiser": optimiser},
        }  # fmt: skip

    def spec(self, content: Mapping[str, Any]) -> EstimateSpec:
        """Return the network and the chips, made as large as the network takes.

        Raises
        ------
        InputError
            If something is wrong with a chip, a technology or a setting, or cannot be estimated or priced.
        """
        found = resolve(content, archs=self.archs, tech=self.techs[0], settings=self.settings)
        names = [each.name for each in found.architectures]
        if self.over is not None and self.over not in names:
            raise InputError(
                key="over", value=self.over, expected=f"one of {', '.join(names)}", hint=nearest(self.over, names)
            )
        for each in found.architectures:
            one = estimate_chip(found, each, assumed(found, each))
            check_prices_of([found.technology], one.entries, one.parts)
        return found


class Metering:
    """A loop as it is counted, and its results.

    Parameters
    ----------
    asked : Asked
    draft : Draft
        The network.
    batch : int
        Samples of the first pass.
    """

    def __init__(self, asked: Asked, draft: Draft, batch: int) -> None:
        self.asked, self.draft = asked, draft
        self.recorder = Recorder(asked.spec(asked.content(draft, batch)))
        self.metric: Metric | None = None
        self.chance: float | None = None
        self.optimiser: Mapping[str, Any] | str = "sgd"
        self.told: list[str] = []
        self._begin = time.perf_counter()
        self._made: tuple[int, RunSpec, list[Trained]] | None = None

    def met(self, optimiser: Mapping[str, Any] | str) -> None:
        """Note the optimiser, before the first step is counted.

        Raises
        ------
        InputError
            If a chip has nothing for it.
        """
        self.optimiser = optimiser
        self.asked.spec(self.asked.content(self.draft, self.recorder.spec.batch, optimiser))

    def test(self, value: float, metric: str, chance: float | None) -> None:
        """Note a test of the model as it is now.

        Raises
        ------
        InputError
            If the metric is not known or is another than before, or the value is none of it.
        """
        if metric not in METRICS:
            raise InputError(
                key="metric", value=metric, expected=f"one of {', '.join(METRICS)}", hint=nearest(metric, METRICS)
            )
        mine = METRICS[metric]
        if self.metric is not None and mine != self.metric:
            raise InputError(key="metric", value=metric, expected=f"{self.metric.name}, as before")
        if not (math.isfinite(value) and mine.fits(value)):
            raise InputError(key="value", value=value, expected=mine.expected)
        self.metric, self.chance = mine, chance
        self.recorder.tested(float(value))
        self.forget()

    def forget(self) -> None:
        """Work results out anew when they are asked for next."""
        self._made = None

    # --- results --------------------------------------------------------------------------------------------------
    def made(self) -> tuple[RunSpec, list[Trained]]:
        """Return the spec of the run that the loop was, and what each chip would have done.

        Raises
        ------
        InputError
            If no step was taken, or the loop diverged.
        """
        if self.recorder.diverged:
            raise InputError(
                f"operands of {self.recorder.diverged} are not finite: nothing can be counted from there on",
                key="meter", expected="a loop that does not diverge",
            )  # fmt: skip
        steps = [group for stretch in self.recorder.stretches for group in stretch.training.items()]
        if not steps:
            raise InputError(
                "no training step was metered", key="meter",
                expected="forward, backward and optimizer.step() inside the `with`",
            )  # fmt: skip
        done = sum(group.steps for stretch in self.recorder.stretches for group in stretch.groups())
        if self._made is None or self._made[0] != done:
            batch = max(samples for samples, _ in steps)
            content = self.asked.content(self.draft, batch, self.optimiser)
            spec = self.asked.spec(content)
            wall = time.perf_counter() - self._begin
            of = [trained(spec, each, self.recorder, wall_s=wall) for each in spec.architectures]
            self._made = done, self._run_spec(content, spec), of
        return self._made[1], self._made[2]

    def energy(self) -> dict[str, dict[str, float]]:
        """Return the energy [J] of the whole loop's training steps, by chip and phase."""
        spec, of = self.made()
        found = {}
        for one in self._priced(spec, of):
            phases = {phase: one.bill.total(phase=phase) for phase in STEP_PHASES}
            found[one.trained.architecture.name] = {**phases, TOTAL: math.fsum(phases.values())}
        return found

    def summary(self) -> dict[str, Any]:
        """Return energy and time of a sample by chip, ratios, and what was measured and assumed."""
        spec, of = self.made()
        priced, samples, steps = self._priced(spec, of), self.recorder.samples, of[0].steps
        return {
            "name": self.asked.name, "steps": steps, "samples": samples, "batch": spec.training.batch,
            "technology": spec.technologies[0].name, "baseline": spec.baseline,
            "architectures": {
                one.trained.architecture.name: {
                    "energy_per_sample_J": _times(one.energy_per_step.model_dump(), steps / samples),
                    "latency_per_sample_s": _times(one.latency_per_step.model_dump(), steps / samples),
                }
                for one in priced
            },
            "ratios": {name: each.model_dump() for name, each in ratios(priced, spec.baseline).items()},
            "told": list(self.lines()),
        }  # fmt: skip

    def write(self, out: Path) -> Summary:
        """Write a run directory.

        Raises
        ------
        InputError
            If no test was told, or the directory cannot be used.
        """
        spec, of = self.made()
        if spec.metered is None or self.metric is None:
            raise InputError(
                "no test was told: a run says what its training reached", key="meter",
                expected="m.test(accuracy) once at least, such as after each epoch",
            )  # fmt: skip
        rundir.begin(out, spec)
        return rundir.finish(out, spec, of, of[0].wall_s)

    def lines(self) -> tuple[str, ...]:
        """Return what was measured, and what was assumed."""
        spec, recorder = self.recorder.spec, self.recorder
        groups = [one for stretch in recorder.stretches for one in stretch.training.values()]
        seen = {tag.layer for one in groups for sums in one.sums.values() for tag in sums.by_tag}
        looked = sum(max(sums.steps for sums in one.sums.values()) for one in groups if one.sums)
        unseen = sorted({name for name in recorder.layers.values() if name not in seen})
        network = spec.network
        return (
            (
                f"measured: operands of {len(network.graph.matrices) - len(unseen)} of {len(network.graph.matrices)} "
                f"products in {looked:,} of {sum(one.steps for one in groups):,} steps, by each chip's own converters"
            ),
            *self.told,
            *([f"assumed by kind: operands of {', '.join(unseen)}, which no module of its own holds"] * bool(unseen)),
            *self._devices(),
            (
                f"assumed: order and memories as archsim runs this network, with the loss {self.loss}; what the loop "
                "computes beside the model is not counted"
            ),
            *self.draft.notes,
        )

    def _devices(self) -> list[str]:
        """Return what is assumed of devices: of those that are pulsed in place, and of pairs where there may be any."""
        in_place = [each.chip == IN_PLACE for each in self.recorder.spec.architectures]
        return [*([] if all(in_place) else [PAIRS]), *([PLACES] if any(in_place) else [])]

    @property
    def loss(self) -> str:
        """The loss whose error the chips work out."""
        return self.asked.loss or self.draft.loss

    # --- parts ----------------------------------------------------------------------------------------------------
    @staticmethod
    def _priced(spec: RunSpec, of: Sequence[Trained]) -> list[PricedChip]:
        return price_all(spec, of)[spec.technologies[0].name]

    def _run_spec(self, content: Mapping[str, Any], spec: EstimateSpec) -> RunSpec:
        """Return the loop as a run: its files are the network as it was read, and those of chips and technologies."""
        document = workloads.document(content)
        documents = [architectures.document(each) for each in self.asked.archs]
        technologies = (spec.technology, *(read_technology(name) for name in self.asked.techs[1:]))
        own = list(zip(documents, spec.architectures, strict=True))
        inputs, kept = read_files(document, spec.workload, own, technologies)
        digest = self.recorder.seen.hexdigest()
        metered = Metered(self.metric or METRICS["accuracy"], self.chance, Sample(), self.lines())
        return RunSpec(
            workload=spec.workload, network=spec.network, architectures=spec.architectures, technologies=technologies,
            dataset=Given("metered samples", "samples that a metered loop gave its model", digest), seed=1,
            preset=None, settings=spec.settings, inputs=inputs, copies=kept, over=self.asked.over, document=document,
            given={"workload": f"{self.asked.name}.yaml", "archs": [each.name for each in spec.architectures],
                   "techs": list(self.asked.techs)},
            metered=metered,
        )  # fmt: skip


def _times(values: Mapping[str, float], factor: float) -> dict[str, float]:
    return {name: value * factor for name, value in values.items()}

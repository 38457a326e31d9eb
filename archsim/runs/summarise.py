"""Price what the chips did and set the results side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from archsim.accounting.area import Area, area
from archsim.accounting.bill import Bill, price
from archsim.accounting.intervals import Account, intervals
from archsim.accounting.technology import Technology
from archsim.base.errors import InputError
from archsim.base.signal import STEP_PHASES
from archsim.base.streams import Streams
from archsim.runs.spec import RunSpec
from archsim.runs.summary import (
    AreaSummary,
    ByPhase,
    ChipSummary,
    Intervals,
    Published,
    Ratio,
    Reached,
    Span,
    Summary,
    TechnologyFile,
    TechnologySummary,
)
from archsim.runs.train import Trained, task_of


@dataclass(frozen=True)
class PricedChip:
    """One chip's training under one technology."""

    trained: Trained
    technology: Technology
    bill: Bill
    area: Area

    @property
    def energy_per_step(self) -> ByPhase:
        """Energy [J] of one step inside the boundary, by phase."""
        return _by_phase({phase: self.bill.total(phase=phase) / self.trained.steps for phase in STEP_PHASES})

    @property
    def latency_per_step(self) -> ByPhase:
        """Simulated time [s] of one step, by phase."""
        time_ps = self.trained.time_ps
        return _by_phase({phase: time_ps[phase] * 1e-12 / self.trained.steps for phase in STEP_PHASES})


def _by_phase(values: dict[str, float]) -> ByPhase:
    return ByPhase(**values, total=math.fsum(values.values()))


def _scaled(values: ByPhase, factor: float) -> ByPhase:
    """Return what is of a step for a sample: the same where a step takes one."""
    return ByPhase(**{phase: value * factor for phase, value in values.model_dump().items()})


def price_all(spec: RunSpec, trained: Sequence[Trained]) -> dict[str, list[PricedChip]]:
    """Return technology name -> each chip priced by it."""
    return {
        technology.name: [
            PricedChip(
                trained=one,
                technology=technology,
                bill=price(one.rows, one.entries, technology, one.architecture.boundary.inside),
                area=area(one.parts, technology),
            )
            for one in trained
        ]
        for technology in spec.technologies
    }


def cumulative_energy(one: Trained, technology: Technology) -> list[float]:
    """Return the energy [J] of all training steps up to each point of the course."""
    inside = one.architecture.boundary.inside
    return [price(p.rows, one.entries, technology, inside).total(phase=STEP_PHASES) for p in one.points]


def _per_step(trained: Trained, component: str, action: str, phases: Sequence[str]) -> float:
    found = (r.amount for r in trained.rows if (r.component, r.action) == (component, action) and r.phase in phases)
    return math.fsum(found) / trained.steps


def area_summary(found: Area) -> AreaSummary | None:
    """Return a chip's area by component; None if no part of it has a figure."""
    if all(line.figure is None for line in found.lines):
        return None
    return AreaSummary(
        total=_span(found),
        by_component={name: _span(found.of(name)) for name in found.by("component")},
        unpriced=list(found.unpriced),
    )


def _span(found: Area) -> Span:
    return Span(value=found.total, low=found.low, high=found.high)


def chip_summary(priced: PricedChip) -> ChipSummary:
    """Return the summary of one chip."""
    one = priced.trained
    updates = _per_step(one, "outer_product_unit", "chi.write", ["update"])
    in_array = math.fsum(
        _per_step(one, unit, f"{way}.pulse", STEP_PHASES)
        for unit in ("writer", "train_writer")
        for way in ("up", "down")
    )
    samples = one.points[-1].samples
    return ChipSummary(
        samples=samples,
        energy_per_step_J=priced.energy_per_step,
        latency_per_step_s=priced.latency_per_step,
        energy_per_sample_J=_scaled(priced.energy_per_step, one.steps / samples),
        latency_per_sample_s=_scaled(priced.latency_per_step, one.steps / samples),
        test=one.test,
        reached=_reached(priced),
        pulses_per_step=_per_step(one, "programmer", "set.pulse", STEP_PHASES) + in_array,
        programmed_pairs_per_step=_per_step(one, "programmer", "log.write", ["update"]),
        outer_product_updates_per_step=updates
        or _per_step(one, "mac_array", "multiply", ["update"])
        or _per_step(one, "pulse_unit", "multiply", ["update"]),
        simulated_time_s=one.simulated_time_s,
        clipped_shares=one.clipped_shares,
        area_m2=area_summary(priced.area),
        chip=one.architecture.chip,
        steps=one.steps,
        events_per_step=one.events / one.steps,
        holds_per_step=one.holds / one.steps,
        steps_per_s=one.steps_per_s,
        first_steps_s=one.compile_s,
        **{f"{name}_per_step": amount / one.steps for name, amount in one.diagnostics.items()},
        nonidealities=one.architecture.switched_on(),
    )


def _reached(priced: PricedChip) -> Reached | None:
    """Return what the training had taken when it was as good as was asked for; a training that is not goes on."""
    if not priced.trained.reached:
        return None
    last, energy = priced.trained.points[-1], cumulative_energy(priced.trained, priced.technology)[-1]
    return Reached(steps=last.step, samples=last.samples, energy_J=energy, time_s=last.simulated_time_s)


def ratios(priced: Sequence[PricedChip], baseline: str | None) -> dict[str, Ratio]:
    """Return each other chip -> the baseline's energy and latency of a step over its own, in order."""
    by_name = {p.trained.architecture.name: p for p in priced}
    if baseline not in by_name:
        return {}
    over = by_name.pop(baseline)
    return {
        other.trained.architecture.name: Ratio(
            energy=over.energy_per_step.total / other.energy_per_step.total,
            latency=over.latency_per_step.total / other.latency_per_step.total,
        )
        for other in by_name.values()
    }


def headline(found: Mapping[str, Ratio]) -> Ratio:
    """Return the ratio of the first other chip; of nothing without one."""
    return next(iter(found.values()), Ratio(energy=None, latency=None))


def interval_summary(spec: RunSpec, bills: Mapping[str, Sequence[PricedChip]]) -> dict[str, Intervals]:
    """Return technology -> intervals of its chips; without those whose ranges cannot be drawn."""
    found = {}
    for technology in spec.technologies:
        accounts = [
            Account(
                name=p.trained.architecture.name, steps=p.trained.steps, bill=p.bill, areas=p.area.lines,
                rows=p.trained.rows, entries=p.trained.entries, latency_s=p.latency_per_step.model_dump(),
            )
            for p in bills[technology.name]
        ]  # fmt: skip
        try:
            drawn = intervals(accounts, technology, baseline=spec.baseline, seed=spec.seed)
        except InputError:
            continue
        found[technology.name] = Intervals.model_validate(drawn.content())
    return found


def published(spec: RunSpec) -> Published | None:
    """Return what was published of just this training, or None."""
    found, training = spec.workload.published, spec.training
    if found is None or not found.is_of(spec.workload.network, training.batch, spec.dataset.sha256):
        return None
    return Published(
        source=found.source, energy_per_sample_J=found.energy_per_sample, energy_ratio=found.energy_ratio,
        test_accuracy=found.test_accuracy,
    )  # fmt: skip


def summarise(spec: RunSpec, trained: Sequence[Trained], wall_s: float) -> Summary:
    """Return the run's summary: the first technology in the contract's keys, all of them under `technologies`."""
    bills = price_all(spec, trained)
    first = bills[spec.technologies[0].name]
    of_chips = ratios(first, spec.baseline)
    chips = {p.trained.architecture.name: chip_summary(p) for p in first}
    if spec.metered is not None:  # the loop computed as it does; no chip's imperfections were in it
        chips = {name: chip.model_copy(update={"nonidealities": []}) for name, chip in chips.items()}
    asked = spec.metered or task_of(spec, Streams(spec.seed))
    leading = next((p for p in first if p.trained.architecture.name != spec.baseline), first[0])
    return Summary(
        schema_version=3,
        workload=spec.workload.name,
        dataset=spec.dataset.name,
        dataset_origin=spec.dataset.origin,
        seed=spec.seed,
        metric=asked.metric.content(asked.chance),
        sample=asked.sample.content(),
        until=spec.training.until,
        steps=max(one.steps for one in trained),
        technology=TechnologyFile(name=spec.technologies[0].name, sha256=spec.technologies[0].sha256),
        architectures=chips,
        batch=spec.training.batch,
        baseline=spec.baseline,
        ratio=headline(of_chips),
        ratios=of_chips,
        intervals=interval_summary(spec, bills),
        published=published(spec),
        wall_time_s=wall_s,
        steps_per_s=leading.trained.steps_per_s,
        state="finished" if all(one.finished for one in trained) else "partial",
        technologies=[
            TechnologySummary(
                name=technology.name,
                sha256=technology.sha256,
                energy_per_step_J={p.trained.architecture.name: p.energy_per_step for p in bills[technology.name]},
                ratio=headline(ratios(bills[technology.name], spec.baseline)),
                ratios=ratios(bills[technology.name], spec.baseline),
            )
            for technology in spec.technologies
        ],
        weights=spec.network.weights,
        boundary=trained[0].architecture.boundary.model_dump(),
    )

"""Price what the chips did and set the results side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from archsim.accounting.area import Area, area
from archsim.accounting.bill import Bill, price
from archsim.accounting.technology import Technology
from archsim.base.signal import STEP_PHASES
from archsim.runs.spec import RunSpec
from archsim.runs.summary import PAPER, AreaSummary, ByPhase, ChipSummary, Named, Ratio, Span, Summary
from archsim.runs.train import Trained


@dataclass(frozen=True)
class Priced:
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


def price_all(spec: RunSpec, trained: Sequence[Trained]) -> dict[str, list[Priced]]:
    """Return technology name -> each chip priced by it."""
    return {
        technology.name: [
            Priced(
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


def chip_summary(priced: Priced) -> ChipSummary:
    """Return the summary of one chip."""
    one = priced.trained
    updates = _per_step(one, "outer_product_unit", "chi.write", ["update"])
    in_array = math.fsum(_per_step(one, "writer", f"{way}.pulse", STEP_PHASES) for way in ("up", "down"))
    return ChipSummary(
        energy_per_step_J=priced.energy_per_step,
        latency_per_step_s=priced.latency_per_step,
        test_accuracy=one.test_accuracy,
        pulses_per_step=_per_step(one, "programmer", "set.pulse", STEP_PHASES) + in_array,
        programmed_pairs_per_step=_per_step(one, "programmer", "log.write", ["update"]),
        outer_product_updates_per_step=updates
        or _per_step(one, "mac_array", "multiply", ["update"])
        or _per_step(one, "pulse_unit", "multiply", ["update"]),
        simulated_time_s=one.simulated_time_s,
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


def ratio(priced: Sequence[Priced]) -> Ratio:
    """Return the 32-bit chip's energy and latency of a step over the mixed-precision chip's; None without both."""
    by_chip = {p.trained.architecture.chip: p for p in reversed(priced)}  # the first of a kind counts
    if {"mixed-precision", "digital32"} - set(by_chip):
        return Ratio(energy=None, latency=None)
    ours, baseline = by_chip["mixed-precision"], by_chip["digital32"]
    return Ratio(
        energy=baseline.energy_per_step.total / ours.energy_per_step.total,
        latency=baseline.latency_per_step.total / ours.latency_per_step.total,
    )


def summarise(spec: RunSpec, trained: Sequence[Trained], wall_s: float) -> Summary:
    """Return the run's summary: the first technology in the contract's keys, all of them under `technologies`."""
    bills = price_all(spec, trained)
    first = bills[spec.technologies[0].name]
    chips = {p.trained.architecture.name: chip_summary(p) for p in first}
    fast = next((p for p in first if p.trained.architecture.chip == "mixed-precision"), None)
    return Summary(
        schema_version=1,
        workload=spec.workload.name,
        dataset=spec.dataset.name,
        dataset_origin=spec.dataset.origin,
        seed=spec.seed,
        steps=max(one.steps for one in trained),
        technology=Named(name=spec.technologies[0].name, sha256=spec.technologies[0].sha256),
        architectures=chips,
        ratio=ratio(first),
        paper=PAPER,
        wall_time_s=wall_s,
        steps_per_s=fast.trained.steps_per_s if fast else None,
        state="finished" if all(one.finished for one in trained) else "partial",
        technologies=[
            {
                "name": technology.name,
                "sha256": technology.sha256,
                "energy_per_step_J": {
                    p.trained.architecture.name: p.energy_per_step.model_dump() for p in bills[technology.name]
                },
                "ratio": ratio(bills[technology.name]).model_dump(),
            }
            for technology in spec.technologies
        ],
        weights=spec.network.weights,
        boundary=trained[0].architecture.boundary.model_dump(),
    )

"""What a chip spent on a network: the lines of its bill for one sample, in groups that every kind of chip has."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from archsim.accounting.bill import Line
from archsim.base.signal import STEP_PHASES
from archsim.records.recorded import Recorded
from archsim.studies.costs.asked import Asked, kind_of, recorded

GROUPS = {
    "products": "products with the weights, forward and backward: cells and converters, or lanes with their memories",
    "functions": "what stays digital, forward and backward: activations, norms, attention, pooling, and signals "
    "that are kept and moved",
    "update": "outer products, what they read and the memory that they go into",
    "programming": "pulses, reads and logs of the devices",
    "leakage": "memories and circuits that are powered as long as a step takes",
}  # fmt: skip
"""Group -> what is in it."""
_PROGRAMMING = {"programmer", "writer"}
_UPDATING = {"outer_product_unit", "pulse_unit", "optimiser_unit"}
_MULTIPLYING = {"tile", "mac_array"}
POWERED = ".powered"
"""How the names of leakage's actions end."""


def group(line: Line) -> str:
    """Return the group of a line of a bill."""
    if line.action.endswith(POWERED):
        return "leakage"
    if line.component in _PROGRAMMING:
        return "programming"
    if line.component in _UPDATING or line.phase == "update":
        return "update"
    return "products" if line.component in _MULTIPLYING else "functions"


@dataclass(frozen=True)
class ChipCost:
    """What one chip spent.

    Parameters
    ----------
    name, kind : str
        Of the architecture, and its kind of chip.
    lines : those of its training steps inside the boundary
    samples, steps : int
        Of the training.
    latency_s : phase -> time of a sample, "total" among them
    late_J : of a sample in the last part of the training; None where that cannot be told
    pairs : weights that are programmed in a step; 0 on a chip without devices
    pulses : a step
    what : (component, action) -> the action in words
    """

    name: str
    kind: str
    lines: tuple[Line, ...]
    samples: int
    steps: int
    latency_s: Mapping[str, float]
    late_J: float | None  # noqa: N815  the quantity's unit
    pairs: float
    pulses: float
    what: Mapping[tuple[str, str], str]

    def by(self, key: Callable[[Line], str]) -> dict[str, float]:
        """Return key of a line -> energy a sample [J], the largest first."""
        sums: dict[str, list[float]] = {}
        for line in self.lines:
            sums.setdefault(key(line), []).append(line.energy_J / self.samples)
        return dict(sorted(((name, math.fsum(each)) for name, each in sums.items()), key=lambda pair: -pair[1]))

    @property
    def total(self) -> float:
        """Energy of a sample [J]."""
        return math.fsum(line.energy_J for line in self.lines) / self.samples

    def groups(self) -> dict[str, float]:
        """Return group -> energy a sample [J], all groups in their order."""
        found = self.by(group)
        return {name: found.get(name, 0.0) for name in GROUPS}

    def amount(self, component: str, action: str, phases: tuple[str, ...] = STEP_PHASES) -> float:
        """Return how often an action was done a sample, in its unit, in some phases."""
        found = (x.amount for x in self.lines if (x.component, x.action) == (component, action) and x.phase in phases)
        return math.fsum(found) / self.samples


@dataclass(frozen=True)
class NetworkCost:
    """One network, what it asks, and what each chip spent on it.

    Parameters
    ----------
    label : str
        The workload's name, with its chips where another run of it is looked at too.
    run : Recorded
    asked : Asked
    chips : by name, in the order of the run
    kinds : layer, as it is booked -> its kind
    """

    label: str
    run: Recorded
    asked: Asked
    chips: Mapping[str, ChipCost]
    kinds: Mapping[str, str]

    @property
    def over(self) -> ChipCost | None:
        """The baseline."""
        return self.chips.get(self.run.summary["baseline"])

    @property
    def others(self) -> list[ChipCost]:
        """The chips that it is set over; all of them without a baseline."""
        return [chip for chip in self.chips.values() if chip is not self.over]

    def kind(self, line: Line) -> str:
        """Return the kind of the layer that a line is booked under."""
        return self.kinds[line.layer]

    def per_mac(self, chip: ChipCost) -> float:
        """Return the energy [J] of a multiply-accumulate of all that a sample asks."""
        return chip.total / self.asked.total


def spent(label: str, run: Recorded) -> NetworkCost:
    """Return what a run's chips spent, by the run's own technology.

    Raises
    ------
    InputError
        If the run is the mean of several seeds.
    """
    told, asks = recorded(run.run)
    chips = {name: _chip(run, name) for name in run.architectures}
    layers = {line.layer for chip in chips.values() for line in chip.lines}
    return NetworkCost(label, run, asks, chips, {layer: kind_of(told, layer) for layer in sorted(layers)})


def _chip(run: Recorded, name: str) -> ChipCost:
    chip, summary = run.chips[name], run.summary["architectures"][name]
    lines = tuple(x for x in chip.bills[run.technology].lines if x.inside and x.phase in STEP_PHASES)
    keys = {(line.component, line.key): line.action for line in lines}
    return ChipCost(
        name=name, kind=chip.kind, lines=lines, samples=summary["samples"], steps=summary["steps"],
        latency_s=summary["latency_per_sample_s"], late_J=chip.late_J(run.technology),
        pairs=summary["programmed_pairs_per_step"], pulses=summary["pulses_per_step"],
        what={
            (entry.component, keys[entry.component, entry.key]): entry.action.what
            for entry in chip.entries
            if (entry.component, entry.key) in keys
        },
    )  # fmt: skip

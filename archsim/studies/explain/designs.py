"""What is explained over the space of ordinary designs: every combination of a few usual choices on either chip.

Choices of one chip leave the other's numbers alone, so each chip's designs are run once, a few thousand steps each, and
every pair of them is a comparison.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.accounting.technology import Technology
from archsim.base.progress import Counted
from archsim.runs.layout import read_run
from archsim.studies.explain.sensitivity import Spent
from archsim.studies.explain.variants import STEPS, Measured, measure, recorded_value
from archsim.studies.repeat import options_of
from archsim.studies.workers.points import Options
from archsim.studies.workers.pool import PROCESSES, On

F64 = NDArray[np.float64]
Settings = tuple[tuple[str, str], ...]
NEAR = 1.2
"""A design within this factor of a published value is said to reach it."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to build a part of a chip: its name, and the settings that make it (as for `--set`)."""

    name: str
    settings: Settings


@dataclass(frozen=True, slots=True)
class Axis:
    """A decision and the ways it is usually taken."""

    name: str
    choices: tuple[Choice, ...]


def _values(name: str, key: str, shown: Mapping[str, object]) -> Axis:
    return Axis(name, tuple(Choice(text, ((key, str(value).lower()),)) for text, value in shown.items()))


_OUTER, _CHI, _ARRAY, _TILE = "outer_product.", "outer_product.chi.", "mac_array.", "tile."
_MANY = "65536"
"""Tiles, so that every network fits: energy is spent on those alone that a layer takes."""
SPACE: tuple[Axis, ...] = (
    Axis("chi's memory", (
        Choice("one bank", ((f"{_OUTER}at", "digital-unit"), (f"{_CHI}banks", "1"))),
        Choice("16 banks", ((f"{_OUTER}at", "digital-unit"), (f"{_CHI}banks", "16"))),
        Choice("a bank at every tile", ((f"{_OUTER}at", "tiles"), (f"{_CHI}banks", "1"))),
    )),
    _values("chi's word", f"{_CHI}bits", {"32-bit chi": 32, "16-bit chi": 16}),
    _values("errors in the outer product", f"{_OUTER}error_bits", {"3-bit errors": 3, "8-bit errors": 8}),
    _values("zeros in the outer product", f"{_OUTER}skip_zeros", {"zeros skipped": True, "no zero skipped": False}),
    Axis("tiles", (
        Choice("256x256 tiles", ((f"{_TILE}rows", "256"), (f"{_TILE}columns", "256"), (f"{_TILE}count", _MANY))),
        Choice("128x128 tiles", ((f"{_TILE}rows", "128"), (f"{_TILE}columns", "128"), (f"{_TILE}count", _MANY))),
    )),
    _values("zero inputs", f"{_ARRAY}skip_zero_inputs", {"zeros multiplied": False, "zeros skipped": True}),
    Axis("lanes and weight memory", (
        Choice("1 lane, one bank", ((f"{_ARRAY}lanes", "1"), (f"{_ARRAY}weight_banks", "1"))),
        Choice("1 lane, 16 banks", ((f"{_ARRAY}lanes", "1"), (f"{_ARRAY}weight_banks", "16"))),
        Choice("16 lanes, 32 banks", ((f"{_ARRAY}lanes", "16"), (f"{_ARRAY}weight_banks", "32"))),
    )),
)  # fmt: skip
"""Decisions that papers leave open or take differently. Each choice is ordinary; together they are no best case. A chip
has those whose blocks its file has."""


@dataclass(frozen=True, slots=True)
class Held:
    """A decision that is ordinary, but not varied: what all designs have, why, and sources of what is known of it."""

    name: str
    has: str
    why: str
    sources: tuple[str, ...]


NOT_VARIED: tuple[Held, ...] = (
    Held(
        "memory cell", "SRAM of low-standby-power cells",
        "no other cell has figures that could be told from SRAM's. The one measured gain-cell memory at 16 nm was read "
        "as power over frequency without the width of an access, so its energy a word is not known; its leakage and "
        "refresh, 381 uW for 1 Mbit, are 5.9 times SRAM's leakage here. The eDRAM of a tile buffer, 2.02 pJ a byte at "
        "32 nm, is one number of a model for reads and writes, without leakage or refresh: 1.7 to 8.1 pJ a word at "
        "14 nm, SRAM's 3.1 pJ of that capacity among them. Faster SRAM cells leak over 100 times as much at 22 nm: "
        "nothing for a memory that mostly waits. What a price of any cell would do, the figures sram.read, sram.write "
        "and sram.leakage say",
        ("giterman2020", "isaac2016", "cacti7"),
    ),
)  # fmt: skip
"""Said with every space of designs; energies of the two eDRAMs are scaled as `tech scale` does, or left as they are."""


@dataclass(frozen=True, slots=True)
class Design:
    """One combination of choices of a chip: energy of a step over the reference's, and its test."""

    choices: tuple[Choice, ...]
    factor: float
    test: float
    own: bool

    @property
    def name(self) -> str:
        """The choices in words."""
        return ", ".join(choice.name for choice in self.choices)


@dataclass(frozen=True)
class Designs:
    """All designs of one chip of a run, the energy of the run's own [J a step], and the reference's test."""

    chip: str
    axes: tuple[Axis, ...]
    every: tuple[Design, ...]
    energy: float
    test: float

    @property
    def energies(self) -> F64:
        """Energy of a step of every design [J]: the run's own, times the design's factor."""
        return self.energy * np.array([one.factor for one in self.every])


@dataclass(frozen=True, slots=True)
class Decision:
    """What one decision alone decides.

    Parameters
    ----------
    chip, axis
    share : float
        Its main effect's part of the variance of the value's logarithm over all designs.
    means : float array, (choices,)
        Geometric mean of the value over the designs that take each choice.
    """

    chip: str
    axis: Axis
    share: float
    means: F64

    @property
    def factor(self) -> float:
        """Largest over smallest of the means."""
        return float(self.means.max() / self.means.min())


@dataclass(frozen=True)
class Space:
    """Energies of one chip, or ratios of two, the baseline first, over all designs; re-runs of so many steps."""

    steps: int
    chips: tuple[Designs, ...]

    @property
    def values(self) -> F64:
        """Energy of a step [J], (designs,); or the ratio of every pair, (designs of the baseline, of the other)."""
        first, *other = (one.energies for one in self.chips)
        return np.asarray(first[:, None] / other[0][None, :] if other else first, np.float64)

    def deciding(self) -> list[Decision]:
        """Return what each decision alone decides, the largest share first; what lacks to one is several together."""
        logs, found = np.log(self.values), []
        centre, whole = float(logs.mean()), sum(float(np.var(np.log(one.energies))) for one in self.chips)
        for sign, one in zip((1, -1), self.chips, strict=False):
            own = np.log(one.energies)
            for k, axis in enumerate(one.axes):
                taken = np.array([axis.choices.index(design.choices[k]) for design in one.every])
                means = np.array([own[taken == c].mean() for c in range(len(axis.choices))]) - own.mean()
                share = float(np.var(means)) / whole if whole else 0.0
                found.append(Decision(one.chip, axis, share, np.exp(centre + sign * means)))
        return sorted(found, key=lambda each: -each.share)

    def reaching(self, value: float) -> int:
        """Return how many designs, or pairs, come within a factor `NEAR` of a value."""
        return int((np.abs(np.log(self.values / value)) <= math.log(NEAR)).sum())


def axes_of(architecture: Mapping[str, Any]) -> tuple[Axis, ...]:
    """Return the decisions that a chip has, by its recorded architecture."""
    return tuple(
        axis
        for axis in SPACE
        if all(recorded_value(architecture, key) is not None for choice in axis.choices for key, _ in choice.settings)
    )


def explore(
    run: Path, folder: Path, *, spent: Spent, technology: Technology, steps: int = STEPS, rule: str | None = None,
    data: Path | None = None, done: Counted | None = None, on: On = PROCESSES,
) -> Space | None:  # fmt: skip
    """Run every design of a recorded run's chips, or take from `folder` what stands there; None if a chip has no axes.

    Parameters as for `variants.rerun`.
    """
    recorded = {each["name"]: each for each in read_run(run)["architectures"]}
    axes = {name: axes_of(recorded[name]) for name in spent.chips}
    if not all(axes.values()):
        return None
    points: dict[str, Options] = {}
    keys: dict[str, str] = {}
    for name in spent.chips:
        options, key = options_of(run, name, technology=technology, rule=rule, data=data)
        for label, choices in ((f"reference {name}", ()), *_labelled(name, axes[name])):
            settings = tuple(f"{name}.{k}={value}" for choice in choices for k, value in choice.settings)
            points[label] = {**options, "steps": steps, "settings": (*options["settings"], *settings)}
            keys[label] = f"{key} {steps} {' '.join(settings)}".strip()
    found = measure(points, keys, folder, done, on)
    totals = dict(zip(spent.chips, spent.energy.sum(axis=1).tolist(), strict=True))
    return Space(steps, tuple(_designs(name, axes[name], recorded[name], found, totals[name]) for name in spent.chips))


def _labelled(chip: str, axes: Sequence[Axis]) -> list[tuple[str, tuple[Choice, ...]]]:
    combined = itertools.product(*(axis.choices for axis in axes))
    return [(f"{chip}: {', '.join(choice.name for choice in choices)}", choices) for choices in combined]


def _designs(
    chip: str, axes: tuple[Axis, ...], architecture: Mapping[str, Any], found: Mapping[str, Measured], energy: float
) -> Designs:
    reference, test = found[f"reference {chip}"]
    every = [
        Design(choices, found[label][0] / reference, found[label][1], _own(architecture, choices))
        for label, choices in _labelled(chip, axes)
    ]
    return Designs(chip, axes, tuple(every), energy, test)


def _own(architecture: Mapping[str, Any], choices: Sequence[Choice]) -> bool:
    """Whether a chip is built so already; how many tiles it has does not count."""
    pairs = [pair for choice in choices for pair in choice.settings if pair[0] != f"{_TILE}count"]
    return all(recorded_value(architecture, key) == value for key, value in pairs)


def contents(space: Space) -> dict[str, Any]:
    """Return what explain.json says of the space."""
    values = space.values
    return {
        "steps": space.steps,
        "values": values.tolist(),
        "not_varied": [
            {"decision": each.name, "all_have": each.has, "why": each.why, "sources": list(each.sources)}
            for each in NOT_VARIED
        ],
        "interval_90": np.percentile(values, [5, 95]).tolist(),
        "designs": {
            one.chip: [
                {
                    "choices": {axis.name: choice.name for axis, choice in zip(one.axes, each.choices, strict=True)},
                    "factor": each.factor, "test": each.test, "own": each.own,
                }
                for each in one.every
            ]
            for one in space.chips
        },
        "decisions": [
            {
                "chip": each.chip, "decision": each.axis.name, "share": each.share,
                "means": {c.name: mean for c, mean in zip(each.axis.choices, each.means.tolist(), strict=True)},
            }
            for each in space.deciding()
        ],
    }  # fmt: skip

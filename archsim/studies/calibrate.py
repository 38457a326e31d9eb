"""Calibrate a technology to published totals of a run: the least move of its figures, in units of their ranges.

The bill of a recorded run is linear in the figures, so with a factor k_f on each figure f the energy of chip c is
sum_f e_cf k_f. Among all factors that give both published totals, take those that minimise
sum_f (ln k_f / s_f)^2, where s_f is the width of the figure's published range on a log scale, ln(high/low): a figure
moves as far as its own uncertainty makes that cheap, and a figure known exactly does not move.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from archsim.accounting.figures import Figure
from archsim.accounting.technology import Technology, read_technology
from archsim.base import files
from archsim.base.errors import InputError
from archsim.base.units import show
from archsim.records.recorded import Recorded
from archsim.records.seeds import read
from archsim.technologies.writing import DIGITS, figure_content

LEAST = 0.005
"""Figures that carry less than this part of every total stay where they are."""


@dataclass(frozen=True, slots=True)
class Shift:
    """One calibrated figure: its factor, and whether the new value still lies in the published range."""

    figure: Figure
    factor: float

    @property
    def inside(self) -> bool:
        """Whether the calibrated value lies within the figure's range."""
        return self.figure.low <= self.figure.value * self.factor <= self.figure.high


def energies(recorded: Recorded, technology: str) -> dict[str, dict[str, float]]:
    """Return architecture -> figure -> energy per step [J] inside the boundary, of a run."""
    if technology not in recorded.technologies:
        known = ", ".join(recorded.technologies)
        raise InputError(key="--tech", value=technology, expected=f"one this run was priced by: {known}")
    found: dict[str, dict[str, float]] = {}
    for name in recorded.architectures:
        lines = [line for line in recorded.contributions(name, technology) if line.energy > 0]
        found[name] = {
            figure: math.fsum(line.energy for line in lines if line.figure == figure)
            for figure in dict.fromkeys(line.figure for line in lines)
        }
    return found


def solve(technology: Technology, spent: dict[str, dict[str, float]], targets: dict[str, float]) -> list[Shift]:
    """Return the least moves that bring each chip's energy per step to its target.

    Parameters
    ----------
    technology : Technology
    spent : architecture -> figure -> energy per step [J]
    targets : architecture -> energy per step [J]

    Raises
    ------
    InputError
        If no factors reach the targets.
    """
    from scipy.optimize import minimize

    chips = list(targets)
    totals = {chip: math.fsum(spent[chip].values()) for chip in chips}
    names = sorted({
        name
        for chip in chips
        for name, energy in spent[chip].items()
        if energy > LEAST * totals[chip] and technology.figures[name].high > technology.figures[name].low
    })  # fmt: skip
    energy = np.array([[spent[chip].get(name, 0.0) / targets[chip] for name in names] for chip in chips])
    fixed = np.array([totals[chip] / targets[chip] for chip in chips]) - energy.sum(axis=1)
    figures = [technology.figures[name] for name in names]
    width = np.array([math.log(figure.high / figure.low) for figure in figures])
    result: Any = minimize(
        lambda z: float(z @ z),
        np.zeros(len(names)),
        jac=lambda z: 2 * z,
        constraints={
            "type": "eq",
            "fun": lambda z: np.log(fixed + energy @ np.exp(z * width)),
            "jac": lambda z: (energy * np.exp(z * width) * width) / (fixed + energy @ np.exp(z * width))[:, None],
        },
        method="SLSQP",
        options={"maxiter": 500, "ftol": 1e-14},
    )
    reached = fixed + energy @ np.exp(result.x * width)
    if not result.success or np.max(np.abs(reached - 1)) > 1e-6:
        raise InputError(
            f"no factors on {', '.join(names)} reach the totals", key="calibrate",
            expected="targets that the figures can make up",
        )  # fmt: skip
    return [Shift(figure, float(np.exp(z * w))) for figure, z, w in zip(figures, result.x, width, strict=True)]


def calibrate(run: Path, technology: str, out: Path, *, force: bool = False) -> list[Shift]:
    """Write a technology calibrated to the published totals of a sample on a recorded run, and return the moves.

    Raises
    ------
    InputError
        If nothing was published of just this run, it lacks one of the chips, or the totals cannot be reached; if `out`
        is there already and `force` is not given.
    """
    files.check_yaml(out, force=force)
    base = read_technology(technology)
    recorded = read(run)
    spent, summary = energies(recorded, base.name), recorded.summary
    published = summary["published"]
    if not published or not published["energy_per_sample_J"]:
        raise InputError(
            "is of a network, a data set or a batch of which no totals are published", file=run,
            expected="a run of the published ones, such as mlp-mnist on the whole of MNIST with batch 1",
        )  # fmt: skip
    kinds = {str(chip.get("chip", name)): name for name, chip in reversed(summary["architectures"].items())}
    if missing := sorted(set(published["energy_per_sample_J"]) - set(kinds)):
        raise InputError(key="DIR", value=str(run), expected=f"a run of both chips, but {missing[0]} is missing")
    chips = summary["architectures"]
    targets = {
        kinds[kind]: total * chips[kinds[kind]]["samples"] / chips[kinds[kind]]["steps"]
        for kind, total in published["energy_per_sample_J"].items()
    }
    moves = solve(base, spent, targets)
    files.write_text(out, _yaml(base, moves, run, out.stem))
    return moves


def _yaml(base: Technology, moves: list[Shift], run: Path, name: str) -> str:
    import yaml

    strays = ", ".join(move.figure.name for move in moves if not move.inside) or "none"
    head = (
        f"# Calibrated, not a prediction: the figures of {base.name} moved so that a recorded run gives the paper's\n"
        "# two totals, 83.2 nJ and 14.35 uJ per training image. Written by `archsim tech calibrate`; each moved\n"
        "# as little as possible in units of its published range (archsim/studies/calibrate.py).\n"
        f"# Outside their published ranges: {strays}.\n"
    )
    content = {
        "schema": 1,
        "kind": "technology",
        "name": name,
        "title": "Figures moved as little as possible to give the paper's 83.2 nJ and 14.35 uJ",
        "node": base.node,
        "extends": base.name,
        "times": {},
        "figures": {move.figure.name: _figure(move, run) for move in moves},
    }
    return head + yaml.safe_dump(content, sort_keys=False, width=120)


def _figure(move: Shift, run: Path) -> dict[str, Any]:
    figure, value = move.figure, move.figure.value * move.factor
    content = figure_content(
        figure, value=value, low=min(figure.low, value), high=max(figure.high, value),
        points=tuple((size, price * move.factor) for size, price in figure.points),
    )  # fmt: skip
    return {
        **content,
        "basis": "calibrated",
        "calibrated": {
            "to": f"83.2 nJ and 14.35 uJ per training image of nandakumar2020, in the run {run.name}",
            "was": show(figure.value, figure.unit, DIGITS),
        },
        "source": "nandakumar2020",
        "where": "totals per training image; the value it was has its own source in the file extended",
        "note": f"moved x{move.factor:.3g}" + ("" if move.inside else ", out of its published range"),
    }

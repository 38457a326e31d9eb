"""What a chip did, priced with many values of figures at once: the very bits that a bill of each would give.

Every price is linear in its figure, so laws are evaluated once a figure and size; amounts times prices is one product
of arrays; and sums are correctly rounded, as a bill's are.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from archsim.accounting.area import area, misfits
from archsim.accounting.bill import prices
from archsim.accounting.circuits import CHIP_PARTS
from archsim.accounting.technology import Technology, unpriced
from archsim.base.errors import InputError
from archsim.base.signal import STEP_PHASES
from archsim.studies.sweeps.counts import Counts

F64 = NDArray[np.float64]
Overrides = Mapping[tuple[str, str], F64]
"""(section, name) of a figure or an area -> its value in each of n points, (n,) [SI]."""
BLOCK = 4096
"""Points that are priced at a time."""


@dataclass(frozen=True, eq=False)
class Priced:
    """What a chip's training costs in n points, or in one that stands for all.

    Parameters
    ----------
    per_step_J : float array [J], (n,)
        Energy of a step.
    per_sample_J : float array [J], (n,)
    by_part_J : part of the chip -> energy of a sample [J], (n,)
    area_m2 : float array [m^2], (n,)
        NaN where no part of the chip has a figure.
    """

    per_step_J: F64  # noqa: N815  the quantity's unit
    per_sample_J: F64  # noqa: N815  likewise
    by_part_J: Mapping[str, F64]  # noqa: N815  likewise
    area_m2: F64


class Pricer:
    """Prices of what one chip did, by one technology.

    Parameters
    ----------
    counts : Counts
    technology : Technology
        Its times are those of the counts.

    Raises
    ------
    InputError
        If it cannot price an action or a part of the chip.
    """

    def __init__(self, counts: Counts, technology: Technology) -> None:
        self.counts, self.technology = counts, technology
        inside = [each for each in counts.entries if each.action.function in counts.inside]
        if wrong := [*unpriced(technology, inside), *misfits(technology, counts.parts)]:
            raise InputError(wrong[0] + (f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""))
        found = prices(inside, technology)
        rows = [row for row in counts.rows if row.phase in STEP_PHASES and (row.component, row.action) in found]
        priced = [found[row.component, row.action] for row in rows]
        self._amounts = np.array([row.amount for row in rows], np.float64)
        self._prices = np.array([one.price for one in priced], np.float64)
        self._multipliers: dict[str, tuple[NDArray[np.intp], F64]] = {}
        by_figure: dict[str, list[int]] = {}
        for at, one in enumerate(priced):
            if one.figure is not None and one.entry.key not in technology.covering:
                by_figure.setdefault(one.figure, []).append(at)
        for name, places in by_figure.items():
            one_unit = replace(technology.figures[name], value=1.0)
            each = [one_unit.price(priced[at].entry.sizes) for at in places]
            self._multipliers[name] = np.array(places, np.intp), np.array(each, np.float64)
        self._phases = [_places(row.phase == phase for row in rows) for phase in STEP_PHASES]
        parts = [one.entry.action.part for one in priced]
        self._parts = {part: _places(each == part for each in parts) for part in CHIP_PARTS if part in parts}
        self._lines = [
            (line.figure if line.key not in technology.area_covering else None, line.amount, line.area_m2 or 0.0)
            for line in area(counts.parts, technology).lines
        ]  # fmt: skip
        self._has_area = any(figure is not None for figure, _, _ in self._lines)

    def moved_by(self, names: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        """Return those of some figures and areas that this chip's prices and area hang on."""
        areas = {figure for figure, _, _ in self._lines}
        known: dict[str, set[str | None]] = {"figures": {*self._multipliers}, "areas": {*areas}}
        return [(section, name) for section, name in names if name in known.get(section, ())]

    def price(self, overrides: Overrides) -> Priced:
        """Return what it costs with values of figures and areas in place of the technology's own, in n points.

        Parameters
        ----------
        overrides : values of some, (n,) each; only those of `moved_by` count
        """
        mine = self.moved_by(list(overrides))
        n = len(overrides[mine[0]]) if mine else 1
        blocks = [
            self._block({place: overrides[place][at : at + BLOCK] for place in mine}, min(BLOCK, n - at))
            for at in range(0, n, BLOCK)
        ]
        if len(blocks) == 1:
            return blocks[0]
        return Priced(
            np.concatenate([b.per_step_J for b in blocks]), np.concatenate([b.per_sample_J for b in blocks]),
            {part: np.concatenate([b.by_part_J[part] for b in blocks]) for part in blocks[0].by_part_J},
            np.concatenate([b.area_m2 for b in blocks]),
        )  # fmt: skip

    def _block(self, overrides: Overrides, n: int) -> Priced:
        table = np.repeat(self._prices[None, :], n, axis=0)
        for (section, name), values in overrides.items():
            if section == "figures":
                places, multipliers = self._multipliers[name]
                table[:, places] = values[:, None] * multipliers[None, :]
        energies = self._amounts[None, :] * table
        steps, share = self.counts.steps, self.counts.steps / self.counts.samples
        by_phase = np.stack([_sums(energies, places) / steps for places in self._phases], axis=1)
        per_step = _sums(by_phase, slice(None))
        by_part = {part: _sums(energies, places) / steps * share for part, places in self._parts.items()}
        return Priced(per_step, per_step * share, by_part, self._areas(overrides, n))

    def _areas(self, overrides: Overrides, n: int) -> F64:
        if not self._has_area:
            return np.full(n, np.nan)
        columns = [
            amount * overrides["areas", figure] if figure and ("areas", figure) in overrides else np.full(n, own)
            for figure, amount, own in self._lines
        ]
        return _sums(np.stack(columns, axis=1), slice(None))

    @staticmethod
    def latency(counts: Counts) -> float:
        """Return the simulated time of a sample [s]."""
        per_step = math.fsum(counts.time_ps[phase] * 1e-12 / counts.steps for phase in STEP_PHASES)
        return per_step * (counts.steps / counts.samples)


def _places(wanted: Iterable[bool]) -> NDArray[np.intp]:
    return np.flatnonzero(np.fromiter(wanted, np.bool_))


def _sums(table: F64, places: NDArray[np.intp] | slice) -> F64:
    """Return the sum of some columns of each row, correctly rounded."""
    return np.array([math.fsum(row) for row in table[:, places].tolist()], np.float64)

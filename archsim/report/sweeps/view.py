"""What the pictures of a sweep look at: its finished designs, two quantities, parameters that vary, a look a chip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from archsim.base.errors import InputError
from archsim.records.sweeps.effects import Effects, Factor, effects, factor
from archsim.records.sweeps.fronts import Array, front, knee
from archsim.records.sweeps.sweep import CHIP, METRIC, TABLE, TECHNOLOGY, Axis, Quantity, Sweep
from archsim.report import style
from archsim.report.studies.sweeps import broken, once

if TYPE_CHECKING:
    import pandas as pd

ENERGY, TIME, AREA = "energy_per_sample_J", "latency_per_sample_s", "area_m2"
SHOWN = (METRIC, ENERGY, TIME, AREA)
"""Quantities that a picture of several shows, beside the two it was asked for."""


@dataclass(frozen=True, slots=True)
class Series:
    """The designs of one chip, with one technology's figures where there are several: how they look."""

    label: str
    rows: Array
    colour: str
    marker: str


@dataclass(frozen=True)
class View:
    """A sweep as it is drawn.

    Parameters
    ----------
    sweep : Sweep
    x, y : the quantities of its front
    rows : pandas.DataFrame, the finished designs in which both are known
        A chip that no parameter changes stands there once, without parameters.
    """

    sweep: Sweep
    x: Quantity
    y: Quantity
    rows: pd.DataFrame = field(repr=False)

    @cached_property
    def every(self) -> View:
        """The same over all finished designs, whichever quantities are known of them."""
        return View(self.sweep, self.x, self.y, once(self.sweep, self.sweep.finished))

    @cached_property
    def broken(self) -> list[list[str]]:
        """The constraints that each row breaks: of a search alone."""
        return broken(self.sweep, self.rows)

    @cached_property
    def within(self) -> Array:
        """Which rows fulfil all constraints."""
        return np.array([not each for each in self.broken], bool)

    @cached_property
    def front(self) -> Array:
        """Which rows are on the front of x and y: of those that fulfil all constraints."""
        return self.front_of(self.within)

    def front_of(self, mask: Array) -> Array:
        """Return which rows are on the front of some of them."""
        found = np.zeros(len(self.rows), bool)
        if mask.any():
            found[mask] = front(self.rows[mask], [self.x, self.y])
        return found

    @cached_property
    def knee(self) -> int | None:
        """The row that is the knee of the front."""
        on = np.flatnonzero(self.front)
        if not len(on):
            return None
        place = knee(self.rows.iloc[on], self.x, self.y)
        return None if place is None else int(on[place])

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        """The axes that vary over the rows, chip and technology with them."""
        named = {axis.column: axis for axis in self.sweep.axes}
        found = [*named.values()]
        found += [Axis(each, each) for each in (CHIP, TECHNOLOGY) if each not in named]
        return tuple(each for each in found if self.rows[each.column].nunique(dropna=False) > 1)

    @cached_property
    def series(self) -> tuple[Series, ...]:
        """The rows by chip, and by technology where there are several."""
        several = self.rows[TECHNOLOGY].nunique() > 1
        by = [CHIP, TECHNOLOGY] if several else [CHIP]
        place = self.rows.groupby(by, sort=False).ngroup().to_numpy()
        made = []
        for k, names in enumerate(self.rows[by].drop_duplicates().itertuples(index=False)):
            label = ", ".join(map(str, names))
            made.append(Series(label, place == k, style.chip_colour(label, k), style.marker(k)))
        return tuple(made)

    @cached_property
    def shown(self) -> tuple[Quantity, ...]:
        """The quantities that pictures of several show: y, x, and the usual ones that are known and vary."""
        wanted = [self.y, self.x, *(each for each in self.sweep.quantities if each.name in SHOWN)]
        return tuple(each for each in dict.fromkeys(wanted) if self.rows[each.name].nunique() > 1)

    def named(self, row: int) -> str:
        """Return the parameters of a row that vary: "tile.adc.bits 6, adc.conversion 500 fJ"."""
        design = self.rows.iloc[row]
        known = [axis for axis in self.axes if design[axis.column] == design[axis.column]]
        return ", ".join(f"{axis.key} {axis.text(design[axis.column])}" for axis in known)

    @cached_property
    def chips(self) -> tuple[str, ...]:
        """Chips on which some parameter makes a difference to some quantity."""
        names = [axis.column for axis in self.axes if axis.column != CHIP]
        return tuple(
            str(chip)
            for chip, own in self.rows.groupby(CHIP, sort=False)
            if any(own[name].nunique(dropna=False) > 1 for name in names)
            and any(own[each.name].nunique() > 1 for each in self.sweep.quantities)
        )  # fmt: skip

    def factors(self, chip: str) -> list[Factor]:
        """Return the parameters of a chip's rows as levels."""
        own = self.of(chip)
        return [
            self.factor(axis, own)
            for axis in self.axes
            if axis.column != CHIP and own[axis.column].nunique(dropna=False) > 1
        ]

    def factor(self, axis: Axis, rows: pd.DataFrame) -> Factor:
        """Return an axis of some rows as levels."""
        return factor(axis.key, rows[axis.column], axis.text, axis.values)

    def of(self, chip: str) -> pd.DataFrame:
        """Return a chip's rows."""
        return self.rows[self.rows[CHIP] == chip]

    def effects(self, chip: str, quantity: Quantity) -> Effects | None:
        """Return what the parameters of a chip's rows make of a quantity; None where there is nothing to tell."""
        key = chip, quantity.name
        if key not in self._effects:
            values = self.of(chip)[quantity.name].to_numpy(float)
            known = bool(np.isfinite(values).all())
            self._effects[key] = effects(values, self.factors(chip)) if known else None
        return self._effects[key]

    @cached_property
    def _effects(self) -> dict[tuple[str, str], Effects | None]:
        return {}


def view(sweep: Sweep, x: str | None = None, y: str | None = None) -> View:
    """Return a sweep as it is drawn.

    Parameters
    ----------
    sweep : Sweep
    x, y : names of quantities; by default the metric over the energy, without a metric time over energy

    Raises
    ------
    InputError
        If a quantity is not known, both are the same, or no design has both.
    """
    over = _chosen(sweep, x, "--x", (ENERGY, TIME, AREA))
    up = _chosen(sweep, y, "--y", (METRIC, TIME, ENERGY, AREA), other=over)
    if over == up:
        raise InputError(key="--y", value=up.name, expected=f"another quantity than --x {over.name}")
    known = sweep.finished[[over.name, up.name]].notna().all(axis=1)
    rows = sweep.finished[known].reset_index(drop=True)
    if rows.empty:
        raise InputError(
            f"has no finished design with {over.title} and {up.title}", file=sweep.path / TABLE,
            expected="at least one", hint="The same sweep command goes on with what is not done",
        )  # fmt: skip
    return View(sweep, over, up, once(sweep, rows))


def _chosen(
    sweep: Sweep, name: str | None, option: str, usual: Sequence[str], *, other: Quantity | None = None
) -> Quantity:
    """Return the quantity asked for, or the first of the usual ones that some design has."""
    if name is not None:
        return sweep.quantity(name, option=option)
    found = sweep.finished
    known = {each.name: each for each in sweep.quantities if each != other and found[each.name].notna().any()}
    rest = [each for each in sweep.quantities if each != other]
    return next((known[each] for each in usual if each in known), (rest or list(sweep.quantities))[0])


def slug(name: str) -> str:
    """Return a name as part of a file's."""
    kept: list[Any] = [letter if letter.isalnum() or letter in "-." else "-" for letter in name]
    return "".join(kept)


def rooted(path: str | Path) -> Path:
    """Return the folder that pictures of a sweep go to by default."""
    return Path(path) / "report"

"""Fit a table device to measured pulses: mean and standard deviation of the change, binned over conductance."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from archsim.base import files
from archsim.base.errors import InputError
from archsim.base.units import show
from archsim.devices.binned import Binned, binned
from archsim.devices.measured import Pulses
from archsim.devices.spread import LEAST_DEVICES, LEAST_PULSES, DeviceSpread, fit_spread
from archsim.devices.table import MeanChange

DIRECTIONS = ("up", "down")


@dataclass(frozen=True, slots=True)
class Fit:
    """Bins by direction, and the table of each: a knot a bin, and one at each end of the range; spread of devices."""

    bins: dict[str, Binned]
    changes: dict[str, MeanChange]
    spread: DeviceSpread | None = None

    @property
    def low(self) -> float:
        """Lowest conductance [S] that every table covers."""
        return max(float(change.knots[0]) for change in self.changes.values())

    @property
    def high(self) -> float:
        """Highest conductance [S] that every table covers."""
        return min(float(change.knots[-1]) for change in self.changes.values())


def fit(pulses: Pulses, *, bins: int = 20, least: int = 30) -> Fit:
    """Bin the changes of either direction over the conductance before the pulse.

    Bins are of equal width over the direction's range; one with fewer than `least` pulses joins the next one up (the
    last ones the one below). The knot of a bin stands at the mean conductance of its pulses, so that a change linear in
    the conductance is met exactly. At the ends the mean goes on linearly and the spread is held; where measured
    conductances, before or after pulses, lie beyond by less than the outermost bin's width, the table reaches them.
    Where the pulses tell their devices, and these are enough, the spread between devices is fitted too.

    Parameters
    ----------
    pulses : Pulses
    bins, least : int
        Bins at most, and pulses at least in each.

    Raises
    ------
    InputError
        If there are no up pulses, too few of a direction for two bins, or pulses of a direction change the conductance
        the other way on average, or up and down share no range.
    """
    for option, number in (("--bins", bins), ("--least", least)):
        if number < 2:
            raise InputError(key=option, value=number, expected="2 or more")
    after = pulses.before + pulses.change
    seen = (float(min(pulses.before.min(), after.min())), float(max(pulses.before.max(), after.max())))
    parts: dict[str, Binned] = {}
    for name, chosen in (("up", pulses.up), ("down", ~pulses.up)):
        points = int(chosen.sum())
        if not points and name == "down":
            continue
        if points < 2 * least:
            raise InputError(
                f"has {points} {name} pulses", file=pulses.file, key="direction",
                expected=f"at least {2 * least}, two bins of {least}",
                hint="Measure more, or lower --least.",
            )  # fmt: skip
        before, change = pulses.before[chosen], pulses.change[chosen]
        if (mean := float(change.mean())) * (1 if name == "up" else -1) <= 0:
            raise InputError(
                f"{name} pulses change the conductance by {show(mean, 'S', 3)} on average", file=pulses.file,
                key="direction", expected=f"a change {'above' if name == 'up' else 'below'} zero",
                hint="Are the two directions exchanged?",
            )  # fmt: skip
        parts[name] = binned(before, change, bins, least, name, pulses.file)
    spread, parts = fit_spread(pulses, parts)
    made = Fit(parts, {name: _change(part, seen) for name, part in parts.items()}, spread)
    if made.low >= made.high:
        raise InputError(
            "up and down pulses share no range of conductance", file=pulses.file, key="direction", expected="one range"
        )
    return made


def _change(part: Binned, seen: tuple[float, float]) -> MeanChange:
    """Return the table of bins, carried on to the ends of the conductances seen, if these are near."""
    low, high = float(part.edges[0]), float(part.edges[-1])
    if low - seen[0] <= part.edges[1] - low:
        low = seen[0]
    if seen[1] - high <= high - part.edges[-2]:
        high = seen[1]
    slope = np.diff(part.mean)[[0, -1]] / np.diff(part.centre)[[0, -1]]
    first = part.mean[0] + slope[0] * (low - part.centre[0])
    last = part.mean[-1] + slope[1] * (high - part.centre[-1])
    return MeanChange(
        np.concatenate([[low], part.centre, [high]]), np.concatenate([[first], part.mean, [last]]),
        np.concatenate([part.std[:1], part.std, part.std[-1:]]),
    )  # fmt: skip


def write(made: Fit, out: Path, source: Path, *, force: bool = False) -> list[Path]:
    """Write a table device, OUT.yaml and the CSV file beside it; return both. The CSV file is written first.

    Raises
    ------
    InputError
        If `out` is no .yaml file, or one of the files is there and `force` is not given.
    """
    files.check_yaml(out, force=force)
    table = out.with_suffix(".csv")
    if table.exists() and source.exists() and table.samefile(source):
        raise InputError(key="--out", value=str(out), expected="a name whose .csv is not the file of measurements")
    files.check_file(table, force=force)
    files.write_text(table, table_text(made))
    files.write_text(out, device_text(made, out, source))
    return [out, table]


def table_text(made: Fit) -> str:
    """Return the table as CSV, in uS."""
    lines = ["direction,conductance_uS,mean_uS,std_uS"]
    for name, change in made.changes.items():
        rows = zip(change.knots, change.mean, change.std, strict=True)
        lines += [f"{name},{g * 1e6:.9g},{mean * 1e6:.9g},{std * 1e6:.9g}" for g, mean, std in rows]
    return "\n".join(lines) + "\n"


def device_text(made: Fit, out: Path, source: Path) -> str:
    """Return the device file as YAML."""
    counted = ", ".join(
        f"{part.points.sum():.0f} {name} pulses in {part.points.size} bins" for name, part in made.bins.items()
    )
    common = made.low + (made.high - made.low) / 8
    low, common_text = show(made.low, "S", digits=7), show(common, "S", digits=6)
    data = json.dumps(source.name)
    spread = ""
    if made.spread and made.spread.devices:
        where = f"{made.spread.count} devices, standard error {made.spread.error:.2g}"
        spread = f'spread: {{devices: {made.spread.devices:.4g}, basis: measured, data: {data}, where: "{where}"}}\n'
    return f"""\
# Written by `archsim device fit`. A table knows no past. Not fitted: drift and read noise, which may be added as the
# records `drift` and `read_noise` of the PCM device's file.
# Between devices: {spread_words(made)}.
# `memory: reram`, or another word, says what kind of memory it is; a technology says the same of its prices of pulses.
schema: 1
kind: device
model: table
name: {json.dumps(out.stem)}
title: {json.dumps(f"Table fitted to {source.name}")}
table:
  file: {json.dumps(out.with_suffix(".csv").name)}
  basis: measured
  data: {data}
  where: "sha256 {files.sha256(source)[:16]}; {counted}"
{spread}\
after_reset: {{mean: {low}, std: 0 S, basis: assumed, why: "the lower bound of the table; RESET was not measured"}}
start: {{common: {common_text}, basis: assumed, why: "an eighth of the range above its lower end"}}
"""


def spread_words(made: Fit) -> str:
    """Return what was found of the spread between devices, or why nothing was fitted."""
    if made.spread is None:
        wanted = f"{LEAST_DEVICES} devices of {LEAST_PULSES} pulses or more"
        return f"no spread fitted, which takes a column device with {wanted}; all devices are alike"
    if not made.spread.devices:
        seen = f"{made.spread.error:.2g} of the mean step would have shown"
        return f"no spread beyond chance between the {made.spread.count} devices ({seen}); all devices are alike"
    return (
        f"a standard deviation of {made.spread.devices:.3g} +- {made.spread.error:.2g} of the mean step over "
        f"{made.spread.count} devices"
    )

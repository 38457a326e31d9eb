"""Retention: let a trained chip drift on its simulated clock and test it on the way, plain and compensated."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from archsim.accounting.bill import price
from archsim.accounting.technology import Technology
from archsim.base import files
from archsim.base.errors import InputError
from archsim.base.progress import Progress, Report
from archsim.base.streams import Streams
from archsim.base.units import PS_PER_S, show
from archsim.chips.chip import Chip
from archsim.chips.crossbars.compensation import READS, VECTORS, Compensated, factors, known_vectors, read_out
from archsim.records.recorded import read
from archsim.records.reopen import reopen, trained_chip, with_state
from archsim.runs.spec import RunSpec
from archsim.runs.train import task_of

PHASE = "retention"
FIRST_S = 1.0
"""The drift law of the shipped device is constant before this age."""
DEFAULT_S = 90 * 86400.0
MOST_PS = int(np.iinfo(np.int64).max)
"""The cells know times in whole picoseconds of 64 bits: 106 days."""
CSV, JSON = "hold.csv", "hold.json"


@dataclass(frozen=True, slots=True)
class HoldPoint:
    """One test of one chip.

    Parameters
    ----------
    time_s : simulated time since the end of the training
    compensated : whether products were scaled by the factors `gains`, by layer, which a read-out just before gave
    repeat : number of the test at this time; each draws other read noise
    test : the metric, on the test set
    mean_difference_S : mean magnitude of G+ - G- over all pairs, without read noise; NaN for a chip without
    energy_per_inference_J : inside the boundary, while inferring; what a chip draws while it waits is not counted
    calibration_energy_J : of the read-out behind the factors; 0 where there was none
    """

    architecture: str
    time_s: float
    compensated: bool
    repeat: int
    test: float
    mean_difference_S: float  # noqa: N815  the column's name, with its unit
    gains: Mapping[str, float]
    energy_per_inference_J: float  # noqa: N815
    calibration_energy_J: float  # noqa: N815


def hold(
    path: str | Path, *, duration_s: float = DEFAULT_S, repeats: int = 3, out: str | Path | None = None,
    data: Path | None = None, techs: Sequence[str] = (), progress: Progress | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Test the trained chips of a run again at times up to `duration_s` and write hold.csv and hold.json.

    The run's own files stay as they are.

    Parameters
    ----------
    path : path
        Run directory.
    duration_s : float [s]
        At least 1 s; at most 106 days, where the clock's 64 bits of picoseconds end.
    repeats : int
        Tests at each time and in each mode.
    out : path, optional
        Where to write; DIR/hold if not given.
    data, techs : as for `reopen`
    progress : callable, optional
        Told each chip and time [s] before it is tested then.

    Returns
    -------
    dict
        Content of hold.json.

    Raises
    ------
    InputError
        If the duration cannot be simulated, or the run cannot be reopened.
    """
    path = Path(path)
    folder = Path(out) if out else path / "hold"
    _check(folder, duration_s, repeats)
    recorded = read(path)
    spec = reopen(path, data=data, techs=techs)
    names = with_state(path, [architecture.name for architecture in spec.architectures])
    chips = [trained_chip(path, spec, one) for one in spec.architectures if one.name in names]
    for chip in chips:
        _check_clock(chip, duration_s)
    points = [
        point for chip in chips for point in _Test(spec, chip, repeats, progress or (lambda *_: None)).run(duration_s)
    ]
    trained = {name: float(chip["test"]) for name, chip in recorded.summary["architectures"].items()}
    content = _content(spec, chips, points, duration_s, repeats, trained)
    _write(folder, points, content)
    return content


def hold_times(duration_s: float) -> list[float]:
    """Return the times [s] at which to test: 0, then 1, 3, 10, 30 ... and the duration itself."""
    powers = range(math.ceil(math.log10(duration_s)) + 1)
    series = [factor * 10.0**power for power in powers for factor in (1, 3) if factor * 10.0**power >= FIRST_S]
    return [0.0, *(time for time in series if time < duration_s * 0.999), duration_s]


class _Test:
    """Tests of one chip. Owner of what the first read-out of the known vectors gave."""

    def __init__(self, spec: RunSpec, chip: Chip, repeats: int, progress: Progress) -> None:
        self.spec, self.chip, self.repeats, self.progress = spec, chip, repeats, progress
        self.begin_ps = chip.clock.now
        self.vectors = known_vectors(spec.network, Streams(spec.seed))
        self.task = task_of(spec, Streams(spec.seed))
        self.first: dict[str, float] = {}

    def run(self, duration_s: float) -> list[HoldPoint]:
        """Return all points of the chip; a chip without devices does not drift and is tested once, at time 0."""
        if not self.chip.cells():
            self.progress(Report(self.chip.architecture.name, 0.0, duration_s, "s"))
            return [self._plain(0.0, 0)]
        points = []
        for time_s in hold_times(duration_s):
            self.progress(Report(self.chip.architecture.name, time_s, duration_s, "s"))
            self.chip.run(self.chip.wait(self.begin_ps + round(time_s * PS_PER_S) - self.chip.clock.now))
            self.chip.age()
            if not self.first:
                self.first, _ = self._read_out()
            for repeat in range(self.repeats):
                points += [self._plain(time_s, repeat), self._compensated(time_s, repeat)]
        return points

    def _plain(self, time_s: float, repeat: int) -> HoldPoint:
        twin = self.chip.twin()
        found = self.task.test(twin, PHASE)
        return self._point(time_s, repeat, twin, found, {}, 0.0)

    def _compensated(self, time_s: float, repeat: int) -> HoldPoint:
        now, energy = self._read_out()
        gains = factors(self.first, now)
        twin = self.chip.twin()
        found = self.task.test(twin, PHASE, through=Compensated(twin, gains))
        return self._point(time_s, repeat, twin, found, gains, energy)

    def _read_out(self) -> tuple[dict[str, float], float]:
        """Return the summed outputs of each layer for the known vectors, and the energy [J] of reading them."""
        twin = self.chip.twin()
        found = twin.run(read_out(twin, self.spec.network, self.vectors, PHASE))
        return found, spent(twin, self.spec.technologies[0])

    def _point(
        self, time_s: float, repeat: int, twin: Chip, found: float, gains: Mapping[str, float], calibration_J: float
    ) -> HoldPoint:
        samples = self.task.tests
        return HoldPoint(
            architecture=self.chip.architecture.name, time_s=time_s, compensated=bool(gains), repeat=repeat,
            test=found, mean_difference_S=mean_difference(self.chip), gains=gains,
            energy_per_inference_J=spent(twin, self.spec.technologies[0]) / samples,
            calibration_energy_J=calibration_J,
        )  # fmt: skip


def mean_difference(chip: Chip) -> float:
    """Return the mean of |G+ - G-| [S] over the chip's pairs as its cells were last renewed; NaN if it has none.

    Of a weight of several pairs, their mean difference counts.
    """
    sums = [
        (float(np.abs(cells.weight).sum(dtype=np.float64)) * cells.scale / cells.copies, cells.weight.size)
        for cells in chip.cells().values()
    ]
    pairs = sum(size for _, size in sums)
    return math.fsum(total for total, _ in sums) / pairs if pairs else math.nan


def spent(chip: Chip, technology: Technology) -> float:
    """Return the energy [J] inside the boundary that a chip has spent on retention, leakage of that time included."""
    chip.settle()
    bill = price(chip.ledger.rows(), chip.entries(), technology, chip.architecture.boundary.inside)
    return bill.total(phase=PHASE)


# --- checks -----------------------------------------------------------------------------------------------------------
def _check(folder: Path, duration_s: float, repeats: int) -> None:
    files.check_folder(folder)
    if repeats < 1:
        raise InputError(key="--repeats", value=repeats, expected="a whole number from 1 on")
    if not duration_s >= FIRST_S:
        raise InputError(key="--for", value=show(duration_s, "s"), expected="at least 1 s, the first time of a test")


def _check_clock(chip: Chip, duration_s: float) -> None:
    if chip.clock.now + round(duration_s * PS_PER_S) > MOST_PS:
        days = (MOST_PS - chip.clock.now) / PS_PER_S / 86400
        raise InputError(
            key="--for", value=f"{duration_s / 86400:.4g} days",
            expected=f"at most {math.floor(10 * days) / 10:g} days: the cells know times as 64 bits of picoseconds",
        )  # fmt: skip


# --- results ----------------------------------------------------------------------------------------------------------
def _content(
    spec: RunSpec, chips: Sequence[Chip], points: Sequence[HoldPoint], duration_s: float, repeats: int,
    trained: Mapping[str, float],
) -> dict[str, Any]:  # fmt: skip
    asked = task_of(spec, Streams(spec.seed))
    return {
        "schema": 2, "workload": spec.workload.name, "metric": asked.metric.content(asked.chance),
        "sample": asked.sample.content(),
        "dataset": spec.dataset.name,
        "dataset_origin": spec.dataset.origin, "seed": spec.seed, "technology": spec.technologies[0].name,
        "duration_s": duration_s, "repeats": repeats,
        "compensation": {"vectors": VECTORS, "reads_of_each": READS, "factors": "one a layer, in the digital unit"},
        "architectures": {
            chip.architecture.name: _chip_content(
                chip, [p for p in points if p.architecture == chip.architecture.name],
                trained.get(chip.architecture.name),
            )
            for chip in chips
        },
    }  # fmt: skip


def _chip_content(chip: Chip, points: Sequence[HoldPoint], trained: float | None) -> dict[str, Any]:
    exponents = sorted({cells.device.reading.exponent for cells in chip.cells().values()})
    begin = points[0].mean_difference_S
    times = []
    for time_s in dict.fromkeys(point.time_s for point in points):
        now = [point for point in points if point.time_s == time_s]
        entry: dict[str, Any] = {"time_s": time_s}
        if chip.cells():
            left = now[0].mean_difference_S
            entry |= {"mean_difference_S": left, "difference_left": left / begin if begin else None}
        for mode, compensated in (("plain", False), ("compensated", True)):
            if tests := [point for point in now if point.compensated == compensated]:
                entry[mode] = _mode(tests)
        times.append(entry)
    return {
        "trained_test": trained, "drifts": bool(chip.cells()), "drift_exponents": exponents, "times": times
    }  # fmt: skip


def _mode(tests: Sequence[HoldPoint]) -> dict[str, Any]:
    found = [point.test for point in tests]
    low, high = min(found), max(found)
    entry: dict[str, Any] = {  # rounding may put a mean of equal values beside them
        "test": min(max(fmean(found), low), high), "lowest": low, "highest": high,
        "energy_per_inference_J": fmean(point.energy_per_inference_J for point in tests),
    }  # fmt: skip
    if tests[0].compensated:
        entry["calibration_energy_J"] = fmean(point.calibration_energy_J for point in tests)
        entry["gains"] = {layer: fmean(point.gains[layer] for point in tests) for layer in tests[0].gains}
    return entry


def _write(folder: Path, points: Sequence[HoldPoint], content: Mapping[str, Any]) -> None:
    import pandas as pd

    rows = [
        {**asdict(point), "gains": ";".join(f"{layer}={gain:.6g}" for layer, gain in point.gains.items())}
        for point in points
    ]
    with files.replacing(folder / CSV) as aside:
        pd.DataFrame(rows).to_csv(aside, index=False)
    files.write_text(folder / JSON, json.dumps(content, indent=2, ensure_ascii=False) + "\n")

"""Tables of how sure a run's numbers are: the intervals that all figures leave, and how seeds differ."""

from __future__ import annotations

from collections.abc import Sequence

from archsim.accounting.intervals import TOTAL, Interval, Intervals
from archsim.base.metrics import Metric
from archsim.base.signal import STEP_PHASES
from archsim.base.units import show
from archsim.records.intervals import known
from archsim.records.recorded import Recorded
from archsim.records.seeds import spread
from archsim.report import style
from archsim.report.sheet import NONE, Sheet


def intervals(run: Recorded) -> list[Sheet]:
    """Return a sheet for each technology of a run whose figures can be drawn."""
    return [interval_sheet(run, found) for name in run.technologies if (found := known(run, name))]


def interval_sheet(run: Recorded, found: Intervals) -> Sheet:
    """Return energy and time by phase, area by component, and the energy ratios, each with its interval."""
    rows = []
    for what, head in (("energy", "energy"), ("time", "time"), ("area", "area")):
        of = {name: getattr(chip, what) for name, chip in found.chips.items()}
        places = [place for place in (*STEP_PHASES, TOTAL) if any(place in each for each in of.values())]
        if what == "area":
            places = [*dict.fromkeys(place for each in of.values() for place in each if place != TOTAL), TOTAL]
        for place in places:
            cells = (cell for each in of.values() for cell in _interval_cells(each.get(place), what))
            rows.append((f"{head}, {style.label(place)}", *cells))
    if found.ratios:
        ratios = (cell for name in found.chips for cell in _ratio_cells(found.ratios.get(name)))
        rows.append((f"energy ratio, {run.summary['baseline']} over it", *ratios))
    heads = ("per step, and area", *(head for name in found.chips for head in (name, "90 % interval")))
    title = (
        f"Intervals, {found.technology}: 90 % of {found.samples:,} joint draws of all figures (of times, 90 % or more)"
    )
    return Sheet(title, heads, tuple(rows))


def _interval_cells(each: Interval | None, what: str) -> tuple[str, str]:
    if each is None or not each.value:
        return (NONE, NONE) if each is None else (_quantity(0.0, what), NONE)
    return _quantity(each.value, what), f"{_quantity(each.low, what, 3)} to {_quantity(each.high, what, 3)}"


def _quantity(value: float, what: str, digits: int = 4) -> str:
    """Return an energy [J], a time [s] or an area [m^2] for reading."""
    if what == "area":
        return f"{value * 1e6:.{digits}g} mm^2"
    return show(value, {"energy": "J", "time": "s"}[what], digits)


def _ratio_cells(each: Interval | None) -> tuple[str, str]:
    if each is None:
        return NONE, NONE
    return f"{each.value:.4g}", f"{each.low:.3g} to {each.high:.3g}"


def seeds(run: Recorded) -> list[Sheet]:
    """Return mean and standard deviation over the seeds of the metric, energy, time and ratios, and each seed's."""
    if not run.seeds:
        return []
    rows = []
    for name in run.architectures:
        of = [each.summary["architectures"][name] for each in run.seeds]
        rows += [
            _metric_over_seeds(run.metric, name, [chip["test"] for chip in of]),
            _over_seeds(f"energy per step, {name}", [chip["energy_per_step_J"]["total"] for chip in of], "J"),
            _over_seeds(f"time per step, {name}", [chip["latency_per_step_s"]["total"] for chip in of], "s"),
        ]
    for name in run.summary["ratios"]:
        ratios = [each.summary["ratios"][name]["energy"] for each in run.seeds]
        rows.append(_over_seeds(f"energy ratio, {run.summary['baseline']} / {name}", ratios, ""))
    heads = ("quantity", "mean", "s", *(f"seed {each.summary['seed']}" for each in run.seeds))
    return [Sheet(f"Over {len(run.seeds)} seeds, {run.technology}", heads, tuple(rows))]


def _metric_over_seeds(metric: Metric, chip: str, values: Sequence[float]) -> tuple[str, ...]:
    mean, s = spread(values)
    cells = [mean, s, *values]
    return (f"test {metric.name}, {chip}", *(NONE if cell is None else metric.number(cell) for cell in cells))


def _over_seeds(what: str, values: Sequence[float], unit: str) -> tuple[str, ...]:
    def text(value: float) -> str:
        if unit in {"J", "s"}:
            return show(value, unit)
        return f"{value:.4g}"

    mean, s = spread(values)
    return (what, text(mean), NONE if s is None else text(s), *map(text, values))

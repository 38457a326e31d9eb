"""What `archsim hold` shows: the metric over time since the training, plain and compensated."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archsim.base.metrics import Metric, metric_of
from archsim.base.units import show
from archsim.report import drawing, style

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from rich.table import Table

NAME = "hold"
SUFFIXES = ("png", "svg")
_UNITS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"))
_TICKS = (1.0, 10.0, 60.0, 600.0, 3600.0, 6 * 3600.0, 86400.0, 7 * 86400.0, 30 * 86400.0, 90 * 86400.0)
_LEAST = 0.0025
"""Half of what an axis spans, at least: a quarter of a percentage point."""
_WIDER = 0.6
"""By which part of its span an axis is widened for a chip that does not drift."""
_MODES = {"plain": ("uncompensated", "-", 1.0), "compensated": ("global drift compensation", "--", 0.55)}


def age(time_s: float) -> str:
    """Return a time as a reader would say it: 30 s, 5 min, 2.8 h, 90 d."""
    for size, unit in _UNITS:
        if time_s >= size * 0.9999:
            return f"{time_s / size:.3g} {unit}"
    return f"{time_s:.3g} s"


def at(time_s: float) -> str:
    """Return when a test was, in words."""
    return f"{age(time_s)} after the training" if time_s else "at the end of the training"


def write(content: Mapping[str, Any], folder: Path) -> list[Path]:
    """Draw the chart of a hold (PNG, SVG) into a folder and return the files."""
    with style.applied():
        return drawing.save(draw(content), folder, NAME, SUFFIXES)


def draw(content: Mapping[str, Any]) -> Figure:
    """Return the test over log time; the bars span the tests at a time, which differ in their read noise.

    Each chip that drifts has a panel with an axis of its own; the test before the wait, and that of a chip that does
    not drift, are horizontal lines. Such a chip far from the others is named in the legend alone.
    """
    places = {name: k for k, name in enumerate(content["architectures"])}
    drifting = [name for name, chip in content["architectures"].items() if chip["drifts"]]
    still = [name for name in places if name not in drifting]
    panels = drifting or still[:1]
    figure = style.figure(7.6, 2.7 * len(panels) + 1.7)
    every = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    key: dict[str, Artist] = {}
    for axes, name in zip(every, panels, strict=True):
        chips, metric = content["architectures"], metric_of(content)
        low, high = _drifting(axes, name, chips[name], places[name], metric)
        for other in still:
            _still(axes, other, chips[other], (places[other], metric), (low, high))
        axes.set_ylabel(metric_of(content).axis)
        key |= style.key_of(axes)
    _times(every[-1], float(content["duration_s"]))
    style.legend(figure, key, 2)
    tests = "one test at each time" if content["repeats"] == 1 else f"bars: range of {content['repeats']} tests"
    style.title(figure, f"Retention, {content['workload']}, {content['dataset']}; {tests}")
    return figure


def _times(axes: Axes, duration: float) -> None:
    axes.set_xscale("log")
    axes.set_xlim(0.8, duration * 1.4)
    ticks = [tick for tick in _TICKS if tick <= duration * 1.4]
    axes.set_xticks(ticks, [age(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel("time since the end of the training (log axis)")


def _drifting(axes: Axes, name: str, chip: Mapping[str, Any], position: int, metric: Metric) -> tuple[float, float]:
    """Draw both courses of a chip with its first test, and return the ends of the axis that show them."""
    test = chip["times"][0]["plain"]["test"]
    first = metric.factor * test
    ends = [first]
    if chip["drifts"]:
        for mode in _MODES:
            _course(axes, name, chip, (mode, metric), position)
            ends += [metric.factor * entry[mode][end] for entry in chip["times"] for end in ("lowest", "highest")]
        axes.axhline(
            first, color=style.chip_colour(name, position), linewidth=0.9, linestyle=":",
            label=f"{name}, tested again at the end of the training, {metric.number(test)}",
        )  # fmt: skip
    middle, half = (min(ends) + max(ends)) / 2, max(0.62 * (max(ends) - min(ends)), _LEAST * metric.factor)
    axes.set_ylim(middle - half, middle + half)
    return middle - half, middle + half


def _still(axes: Axes, name: str, chip: Mapping[str, Any], of: tuple[int, Metric], shown: tuple[float, float]) -> None:
    """Draw a chip that does not drift; one outside the axis, or near it, widens it or is only named."""
    (position, metric), test = of, chip["times"][0]["plain"]["test"]
    first = metric.factor * test
    look: Any = {"color": style.chip_colour(name, position), "linewidth": 1.1, "linestyle": "-."}
    (low, high), label = shown, f"{name}, no drift, {metric.number(test)}"
    room = _WIDER * (high - low)
    if low - room <= first <= high + room:
        axes.axhline(first, **look, label=label)
        axes.set_ylim(min(low, first - 0.1 * (high - low)), max(high, first + 0.1 * (high - low)))
    else:
        axes.plot([], [], **look, label=f"{label} ({'above' if first > high else 'below'} this axis)")


def _course(axes: Axes, name: str, chip: Mapping[str, Any], of: tuple[str, Metric], position: int) -> None:
    (mode, metric), colour = of, style.chip_colour(name, position)
    label, line, alpha = _MODES[mode]
    points = [(entry["time_s"], entry[mode]) for entry in chip["times"] if entry["time_s"] > 0]
    mean = [metric.factor * found["test"] for _, found in points]
    spread = [
        [max(metric.factor * (found["test"] - found["lowest"]), 0.0) for _, found in points],
        [max(metric.factor * (found["highest"] - found["test"]), 0.0) for _, found in points],
    ]  # the mean of equal tests may be off by a last bit
    filled = colour if mode == "plain" else "white"
    axes.errorbar(
        [time for time, _ in points], mean, yerr=spread, color=colour, alpha=max(alpha, 0.8), linestyle=line,
        marker=style.marker(position), markersize=4, markerfacecolor=filled, linewidth=1.1, elinewidth=1.1, capsize=3,
        label=f"{name}, {label}",
    )  # fmt: skip


def text(content: Mapping[str, Any]) -> list[Table | str]:
    """Return a table a chip that drifts, and sentences that say why its test moves."""
    metric = metric_of(content)
    parts: list[Table | str] = []
    for name, chip in content["architectures"].items():
        trained = chip["trained_test"]
        if not chip["drifts"]:
            tested = metric.text(chip["times"][0]["plain"]["test"])
            parts.append(f"{name}: {tested}, whatever the time: its weights lie in SRAM.")
            continue
        parts.append(_table(name, chip, metric, content["repeats"]))
        if trained is not None:
            parts.append(f"  The training's own last test gave {metric.number(trained)} (other read noise).")
        parts += [f"  {line}" for line in _why(chip, content)]
    return parts


def _table(name: str, chip: Mapping[str, Any], metric: Metric, repeats: int) -> Table:
    from rich.table import Table

    table = Table("time", title=f"{name}: test {metric.name} after the training, mean of {repeats} (lowest to highest)")
    for heading in ("mean |G+ - G-|", "left", "uncompensated", "compensated", "factors"):
        table.add_column(heading, justify="right")
    for entry in chip["times"]:
        left = entry["difference_left"]
        table.add_row(
            age(entry["time_s"]), show(entry["mean_difference_S"], "S"), "-" if left is None else f"{100 * left:.1f} %",
            _test(entry["plain"], metric), _test(entry["compensated"], metric),
            ", ".join(f"{layer} {gain:.3f}" for layer, gain in entry["compensated"]["gains"].items()),
        )  # fmt: skip
    return table


def _test(found: Mapping[str, float], metric: Metric) -> str:
    mean, low, high = (metric.number(found[key]) for key in ("test", "lowest", "highest"))
    return f"{mean} ({low.removesuffix(metric.unit)} to {high.removesuffix(metric.unit)})"


def _why(chip: Mapping[str, Any], content: Mapping[str, Any]) -> list[str]:
    end = chip["times"][-1]
    plain, compensated = end["plain"], end["compensated"]
    exponents = chip["drift_exponents"]
    if exponents == [0.0]:
        first = "These devices do not drift."
    else:
        named = " and ".join(f"{exponent:g}" for exponent in exponents)
        first = (
            f"The device model has one drift exponent for all devices ({named}), without a spread: their differences "
            "fall by almost one factor, and one factor a layer brings them back, but for devices of unlike age and for "
            "read noise, which does not fall with them. Devices with a spread of exponents would be left worse off."
        )
    vectors, reads = content["compensation"]["vectors"], content["compensation"]["reads_of_each"]
    energies = (plain["energy_per_inference_J"], compensated["energy_per_inference_J"])
    inference, scaled = (show(energy, "J") for energy in energies)
    part = content["sample"]["part"]
    of = f"a {part}" if part else "an inference"
    calibration = show(compensated["calibration_energy_J"], "J")
    energy = (
        f"Energy ({content['technology']}): {inference} {of}, {scaled} compensated; reading the known vectors, "
        f"{vectors} a layer and {reads} times each, {calibration}. The wait itself is not counted."
    )
    return [first, energy]

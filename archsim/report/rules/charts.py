"""The three pictures of a study of rules: energy against metric, energy by part at equal metric, wear."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np

from archsim.report import labels, style
from archsim.report.rules import words
from archsim.studies.rules.combine import NO_DEVICE
from archsim.studies.rules.results import Result, Results

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDE, NARROW = 8.6, 4.4
"""Widths of figures [in]."""
_BACKGROUND = 0.3
_ROW = 0.24
"""Height of a bar with its room [in]."""
_SIZE, _ROOM = {False: 7.0, True: 6.5}, {False: 200, True: 150}
"""Of the names beside bars, letters and width [pt], where the figure is wide, and where it is narrow."""


def _colours(found: Results) -> Mapping[str, str]:
    """Return update rule -> its colour: the same in all pictures."""
    rules = dict.fromkeys(one.combination.rule for one in found.all)
    with_devices = [rule for rule in rules if any(one.rule == rule and one.has_device for one in found.all)]
    given = {rule: style.RULES[k % len(style.RULES)] for k, rule in enumerate(with_devices)}
    return {rule: given.get(rule, style.CHIPS["digital32"]) for rule in rules}


def _markers(found: Results) -> Mapping[str, str]:
    devices = dict.fromkeys(one.combination.device for one in found.done if one.has_device)
    return {NO_DEVICE: "*", **{device: style.marker(k) for k, device in enumerate(devices)}}


def front(found: Results, *, narrow: bool = False) -> Figure:
    """Return the metric at the end over the energy of a sample: bars are deviations over seeds, the front is joined.

    Colour is the update rule, the marker the device; a hollow one is of another learning rule than the first.
    """
    figure = style.figure(NARROW if narrow else WIDE, 5.6 if narrow else 4.9)
    axes = figure.subplots()
    metric, colours, markers = found.plan.metric, _colours(found), _markers(found)
    learnings = list(dict.fromkeys(one.combination.learning for one in found.all))
    xs, ys = [], []
    for one in found.done:
        x, y, colour = one.energy, one.test, colours[one.rule]
        hollow = one.combination.learning != learnings[0]
        look: Any = {
            "marker": markers[one.combination.device], "color": colour, "markersize": 6.5,
            "markerfacecolor": "white" if hollow else colour, "markeredgewidth": 1.2, "elinewidth": 0.9,
        }  # fmt: skip
        yerr = None if y.std is None else metric.factor * y.std
        axes.errorbar(x.mean, metric.factor * y.mean, xerr=x.std, yerr=yerr, linestyle="none", **look)
        xs.append(x.mean)
        ys.append(metric.factor * y.mean)
    _joined(axes, np.array(xs), np.array(ys), high=metric.higher_is_better)
    if found.target is not None:
        axes.axhline(metric.factor * found.target, color=style.REFERENCE, linestyle=":", linewidth=0.9)
    axes.set_xscale("log")
    style.unit_ticks(axes, "J", axis="x")
    axes.set_xlabel("energy of a sample's training (log axis)")
    axes.set_ylabel(metric.axis + ("" if metric.higher_is_better else " (lower is better)"))
    style.legend(figure, _key(found, colours, markers, learnings), 2 if narrow else 4)
    style.title(figure, f"Energy against {metric.name} after {found.plan.steps:,} steps: {found.plan.workload}")
    return figure


def _joined(axes: Axes, x: Any, y: Any, *, high: bool) -> None:
    """Draw the line through what no other surpasses in both."""
    order = np.lexsort((-y if high else y, x))
    best, kept = -math.inf, []
    for k in order:
        if (value := float(y[k] if high else -y[k])) > best:
            best = value
            kept.append(k)
    axes.plot(x[kept], y[kept], color="black", linewidth=1.0, zorder=1)


def _key(
    found: Results, colours: Mapping[str, str], markers: Mapping[str, str], learnings: Sequence[str]
) -> dict[str, Artist]:
    from matplotlib.lines import Line2D

    def mark(**look: Any) -> Artist:
        return Line2D([], [], linestyle="none", markersize=6, **look)

    key: dict[str, Artist] = {rule: mark(marker="s", color=colours[rule]) for rule in
                              dict.fromkeys(one.rule for one in found.done)}  # fmt: skip
    for device, marker in markers.items():
        if any(one.combination.device == device for one in found.done):
            name = "no device" if device == NO_DEVICE else device
            key[name] = mark(marker=marker, color=style.REFERENCE)
    if len(learnings) > 1:
        key[words.learning(learnings[0])] = mark(marker="o", color=style.REFERENCE)
        others = "other learning rule" if len(learnings) > 2 else words.learning(learnings[1])
        key[others] = mark(marker="o", color=style.REFERENCE, markerfacecolor="white")
    key["front: no other is better in both"] = Line2D([], [], color="black", linewidth=1.0)
    if found.target is not None:
        key[f"target: {words.target(found)}"] = Line2D([], [], color=style.REFERENCE, linestyle=":", linewidth=0.9)
    return key


def parts(found: Results, *, narrow: bool = False) -> Figure:
    """Return the energy until the target of each combination, and the share of each part of the chip in it."""
    ones = [*words.reached(found), *words.reached(found, devices=False)]
    width = NARROW if narrow else WIDE
    figure = style.figure(width, _ROW * 2 * len(ones) + 3.0 if narrow else _ROW * len(ones) + 1.9)
    grid = figure.subplots(2, 1, squeeze=False) if narrow else figure.subplots(1, 2, squeeze=False, sharey=True)
    totals, shares = grid.flat
    _totals(totals, found, ones)
    drawn = _shares(shares, ones)
    for axes in (totals, shares) if narrow else (totals,):
        _names(axes, found, ones, narrow=narrow)
    for axes in (totals, shares):
        axes.set_ylim(len(ones) - 0.4, -0.6)
        axes.grid(axis="y", visible=False)
    style.legend(figure, style.key_to(drawn, assumed=False), 2 if narrow else 5)
    style.title(figure, f"Energy to {words.target(found)}, by part of the chip: {found.plan.workload}")
    return figure


def _totals(axes: Axes, found: Results, ones: Sequence[Result]) -> None:
    colours = _colours(found)
    energies = [one.to_target for one in ones]
    known = [each for each in energies if each is not None]
    low = 10 ** math.floor(math.log10(min(each.mean for each in known)) - 0.3)
    high = max(each.mean + (each.std or 0.0) for each in known)
    for place, (one, each) in enumerate(zip(ones, known, strict=True)):
        axes.barh(place, each.mean, 0.66, color=colours[one.rule], xerr=each.std, error_kw={"elinewidth": 0.9})
        end = each.mean + (each.std or 0.0)
        axes.annotate(style.quantity(each.mean, "J", 3), (end, place), xytext=(4, 0), textcoords="offset points",
                      va="center", fontsize=style.note())  # fmt: skip
    axes.set_xscale("log")
    axes.set_xlim(low, style.log_end(low, high, _BACKGROUND))
    style.unit_ticks(axes, "J", axis="x")
    axes.tick_params(axis="x", labelsize=7.5)
    axes.set_xlabel("energy until the target (log axis)", fontsize=8)


def _shares(axes: Axes, ones: Sequence[Result]) -> set[str]:
    """Draw the share of each part; return the parts that are drawn by name."""
    mean = [
        {part: fmean(each.reach.by_part_J.get(part, 0.0) for each in one.seeds if each.reach) for part in style.PARTS}
        for one in ones
    ]
    named = {part for part in style.PARTS if any(each[part] > style.SMALL * sum(each.values()) for each in mean)}
    ends = np.zeros(len(ones))
    for part in (*(name for name in style.PARTS if name in named), "other"):
        lengths = np.array([100 * _share(one, each, part, named) for one, each in zip(ones, mean, strict=True)])
        if lengths.any():
            axes.barh(range(len(ones)), lengths, 0.66, left=ends, color=style.part_colour(part), edgecolor="white",
                      linewidth=0.4)  # fmt: skip
            ends += lengths
    axes.set_xlim(0, 100)
    axes.tick_params(axis="x", labelsize=7.5)
    axes.set_xlabel("share of it [%]", fontsize=8)
    return (
        named | {"other"}
        if ends.size and any(_share(o, e, "other", named) for o, e in zip(ones, mean, strict=True))
        else named
    )


def _share(one: Result, by_part: Mapping[str, float], part: str, named: set[str]) -> float:
    whole = one.to_target.mean if one.to_target else 1.0
    if part != "other":
        return by_part[part] / whole
    rest = 1.0 - math.fsum(by_part[name] for name in named) / whole
    return rest if rest > 1e-9 else 0.0


def _names(axes: Axes, found: Results, ones: Sequence[Result], *, narrow: bool) -> None:
    size = _SIZE[narrow]
    texts = [labels.fold(words.named(found, one), size, _ROOM[narrow]) for one in ones]
    axes.set_yticks(range(len(ones)), texts, fontsize=size)


def wear(found: Results, *, narrow: bool = False) -> Figure:
    """Return the pulses a sample: of a device in the mean, and of the one that got the most."""
    pulsed = [(mean, one) for one in found.done if (mean := one.over(lambda s: s.pulses)) and mean.mean > 0]
    pulsed.sort(key=lambda each: -each[0].mean)
    ones = [one for _, one in pulsed]
    figure = style.figure(NARROW if narrow else WIDE, _ROW * len(ones) + 1.9)
    axes = figure.subplots()
    colours, ends = _colours(found), []
    room = 72 * figure.get_figwidth() - _ROOM[narrow] - 20  # of the axis [pt], about
    axes.set_xscale("log")
    for place, (mean, one) in enumerate(pulsed):
        most, worn = one.over(lambda s: s.most) or mean, one.over(lambda s: s.worn)
        axes.plot([mean.mean, most.mean], [place] * 2, color=style.BETWEEN, linewidth=2, zorder=1)
        for value, hollow in ((mean, False), (most, True)):
            axes.errorbar(
                value.mean, place, xerr=value.std, marker="o", markersize=5, color=colours[one.rule], elinewidth=0.9,
                markerfacecolor="white" if hollow else colours[one.rule],
            )  # fmt: skip
        end = most.mean + (most.std or 0.0)
        ends.append((end, 0.0))
        if worn is not None and worn.mean:
            text = f"endures {1 / worn.mean:.1g} samples"
            axes.annotate(text, (end, place), xytext=(6, 0), textcoords="offset points", va="center",
                          fontsize=style.note())  # fmt: skip
            ends[-1] = end, (labels.width(text, style.note()) + 8) / room
    low, high = axes.get_xlim()
    axes.set_xlim(low, max([high, *(style.log_end(low, end, part) for end, part in ends)]))
    style.unit_ticks(axes, "", axis="x")
    _names(axes, found, ones, narrow=narrow)
    axes.set_ylim(len(ones) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
    label = "pulses a sample (log axis): full, of a device in the mean; hollow, of the most pulsed one"
    axes.set_xlabel(labels.fold(label, 8, 72 * (2.4 if narrow else 5.0)), fontsize=8)
    style.title(figure, f"Wear of the devices: {found.plan.workload}")
    return figure


Draw = Callable[..., "Figure"]
FIGURES: dict[str, tuple[Draw, str]] = {
    "front": (front, "The metric at the end over the energy of a sample's training; bars: deviation over the seeds"),
    "parts": (parts, "The energy until every combination is as good as the target, and the parts of the chip in it"),
    "wear": (
        wear,
        "Pulses a sample, of a device in the mean and of the most pulsed; samples until its stated endurance",
    ),
}
"""Name of a picture -> how it is drawn, and what it shows."""

"""One door for built-ins and plug-ins: classes and functions by kind and name."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from archsim.base.errors import InputError, nearest

_BUILT_IN: dict[str, dict[str, str]] = {
    "device": {
        "pcm": "archsim.devices.pcm:Pcm",
        "ideal": "archsim.devices.ideal:Ideal",
        "linear": "archsim.devices.linear:Linear",
        "soft-bounds": "archsim.devices.softbounds:SoftBounds",
        "table": "archsim.devices.table:Table",
    },
    "chip": {
        "mixed-precision": "archsim.chips.mixed_precision:MixedPrecisionChip",
        "digital32": "archsim.chips.digital32:Digital32Chip",
        "in-array": "archsim.chips.in_array:InArrayChip",
    },
    "chart": {
        "energy": "archsim.report.charts.energy:draw",
        "latency": "archsim.report.charts.latency:draw",
        "accuracy": "archsim.report.charts.accuracy:draw",
        "contributions": "archsim.report.charts.contributions:draw",
        "area": "archsim.report.charts.area:draw",
    },
}


@cache
def _known(kind: str) -> dict[str, str]:
    outside = {point.name: point.value for point in entry_points(group=f"archsim.{kind}")}
    return {**outside, **_BUILT_IN[kind]}


def names(kind: str) -> list[str]:
    """Return the known names of a kind ("device", "chip", "chart"), sorted."""
    return sorted(_known(kind))


def load(kind: str, name: str) -> Any:
    """Import and return what is registered under `name`.

    A package outside archsim registers with an entry point in the group `archsim.KIND`; built-in names win.

    Raises
    ------
    InputError
        If the name is unknown; with the nearest known one.
    """
    known = _known(kind)
    if name not in known:
        raise InputError(key=kind, value=name, expected=f"one of {', '.join(sorted(known))}", hint=nearest(name, known))
    module, _, attribute = known[name].partition(":")
    return getattr(import_module(module), attribute)

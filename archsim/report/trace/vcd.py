"""A time line as a value change dump, for waveform viewers: per lane whether it is busy, what it does, its power."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from archsim.base import files
from archsim.base.errors import InputError
from archsim.records.timeline import ChipTimeline, Timeline
from archsim.report.trace.perfetto import power_of, powers

IDLE = "-"


def package() -> Any:
    """Return the package that writes VCD.

    Raises
    ------
    InputError
        If it is not installed.
    """
    try:
        return importlib.import_module("vcd.writer")
    except ImportError as error:
        raise InputError(
            "a value change dump needs the package 'pyvcd'", hint='Install it: pip install "archsim[trace]"'
        ) from error


def write(timeline: Timeline, path: Path) -> None:
    """Write all chips into one file, whole or not at all; every chip begins at 0, the timescale is 1 ps.

    A lane that waits is not busy; its action says for what it waits. Power is in W, without leakage. What takes no time
    of its own is left out.
    """
    vcd = package()
    with (
        files.replacing(path) as aside,
        aside.open("w", encoding="ascii", errors="replace", newline="\n") as stream,
        vcd.VCDWriter(
            stream, timescale="1 ps", date="", version="archsim trace",
            comment=f"run {timeline.run}, {timeline.workload}, priced by {timeline.technology}",
        ) as writer,
    ):  # fmt: skip
        changes: list[tuple[int, int, Any, Any]] = []
        for chip in timeline.chips:
            changes += _declared(writer, chip)
        last = max(chip.steps[-1].end_ps - chip.begin_ps for chip in timeline.chips)
        ordered = sorted(changes, key=lambda one: one[:2])
        lasting = {(at, variable.ident): (variable, value) for at, _, variable, value in ordered}
        for (at, _), (variable, value) in lasting.items():  # of several changes at one moment the last
            writer.change(variable, at, value)
        writer.close(last)


def identifier(name: str) -> str:
    """Return a lane's or a chip's name as VCD allows it."""
    return re.sub(r"\W+", "_", name).strip("_")


def _declared(writer: Any, chip: ChipTimeline) -> Iterator[tuple[int, int, Any, Any]]:
    """Declare a chip's variables; yield (time [ps], order, variable, value)."""
    scope = identifier(chip.architecture)
    phase = writer.register_var(scope, "phase", "string", init=IDLE)
    number = writer.register_var(scope, "step", "integer", size=32, init=0)
    power = writer.register_var(scope, "power_W", "real", init=0.0)
    for step in chip.steps:
        yield step.begin_ps - chip.begin_ps, 1, number, step.number
        for name, (begin, _) in step.phases.items():
            yield begin - chip.begin_ps, 1, phase, name
    yield chip.steps[-1].end_ps - chip.begin_ps, 0, phase, IDLE
    yield from ((at, 1, power, value) for at, value in powers(chip))
    for lane in chip.used:
        where = f"{scope}.{identifier(lane)}"
        busy = writer.register_var(where, "busy", "wire", size=1, init=0)
        action = writer.register_var(where, "action", "string", init=IDLE)
        drawn = writer.register_var(where, "power_W", "real", init=0.0)
        bars = [bar for step in chip.steps for bar in step.bars if bar.lane == lane and bar.length_ps]
        for bar in bars:
            begin, end = bar.begin_ps - chip.begin_ps, bar.end_ps - chip.begin_ps
            yield from ((begin, 1, busy, int(not bar.waits_for)), (begin, 1, action, bar.title))
            yield from ((end, 0, busy, 0), (end, 0, action, IDLE))
        yield from ((at, 1, drawn, value) for at, value in power_of(bars, chip.begin_ps))

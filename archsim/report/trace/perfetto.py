"""A time line as a Perfetto trace: a process a chip, a track a lane, counters for power, energy and pulses.

Perfetto counts whole nanoseconds, the chip's clock whole picoseconds: one nanosecond of the trace is one picosecond of
the chip, and every chip begins at 0. The trace says so itself, in its first track and in each chip's name.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from archsim.base import files
from archsim.base.errors import InputError
from archsim.records.timeline import Bar, ChipTimeline, Step, Timeline

SCALE = "in Perfetto, 1 ns shown is 1 ps of the chip"
ABOUT = f"archsim trace: {SCALE}"
MARK = b"archsim trace"
"""Stands near the beginning of every trace that archsim writes, in either format."""
_SEQUENCE = 1
_END, _COUNT, _POINT, _BEGIN = range(4)
"""Order of what happens at one moment: slices end before others begin."""


def schema() -> Any:
    """Return the package's protocol buffers.

    Raises
    ------
    InputError
        If the package is not installed.
    """
    return _package("perfetto.protos.perfetto.trace.perfetto_trace_pb2")


def _package(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise InputError(
            f"a trace needs the package {module.partition('.')[0]!r}", hint='Install it: pip install "archsim[trace]"'
        ) from error


def write(timeline: Timeline, path: Path) -> None:
    """Write the trace of all chips, whole or not at all."""
    trace = encode(timeline)
    with files.replacing(path) as aside:
        aside.write_bytes(trace.SerializeToString())


def encode(timeline: Timeline) -> Any:
    """Return the trace as the package's message."""
    writer = _Writer(schema())
    writer.track(ABOUT, description=f"run {timeline.run}, {timeline.workload}, priced by {timeline.technology}")
    for chip in timeline.chips:
        writer.chip(chip)
    return writer.finish()


class _Writer:
    """Builds packets; those with a time are sorted at the end."""

    def __init__(self, pb: Any) -> None:
        self.pb, self.trace = pb, _package("perfetto.trace_builder.proto_builder").TraceProtoBuilder()
        self._timed: list[tuple[int, int, int, dict[str, Any]]] = []
        self._tracks = self._pids = self._flows = 0

    # --- tracks ---------------------------------------------------------------------------------------------------
    def track(self, name: str, parent: int = 0, *, description: str = "", counter: str = "") -> int:
        """Describe a track and return its identifier; one with a unit is a counter."""
        self._tracks += 1
        packet = self._packet()
        if self._tracks == 1:
            packet.sequence_flags = self.pb.TracePacket.SEQ_INCREMENTAL_STATE_CLEARED
        track = packet.track_descriptor
        track.uuid, track.name, track.sibling_order_rank = self._tracks, name, self._tracks
        if parent:
            track.parent_uuid = parent
        if description:
            track.description = description
        if counter:
            track.counter.unit_name = counter
        return self._tracks

    def _process(self, chip: ChipTimeline) -> int:
        self._tracks += 1
        self._pids += 1
        track = self._packet().track_descriptor
        track.uuid, track.child_ordering = self._tracks, self.pb.TrackDescriptor.EXPLICIT
        track.process.pid, track.process.process_name = self._pids, chip.architecture
        track.process.process_labels.append(f"1 ns is 1 ps; begins at {chip.begin_ps} ps")
        return self._tracks

    # --- one chip -------------------------------------------------------------------------------------------------
    def chip(self, chip: ChipTimeline) -> None:
        """Add a chip."""
        process, begin = self._process(chip), chip.begin_ps
        steps, path = self.track("steps and phases", process), self.track("critical path", process)
        of_phase = {}
        if any(step.overlaps for step in chip.steps):
            phases = dict.fromkeys(phase for step in chip.steps for phase in step.phases)
            of_phase = {phase: self.track(phase, process) for phase in phases}
        lanes = {lane: self.track(lane, process) for lane in chip.lanes}
        for step in chip.steps:
            self._slice(steps, step.begin_ps - begin, step.end_ps - begin, f"step {step.number}", "step", _about(step))
            for phase, (since, until) in step.phases.items():
                track = of_phase.get(phase, steps)
                self._slice(track, since - begin, until - begin, phase, "phase", {})
            for bar in step.path:
                title = f"{bar.lane}: {bar.title}"
                self._slice(path, bar.begin_ps - begin, bar.end_ps - begin, title, bar.phase, {"lane": bar.lane})
            self._bars(step, lanes, begin)
        self._counters(chip, process)

    def _bars(self, step: Step, lanes: dict[str, int], begin: int) -> None:
        """Add the slices of a step; an arrow leads from whoever holds what is waited for to the one that waits."""
        flows: dict[int, list[int]] = {}
        for k, bar in enumerate(step.bars):
            if bar.waits_for:
                self._flows += 1
                flows.setdefault(k, []).append(self._flows)
                for ahead in _holders(step, bar):
                    flows.setdefault(ahead, []).append(self._flows)
        for k, bar in enumerate(step.bars):
            at, until = bar.begin_ps - begin, bar.end_ps - begin
            self._slice(
                lanes[bar.lane], at, until, bar.title, bar.phase or "none", _arguments(bar), flows=flows.get(k, ())
            )

    def _counters(self, chip: ChipTimeline, process: int) -> None:
        power = self.track("power without leakage", process, counter="mW = pJ/ns")
        constant = self.track("leakage", process, counter="mW = pJ/ns")
        energy = self.track("energy without leakage", process, counter="pJ")
        self._count(constant, 0, chip.leakage_W * 1e3)
        self._count(constant, chip.steps[-1].end_ps - chip.begin_ps, chip.leakage_W * 1e3)
        for at, value in powers(chip):
            self._count(power, at, value * 1e3)
        for at, value in running(chip, lambda bar: bar.energy_J):
            self._count(energy, at, value * 1e12)
        for action in pulse_actions(chip):
            pulses = self.track(f"{action}s", process, counter="pulses")
            for at, value in running(chip, partial(_amount, action)):
                self._count(pulses, at, value)

    # --- packets --------------------------------------------------------------------------------------------------
    def _slice(
        self,
        track: int,
        begin: int,
        end: int,
        name: str,
        category: str,
        arguments: dict[str, Any],
        *,
        flows: Sequence[int] = (),
    ) -> None:
        event = {"track": track, "name": name, "category": category, "arguments": arguments, "flows": flows}
        if begin == end:
            self._timed.append((begin, _POINT, len(self._timed), {**event, "type": "INSTANT"}))
            return
        self._timed.append((begin, _BEGIN, len(self._timed), {**event, "type": "SLICE_BEGIN"}))
        self._timed.append((end, _END, -len(self._timed), {"track": track, "type": "SLICE_END"}))

    def _count(self, track: int, at: int, value: float) -> None:
        self._timed.append((at, _COUNT, len(self._timed), {"track": track, "type": "COUNTER", "value": value}))

    def _packet(self) -> Any:
        packet = self.trace.add_packet()
        packet.trusted_packet_sequence_id = _SEQUENCE
        return packet

    def finish(self) -> Any:
        """Write everything that has a time, in its order, and return the trace."""
        for at, _, _, event in sorted(self._timed, key=lambda one: one[:3]):
            packet = self._packet()
            packet.timestamp = at
            made = packet.track_event
            made.type = getattr(self.pb.TrackEvent, f"TYPE_{event['type']}")
            made.track_uuid = event["track"]
            if "name" in event:
                made.name = event["name"]
                made.categories.append(event["category"])
                made.flow_ids.extend(event["flows"])
                for name, value in event["arguments"].items():
                    self._annotate(made, name, value)
            if "value" in event:
                made.double_counter_value = event["value"]
        return self.trace.trace

    def _annotate(self, event: Any, name: str, value: Any) -> None:
        note = event.debug_annotations.add()
        note.name = name
        if isinstance(value, bool):
            note.bool_value = value
        elif isinstance(value, int):
            note.int_value = value
        elif isinstance(value, float):
            note.double_value = value
        else:
            note.string_value = value


def _about(step: Step) -> dict[str, Any]:
    return {"begin_ps": step.begin_ps, "length_ps": step.length_ps, "energy_pJ": step.energy_J * 1e12}


def _arguments(bar: Bar) -> dict[str, Any]:
    """Return what Perfetto shows beside a slice."""
    if bar.waits_for:
        return {"waits for": bar.waits_for, "which serves": bar.by, "layer": bar.layer, "begin_ps": bar.begin_ps,
                "critical": bar.critical}  # fmt: skip
    found: dict[str, Any] = {
        "layer": bar.layer, "begin_ps": bar.begin_ps, "energy_pJ": bar.energy_J * 1e12, "critical": bar.critical,
    }  # fmt: skip
    if bar.outside_J:
        found["outside_the_account_pJ"] = bar.outside_J * 1e12
    if bar.by:
        found["with"] = bar.by
    return {**found, **bar.amounts}


def _holders(step: Step, waiting: Bar) -> list[int]:
    """Return the positions of the slices during which a waiting one waits."""
    return [
        k
        for k, bar in enumerate(step.bars)
        if bar.lane == waiting.waits_for
        and not bar.waits_for
        and bar.begin_ps < waiting.end_ps
        and bar.end_ps > waiting.begin_ps
    ]


def _amount(action: str, bar: Bar) -> float:
    return bar.amounts.get(action, 0.0)


# --- counters ---------------------------------------------------------------------------------------------------------
def pulse_actions(chip: ChipTimeline) -> list[str]:
    """Return the actions that are pulses to devices, of those that happened."""
    found = (action for step in chip.steps for bar in step.bars for action in bar.amounts)
    return [action for action in dict.fromkeys(found) if action.rpartition(".")[2] == "pulse"]


def powers(chip: ChipTimeline) -> Iterator[tuple[int, float]]:
    """Yield (time from the first step on [ps], power of the chip from then on without leakage [W])."""
    yield from power_of([bar for step in chip.steps for bar in step.bars], chip.begin_ps)


def power_of(bars: list[Bar], origin_ps: int) -> Iterator[tuple[int, float]]:
    """Yield (time since `origin_ps` [ps], power [W] from then on): each slice's energy over its length."""
    changes: dict[int, float] = {origin_ps: 0.0}
    running_now: dict[int, int] = {origin_ps: 0}
    for bar in bars:
        if bar.energy_J and bar.length_ps:
            for at, sign in ((bar.begin_ps, 1), (bar.end_ps, -1)):
                changes[at] = changes.get(at, 0.0) + sign * bar.power_W
                running_now[at] = running_now.get(at, 0) + sign
    total, busy = 0.0, 0
    for at in sorted(changes):
        busy += running_now[at]
        total = total + changes[at] if busy else 0.0  # nothing runs: no rest of rounding either
        yield at - origin_ps, total


def running(chip: ChipTimeline, value: Callable[[Bar], float]) -> Iterator[tuple[int, float]]:
    """Yield (time [ps], sum over all slices that have ended by then)."""
    total = 0.0
    yield 0, total
    sums: dict[int, float] = {}
    for step in chip.steps:
        for bar in step.bars:
            if found := value(bar):
                sums[bar.end_ps] = sums.get(bar.end_ps, 0.0) + found
    for at in sorted(sums):
        total += sums[at]
        yield at - chip.begin_ps, total

"""The time line of a few training steps: slices with their energy, a step's critical path, files that keep them."""

from __future__ import annotations

import csv
import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from archsim.base import files
from archsim.base.errors import InputError

SCHEMA = 2
JSON, CSV = "timeline.json", "timeline.csv"
FOLDER = "trace"
"""Folder in a run directory for its time line."""
COLUMNS = (
    "architecture", "step", "lane", "what", "phase", "layer", "begin_ps", "end_ps", "waits_for", "by", "critical",
    "energy_J", "outside_J", "leading", "part", "amounts",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bar:
    """One slice of a lane, priced.

    Parameters
    ----------
    lane, what, phase, layer, begin_ps, end_ps, waits_for, by
        As for `archsim.hardware.recorder.Slice`; an empty `waits_for` says that something was done.
    energy_J, outside_J : float
        Inside and outside the boundary of the account, without leakage.
    leading : str
        The action that costs most, or was counted first if none costs.
    part : str
        The part of the chip that this action belongs to.
    amounts : action -> amount
    critical : bool
        Whether it is on the critical path (`critical`).
    """

    lane: str
    what: str
    phase: str
    layer: str
    begin_ps: int
    end_ps: int
    waits_for: str = ""
    by: str = ""
    energy_J: float = 0.0  # noqa: N815  the column's name, with its unit
    outside_J: float = 0.0  # noqa: N815
    leading: str = ""
    part: str = ""
    amounts: Mapping[str, float] = field(default_factory=dict)
    critical: bool = False

    @property
    def length_ps(self) -> int:
        """How long it took."""
        return self.end_ps - self.begin_ps

    @property
    def power_W(self) -> float:  # noqa: N802
        """Energy over length; 0 for what takes no time of its own."""
        return self.energy_J / (self.length_ps * 1e-12) if self.length_ps else 0.0

    @property
    def title(self) -> str:
        """Action and layer."""
        if self.waits_for:
            return f"waiting for {self.waits_for}"
        return f"{self.what} {self.layer}".rstrip()


@dataclass(frozen=True, slots=True)
class Step:
    """One training step.

    Parameters
    ----------
    number : int
        From 1 on, in the run.
    phases : phase -> (begin, end) [ps]
        Of the phases that took time.
    bars : tuple of Bar
        By begin.
    """

    number: int
    begin_ps: int
    end_ps: int
    phases: Mapping[str, tuple[int, int]]
    bars: tuple[Bar, ...]

    @property
    def length_ps(self) -> int:
        """How long the step took."""
        return self.end_ps - self.begin_ps

    @property
    def energy_J(self) -> float:  # noqa: N802
        """Of all slices inside the boundary."""
        return math.fsum(bar.energy_J for bar in self.bars)

    @property
    def overlaps(self) -> bool:
        """Whether phases go side by side."""
        return any(begin < end for (_, end), (begin, _) in pairwise(self.phases.values()))

    @property
    def path(self) -> list[Bar]:
        """The critical path, by begin."""
        return [bar for bar in self.bars if bar.critical]


@dataclass(frozen=True, slots=True)
class ChipTimeline:
    """Consecutive steps of one chip. `leakage_W` is drawn all the time, inside the boundary; no slice has it."""

    architecture: str
    lanes: tuple[str, ...]
    leakage_W: float  # noqa: N815
    steps: tuple[Step, ...]

    @property
    def begin_ps(self) -> int:
        """When the first step began; traces count from here."""
        return self.steps[0].begin_ps

    @property
    def used(self) -> list[str]:
        """Lanes on which something happened."""
        busy = {bar.lane for step in self.steps for bar in step.bars}
        return [lane for lane in self.lanes if lane in busy]


@dataclass(frozen=True, slots=True)
class Timeline:
    """Time lines of the chips of a run, priced by one technology; `identity` is the run's (`archsim.runs.state`)."""

    run: str
    identity: str
    workload: str
    technology: str
    chips: tuple[ChipTimeline, ...]


# --- the critical path ------------------------------------------------------------------------------------------------
def critical(bars: Sequence[Bar], begin_ps: int, end_ps: int) -> list[int]:
    """Return the positions of the slices that set a step's end, the first one first.

    From the last slice back, each time to one that ended when it began: the one whose resource it had waited for, else
    one of its own lane, of the lane it works with, of its own work, the longest. They follow each other without a gap,
    so their lengths add up to the step's.
    """
    ended: dict[int, list[int]] = defaultdict(list)
    waited: dict[tuple[str, int], str] = {}
    for k, bar in enumerate(bars):
        if bar.waits_for:
            waited[bar.lane, bar.end_ps] = bar.waits_for
        elif bar.length_ps:
            ended[bar.end_ps].append(k)
    path: list[int] = []
    now, after = end_ps, Bar("", "", "", "", end_ps, end_ps)
    while now > begin_ps and now in ended:
        for_lane = waited.get((after.lane, now)) or waited.get((after.by, now))
        chosen = max(ended[now], key=lambda k: (*_link(bars[k], after, for_lane), bars[k].length_ps, -k))
        path.append(chosen)
        after = bars[chosen]
        now = after.begin_ps
    return path[::-1]


def _link(bar: Bar, after: Bar, waited_for: str | None) -> tuple[bool, ...]:
    """Return how closely a slice is linked to the one that began at its end; more is closer."""
    return (
        waited_for is not None and bar.lane == waited_for,
        bar.lane == after.lane,
        bar.lane == after.by or (bool(bar.by) and bar.by in {after.lane, after.by}),
        bool(bar.amounts),
        (bar.phase, bar.layer) == (after.phase, after.layer),
    )


# --- files ------------------------------------------------------------------------------------------------------------
def write(timeline: Timeline, folder: Path) -> list[Path]:
    """Write timeline.csv, a row a slice, and timeline.json, the steps; return both."""
    with files.replacing(folder / CSV) as aside, aside.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(COLUMNS)
        for chip in timeline.chips:
            for step in chip.steps:
                table.writerows(_row(chip, step, bar) for bar in step.bars)
    files.write_text(folder / JSON, json.dumps(content(timeline), indent=2) + "\n")
    return [folder / CSV, folder / JSON]


def content(timeline: Timeline) -> dict[str, Any]:
    """Return everything but the slices: chips, lanes, steps with their phases, energy and critical path."""
    return {
        "schema": SCHEMA, "run": timeline.run, "identity": timeline.identity, "workload": timeline.workload,
        "technology": timeline.technology,
        "architectures": {
            chip.architecture: {
                "lanes": list(chip.lanes),
                "leakage_W": chip.leakage_W,
                "steps": [
                    {
                        "step": step.number, "begin_ps": step.begin_ps, "end_ps": step.end_ps,
                        "phases_ps": {phase: list(ends) for phase, ends in step.phases.items()},
                        "energy_J": step.energy_J,
                        "leakage_J": chip.leakage_W * step.length_ps * 1e-12,
                        "critical_ps": shares(step),
                        "units_ps": {lane: asdict(unit) for lane, unit in units(step).items()},
                    }
                    for step in chip.steps
                ],
            }
            for chip in timeline.chips
        },
    }  # fmt: skip


def shares(step: Step) -> dict[str, int]:
    """Return the time [ps] on the critical path by "LANE: ACTION LAYER", the longest first."""
    found: dict[str, int] = defaultdict(int)
    for bar in step.path:
        found[f"{bar.lane}: {bar.title}"] += bar.length_ps
    return dict(sorted(found.items(), key=lambda one: -one[1]))


@dataclass(frozen=True, slots=True)
class Unit:
    """What a lane did in a step [ps]: at work or kept, waited for by others (theirs added up), on the critical path."""

    busy_ps: int = 0
    waited_for_ps: int = 0
    critical_ps: int = 0


def units(step: Step) -> dict[str, Unit]:
    """Return every lane that worked, the one that is longest on the critical path first, then the busiest."""
    busy, waited, on_path = (defaultdict[str, int](int) for _ in range(3))
    for bar in step.bars:
        if bar.waits_for:
            waited[bar.waits_for] += bar.length_ps
        else:
            busy[bar.lane] += bar.length_ps
            on_path[bar.lane] += bar.length_ps * bar.critical
    found = {lane: Unit(ps, waited[lane], on_path[lane]) for lane, ps in busy.items() if ps}
    return dict(sorted(found.items(), key=lambda one: (-one[1].critical_ps, -one[1].busy_ps)))


def _row(chip: ChipTimeline, step: Step, bar: Bar) -> list[Any]:
    amounts = ";".join(f"{action}={amount!r}" for action, amount in bar.amounts.items())
    values = {**asdict(bar), "architecture": chip.architecture, "step": step.number, "amounts": amounts}
    return [values[column] for column in COLUMNS]


def read(folder: Path) -> Timeline:
    """Read what `write` wrote.

    Raises
    ------
    InputError
        If a file is missing, or not what archsim wrote.
    """
    try:
        head = json.loads((folder / JSON).read_text(encoding="utf-8"))
        with (folder / CSV).open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        if head["schema"] != SCHEMA:
            raise InputError(
                file=files.display(folder / JSON), key="schema", value=head["schema"], expected=str(SCHEMA)
            )
        bars: dict[tuple[str, int], list[Bar]] = defaultdict(list)
        for row in rows:
            bars[row["architecture"], int(row["step"])].append(_bar(row))
        chips = tuple(
            ChipTimeline(
                name, tuple(chip["lanes"]), float(chip["leakage_W"]),
                tuple(_step(step, bars[name, int(step["step"])]) for step in chip["steps"]),
            )
            for name, chip in head["architectures"].items()
        )  # fmt: skip
        run, identity, workload, technology = (str(head[key]) for key in ("run", "identity", "workload", "technology"))
        return Timeline(run, identity, workload, technology, chips)
    except FileNotFoundError as error:
        raise InputError(
            f"holds no time line ({JSON}, {CSV})", file=files.display(folder), hint="archsim trace DIR writes one"
        ) from error
    except (KeyError, TypeError, AttributeError, ValueError, OSError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"is not readable ({error})", file=files.display(folder / CSV), expected="the time line that archsim wrote"
        ) from error


def _step(step: Mapping[str, Any], bars: Sequence[Bar]) -> Step:
    phases = {str(phase): (int(ends[0]), int(ends[1])) for phase, ends in step["phases_ps"].items()}
    return Step(int(step["step"]), int(step["begin_ps"]), int(step["end_ps"]), phases, tuple(bars))


def _bar(row: Mapping[str, str]) -> Bar:
    pairs = (pair.split("=") for pair in row["amounts"].split(";") if pair)
    return Bar(
        row["lane"], row["what"], row["phase"], row["layer"], int(row["begin_ps"]), int(row["end_ps"]),
        row["waits_for"], row["by"], float(row["energy_J"]), float(row["outside_J"]), row["leading"], row["part"],
        {action: _number(amount) for action, amount in pairs}, row["critical"] == "True",
    )  # fmt: skip


def _number(text: str) -> float:
    return int(text) if text.lstrip("-").isdigit() else float(text)

"""What one chip did in a training or an estimate, as the store keeps it: amounts, parts and times, and no joule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from archsim.accounting.area import Part
from archsim.accounting.ledger import Action, Entry, Row
from archsim.base.signal import STEP_PHASES
from archsim.records.retime import Clocked
from archsim.runs import earlier
from archsim.runs.train import Trained
from archsim.studies.estimate.books import ChipEstimate


@dataclass(frozen=True, eq=False)
class Counts:
    """What a chip did.

    Parameters
    ----------
    chip, kind : str
        The architecture's name, and its kind of chip.
    steps, samples : int
        Of training; of an estimate one step, and its batch.
    test : float or None
        The metric at the end; None of an estimate.
    inside : functions inside the boundary of the account
    rows, entries, parts : the ledger of the steps, what its actions are, and what takes area
    time_ps : phase -> simulated time [ps]
    seconds : on the wall
    by : HOST:PID that did it
    run : the run's directory, if it was kept
    """

    chip: str
    kind: str
    steps: int
    samples: int
    test: float | None
    inside: tuple[str, ...]
    rows: tuple[Row, ...]
    entries: tuple[Entry, ...]
    parts: tuple[Part, ...]
    time_ps: Mapping[str, float]
    seconds: float = 0.0
    by: str = ""
    run: str = ""
    notes: Mapping[str, Any] = field(default_factory=dict)

    def content(self) -> dict[str, Any]:
        """Return all of it as JSON has it."""
        return {
            "chip": self.chip, "kind": self.kind, "steps": self.steps, "samples": self.samples, "test": self.test,
            "inside": list(self.inside), "time_ps": dict(self.time_ps), "seconds": self.seconds, "by": self.by,
            "run": self.run, "notes": dict(self.notes),
            "rows": [[row.phase, row.layer, row.component, row.action, row.amount] for row in self.rows],
            "entries": [
                [e.component, e.key, dict(e.sizes), list(e.times), e.action.what, e.action.function, e.action.unit,
                 e.action.part, e.action.circuit, e.action.row]
                for e in self.entries
            ],
            "parts": [[part.component, part.key, part.amount, part.unit, part.part] for part in self.parts],
        }  # fmt: skip

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Counts:
        """Return what `content` returned."""
        entries = tuple(
            Entry(
                component,
                key,
                Action(what, function, unit, part=earlier.part(key, part), circuit=circuit, row=row),
                sizes,
                tuple(times),
            )
            for component, key, sizes, times, what, function, unit, part, circuit, row in told["entries"]
        )
        plain = ("chip", "kind", "steps", "samples", "test", "time_ps", "seconds", "by", "run", "notes")
        return cls(
            **{name: told[name] for name in plain}, inside=tuple(told["inside"]),
            rows=tuple(Row(*row) for row in told["rows"]), entries=entries,
            parts=tuple(
                Part(component, key, amount, unit, earlier.part(key, part))
                for component, key, amount, unit, part in told["parts"]
            ),
        )  # fmt: skip

    def clocked(self, clocked: Clocked) -> Counts:
        """Return the counts as other times would have made them."""
        return replace(
            self, rows=clocked.rows(self.rows),
            time_ps={phase: ps * clocked.latency.get(phase, 1.0) for phase, ps in self.time_ps.items()},
        )  # fmt: skip


def _steps_only(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Return the rows of training steps: tests are no part of what a sample costs."""
    return tuple(row for row in rows if row.phase in STEP_PHASES)


def trained(one: Trained) -> Counts:
    """Return what a chip did in a training."""
    return Counts(
        one.architecture.name, one.architecture.chip, one.steps, one.points[-1].samples, one.test,
        tuple(one.architecture.boundary.inside), _steps_only(one.rows), one.entries, one.parts,
        {phase: one.time_ps[phase] for phase in STEP_PHASES}, seconds=one.wall_s,
    )  # fmt: skip


def estimated(one: ChipEstimate, batch: int) -> Counts:
    """Return what a chip is expected to do in a training step."""
    return Counts(
        one.architecture.name, one.architecture.chip, 1, batch, None, tuple(one.architecture.boundary.inside),
        _steps_only(one.training.rows), one.entries, one.parts,
        {phase: one.training.time_ps[phase] for phase in STEP_PHASES}, notes={"activity": one.activity.origin},
    )  # fmt: skip

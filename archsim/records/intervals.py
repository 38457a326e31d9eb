"""The intervals of a recorded run's energies, times and areas, as summary.json has them, or drawn again."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from archsim.accounting import intervals as drawing
from archsim.accounting.intervals import SAMPLES, Account, Intervals
from archsim.base.errors import InputError
from archsim.records.recorded import Recorded
from archsim.records.technologies import find
from archsim.runs.layout import AREA, ENERGY


def intervals(run: Recorded, technology: str | None = None, *, samples: int = SAMPLES) -> Intervals:
    """Draw the intervals of a run under one of its technologies, its own by default; the run's seed draws.

    Raises
    ------
    InputError
        If the technology's file is no longer what priced the run, or a range begins at zero.
    """
    priced = find(run.home, run.named, technology).alike(run)
    accounts = [
        Account(
            name=name, steps=chip.steps, bill=chip.bills[priced.name], areas=chip.areas[priced.name], rows=chip.rows,
            entries=chip.entries, latency_s=chip.latency_s,
        )
        for name, chip in run.chips.items()
    ]  # fmt: skip
    return drawing.intervals(
        accounts, priced, baseline=run.summary["baseline"], seed=int(run.summary["seed"]), samples=samples
    )


def known(run: Recorded, technology: str | None = None) -> Intervals | None:
    """Return the intervals that summary.json has; without them (an older run, the mean of seeds) draw and keep them.

    None where they cannot be drawn.
    """
    name = technology or run.technology
    if content := (run.summary.get("intervals") or {}).get(name):
        return Intervals.of(name, content)
    homes = [each.path for each in run.seeds] or [run.path]
    files = (home / file for home in homes for file in (ENERGY, AREA))
    stamps = tuple(file.stat().st_mtime_ns for file in files if file.is_file())
    return _kept(_Key(run, (run.path.resolve(), name, stamps)))


@dataclass(frozen=True)
class _Key:
    """A run, known by its files."""

    run: Recorded
    of: tuple[Path, str, tuple[int, ...]]

    def __hash__(self) -> int:
        return hash(self.of)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self.of == other.of


@lru_cache(maxsize=16)
def _kept(key: _Key) -> Intervals | None:
    try:
        return intervals(key.run, key.of[1])
    except InputError:
        return None


def contents(run: Recorded) -> dict[str, Any]:
    """Return what intervals.json says: the intervals of a run under each of its technologies that can be drawn."""
    drawn = {name: found.content() for name in run.technologies if (found := known(run, name))}
    return {"schema": 2, "seed": run.summary["seed"], "intervals": drawn}

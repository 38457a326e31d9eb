"""What follows the clock is scaled by what a few steps with both times say of it."""

from __future__ import annotations

from archsim.accounting.ledger import Action, Entry, Row
from archsim.base.signal import STEP_PHASES
from archsim.records.retime import between

PLACES = {"powered": "bit*s", "control.cycle": "", "convert": "", "conduct": "S*s"}
ENTRIES = [Entry("unit", f"unit.{name}", Action(name, "arithmetic", unit, part="bus", circuit="logic"), {}, ())
           for name, unit in PLACES.items()]  # fmt: skip


def steps(times: dict[str, int], amounts: dict[tuple[str, str], float]) -> dict[str, object]:
    """Return first steps as `clocked` does, each amount in two layers."""
    rows = [[phase, layer, "unit", name, amount / 2] for (phase, name), amount in amounts.items() for layer in "ab"]
    return {"time_ps": {**dict.fromkeys(STEP_PHASES, 0), **times}, "rows": rows}


def test_amounts_that_follow_the_clock_are_scaled_by_their_phase_or_by_all_where_that_has_none() -> None:
    """Counts stay. The refresh that no first step had goes as both other phases together: from 2 + 2 to 6 + 4."""
    old = steps({"forward": 10, "update": 20}, {("forward", "powered"): 2, ("update", "powered"): 2,
                                                ("forward", "control.cycle"): 4, ("forward", "convert"): 5})  # fmt: skip
    new = steps({"forward": 30, "update": 40}, {("forward", "powered"): 6, ("update", "powered"): 4,
                                                ("forward", "control.cycle"): 2, ("forward", "convert"): 7})  # fmt: skip
    places = [("forward", "powered"), ("update", "powered"), ("refresh", "powered"), ("forward", "control.cycle"),
              ("forward", "convert"), ("forward", "conduct")]  # fmt: skip
    rows = [Row(phase, "a", "unit", name, 100.0) for phase, name in places]
    found = between(rows, ENTRIES, old, new)
    assert [row.amount for row in found.rows(rows)] == [300, 200, 250, 50, 100, 100]
    assert {phase: found.latency[phase] for phase in ("forward", "update", "refresh")} == {
        "forward": 3, "update": 2, "refresh": 1,
    }  # fmt: skip

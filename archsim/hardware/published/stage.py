"""A stage that every result passes: shift-and-add, scaling, activation; in the tiles, or one serial unit for all."""

from __future__ import annotations

from typing import ClassVar

from archsim.accounting.circuits import PartKind
from archsim.accounting.ledger import Action, Ledger
from archsim.hardware.clock import Clock
from archsim.hardware.published.streaming import Streaming


class Stage(Streaming):
    """Equal pipelines side by side; a technology prices them as "stage_NAME.operation" and "stage_NAME.powered".

    Parameters
    ----------
    stage : str
        Its name, of lower-case letters, digits and underscores.
    tiles : int
    shared : bool
        One pipeline for the results of all tiles, in place of one in each.
    operations : int
        On one result.
    lanes : int
        Operations that a pipeline begins at once.
    depth, every : int
        Cycles from the beginning of an operation to its end; cycles between two beginnings (as many as `depth` for a
        unit that is not pipelined).
    cycle_ps : int
    bits : int
        Of one operation.
    """

    ACTIONS: ClassVar = {
        "operation": Action("one operation on one result", "arithmetic", part="arithmetic", circuit="logic"),
        "powered": Action(
            "one lane powered for a second", "control and clock", "s", part="control and clock", circuit="leakage"
        ),
    }
    PARTS: ClassVar = {"lane": PartKind(part="arithmetic", circuit="logic")}

    def __init__(
        self, clock: Clock, ledger: Ledger, stage: str, *, tiles: int, shared: bool, operations: int, lanes: int,
        depth: int, every: int, cycle_ps: int, bits: int,
    ) -> None:  # fmt: skip
        super().__init__(clock, ledger, stage)
        self.kind = f"stage_{stage}"
        self.tiles, self.operations, self.lanes = tiles, operations, lanes
        self.pipelines = 1 if shared else tiles
        self.depth, self.every, self.cycle_ps, self.bits = depth, every, cycle_ps, bits

    def fill_ps(self) -> int:
        """Return the time of one operation."""
        return self.depth * self.cycle_ps

    def rest_ps(self, results: int) -> int:
        """Return the time in which all operations but the first begin."""
        own = results * self.operations * self.tiles // self.pipelines
        return (-(-own // self.lanes) - 1) * self.every * self.cycle_ps

    def amounts(self, results: int) -> dict[str, float]:
        """Return the operations on the results of all tiles."""
        return {"operation": results * self.operations * self.tiles}

    def sizes(self, action: str) -> dict[str, float]:
        """Return the bits of an operation."""
        return {"bits": self.bits} if action == "operation" else {}

    def powered(self) -> dict[str, float]:
        """Return the lanes of all pipelines."""
        return {"powered": self.pipelines * self.lanes}

    def parts(self) -> dict[str, float]:
        """Return the lanes of all pipelines."""
        return {"lane": self.pipelines * self.lanes}

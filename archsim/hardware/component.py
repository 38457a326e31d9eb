"""What all components have in common: a slot, declared actions, counting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import simpy

from archsim.accounting.ledger import Action, Entry, Ledger
from archsim.base.signal import Tag
from archsim.hardware.slot import Slot


class Component:
    """A unit of the chip on its clock.

    A subclass names its `kind`, declares its `ACTIONS` and counts exactly these. Units of one name share one page of the
    ledger (the tiles of a chip are one line each of "tile").

    Parameters
    ----------
    env : simpy.Environment
        The chip's clock, in whole picoseconds.
    ledger : Ledger
    name : str
        The component's name in the ledger.
    label : str
        The instance's own name, for the time line and for errors; the component's name if not given.
    """

    kind: ClassVar[str]
    ACTIONS: ClassVar[dict[str, Action]]

    def __init__(self, env: simpy.Environment, ledger: Ledger, name: str, *, label: str | None = None) -> None:
        self.env, self.name = env, name
        self.slot = Slot(env, label or name)
        self._account = ledger.open(name, self.ACTIONS)

    def count(self, tag: Tag, amounts: Mapping[str, float]) -> None:
        """Book amounts of declared actions."""
        row = self._account[tag]
        for action, amount in amounts.items():
            row[action] += amount

    def entries(self) -> list[Entry]:
        """Return every declared action with the sizes its cost law may need."""
        return [
            Entry(self.name, f"{self.kind}.{name}", action, self.sizes(name)) for name, action in self.ACTIONS.items()
        ]

    def sizes(self, action: str) -> dict[str, float]:
        """Return the sizes of an action, in SI, by the names that cost laws know."""
        del action
        return {}

    def powered(self) -> dict[str, float]:
        """Return the amount each leakage action grows by in one second (its unit is per second less)."""
        return {}

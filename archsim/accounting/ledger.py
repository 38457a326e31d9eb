"""The ledger: how often each action was done, by (phase, layer, component, action). It knows no joules and no seconds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from archsim.base.errors import ModelError
from archsim.base.signal import PHASES, Tag

FUNCTIONS = (
    "weight storage", "arithmetic", "activation", "on-chip transport", "weight update", "programming",
    "control and clock", "host link", "off-chip memory", "initial loading",
)  # fmt: skip
"""The closed list of functions; an architecture says of each whether it is inside the boundary of its account."""


@dataclass(frozen=True, slots=True)
class Action:
    """One named thing that a component does, as its class declares it.

    Parameters
    ----------
    what : str
        One occurrence in words.
    function : str
        One of `FUNCTIONS`.
    unit : str
        SI unit of the amount: "" for a plain count, "bit", "S*s", "bit*s" or "s".
    """

    what: str
    function: str
    unit: str = ""

    def __post_init__(self) -> None:
        if self.function not in FUNCTIONS:
            raise ModelError(f"action {self.what!r}: {self.function!r} is not one of {', '.join(FUNCTIONS)}")


@dataclass(frozen=True, slots=True)
class Entry:
    """An action of one component of one chip, with the sizes that a cost law may ask for.

    Parameters
    ----------
    component : str
        The component's name on its chip.
    key : str
        "KIND.ACTION", the name under which a technology prices it, for example "tile.adc.convert".
    action : Action
    sizes : mapping
        What a cost law may need, in SI: capacity_bit, word_bit, bits, a_bits, b_bits, length_m.
    """

    component: str
    key: str
    action: Action
    sizes: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the ledger: `amount` in the action's unit, summed over the run."""

    phase: str
    layer: str
    component: str
    action: str
    amount: float


class Account(dict[Tag, dict[str, float]]):
    """The ledger's page of one component: tag -> action -> amount. Owned by the ledger, written by the component."""

    def __init__(self, actions: Iterable[str]) -> None:
        super().__init__()
        self._blank = dict.fromkeys(actions, 0)

    def __missing__(self, tag: Tag) -> dict[str, float]:
        if tag.phase not in PHASES:
            raise ModelError(f"phase {tag.phase!r} is not one of {', '.join(PHASES)}")
        row: dict[str, float] = dict(self._blank)
        self[tag] = row
        return row


class Ledger:
    """Amounts by (phase, layer, component, action), and the simulated time of each phase in whole picoseconds."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}
        self.time_ps: dict[str, int] = dict.fromkeys(PHASES, 0)
        self.steps = 0

    def open(self, component: str, actions: Iterable[str]) -> Account:
        """Return the page of a component, opening it at the first call (two units of one name share a page)."""
        if component not in self._accounts:
            self._accounts[component] = Account(actions)
        return self._accounts[component]

    def rows(self) -> list[Row]:
        """Return all rows with an amount other than zero, sorted by phase, layer, component and action."""
        order = {phase: index for index, phase in enumerate(PHASES)}
        found = [
            Row(tag.phase, tag.layer, component, action, amount)
            for component, account in self._accounts.items()
            for tag, row in account.items()
            for action, amount in row.items()
            if amount
        ]
        return sorted(found, key=lambda row: (order[row.phase], row.layer, row.component, row.action))

"""The ledger: how often each action was done, by (phase, layer, component, action). It knows no joules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from archsim.accounting.circuits import CHIP_PARTS, CIRCUITS, Circuit, check
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
    part : str
        The part of the chip that charts and tables give it to: one of `CHIP_PARTS`.
    circuit : str
        What kind of circuit does it: one of `CIRCUITS`.
    row : str
        Logic's own row of the published tables over nodes, such as "fp32.add"; empty where it has none.
    """

    what: str
    function: str
    unit: str = ""
    _: KW_ONLY
    part: str
    circuit: Circuit
    row: str = ""

    def __post_init__(self) -> None:
        check(f"action {self.what!r}", self.function, FUNCTIONS)
        check(f"action {self.what!r}", self.part, CHIP_PARTS)
        check(f"action {self.what!r}", self.circuit, CIRCUITS)


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
    times : tuple of str
        Keys of the technology's times that its unit works by.
    """

    component: str
    key: str
    action: Action
    sizes: Mapping[str, float] = field(default_factory=dict)
    times: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the ledger: `amount` in the action's unit, summed over the run."""

    phase: str
    layer: str
    component: str
    action: str
    amount: float


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """A piece of work whose time and amounts depend on its size alone, so that they are worked out once.

    Parameters
    ----------
    hold_ps : int
        Time for which the component is held.
    amounts : mapping
        Action -> amount.
    name : str
        What it does, for the time line.
    once_ps : int
        The part of the time that passes however little there is to do.
    """

    hold_ps: int
    amounts: Mapping[str, float]
    name: str = ""
    once_ps: int = 0


class Account:
    """The ledger's page of one component, written by the component alone.

    Attributes
    ----------
    amounts : dict
        Tag -> action -> amount, for work whose amounts depend on data.
    jobs : dict
        (Tag, job) -> how often the job was done.
    carried : dict
        Tag -> action -> amount of jobs done before the ledger was taken up again.
    """

    __slots__ = ("actions", "amounts", "carried", "jobs")

    def __init__(self, actions: Iterable[str]) -> None:
        self.actions = tuple(actions)
        self.amounts: dict[Tag, dict[str, float]] = {}
        self.jobs: defaultdict[tuple[Tag, Job], int] = defaultdict(int)
        self.carried: dict[Tag, dict[str, float]] = {}

    def row(self, tag: Tag) -> dict[str, float]:
        """Return the row of a tag: action -> amount, to be added to."""
        row = self.amounts.get(tag)
        if row is None:
            row = self.amounts[tag] = dict.fromkeys(self.actions, 0)
        return row

    def count(self, tag: Tag, amounts: Mapping[str, float]) -> None:
        """Add amounts of declared actions."""
        row = self.row(tag)
        for action, amount in amounts.items():
            row[action] += amount

    def total(self) -> dict[Tag, dict[str, float]]:
        """Return tag -> action -> amount of all that was booked.

        Raises
        ------
        ModelError
            If something was booked under an unknown phase or an undeclared action.
        """
        found = Account(self.actions)
        try:
            for tag, row in (*self.amounts.items(), *self.done().items()):
                found.count(tag, row)
        except KeyError as error:
            raise ModelError(f"action {error} is not one of {', '.join(self.actions)}") from None
        for tag in found.amounts:
            if tag.phase not in PHASES:
                raise ModelError(f"phase {tag.phase!r} is not one of {', '.join(PHASES)}")
        return found.amounts

    def done(self) -> dict[Tag, dict[str, float]]:
        """Return tag -> action -> amount of all jobs; they are whole numbers, so that their order does not matter."""
        found = Account(self.actions)
        for tag, row in self.carried.items():
            found.count(tag, row)
        for (tag, job), times in self.jobs.items():
            found.count(tag, {action: times * amount for action, amount in job.amounts.items()})
        return found.amounts


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
            for tag, row in account.total().items()
            for action, amount in row.items()
            if amount
        ]
        return sorted(found, key=lambda row: (order[row.phase], row.layer, row.component, row.action))

    def content(self) -> dict[str, Any]:
        """Return all that is booked, as JSON has it."""

        def rows(table: Mapping[Tag, Mapping[str, float]]) -> list[list[Any]]:
            return [[tag.phase, tag.layer, dict(row)] for tag, row in table.items()]

        return {
            "steps": self.steps, "time_ps": dict(self.time_ps),
            "accounts": {
                name: {"actions": list(account.actions), "amounts": rows(account.amounts), "jobs": rows(account.done())}
                for name, account in self._accounts.items()
            },
        }  # fmt: skip

    def go_on(self, content: Mapping[str, Any]) -> None:
        """Book nothing but what `content` returned."""
        self.steps = content["steps"]
        self.time_ps.update(content["time_ps"])
        for name, booked in content["accounts"].items():
            account = self.open(name, booked["actions"])
            account.jobs.clear()
            for table, rows in ((account.amounts, booked["amounts"]), (account.carried, booked["jobs"])):
                table.clear()
                table.update({Tag(phase, layer): dict(row) for phase, layer, row in rows})

    def absorb(self, other: Ledger) -> None:
        """Add what another ledger of the same chip has booked."""
        for component, account in other._accounts.items():
            page = self.open(component, account.actions)
            for tag, row in account.total().items():
                page.count(tag, row)
        for phase, time_ps in other.time_ps.items():
            self.time_ps[phase] += time_ps

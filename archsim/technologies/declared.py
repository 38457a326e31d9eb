"""What a figure stands for when a technology moves to another node, by what the units of chips declare.

A key that no unit declares is an error where its circuit is needed, never a guess. So is one that may mean several
circuits ("any"): the weight memory of an engine is SRAM in one design and ReRAM in another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from archsim.accounting.circuits import Circuit
from archsim.base.errors import InputError, nearest

WHY_NOT: dict[str, str] = {
    "leakage": "leakage has no published table over nodes; the choice of cell and threshold decides",
    "analog": "an analog block follows noise, matching and the pitch of the cells, not the node of the logic",
    "device": "a memory device follows its own material and pulses, not the node of the logic",
    "off-chip": "a link at the pins follows its standard, not the node of the logic",
}
"""Why a kind of circuit is not scaled; those that are scaled are not named."""
_SMALLEST = "int32.add"


@dataclass(frozen=True, slots=True)
class Declared:
    """What the units of chips declare, by the keys under which a technology knows them.

    Parameters
    ----------
    actions, parts, times : key -> kind of circuit
    rows : key of an action -> its own row of the published tables, where it has one
    """

    actions: Mapping[str, Circuit]
    parts: Mapping[str, Circuit]
    times: Mapping[str, Circuit]
    rows: Mapping[str, str]

    def row(self, actions: Iterable[str]) -> tuple[str, bool]:
        """Return the row of the published tables that logic actions follow, and whether it is their own.

        Logic without a row follows that of the 32-bit integer addition, the smallest datapath, as the comparator of
        bottom-up-14nm does.
        """
        rows = {self.rows.get(action) for action in actions}
        if len(rows) == 1 and (name := rows.pop()) is not None:
            return name, True
        return _SMALLEST, False


def circuit(keys: Iterable[str], known: Mapping[str, Circuit], what: str) -> Circuit:
    """Return the kind of circuit that all of the keys have.

    Raises
    ------
    InputError
        If a key is not known or may be of any kind, if they differ, or if there is none.
    """
    found: dict[Circuit, str] = {}
    for key in keys:
        if known.get(key, "any") == "any":
            raise InputError(
                f"nothing says what kind of circuit {key!r} is", key=what,
                expected="what a unit of a chip declares, or --keep " + what.rpartition(" ")[2],
                hint=nearest(key, known) if key not in known else "The design decides it",
            )  # fmt: skip
        found.setdefault(known[key], key)
    if len(found) != 1:
        kinds = ", ".join(f"{key} ({kind})" for kind, key in found.items()) or "no key at all"
        raise InputError(f"stands for {kinds}", key=what, expected="one kind of circuit a figure")
    return next(iter(found))

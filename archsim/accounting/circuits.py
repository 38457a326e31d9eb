"""What the actions, parts and times of a unit stand for: the part of the chip they are, and the kind of circuit.

A unit declares both beside the action itself, so that charts, tables and `tech scale` need no table of their own.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import KW_ONLY, dataclass
from typing import Literal, get_args

from archsim.base.errors import ModelError, nearest

Circuit = Literal["logic", "memory", "wire", "leakage", "analog", "device", "off-chip", "any"]
"""Kinds of circuit, by how they change from node to node.

"any" is what the design decides, such as an engine's weight memory: SRAM in one, ReRAM in another.
"""
CIRCUITS: tuple[str, ...] = get_args(Circuit)
CHIP_PARTS = (
    "chi memory", "transfer buffer", "weight memory", "signal memory", "arithmetic", "ADC", "DAC and cells",
    "programming", "bus", "control and clock", "off-chip memory", "other",
)  # fmt: skip
"""The parts of a chip by which charts and tables sum: the same words for every chip."""


def check(what: str, value: str, known: Collection[str]) -> None:
    """Refuse a word of a declaration that is not one of a closed list."""
    if value not in known:
        hint = nearest(value, known)
        raise ModelError(f"{what}: {value!r} is not one of {', '.join(known)}" + (f". {hint}" if hint else ""))


@dataclass(frozen=True, slots=True)
class PartKind:
    """One named thing of a component that takes area, as its class declares it.

    Parameters
    ----------
    unit : str
        Of its amount: "" for a plain count, "bit" for a memory.
    part : str
        One of `CHIP_PARTS`.
    circuit : str
        One of `CIRCUITS`.
    """

    unit: str = ""
    _: KW_ONLY
    part: str
    circuit: Circuit

    def __post_init__(self) -> None:
        check("part", self.part, CHIP_PARTS)
        check(f"part {self.part!r}", self.circuit, CIRCUITS)

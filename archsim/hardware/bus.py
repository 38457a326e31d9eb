"""Buses: the one on the chip, and the link to the host."""

from __future__ import annotations

from typing import ClassVar

import simpy

from archsim.accounting.ledger import Action, Ledger
from archsim.base.signal import Tag
from archsim.base.verbs import Work
from archsim.hardware.component import Component


class Bus(Component):
    """A shared bus: one transfer at a time, first come, first served, so many bits a cycle.

    Parameters
    ----------
    width_bit : int
    cycle_ps : int
    arbitration_cycles : int
        Cycles before the first word of every transfer.
    length_m : float
        Wire that a bit is driven over.
    """

    kind = "bus"
    ACTIONS: ClassVar = {"transfer": Action("one bit sent", "on-chip transport", "bit")}

    def __init__(
        self, env: simpy.Environment, ledger: Ledger, name: str, *, width_bit: int, cycle_ps: int,
        arbitration_cycles: int, length_m: float,
    ) -> None:  # fmt: skip
        super().__init__(env, ledger, name)
        self.width_bit, self.cycle_ps = width_bit, cycle_ps
        self.arbitration_cycles, self.length_m = arbitration_cycles, length_m

    def send_ps(self, bits: int) -> int:
        """Return arbitration plus ceil(bits/width) cycles."""
        return (self.arbitration_cycles - (-bits // self.width_bit)) * self.cycle_ps

    def send(self, bits: int, tag: Tag) -> Work[None]:
        """Send one block of bits."""
        if not self.slot.take():
            yield self.slot.wait()
        yield self.env.timeout(self.send_ps(bits))
        self.slot.give()
        self.count(tag, {"transfer": bits})

    def sizes(self, action: str) -> dict[str, float]:
        """Return the wire's length."""
        del action
        return {"length_m": self.length_m}


class HostLink(Bus):
    """The link over which samples reach the chip."""

    kind = "host"
    ACTIONS: ClassVar = {"transfer": Action("one bit sent", "host link", "bit")}

"""Buses: the one on the chip, and the link to the host."""

from __future__ import annotations

from typing import ClassVar

from archsim.accounting.ledger import Action, Ledger
from archsim.base.signal import Tag
from archsim.base.verbs import Work
from archsim.hardware.clock import Clock
from archsim.hardware.component import Component


class Bus(Component):
    """A shared bus: one transfer at a time, first come, first served, so many bits a cycle.

    It declares no part that takes area: no published figure of a bus by width and length was found, and its wires lie
    above the logic.

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
    ACTIONS: ClassVar = {"transfer": Action("one bit sent", "on-chip transport", "bit", part="bus", circuit="wire")}
    TIMES: ClassVar = {"bus.cycle": "logic"}

    def __init__(
        self, clock: Clock, ledger: Ledger, name: str, *, width_bit: int, cycle_ps: int,
        arbitration_cycles: int, length_m: float,
    ) -> None:  # fmt: skip
        super().__init__(clock, ledger, name)
        self.width_bit, self.cycle_ps = width_bit, cycle_ps
        self.arbitration_cycles, self.length_m = arbitration_cycles, length_m

    def send_ps(self, bits: int) -> int:
        """Return arbitration plus ceil(bits/width) cycles."""
        return (self.arbitration_cycles - (-bits // self.width_bit)) * self.cycle_ps

    def send(self, bits: int, tag: Tag) -> Work[None]:
        """Send one block of bits."""
        job = self._jobs.get(bits) or self.job(bits, self.send_ps(bits), {"transfer": bits})
        return self.perform(job, tag, None)

    def sizes(self, action: str) -> dict[str, float]:
        """Return the wire's length."""
        del action
        return {"length_m": self.length_m}


class ChipLink(Bus):
    """The links between chips that hold one network together; each goes at its width, one transfer after the other."""

    kind = "link"
    ACTIONS: ClassVar = {
        "transfer": Action("one bit sent to another chip", "off-chip memory", "bit", part="bus", circuit="off-chip")
    }
    TIMES: ClassVar = {"link.cycle": "off-chip"}


class HostLink(Bus):
    """The link over which samples reach the chip."""

    kind = "host"
    ACTIONS: ClassVar = {"transfer": Action("one bit sent", "host link", "bit", part="bus", circuit="off-chip")}
    TIMES: ClassVar = {"host.cycle": "off-chip"}

"""Memory below the chip: what does not fit on it is written there and read back, on the clock and on the books."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from archsim.accounting.ledger import Action, Job, Ledger
from archsim.base.signal import Tag
from archsim.base.verbs import Work
from archsim.hardware.clock import Clock
from archsim.hardware.component import Component

TRANSFER = {
    "transfer": Action("one bit read or written", "off-chip memory", "bit", part="off-chip memory", circuit="off-chip")
}


class Dram(Component, ABC):
    """DRAM at the pins of a chip. A block goes as bursts of all pins, after the latency of its first.

    Rows are taken to be hit but for the first access of a block, which are long here; refresh is part of the energy a
    bit. Subclasses are standards, each priced and timed under its own name.

    Parameters
    ----------
    pins : int
        Data pins: of one channel of LPDDR5 16, of a stack of HBM 1,024.
    latency_ps, burst_ps : int
        Of the first access; of one burst of `burst` bits a pin.
    """

    def __init__(
        self, clock: Clock, ledger: Ledger, *, pins: int, latency_ps: int, burst_ps: int, name: str = "dram"
    ) -> None:  # fmt: skip
        super().__init__(clock, ledger, name)
        self.pins, self.latency_ps, self.burst_ps = pins, latency_ps, burst_ps

    @property
    @abstractmethod
    def burst(self) -> int:
        """Bits a pin of a burst."""

    def move_ps(self, bits: int) -> int:
        """Return the time of one block: latency, and ceil(bits/(pins x burst)) bursts."""
        return self.latency_ps - (-bits // (self.pins * self.burst)) * self.burst_ps

    def move(self, bits: int, tag: Tag, what: str) -> Work[None]:
        """Read or write one block; `what` names it on the time line."""
        key = (what, bits)
        return self.perform(self._jobs.get(key) or self._move_job(key), tag, None)

    def _move_job(self, key: tuple[str, int]) -> Job:
        what, bits = key
        return self.job(key, self.move_ps(bits), {"transfer": bits}, name=what, once_ps=self.latency_ps)


class Lpddr5(Dram):
    """LPDDR5: bursts of 16 bits a pin."""

    kind = "lpddr5"
    ACTIONS: ClassVar = TRANSFER
    TIMES: ClassVar = {"lpddr5.latency": "off-chip", "lpddr5.burst": "off-chip"}
    burst = 16


class Hbm2e(Dram):
    """HBM2E: bursts of 4 bits a pin."""

    kind = "hbm2e"
    ACTIONS: ClassVar = TRANSFER
    TIMES: ClassVar = {"hbm2e.latency": "off-chip", "hbm2e.burst": "off-chip"}
    burst = 4


class Hbm3(Dram):
    """HBM3: bursts of 8 bits a pin."""

    kind = "hbm3"
    ACTIONS: ClassVar = TRANSFER
    TIMES: ClassVar = {"hbm3.latency": "off-chip", "hbm3.burst": "off-chip"}
    burst = 8


STANDARDS: dict[str, type[Dram]] = {each.kind: each for each in (Lpddr5, Hbm2e, Hbm3)}
"""By the name that an architecture gives."""

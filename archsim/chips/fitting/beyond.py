"""What lies beyond a chip: memory below it, and other chips that hold a part of the same network."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from archsim.accounting.ledger import Ledger
from archsim.base.errors import ModelError
from archsim.base.signal import Tag
from archsim.base.verbs import Work
from archsim.chips.architecture import Architecture
from archsim.chips.fitting.links import crossing
from archsim.chips.fitting.spill import spilled
from archsim.hardware.bus import ChipLink
from archsim.hardware.clock import Clock
from archsim.hardware.component import Component
from archsim.hardware.digital_unit import DigitalUnit
from archsim.hardware.dram import STANDARDS, Dram
from archsim.hardware.updating.optimiser_unit import WORD_BIT
from archsim.networks.program import Program


class Beyond:
    """Memory below and links between chips, as the architecture has them; and what a program asks of them.

    Parameters
    ----------
    architecture : Architecture
    clock, ledger, digital_unit : the chip's
    ps : a time figure in whole picoseconds, by its key
    holders : matrix -> the chips that hold it; empty where one chip holds all
    """

    def __init__(
        self, architecture: Architecture, clock: Clock, ledger: Ledger, digital_unit: DigitalUnit, *,
        ps: Callable[[str], int], holders: Mapping[str, range],
    ) -> None:  # fmt: skip
        self._unit, self._holders = digital_unit, holders
        self.chips = 1 + max((several[-1] for several in holders.values()), default=0)
        self.room = self.chips * architecture.digital_unit.buffer_words
        self.dram: Dram | None = None
        self.link: ChipLink | None = None
        if (file := architecture.dram) is not None:
            latency_ps, burst_ps = (ps(f"{file.kind}.{name}") for name in ("latency", "burst"))
            self.dram = STANDARDS[file.kind](
                clock, ledger, pins=file.pins, latency_ps=latency_ps, burst_ps=burst_ps
            )  # fmt: skip
        if architecture.link is not None and self.chips > 1:
            self.link = ChipLink(
                clock, ledger, "link", width_bit=architecture.link.width, cycle_ps=ps("link.cycle"),
                arbitration_cycles=0, length_m=0.0,
            )  # fmt: skip
        self._overlap = architecture.dram is not None and architecture.dram.overlap
        self._moving: dict[tuple[Program, int], Program] = {}

    @property
    def components(self) -> list[Component]:
        """Return the memory and the links, where there are any."""
        return [unit for unit in (self.dram, self.link) if unit is not None]

    def copies(self, component: Component) -> int:
        """Return how often a unit stands on all chips: once on each, but for links, of which there is one less."""
        return self.chips - 1 if component is self.link else self.chips

    def with_moves(self, program: Program, samples: int) -> Program:
        """Return a program with what a batch of so many samples has to move to the memory below and to other chips."""
        if self.dram is None and self.link is None:
            return program
        key = program, samples
        if key not in self._moving:
            moving = program
            if self.dram is not None:
                moving = spilled(program, self.room / samples, overlap=self._overlap)
            self._moving[key] = moving if self.link is None else crossing(moving, self._holders)
        return self._moving[key]

    def spill(self, name: str, words: int, tag: Tag) -> Work[None]:
        """Read a signal from the buffer and write it below."""
        self._unit.fetch(words, tag)
        return self._below().move(words * WORD_BIT, tag, f"spill {name}")

    def fill(self, name: str, words: int, tag: Tag) -> Work[None]:
        """Read a signal from below and write it to the buffer."""
        self._unit.store(words, tag)
        return self._below().move(words * WORD_BIT, tag, f"fill {name}")

    def exchange(self, name: str, words: int, tag: Tag) -> Work[None]:
        """Read so many words from below and write as many there; another unit's memory takes and gives them."""
        return self._below().move(2 * words * WORD_BIT, tag, name)

    def cross(self, name: str, words: int, tag: Tag) -> Work[None]:
        """Read a signal from one chip's buffer and write it to another's."""
        if self.link is None:
            raise ModelError(f"{name} is to cross to another chip, and there is no link")
        self._unit.fetch(words, tag)
        self._unit.store(words, tag)
        return self.link.send(words * WORD_BIT, tag)

    def _below(self) -> Dram:
        if self.dram is None:
            raise ModelError("there is no memory below the chip")
        return self.dram

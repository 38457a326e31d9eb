"""Drivers of both kinds of lines of a tile, which write an outer product at once: pulses where trains meet."""

from __future__ import annotations

from typing import ClassVar

from archsim.accounting.ledger import Action, Ledger
from archsim.analog.hybrid import Written
from archsim.base.signal import Tag
from archsim.base.verbs import Work
from archsim.hardware.clock import Clock
from archsim.hardware.updating.array_writer import ArrayWriter
from archsim.learning.trains.sending import Part


class TrainWriter(ArrayWriter):
    """Drivers of all rows and columns of one tile, whose pulses of half the voltage add up where two meet.

    A device sees a whole pulse where its row and its column are pulsed in one slot, half of one where one of them is.
    Either sign of a product has phases of its own, one or two, each as long as the trains. Each line sends its train
    to partners of both signs. The time is the same whatever meets: phases x slots x the width of a pulse, of a pulse
    up in half of the phases and of one down in the others. A row is one line of all devices of its weights; of their
    columns those are pulsed whose turn it is. Of pairs that are pulsed up only, phases of either sign are of pulses up,
    to columns of G+ or of G-. The caller holds the tile.

    Parameters
    ----------
    label : str
    shape : (rows, columns)
        Lines of the tile that are in use.
    phases : int
        2 or 4.
    up_ps, down_ps : int
        Width of a pulse.

    Source
    ------
    Rasch et al., Nat. Commun. 15:7133 (2024), two phases; Haensch et al., Proc. IEEE (2018), at second hand, four:
    t_update = 4 L t_pulse.
    """

    kind = "train_writer"
    ACTIONS: ClassVar = {
        **{name: action for name, action in ArrayWriter.ACTIONS.items() if not name.endswith("charge")},
        "random.bit": Action(
            "one random number compared with a line's probability", "weight update", part="programming", circuit="logic"
        ),
        "up.half": Action(
            "one line charged to half the voltage of a pulse up", "programming", part="programming", circuit="analog"
        ),
        "down.half": Action(
            "one line charged to half the voltage of a pulse down", "programming", part="programming", circuit="analog"
        ),
        "up.half.conduct": Action(
            "conductance times time at half the voltage of a pulse up",
            "programming",
            "S*s",
            part="programming",
            circuit="device",
        ),
        "down.half.conduct": Action(
            "conductance times time at half the voltage of a pulse down",
            "programming",
            "S*s",
            part="programming",
            circuit="device",
        ),
    }

    def __init__(
        self, clock: Clock, ledger: Ledger, label: str, *, shape: tuple[int, int], phases: int, up_ps: int, down_ps: int
    ) -> None:
        super().__init__(
            clock, ledger, label, columns=shape[1], columns_per_driver=1, serial=False, up_ps=up_ps, down_ps=down_ps,
            name="train_writer",
        )  # fmt: skip
        self.shape, self.phases = shape, phases

    def hold_ps(self, slots: float) -> int:
        """Return the time of trains of so many slots."""
        return round(self.phases // 2 * slots * (self.up_ps + self.down_ps))

    def send(self, cells: Written, part: Part, tag: Tag) -> Work[None]:
        """Send what reaches the tile of trains, vector after vector."""
        if not self.slot.take():
            yield from self.slot.wait()
        try:
            slots = part.slots
            done = cells.send(part, self.clock.now, self.hold_ps(1))
            hold_ps = self.hold_ps(slots)
            if not self.clock.passes(hold_ps):
                yield self.clock.timeout(hold_ps)
            sent = cells.abreast * done.on_rows + cells.written * done.on_columns
            down = sent * (cells.ways - 1)  # of pairs all phases are of pulses up
            up_s, down_s = self.up_ps * 1e-12, self.down_ps * 1e-12
            self.count(
                tag,
                {
                    "random.bit": sum(self.shape) * slots,
                    "up.pulse": done.up,
                    "down.pulse": done.down,
                    "up.conduct": done.up_moment * up_s,
                    "down.conduct": done.down_moment * down_s,
                    "up.half": 2 * sent - down,
                    "down.half": down,
                    "up.half.conduct": done.up_half * up_s,
                    "down.half.conduct": done.down_half * down_s,
                    "control.cycle": self.phases * slots,
                },
            )
        finally:
            self.slot.give()

    def parts(self) -> dict[str, float]:
        """Return the drivers, one a line."""
        return {"driver": sum(self.shape)}

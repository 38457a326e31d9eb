"""The chip that updates its weights in the array: plain gradient descent as pulses up and down, without an accumulator.

One bidirectional device a weight against a fixed reference, as in MLP+NeuroSim.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self, cast

import numpy as np

from archsim.analog.cells import Cells
from archsim.analog.single import SingleCells
from archsim.base.arrays import I64
from archsim.base.rounding import Quantiser
from archsim.base.signal import Signal, Tag
from archsim.base.streams import Streams
from archsim.base.verbs import Work
from archsim.base.yamlfile import Document
from archsim.chips.architecture import Architecture
from archsim.chips.board import Times
from archsim.chips.crossbar import CrossbarChip, load_cells
from archsim.chips.in_array_file import InArrayArchitecture, InArrayNonIdealities
from archsim.chips.placement import Grid
from archsim.devices import library
from archsim.devices.base import Device, Switches
from archsim.hardware.array_writer import ArrayWriter
from archsim.hardware.component import Component
from archsim.hardware.pulse_unit import PulseUnit
from archsim.hardware.tile import Converters
from archsim.learning.optimisers.rules import Optimiser
from archsim.learning.pulses import Due, PulseRule
from archsim.networks.network import Network


@dataclass(frozen=True, slots=True)
class InArrayLayer:
    """Leaves of one layer: its place, the cells by grid position, and the rule that finds pulses."""

    grid: Grid
    cells: list[list[SingleCells]]
    rule: PulseRule


class InArrayChip(CrossbarChip):
    """Verbs of a chip that updates in the array. Build with `start`, which also places and loads the network."""

    SCHEMA = InArrayArchitecture
    architecture: InArrayArchitecture
    state: dict[str, InArrayLayer]

    def __init__(
        self, architecture: InArrayArchitecture, network: Network, times: Times, state: dict[str, InArrayLayer], *,
        now_ps: int = 0,
    ) -> None:  # fmt: skip
        super().__init__(architecture, network, times, state, now_ps=now_ps)
        update = architecture.update
        self.pulse_unit = PulseUnit(self.clock, self.ledger, lanes=update.lanes, cycle_ps=self.ps("digital.cycle"))
        self.writers = {
            name: [
                [
                    ArrayWriter(
                        self.clock, self.ledger, f"writer {name}/{r},{c}", columns=cells.shape[1],
                        columns_per_driver=update.columns_per_driver, serial=update.rows == "serial",
                        up_ps=self.ps("writer.up_pulse"), down_ps=self.ps("writer.down_pulse"),
                    )
                    for c, cells in enumerate(row)
                ]
                for r, row in enumerate(layer.cells)
            ]
            for name, layer in state.items()
        }  # fmt: skip

    @property
    def switches(self) -> InArrayNonIdealities:
        """The architecture's non-idealities."""
        return self.architecture.nonidealities

    @classmethod
    def check(cls, source: Document, architecture: Architecture) -> None:
        """Refuse a device that is not known, whose file is wrong, or that cannot be pulsed down gradually."""
        super().check(source, architecture)
        mine = cast("InArrayArchitecture", architecture)
        if not build_device(mine).bidirectional:
            expected = "a device with gradual pulses up and down"
            raise source.error(("weight", "device"), value=mine.weight.device, expected=expected)

    @classmethod
    def start(
        cls, architecture: InArrayArchitecture, network: Network, times: Times, streams: Streams, *,
        samples: int = 1, optimiser: Optimiser | None = None,
    ) -> Self:  # fmt: skip
        """Return a chip with the network placed on its tiles and loaded, to be trained on batches of `samples`.

        Raises
        ------
        DoesNotFitError
            If the network asks for more than the chip has.
        """
        cls.check_optimiser(architecture, optimiser)
        cls.fit(architecture, network, samples)
        device = build_device(architecture)
        weight, update = architecture.weight, architecture.update
        steps, state = _steps(device, architecture), {}
        for name, (grid, cells) in load_cells(SingleCells, device, architecture, network, streams).items():
            unit = weight.unit_of(network.graph.matrices[name].initial_std)
            up, down = (step / unit for step in steps)
            random = streams.generator(f"update/{name}") if update.rounding == "stochastic" else None
            shape = network.graph.matrices[name].shape
            state[name] = InArrayLayer(grid, cells, PulseRule(shape, up=up, down=down, random=random))
        made = cls(architecture, network, times, state)
        made.aside.load(network.initial_weights(streams))
        return made.holding(network.initial_parameters(streams), samples=samples)

    def converters(self, cells: Cells) -> Converters:
        """Return the converters of a tile, with full scales for its lines if the file says so."""
        made, tile = super().converters(cells), self.architecture.tile
        if tile.full_scale_of == "line":
            rows, columns = cells.shape
            made = replace(made, forward_scale=made.forward_scale * rows, backward_scale=made.backward_scale * columns)
        if tile.backward_bits is None:
            return made
        return replace(
            made,
            backward_dac=Quantiser(tile.backward_bits, ideal=made.dac.ideal),
            backward_adc=Quantiser(tile.backward_bits, ideal=made.adc.ideal),
        )

    def components(self) -> list[Component]:
        """Return every unit of the chip."""
        writers = [writer for layer in self.writers.values() for row in layer for writer in row]
        return [*super().components(), self.pulse_unit, *writers]

    # --- verbs ----------------------------------------------------------------------------------------------------
    def accumulate(self, matrix: str, x: Signal, d: Signal, rate: float, tag: Tag) -> Work[None]:
        """Scale the errors by the rate, find the pulses that the outer product is worth, and give them."""
        unit, state = self.digital_unit, self.state[matrix]
        unit.fetch(d.elements, tag)
        scaled = yield from unit.collect([d.values], tag, scale=rate)
        unit.fetch(x.elements + d.elements, tag)
        due = yield from self.pulse_unit.find(state.rule, x.values, scaled, tag)
        if due.index.size:
            parts = _by_tile(state.grid, due)
            yield from self.clock.together(
                [self._write(matrix, r, c, index, pulses, tag) for r, c, index, pulses in parts]
            )

    def apply(self, matrix: str, samples: int, rate: float, tag: Tag) -> Work[None]:
        """Do nothing but count: the devices have been pulsed already. Signs are noted as they are now.

        That they are known without a read is assumed: nothing here reads single devices.
        """
        del rate
        self.count_samples(matrix, samples)
        if matrix in self.aside.followed:
            state = self.state[matrix]
            for r, row in enumerate(state.cells):
                for c, cells in enumerate(row):
                    rows, columns = (each.reshape(-1) for each in np.indices(cells.shape))
                    places = rows + state.grid.rows[r].start, columns + state.grid.columns[c].start
                    yield from self.aside.follow(matrix, *places, cells.weight.reshape(-1) < 0, tag)

    def maintain(self, matrix: str, tag: Tag) -> Work[None]:
        """Do nothing: pulses go both ways, so that no device is stuck at its bound."""
        del matrix, tag
        yield from ()

    def _write(self, matrix: str, r: int, c: int, index: I64, pulses: I64, tag: Tag) -> Work[None]:
        """Pulse the devices of one tile; tile before writer, always."""
        work = self.writers[matrix][r][c].write(self.state[matrix].cells[r][c], index, pulses, tag)
        return self.tiles[matrix][r][c].slot.during(work)


def _by_tile(grid: Grid, due: Due) -> list[tuple[int, int, I64, I64]]:
    """Sort pulses to tiles: row band, column band, flat positions inside in rising order, pulses.

    For the thousands of pulses of a step here; `crossbar.by_tile` is the quicker one for a handful.
    """
    if grid.tiles == 1:
        return [(0, 0, due.index, due.pulses)]
    i, j = np.divmod(due.index, grid.columns[-1].stop)
    found = []
    for r, row in enumerate(grid.rows):
        for c, column in enumerate(grid.columns):
            here = (i >= row.start) & (i < row.stop) & (j >= column.start) & (j < column.stop)
            if here.any():
                inside = (i[here] - row.start) * column.size + j[here] - column.start
                found.append((r, c, inside, due.pulses[here]))
    return found


def _steps(device: Device, architecture: InArrayArchitecture) -> tuple[float, float]:
    """Return the conductance change [S] that a pulse up, and one down, is taken to make."""
    levels = architecture.update.levels
    if levels is None:
        return device.epsilon, device.epsilon
    span = device.high - device.low
    return span / levels.up, span / levels.down


def build_device(architecture: InArrayArchitecture) -> Device:
    """Return the device model that the architecture names, with its switches."""
    on = architecture.nonidealities
    return library.build(
        architecture.device_file(),
        Switches(
            state_dependence=on.state_dependence, programming_noise=on.programming_noise, read_noise=on.read_noise,
            drift=on.drift,
        ),
    )  # fmt: skip

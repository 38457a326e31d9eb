"""The mixed-precision chip: PCM crossbar tiles compute products, a digital unit accumulates gradients in chi.

After Nandakumar et al., Front. Neurosci. 14:406 (2020).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import AfterValidator, Field, FiniteFloat

from archsim.analog.cells import PairedCells
from archsim.base.arrays import F32
from archsim.base.rounding import Quantiser
from archsim.base.signal import STEP_PHASES, Signal, Tag
from archsim.base.streams import Streams
from archsim.base.verbs import Work
from archsim.base.yamlfile import Record, quantity
from archsim.chips.architecture import Architecture, Bits, Count, positive
from archsim.chips.chip import Chip, Times
from archsim.chips.placement import Grid, place
from archsim.devices import library
from archsim.devices.base import Device, Switches
from archsim.hardware.component import Component
from archsim.hardware.outer_product_unit import OuterProductUnit
from archsim.hardware.programmer import Programmer
from archsim.hardware.slot import Slot, together
from archsim.hardware.tile import Converters, Tile
from archsim.learning.accumulate import Accumulator, RefreshLog
from archsim.learning.network import Network

Positive = Annotated[FiniteFloat, Field(gt=0)]
Conductance = Annotated[quantity("S"), AfterValidator(positive)]


class DacFile(Record):
    """DACs of a tile: a pulse width of up to 2^(bits-1) - 1 periods; `full_scale` is the input of the longest pulse."""

    bits: Bits
    style: Literal["pulse-width"]
    full_scale: Positive


class AdcFile(Record):
    """ADCs of a tile; `tiles_per_bank` tiles contend for one bank of `count`.

    The full scales are sums of input (over the DAC's full scale) times weight.
    """

    bits: Bits
    count: Count
    tiles_per_bank: Count
    forward_full_scale: Positive
    backward_full_scale: Positive


class TileFile(Record):
    """Crossbar tiles: how many, pairs in rows and columns, converters."""

    count: Count
    rows: Count
    columns: Count
    dac: DacFile
    adc: AdcFile


class WeightFile(Record):
    """How pairs stand for weights: the device, the conductance difference of a weight of 1, drift cache tolerance."""

    device: str
    unit: Conductance
    drift_tolerance: Annotated[FiniteFloat, Field(gt=0, lt=0.5)]


class ChiFile(Record):
    """The accumulator: bits of an element, saturation in epsilons, banks of its memory."""

    bits: Annotated[int, Field(ge=4, le=32, strict=True)]
    limit: Annotated[FiniteFloat, Field(ge=2)]
    banks: Count


class OuterProductFile(Record):
    """Precision of both operands (sign included), lanes, zero skipping, chi."""

    x_bits: Bits
    error_bits: Bits
    lanes: Count
    skip_zeros: bool
    chi: ChiFile


class ProgrammerFile(Record):
    """Devices pulsed at once, and pairs the log holds between two refreshes."""

    parallel: Count
    log_words: Count


class RefreshFile(Record):
    """Every so many samples: pairs with a device above `saturated` and a difference below `difference` start anew."""

    every: Count
    saturated: Conductance
    difference: Conductance
    most_pulses: Count


class NonIdealities(Record):
    """Switches; all on describes the hardware."""

    state_dependence: bool
    programming_noise: bool
    pulse_memory: bool
    read_noise: bool
    drift: bool
    dac_quantisation: bool
    adc_quantisation: bool
    device_saturation: bool


class MixedPrecisionArchitecture(Architecture):
    """Structure of a mixed-precision chip."""

    chip: Literal["mixed-precision"]
    tile: TileFile
    weight: WeightFile
    outer_product: OuterProductFile
    programmer: ProgrammerFile
    refresh: RefreshFile
    nonidealities: NonIdealities

    def switched_on(self) -> list[str]:
        """Return the names of the non-idealities that are on."""
        return [name for name, on in self.nonidealities.model_dump().items() if on]


@dataclass(slots=True)
class LayerState:
    """Leaves of one layer: cells by grid position, chi, the log of each cell array, samples since the last refresh."""

    grid: Grid
    cells: list[list[PairedCells]]
    accumulator: Accumulator
    logs: list[list[RefreshLog]]
    since_refresh: int = 0


class MixedPrecisionChip(Chip):
    """Verbs of the mixed-precision chip. Build with `start`, which also places and loads the network."""

    SCHEMA = MixedPrecisionArchitecture
    architecture: MixedPrecisionArchitecture

    def __init__(
        self, architecture: MixedPrecisionArchitecture, network: Network, times: Times,
        state: dict[str, LayerState], *, now_ps: int = 0,
    ) -> None:  # fmt: skip
        super().__init__(architecture, network, times, now_ps=now_ps)
        self.state = state
        outer = architecture.outer_product
        self.tiles = self._tiles()
        self.outer_product_unit = OuterProductUnit(
            self.env, self.ledger, lanes=outer.lanes, cycle_ps=self.ps("digital.cycle"), x_bits=outer.x_bits,
            error_bits=outer.error_bits,
            chi=self.sram(network.weights, banks=outer.chi.banks, word_bit=outer.chi.bits),
        )  # fmt: skip
        self.programmer = Programmer(
            self.env, self.ledger, parallel=architecture.programmer.parallel, set_ps=self.ps("programmer.set_pulse"),
            reset_ps=self.ps("programmer.reset_pulse"), read_ps=self.ps("programmer.read"),
            cycle_ps=self.ps("digital.cycle"), log=self.sram(architecture.programmer.log_words),
        )  # fmt: skip

    @classmethod
    def start(
        cls, architecture: MixedPrecisionArchitecture, network: Network, times: Times, streams: Streams
    ) -> Self:
        """Return a chip with the network placed on its tiles and its initial weights loaded.

        Raises
        ------
        DoesNotFitError
            If the network needs more tiles than there are.
        """
        device = build_device(architecture)
        tile, weight, outer = architecture.tile, architecture.weight, architecture.outer_product
        shapes = {layer.name: layer.shape for layer in network.layers}
        grids = place(shapes, rows=tile.rows, columns=tile.columns, tiles=tile.count)
        initial = network.initial_weights(streams)
        state = {}
        for name, grid in grids.items():
            cells = [
                [
                    PairedCells(
                        device, (row.size, column.size), scale=weight.unit, streams=streams, name=f"{name}/{r},{c}",
                        drift_tolerance=weight.drift_tolerance,
                    )
                    for c, column in enumerate(grid.columns)
                ]
                for r, row in enumerate(grid.rows)
            ]  # fmt: skip
            for r, row in enumerate(grid.rows):
                for c, column in enumerate(grid.columns):
                    cells[r][c].load(np.ascontiguousarray(initial[name][row.part, column.part]), 0)
            accumulator = Accumulator(
                shapes[name], epsilon=device.epsilon / weight.unit, bits=outer.chi.bits, limit=outer.chi.limit,
                x_bits=outer.x_bits, error_bits=outer.error_bits, skip_zeros=outer.skip_zeros,
            )  # fmt: skip
            logs = [[RefreshLog() for _ in grid.columns] for _ in grid.rows]
            state[name] = LayerState(grid, cells, accumulator, logs)
        return cls(architecture, network, times, state)

    def _tiles(self) -> dict[str, list[list[Tile]]]:
        tile, switches = self.architecture.tile, self.architecture.nonidealities
        converters = Converters(
            dac=Quantiser(tile.dac.bits, ideal=not switches.dac_quantisation),
            adc=Quantiser(tile.adc.bits, ideal=not switches.adc_quantisation),
            adcs=tile.adc.count, forward_scale=tile.adc.forward_full_scale,
            backward_scale=tile.adc.backward_full_scale, settle_ps=self.ps("tile.settle"),
            period_ps=self.ps("tile.dac.period"), conversion_ps=self.ps("tile.adc.conversion"),
        )  # fmt: skip
        tiles: dict[str, list[list[Tile]]] = {}
        self.banks: list[Slot] = []
        built = 0
        for name, layer in self.state.items():
            tiles[name] = []
            for r, row in enumerate(layer.cells):
                tiles[name].append([])
                for c, cells in enumerate(row):
                    if tile.adc.tiles_per_bank > 1 and built % tile.adc.tiles_per_bank == 0:
                        self.banks.append(Slot(self.env, f"converter bank {len(self.banks)}"))
                    bank = self.banks[-1] if self.banks else None
                    tiles[name][r].append(
                        Tile(self.env, self.ledger, f"tile {name}/{r},{c}", cells=cells, converters=converters, bank=bank)
                    )
                    built += 1
        return tiles

    def components(self) -> list[Component]:
        """Return every unit of the chip."""
        tiles = [tile for layer in self.tiles.values() for row in layer for tile in row]
        return [*super().components(), *tiles, self.outer_product_unit, self.programmer]

    def slots(self) -> list[Slot]:
        """Return every resource, shared converter banks included."""
        return [*super().slots(), *self.banks]

    def twin(self) -> Self:
        """Return a chip over the same cells on a clock of its own."""
        return type(self)(self.architecture, self.network, self.times, self.state, now_ps=self.env.now)

    # --- verbs ----------------------------------------------------------------------------------------------------
    def multiply(self, layer: str, x: Signal, tag: Tag) -> Work[Signal]:
        """Send codes to all tiles of the layer, read them side by side, add up the row bands' partial sums."""
        grid, tiles, scale = self.state[layer].grid, self.tiles[layer], self.architecture.tile.dac.full_scale
        values = x.values if scale == 1 else x.values * np.float32(1 / scale)
        inputs = [np.ascontiguousarray(values[:, row.part]) for row in grid.rows]
        yield from self._send(x.elements * len(grid.columns), tag)
        self._age(layer, tag)
        results = yield from together(
            self.env,
            [tile.multiply(part, tag) for row, part in zip(tiles, inputs, strict=True) for tile in row],
        )
        return (yield from self._gather(_by_column(results, len(grid.columns)), scale, tag))

    def multiply_transposed(self, layer: str, d: Signal, tag: Tag) -> Work[Signal]:
        """Drive the columns with the errors over their largest magnitude, read the rows, add up the column bands."""
        grid, tiles = self.state[layer].grid, self.tiles[layer]
        normal, scale = yield from self._normalised(d, tag)
        inputs = [np.ascontiguousarray(normal[:, column.part]) for column in grid.columns]
        yield from self._send(d.elements * len(grid.rows), tag)
        self._age(layer, tag)
        results = yield from together(
            self.env,
            [tile.multiply_transposed(part, tag) for row in tiles for tile, part in zip(row, inputs, strict=True)],
        )
        return (yield from self._gather(_by_row(results, len(grid.columns)), scale, tag))

    def update(self, layer: str, x: Signal, d: Signal, rate: float, tag: Tag) -> Work[None]:
        """Add the outer product to chi; where it crossed the threshold, pulse the pairs."""
        state = self.state[layer]
        normal, scale = yield from self._normalised(d, tag)
        self.digital_unit.fetch(x.elements + d.elements, tag)
        done = yield from self.outer_product_unit.accumulate(
            state.accumulator, x.values, normal, tag, x_scale=self.architecture.tile.dac.full_scale,
            rate=rate * scale / x.vectors,
        )  # fmt: skip
        state.since_refresh += x.vectors
        if done.index.size:
            yield from self._program(layer, state, done.index, done.pulses, tag)

    def maintain(self, layer: str, tag: Tag) -> Work[None]:
        """Refresh saturated pairs among those programmed since the last time, every so many samples."""
        state, policy = self.state[layer], self.architecture.refresh
        if state.since_refresh < policy.every:
            return
        state.since_refresh = 0
        for tiles, logs in zip(self.tiles[layer], state.logs, strict=True):
            for tile, log in zip(tiles, logs, strict=True):
                if (candidates := log.take()).size:
                    if not tile.slot.take():
                        yield tile.slot.wait()
                    yield from self.programmer.refresh(
                        tile.cells, candidates, tag, saturated=policy.saturated, difference=policy.difference,
                        most_pulses=policy.most_pulses,
                    )  # fmt: skip
                    tile.slot.give()

    # --- parts of verbs -------------------------------------------------------------------------------------------
    def _send(self, elements: int, tag: Tag) -> Work[None]:
        self.digital_unit.fetch(elements, tag)
        yield from self.bus.send(elements * self.architecture.tile.dac.bits, tag)

    def _gather(self, groups: list[list[F32]], scale: float, tag: Tag) -> Work[Signal]:
        """Bring the tiles' codes to the digital unit and add up each group of partial sums, side by side in columns."""
        bits = sum(part.size for group in groups for part in group) * self.architecture.tile.adc.bits
        yield from self.bus.send(bits, tag)
        parts = [
            groups[0][k] if len(groups) == 1 else np.concatenate([group[k] for group in groups], axis=1)
            for k in range(len(groups[0]))
        ]
        return Signal((yield from self.digital_unit.collect(parts, scale, tag)))

    def _normalised(self, d: Signal, tag: Tag) -> Work[tuple[F32, float]]:
        if d.normal is None:
            d.normal = yield from self.digital_unit.normalise(d.values, tag)
        return d.normal

    def _age(self, layer: str, tag: Tag) -> None:
        """Let the cells see the clock; evaluation reads what training last saw, so that it changes nothing."""
        if tag.phase in STEP_PHASES:
            for row in self.state[layer].cells:
                for cells in row:
                    cells.age(self.env.now)

    def _program(self, layer: str, state: LayerState, index: F32, pulses: F32, tag: Tag) -> Work[None]:
        """Pulse pairs given by flat positions in the layer, tile by tile; tile before programmer, always."""
        rows, columns = np.divmod(index, self.network_columns(layer))
        for r, row in enumerate(state.grid.rows):
            for c, column in enumerate(state.grid.columns):
                here = (rows >= row.start) & (rows < row.stop) & (columns >= column.start) & (columns < column.stop)
                if not here.any():
                    continue
                tile = self.tiles[layer][r][c]
                inside = (rows[here] - row.start) * column.size + (columns[here] - column.start)
                if not tile.slot.take():
                    yield tile.slot.wait()
                yield from self.programmer.set_pulses(tile.cells, inside, pulses[here], tag)
                tile.slot.give()
                state.logs[r][c].add(inside)

    def network_columns(self, layer: str) -> int:
        """Return the columns of a layer's weight matrix."""
        return self.state[layer].accumulator.chi.shape[1]


def _by_column(results: list[F32], columns: int) -> list[list[F32]]:
    """Return the partial sums of each column band, from results listed row band by row band."""
    return [results[c::columns] for c in range(columns)]


def _by_row(results: list[F32], columns: int) -> list[list[F32]]:
    """Return the partial sums of each row band, from results listed row band by row band."""
    return [results[r : r + columns] for r in range(0, len(results), columns)]


def build_device(architecture: MixedPrecisionArchitecture) -> Device:
    """Return the device model that the architecture names, with its switches."""
    on = architecture.nonidealities
    device = library.build(
        library.device_file(architecture.weight.device, option="weight.device"),
        Switches(
            state_dependence=on.state_dependence, programming_noise=on.programming_noise, pulse_memory=on.pulse_memory,
            read_noise=on.read_noise, drift=on.drift,
        ),
    )  # fmt: skip
    if not on.device_saturation:
        device.high = 1.0  # a siemens: no device comes near
    return device

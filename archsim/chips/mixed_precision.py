"""The mixed-precision chip: PCM crossbar tiles compute products, a digital unit accumulates gradients in chi.

After Nandakumar et al., Front. Neurosci. 14:406 (2020).
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Self, cast

import numpy as np

from archsim.analog.cells import PairedCells
from archsim.base.arrays import F32, I64
from archsim.base.errors import InputError
from archsim.base.rounding import Quantiser
from archsim.base.signal import STEP_PHASES, Signal, Tag
from archsim.base.streams import Streams
from archsim.base.verbs import Work
from archsim.base.yamlfile import Document
from archsim.chips.architecture import Architecture
from archsim.chips.chip import Chip, Times
from archsim.chips.mixed_precision_file import MixedPrecisionArchitecture
from archsim.chips.placement import Grid, place
from archsim.devices import library
from archsim.devices.base import Device, Switches
from archsim.hardware.clock import Slot
from archsim.hardware.component import Component
from archsim.hardware.outer_product_unit import OuterProductUnit
from archsim.hardware.programmer import Programmer
from archsim.hardware.tile import Converters, Tile, TileGroup
from archsim.learning.accumulate import Accumulator, RefreshLog
from archsim.learning.network import Network


@dataclass(slots=True)
class LayerState:
    """Leaves of one layer: cells by grid position, chi, the log of each cell array.

    `since_refresh` and `logged` count samples and entries in the log since the last refresh.
    """

    grid: Grid
    cells: list[list[PairedCells]]
    accumulator: Accumulator
    logs: list[list[RefreshLog]]
    since_refresh: int = 0
    logged: int = 0


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
        self._log_words = architecture.programmer.log_words // len(state)
        self._full_scale = architecture.tile.dac.full_scale
        self._dac_bits, self._adc_bits = architecture.tile.dac.bits, architecture.tile.adc.bits
        self.tiles = self._tiles()
        self.forward, self.backward = self._groups()
        self.outer_product_unit = OuterProductUnit(
            self.clock, self.ledger, lanes=outer.lanes, cycle_ps=self.ps("digital.cycle"), x_bits=outer.x_bits,
            error_bits=outer.error_bits,
            chi=self.sram(network.weights, banks=outer.chi.banks, word_bit=outer.chi.bits),
        )  # fmt: skip
        self.programmer = Programmer(
            self.clock, self.ledger, parallel=architecture.programmer.parallel, set_ps=self.ps("programmer.set_pulse"),
            reset_ps=self.ps("programmer.reset_pulse"), read_ps=self.ps("programmer.read"),
            cycle_ps=self.ps("digital.cycle"), log=self.sram(architecture.programmer.log_words),
        )  # fmt: skip

    @classmethod
    def check(cls, source: Document, architecture: Architecture) -> None:
        """Refuse a device that is not known, at the line that names it, or whose file is wrong."""
        try:
            architecture.files()
        except InputError as error:
            where = ("weight", "device")
            raise source.error(where, value=error.value, expected=error.expected, hint=error.hint) from None
        build_device(cast("MixedPrecisionArchitecture", architecture))

    @classmethod
    def start(cls, architecture: MixedPrecisionArchitecture, network: Network, times: Times, streams: Streams) -> Self:
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
            adcs=tile.adc.count, clips=switches.adc_clipping, forward_scale=tile.adc.forward_full_scale,
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
                        self.banks.append(Slot(self.clock, f"converter bank {len(self.banks)}"))
                    bank = self.banks[-1] if self.banks else None
                    tiles[name][r].append(
                        Tile(
                            self.clock,
                            self.ledger,
                            f"tile {name}/{r},{c}",
                            cells=cells,
                            converters=converters,
                            bank=bank,
                        )
                    )
                    built += 1
        return tiles

    def _groups(self) -> tuple[dict[str, TileGroup], dict[str, TileGroup]]:
        """Return the tiles of each layer in the order of a product and of a transposed product."""
        forward, backward = {}, {}
        for name, tiles in self.tiles.items():
            rows, columns = self.state[name].grid.rows, self.state[name].grid.columns
            forward[name] = TileGroup(
                self.clock,
                [
                    (tile, tile.multiply, row.part, column.size)
                    for row, line in zip(rows, tiles, strict=True)
                    for column, tile in zip(columns, line, strict=True)
                ],
                len(columns),
            )
            backward[name] = TileGroup(
                self.clock,
                [
                    (line[c], line[c].multiply_transposed, column.part, row.size)
                    for c, column in enumerate(columns)
                    for row, line in zip(rows, tiles, strict=True)
                ],
                len(rows),
            )
        return forward, backward

    def components(self) -> list[Component]:
        """Return every unit of the chip."""
        tiles = [tile for layer in self.tiles.values() for row in layer for tile in row]
        return [*super().components(), *tiles, self.outer_product_unit, self.programmer]

    def diagnostics(self) -> dict[str, float]:
        """Return how many conversions were clipped, too."""
        clipped = sum(tile.clipped for layer in self.tiles.values() for row in layer for tile in row)
        return {**super().diagnostics(), "clipped_conversions": clipped}

    def slots(self) -> list[Slot]:
        """Return every resource, shared converter banks included."""
        return [*super().slots(), *self.banks]

    def twin(self) -> Self:
        """Return a chip over the same cells on a clock of its own."""
        return type(self)(self.architecture, self.network, self.times, self.state, now_ps=self.clock.now)

    # --- verbs ----------------------------------------------------------------------------------------------------
    def multiply(self, layer: str, x: Signal, tag: Tag) -> Work[Signal]:
        """Send codes to all tiles of the layer, read them side by side, add up the row bands' partial sums."""
        scale = self._full_scale
        values = x.values if scale == 1 else x.values * np.float32(1 / scale)
        return self._product(self.forward[layer], values, scale, tag)

    def multiply_transposed(self, layer: str, d: Signal, tag: Tag) -> Work[Signal]:
        """Drive the columns with the errors over their largest magnitude, read the rows, add up the column bands."""
        values, scale = d.normal or (yield from self._normalised(d, tag))
        return (yield from self._product(self.backward[layer], values, scale, tag))

    def update(self, layer: str, x: Signal, d: Signal, rate: float, tag: Tag) -> Work[None]:
        """Add the outer product to chi; where it crossed the threshold, pulse the pairs."""
        state = self.state[layer]
        normal, scale = d.normal or (yield from self._normalised(d, tag))
        self.digital_unit.fetch(x.elements + d.elements, tag)
        done = yield from self.outer_product_unit.accumulate(
            state.accumulator, x.values, normal, tag, x_scale=self._full_scale,
            rate=rate * scale / x.vectors,
        )  # fmt: skip
        state.since_refresh += x.vectors
        if done.index.size:
            yield from self._program(layer, state, done.index, done.pulses, tag)

    def maintain(self, layer: str, tag: Tag) -> Work[None]:
        """Refresh saturated pairs among those programmed since the last time.

        Due every so many samples, and when the layer's part of the log is full.
        """
        state, policy = self.state[layer], self.architecture.refresh
        if state.since_refresh < policy.every and state.logged < self._log_words:
            return
        state.since_refresh = state.logged = 0
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
    def _product(self, group: TileGroup, values: F32, scale: float, tag: Tag) -> Work[Signal]:
        """Send codes to tiles, read them side by side, bring their codes back and add up partial sums."""
        unit, bus, vectors = self.digital_unit, self.bus, values.shape[0]
        sent = values.size * group.bands
        unit.fetch(sent, tag)
        job = bus.send(sent * self._dac_bits)
        if not bus.does(job, tag):
            yield from bus.perform(job, tag)
        if tag.phase in STEP_PHASES:  # evaluation reads what training last saw, so that it changes nothing
            group.age()
        codes = yield from group.read(values, tag)
        job = bus.send(group.outputs * vectors * self._adc_bits)
        if not bus.does(job, tag):
            yield from bus.perform(job, tag)
        result, job = unit.collect(group.join(codes), scale)
        if not unit.does(job, tag):
            yield from unit.perform(job, tag)
        return Signal(result)

    def _normalised(self, d: Signal, tag: Tag) -> Work[tuple[F32, float]]:
        """Return the errors over their largest magnitude, and that; kept with the signal, for its other uses."""
        result, scale, job = self.digital_unit.normalise(d.values)
        if not self.digital_unit.does(job, tag):
            yield from self.digital_unit.perform(job, tag)
        d.normal = result, scale
        return d.normal

    def _program(self, layer: str, state: LayerState, index: I64, pulses: I64, tag: Tag) -> Work[None]:
        """Pulse pairs given by flat positions in the layer, tile by tile; tile before programmer, always."""
        for (r, c), (inside, due) in _by_tile(state.grid, index.tolist(), pulses.tolist()).items():
            tile, place = self.tiles[layer][r][c], np.array(inside)
            if not tile.slot.take():
                yield tile.slot.wait()
            yield from self.programmer.set_pulses(tile.cells, place, np.array(due), tag)
            tile.slot.give()
            state.logs[r][c].add(place)
            state.logged += place.size


def _by_tile(grid: Grid, index: list[int], pulses: list[int]) -> dict[tuple[int, int], tuple[list[int], list[int]]]:
    """Sort pairs, given by flat positions in the layer, to tiles: grid position -> (flat positions inside, pulses)."""
    width = grid.columns[-1].stop
    found: dict[tuple[int, int], tuple[list[int], list[int]]] = {}
    for position, due in zip(index, pulses, strict=True):
        i, j = divmod(position, width)
        r = bisect_right(grid.rows, i, key=lambda band: band.start) - 1
        c = bisect_right(grid.columns, j, key=lambda band: band.start) - 1
        row, column = grid.rows[r], grid.columns[c]
        inside, list_due = found.setdefault((r, c), ([], []))
        inside.append((i - row.start) * column.size + j - column.start)
        list_due.append(due)
    return found


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

"""What chips with crossbar tiles have in common: tiles by layer, and products in both directions through them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, Self, cast

import numpy as np
from numpy.typing import NDArray

from archsim.accounting.area import Part
from archsim.analog.cells import Cells
from archsim.base.arrays import F32, Arrays, nested, under
from archsim.base.errors import InputError
from archsim.base.rounding import Quantiser
from archsim.base.signal import STEP_PHASES, Scale, Signal, Tag
from archsim.base.verbs import Work
from archsim.base.yamlfile import Document
from archsim.chips.architecture import Architecture
from archsim.chips.aside import Aside
from archsim.chips.board import Times
from archsim.chips.chip import Chip
from archsim.chips.crossbars.crossbar_file import CrossbarArchitecture, TileFile
from archsim.chips.crossbars.ranges import Ranges, by_largest, within_full_scale
from archsim.chips.fitting.demands import Demand
from archsim.chips.fitting.links import held
from archsim.chips.fitting.placement import Grid, Shape, shapes_in_tiles, tiles_demand
from archsim.hardware.clock import Clock, Slot
from archsim.hardware.component import Component
from archsim.hardware.tile import Converters, Tile, TileGroup
from archsim.networks.network import Network
from archsim.networks.program import Call


class ConverterSwitches(Protocol):
    """Switches of what converters do to a signal."""

    @property
    def dac_quantisation(self) -> bool:
        """Whether inputs are rounded."""

    @property
    def adc_quantisation(self) -> bool:
        """Whether results are rounded."""

    @property
    def adc_clipping(self) -> bool:
        """Whether results are clipped."""


class Placed(Protocol):
    """A layer on its tiles."""

    @property
    def grid(self) -> Grid:
        """The bands of rows and columns."""

    @property
    def cells(self) -> Sequence[Sequence[Cells]]:
        """The cells of each tile, by row band and column band."""


class CrossbarChip(Chip):
    """Tiles over the cells of each layer. Subclasses load the cells and implement `accumulate`, `apply` and `maintain`.

    Parameters
    ----------
    architecture, network, times, now_ps
        As for `Chip`.
    state : layer -> its place and cells
    """

    architecture: CrossbarArchitecture
    state: Mapping[str, Placed]

    def __init__(
        self, architecture: CrossbarArchitecture, network: Network, times: Times, state: Mapping[str, Placed], *,
        now_ps: int = 0,
    ) -> None:  # fmt: skip
        super().__init__(architecture, network, times, now_ps=now_ps)
        self.state = state
        self._full_scale = architecture.tile.dac.full_scale
        self._fixed = within_full_scale(architecture, network)
        self.banks = self._banks()
        self.tiles = self._tiles(self.banks)
        self.forward, self.backward = grouped(self.clock, self.tiles, state)
        self._join()
        adc = architecture.tile.adc
        self.ranges = {name: Ranges(adc.tracked, adc.forward_full_scale, adc.backward_full_scale) for name in state}
        fixed = {matrix.name: matrix for matrix in network.fixed}
        self._takes_errors = frozenset(name for name, matrix in fixed.items() if matrix.role == "feedback")
        self._never_applied = [self.ranges[name] for name in fixed if name in state]
        self._first = next(iter(state))
        self.aside = Aside.of(self)

    @classmethod
    def check(cls, source: Document, architecture: Architecture) -> None:
        """Refuse a device that is not known, at the line that names it."""
        try:
            architecture.files()
        except InputError as error:
            where = ("weight", "device")
            raise source.error(where, value=error.value, expected=error.expected, hint=error.hint) from None

    @classmethod
    def demands(cls, architecture: Architecture, network: Network, samples: int) -> list[Demand]:
        """Return what a network asks of the chip: tiles, too."""
        tile, shapes = cast("CrossbarArchitecture", architecture).tile, cls.arrays_of(architecture, network)
        tiles = tiles_demand(shapes, rows=tile.rows, columns=tile.columns, available=tile.count)
        return [*([] if architecture.link else [tiles]), *super().demands(architecture, network, samples)]

    @classmethod
    def arrays_of(cls, architecture: Architecture, network: Network) -> dict[str, Shape]:
        """Return the arrays that take tiles, by name: those of the weights, and random ones of a rule, if in tiles."""
        return dict(shapes_in_tiles(network, cast("CrossbarArchitecture", architecture).feedback.at))

    def copies(self, component: Component) -> int:
        """Return how often a unit stands on all chips; every tile in use is a unit of its own, or one of its twins."""
        if isinstance(component, Tile):
            return component.twins
        return super().copies(component)

    @classmethod
    def gathers(cls, architecture: Architecture, network: Network, call: Call) -> bool:
        """Whether a call's operands are divided by the largest element of the whole batch."""
        return by_largest(cast("CrossbarArchitecture", architecture), network, call)

    @property
    @abstractmethod
    def switches(self) -> ConverterSwitches:
        """The architecture's non-idealities, those of converters among them."""

    def converters(self, cells: Cells) -> Converters:
        """Return the converters of the tile that holds some cells."""
        del cells  # they are the same for all tiles here
        tile, switches = self.architecture.tile, self.switches
        return Converters(
            dac=Quantiser(tile.dac.bits, ideal=not switches.dac_quantisation),
            adc=Quantiser(tile.adc.bits, ideal=not switches.adc_quantisation),
            adcs=tile.adc.count, clips=switches.adc_clipping, forward_scale=tile.adc.forward_full_scale,
            backward_scale=tile.adc.backward_full_scale, settle_ps=self.ps("tile.settle"),
            period_ps=self.ps("tile.dac.period"), conversion_ps=self.ps("tile.adc.conversion"),
        )  # fmt: skip

    def _banks(self) -> list[Slot]:
        """Return the converter banks that tiles share, for the tiles in use; none where each has its own."""
        each, used = self.architecture.tile.adc.tiles_per_bank, sum(layer.grid.tiles for layer in self.state.values())
        return [Slot(self.clock, f"converter bank {bank}") for bank in range(-(-used // each))] if each > 1 else []

    def _tiles(self, banks: Sequence[Slot]) -> dict[str, list[list[Tile]]]:
        """Return the tiles of each layer by row and column band, the banks given out in this order."""
        tile = self.architecture.tile
        tiles: dict[str, list[list[Tile]]] = {}
        built = 0
        for name, layer in self.state.items():
            tiles[name] = []
            for r, row in enumerate(layer.cells):
                tiles[name].append([])
                for c, cells in enumerate(row):
                    bank = banks[built // tile.adc.tiles_per_bank] if banks else None
                    made = Tile(
                        self.clock, self.ledger, f"tile {name}/{r},{c}", cells=cells, matrix=name,
                        converters=self.converters(cells), bank=bank, lines=(tile.rows, tile.columns),
                    )  # fmt: skip
                    tiles[name][r].append(made)
                    built += 1
        return tiles

    def components(self) -> list[Component]:
        """Return every unit of the chip."""
        tiles = self._every_tile()
        return [*super().components(), *tiles, *self.aside.components]

    def parts(self) -> list[Part]:
        """Return the parts of all `tile.count` tiles of the chip, used or not, with each bank of converters once."""
        return _whole(super().parts(), self.architecture.tile, next(iter(self.tiles.values()))[0][0], self.beyond.chips)

    def diagnostics(self) -> dict[str, float]:
        """Return how many conversions were clipped, too."""
        clipped = sum(tile.clipped for tile in self._every_tile())
        return {**super().diagnostics(), "clipped_conversions": clipped}

    def slots(self) -> list[Slot]:
        """Return every resource, shared converter banks included."""
        return [*super().slots(), *self.banks]

    def tallies(self) -> dict[str, int]:
        """Return how many conversions each tile did and clipped, too."""
        done = {f"converted {k}": tile.converted for k, tile in enumerate(self._every_tile())}
        clipped = {f"clipped {k}": tile.clipped for k, tile in enumerate(self._every_tile())}
        return {**super().tallies(), **done, **clipped}

    def clipped_shares(self) -> dict[str, float]:
        """Return the share of a matrix's conversions, forward and backward, that its ADCs clipped."""
        found = {}
        for name, rows in self.tiles.items():
            tiles = [tile for row in rows for tile in row]
            done = sum(tile.converted for tile in tiles)
            found[name] = sum(tile.clipped for tile in tiles) / done if done else 0.0
        return found

    def go_on(self, tallies: Mapping[str, int]) -> None:
        """Take up what `tallies` returned."""
        super().go_on(tallies)
        for k, tile in enumerate(self._every_tile()):
            tile.clipped, tile.converted = tallies[f"clipped {k}"], tallies[f"converted {k}"]

    def steady(self, samples: int, kind: int = 0) -> tuple[float, ...]:
        """Set the ranges of all converters; the second kind of step is one that looks at its results."""
        looks = max((each.steady(samples, looks=bool(kind)) for each in self.ranges.values()), default=0.0)
        return 1 - looks, looks

    def tile_counts(self) -> dict[str, int]:
        """Return how many tiles each matrix takes."""
        return {name: sum(tile.twins for row in rows for tile in row) for name, rows in self.tiles.items()}

    def duplicate(self, twins: Mapping[str, int]) -> None:
        """Give matrices several groups of tiles with the same weights, which share the vectors of a product."""
        for tile in self._every_tile():
            tile.twins = twins.get(tile.matrix, 1)
        self._join()

    def _join(self) -> None:
        """Place the tiles on as many chips as they take, if chips can be joined."""
        if self.architecture.link is not None:
            self.beyond = self.joined(held(self.tile_counts(), self.architecture.tile.count))

    def _every_tile(self) -> list[Tile]:
        return [tile for layer in self.tiles.values() for row in layer for tile in row]

    def twin(self) -> Self:
        """Return a chip over the same cells on a clock of its own."""
        made = type(self)(self.architecture, self.network, self.times, self.state, now_ps=self.clock.now)
        made.ranges, made.aside.values = self.ranges, self.aside.values
        return made.holding(self.parameters, self.optimiser, self.learnt)

    def cells(self) -> dict[str, Cells]:
        """Return the cells of every tile by "LAYER/ROW,COLUMN"."""
        return {
            f"{name}/{r},{c}": cells
            for name, layer in self.state.items()
            for r, row in enumerate(layer.cells)
            for c, cells in enumerate(row)
        }

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return every cell array, the full scales that follow results, what lies aside, and the parameters."""
        owners: dict[str, Cells | Ranges] = {**self.cells(), **self._named_ranges()}
        found = {key: array for name, one in owners.items() for key, array in nested(name, one.arrays()).items()}
        return {**found, **nested("aside", self.aside.arrays()), **super().arrays()}

    def restore(self, arrays: Arrays) -> None:
        """Take over what `arrays` returned, in place."""
        self.aside.restore(under("aside", arrays))
        owners: dict[str, Cells | Ranges] = {**self.cells(), **self._named_ranges()}
        for name, one in owners.items():
            one.restore(under(name, arrays))
        super().restore(arrays)

    def _named_ranges(self) -> dict[str, Ranges]:
        return {f"ranges/{name}": ranges for name, ranges in self.ranges.items()}

    # --- verbs ----------------------------------------------------------------------------------------------------
    def multiply(self, matrix: str, x: Signal, tag: Tag) -> Work[Signal]:
        """Send codes to all tiles of the matrix, read them side by side, add up the row bands' partial sums."""
        if matrix in self.aside.values:
            return self.aside.multiply(matrix, x, tag)
        driven = self.errors(x, tag) if matrix in self._takes_errors else self.inputs(matrix, x, tag)
        return self._product(matrix, self.forward[matrix], driven, tag)

    def multiply_transposed(self, matrix: str, d: Signal, tag: Tag) -> Work[Signal]:
        """Drive the columns with the errors over their largest magnitude, read the rows, add up the column bands."""
        if matrix in self.aside.values:
            return self.aside.multiply(matrix, d, tag, transposed=True)
        return self._product(matrix, self.backward[matrix], self.errors(d, tag), tag)

    def count_samples(self, matrix: str, samples: int) -> None:
        """Note that a batch is done, for the full scales of a matrix; with the first, of those that never learn."""
        self.ranges[matrix].count(samples)
        if matrix == self._first:
            for ranges in self._never_applied:
                ranges.count(samples)

    # --- parts of verbs -------------------------------------------------------------------------------------------
    def inputs(self, matrix: str, x: Signal, tag: Tag) -> Work[tuple[F32, Scale]]:
        """Return inputs relative to the DAC's full scale, and that scale in their own unit, by the file's rule."""
        if matrix not in self._fixed:
            return (yield from self.normalised(x, tag, self.architecture.tile.dac.input_scale))
        scale = self._full_scale
        return (x.values if scale == 1 else x.values * np.float32(1 / scale)), scale

    def _product(self, matrix: str, group: TileGroup, driven: Work[tuple[F32, Scale]], tag: Tag) -> Work[Signal]:
        """Send what lines are driven with, and its scale, to tiles, read them, bring their codes back, add them up."""
        values, scale = yield from driven
        unit, bus, vectors = self.digital_unit, self.bus, values.shape[0]
        sent = values.size * group.bands
        unit.fetch(sent, tag)
        yield from bus.send(sent * group.dac_bits, tag)
        if tag.phase in STEP_PHASES:  # evaluation reads what training last saw, so that it changes nothing
            group.age()
        ranges = self.ranges[matrix]
        if ranges.tracked:
            group.set_full_scale(ranges[group.backward])
        looks = ranges.due and tag.phase in STEP_PHASES
        codes = yield from group.read(values, tag, apart=looks)
        if looks:
            ranges.follow((yield from unit.spread(codes, tag)), backward=group.backward)
        yield from bus.send(group.outputs * vectors * group.adc_bits, tag)
        return Signal((yield from unit.collect(group.join(codes), tag, scale=scale, own=True)))

    def errors(self, d: Signal, tag: Tag) -> Work[tuple[F32, Scale]]:
        """Return errors within +-1, and what they were divided by, by the file's rule."""
        return self.normalised(d, tag, self.architecture.tile.dac.error_scale)

    def normalised(self, d: Signal, tag: Tag, rule: str) -> Work[tuple[F32, Scale]]:
        """Return a signal over its largest magnitudes, and these; kept with the signal, for its other uses."""
        if rule == "vector" and d.values.shape[0] > 1:  # one vector is a burst of its own
            if d.by_vector is None:
                d.by_vector = yield from self.digital_unit.normalise_vectors(d.values, tag)
            return d.by_vector
        if d.normal is None:
            d.normal = yield from self.digital_unit.normalise(d.values, tag)
        return d.normal


def grouped(
    clock: Clock, tiles: Mapping[str, list[list[Tile]]], state: Mapping[str, Placed]
) -> tuple[dict[str, TileGroup], dict[str, TileGroup]]:
    """Return the tiles of each layer in the order of a product and of a transposed product."""
    forward, backward = {}, {}
    for name, lines in tiles.items():
        rows, columns = state[name].grid.rows, state[name].grid.columns
        forward[name] = TileGroup(
            clock,
            [
                (tile, tile.multiply, row.part, column.size)
                for row, line in zip(rows, lines, strict=True)
                for column, tile in zip(columns, line, strict=True)
            ],
            len(columns),
        )
        backward[name] = TileGroup(
            clock,
            [
                (line[c], line[c].multiply_transposed, column.part, row.size)
                for c, column in enumerate(columns)
                for row, line in zip(rows, lines, strict=True)
            ],
            len(rows),
            backward=True,
        )
    return forward, backward


def _whole(parts: list[Part], file: TileFile, tile: Tile, chips: int) -> list[Part]:
    """Return the parts of some chips with the amounts of all tiles of the file, of which `tile` is one."""
    count = chips * file.count
    banks = -(-count // file.adc.tiles_per_bank)
    amounts = {
        f"{tile.kind}.{name}": amount * (banks if name == "adc" else count) for name, amount in tile.parts().items()
    }
    return [replace(part, amount=amounts.get(part.key, part.amount)) for part in parts]

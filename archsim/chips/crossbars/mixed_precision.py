"""The mixed-precision chip: PCM crossbar tiles compute products, a digital unit accumulates gradients in chi.

After Nandakumar et al., Front. Neurosci. 14:406 (2020).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property, partial
from typing import Any, Self, cast

import numpy as np
from numpy.typing import NDArray

from archsim.accounting.area import Part
from archsim.analog.expected import ExpectedCells, InPairs
from archsim.analog.paired import PairedCells
from archsim.base.arrays import F32, I64, Arrays, nested, under
from archsim.base.signal import Scale, Signal, Tag
from archsim.base.streams import Streams
from archsim.base.verbs import Work
from archsim.base.yamlfile import Document
from archsim.chips.architecture import Architecture
from archsim.chips.board import Times
from archsim.chips.crossbars.crossbar import CrossbarChip
from archsim.chips.crossbars.layer_state import ExpectedLayerState, LayerState
from archsim.chips.crossbars.loading import load_cells
from archsim.chips.crossbars.mixed_precision_file import MixedPrecisionArchitecture, NonIdealities
from archsim.chips.fitting.demands import Demand
from archsim.chips.fitting.placement import place, shapes_in_tiles
from archsim.devices import library
from archsim.devices.base import Device, Switches
from archsim.hardware.component import Component
from archsim.hardware.updating.optimiser_unit import WORD_BIT, OptimiserUnit
from archsim.hardware.updating.outer_product_unit import BurstOuterProductUnit, OuterProductUnit
from archsim.hardware.updating.programmer import LoggingProgrammer
from archsim.learning.chi.accumulate import Accumulator, RefreshLog
from archsim.learning.expected import ExpectedAccumulator, ExpectedLog
from archsim.learning.optimisers.rules import Optimiser
from archsim.networks.network import Network

AT_TILES = (OuterProductUnit.kind, OptimiserUnit.kind)
"""Units that stand at every tile, if the architecture says so."""


class MixedPrecisionChip(CrossbarChip):
    """Verbs of the mixed-precision chip. Build with `start`, which also places and loads the network."""

    SCHEMA = MixedPrecisionArchitecture
    ACCUMULATES = SUMS_APART = ESTIMATED = True
    architecture: MixedPrecisionArchitecture
    state: dict[str, LayerState]

    def __init__(
        self, architecture: MixedPrecisionArchitecture, network: Network, times: Times,
        state: dict[str, LayerState], *, now_ps: int = 0,
    ) -> None:  # fmt: skip
        super().__init__(architecture, network, times, state, now_ps=now_ps)
        self._log_words = architecture.programmer.log_words // len(network.matrices)
        self.outer_product_units = self._outer_product_units()
        self.programmer = LoggingProgrammer(
            self.clock, self.ledger, parallel=architecture.programmer.parallel, set_ps=self.ps("programmer.set_pulse"),
            reset_ps=self.ps("programmer.reset_pulse"), read_ps=self.ps("programmer.read"),
            cycle_ps=self.ps("digital.cycle"), log=self.sram(architecture.programmer.log_words),
        )  # fmt: skip

    @property
    def switches(self) -> NonIdealities:
        """The architecture's non-idealities."""
        return self.architecture.nonidealities

    @classmethod
    def check(cls, source: Document, architecture: Architecture) -> None:
        """Refuse a device that is not known, at the line that names it, or whose file is wrong."""
        super().check(source, architecture)
        build_device(cast("MixedPrecisionArchitecture", architecture))

    @classmethod
    def loaded(
        cls, architecture: Architecture, network: Network, times: Times, streams: Streams, optimiser: Optimiser | None
    ) -> Self:
        """Return a chip with pairs of devices loaded tile by tile, chi at zero."""
        mine = cast("MixedPrecisionArchitecture", architecture)
        device = build_device(mine)
        weight, outer = mine.weight, mine.outer_product
        state = {}
        pairs = partial(PairedCells, copies=weight.copies, turns=weight.turns)
        for name, (grid, cells) in load_cells(pairs, device, mine, network, streams).items():
            epsilon = device.epsilon / (weight.unit_of(network.graph.matrices[name].initial_std) * weight.parts)
            sums = partial(
                Accumulator, network.graph.matrices[name].shape, x_bits=outer.x_bits, error_bits=outer.error_bits,
                skip_zeros=outer.skip_zeros, edges=grid.edges() if outer.at == "tiles" else None, burst=outer.burst,
            )  # fmt: skip
            accumulator = sums(epsilon=epsilon, bits=outer.chi.bits, limit=outer.chi.limit)
            gradient = None if optimiser is None else sums(epsilon=1.0, bits=WORD_BIT, limit=math.inf)
            logs = [[RefreshLog() for _ in grid.columns] for _ in grid.rows]
            state[name] = LayerState(grid, cells, accumulator, logs, gradient)
        made = cls(mine, network, times, state)
        made.aside.load(network.initial_weights(streams))
        return made

    @classmethod
    def shaped(
        cls, architecture: Architecture, network: Network, times: Times, optimiser: Optimiser | None,
        writing: Mapping[str, InPairs],
    ) -> Self:  # fmt: skip
        """Return a chip without devices and without numbers."""
        mine = cast("MixedPrecisionArchitecture", architecture)
        state = expected_state(mine, network, writing, gathers=optimiser is not None)
        return cls(mine, network, times, state)

    @classmethod
    def demands(cls, architecture: Architecture, network: Network, samples: int) -> list[Demand]:
        """Return what a network asks of the chip: a word of the log for each layer, too."""
        had, layers = cast("MixedPrecisionArchitecture", architecture).programmer.log_words, len(network.matrices)
        log = Demand(
            "programmer.log_words", layers, had, f"the log of programmed pairs takes a word at least for each of "
            f"{layers} layers", f"at least {layers} words",
        )  # fmt: skip
        return [*super().demands(architecture, network, samples), log]

    def diagnostics(self) -> dict[str, float]:
        """Return how many changes of chi ended at its limit, too."""
        saturated = sum(layer.accumulator.saturated for layer in self.state.values())
        return {**super().diagnostics(), "saturated_chi": saturated}

    def tallies(self) -> dict[str, int]:
        """Return these, too, by layer."""
        saturated = {f"saturated {name}": layer.accumulator.saturated for name, layer in self.state.items()}
        return {**super().tallies(), **saturated}

    def go_on(self, tallies: Mapping[str, int]) -> None:
        """Take up what `tallies` returned."""
        super().go_on(tallies)
        for name, layer in self.state.items():
            layer.accumulator.saturated = tallies[f"saturated {name}"]

    def steady(self, samples: int, kind: int = 0) -> tuple[float, ...]:
        """Set the ranges; where batches flow, the refreshes of a step, too: each kind with them, then without.

        They hide behind what goes on beside them if each step does its part, and not if one step does them all.
        """
        if self.pipeline is None:
            return super().steady(samples, kind)
        looks, steps = super().steady(samples, kind // 2), -(-self.architecture.refresh.every // samples)
        for layer in self.state.values():
            cast("ExpectedLayerState", layer).refreshes(steps, self._log_words, due=not kind % 2)
        return tuple(part for look in looks for part in (look / steps, look * (steps - 1) / steps))

    def components(self) -> list[Component]:
        """Return every unit of the chip."""
        units = {id(unit): unit for unit in self.outer_product_units.values()}
        optimisers = {id(unit): unit for unit in self.optimiser_units.values()}
        return [*super().components(), *units.values(), self.programmer, *optimisers.values()]

    def copies(self, component: Component) -> int:
        """Return how often a unit stands on all chips; those at tiles are as many as the tiles in use."""
        if self._at_tiles and component.name in AT_TILES:
            return 1
        return super().copies(component)

    def parts(self) -> list[Part]:
        """Return the parts of the chip; a unit at a tile stands at every one of the `tile.count` tiles, used or not."""
        found = super().parts()
        if not self._at_tiles:
            return found
        used = sum(unit.copies for unit in self.outer_product_units.values())
        scale = self.beyond.chips * self.architecture.tile.count / used
        return [replace(part, amount=part.amount * scale) if part.component in AT_TILES else part for part in found]

    def gradient(self, matrix: str) -> F32:
        """Return the gradient memory of a matrix, (columns, rows)."""
        return cast("Accumulator", self.state[matrix].gradient).chi

    # --- keeping --------------------------------------------------------------------------------------------------
    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return chi, counters and logs of every matrix, too."""
        own = {key: array for name, one in self.state.items() for key, array in nested(name, one.arrays()).items()}
        return {**own, **super().arrays()}

    def restore(self, arrays: Arrays) -> None:
        """Take over what `arrays` returned, in place."""
        for name, one in self.state.items():
            one.restore(under(name, arrays))
        super().restore(arrays)

    # --- verbs ----------------------------------------------------------------------------------------------------
    def accumulate(self, matrix: str, x: Signal, d: Signal, rate: float, tag: Tag) -> Work[None]:
        """Add the outer product to chi, or to the gradient for an optimiser."""
        state, unit = self.state[matrix], self.outer_product_units[matrix]
        normal, scale = yield from self.errors(d, tag)
        fixed = matrix in self._fixed
        x_scale = self._full_scale if fixed else _not_zero((yield from self.inputs(matrix, x, tag))[1])
        self.digital_unit.fetch(x.elements + d.elements, tag)
        if self._at_tiles:
            outer, grid = self.architecture.outer_product, state.grid
            x_bits = x.elements * len(grid.columns) * outer.x_bits
            d_bits = d.elements * len(grid.rows) * outer.error_bits
            yield from self.bus.send(x_bits + d_bits, tag)
        if state.gradient is None:
            yield from unit.accumulate(state.accumulator, x.values, normal, tag, x_scale=x_scale, rate=rate * scale)
            return
        optimiser = self.optimiser_units[matrix]
        done = yield from unit.accumulate(
            state.gradient, x.values, normal, tag, x_scale=x_scale, rate=rate * scale, into=optimiser.gradients
        )
        optimiser.added(done.updates, tag)

    def apply(self, matrix: str, samples: int, rate: float, tag: Tag) -> Work[None]:
        """Add the optimiser's step to chi, if there is one, and pulse the pairs whose chi crossed the threshold."""
        state = self.state[matrix]
        if state.gradient is not None:
            accumulator, learnt = state.accumulator, self.learnt[matrix]
            if self.architecture.outer_product.states == "below":
                words = learnt.optimiser.states * sum(accumulator.bands)
                yield from self.beyond.exchange(f"states of {matrix}", words, tag)
            step = yield from self.optimiser_units[matrix].step(
                learnt, accumulator.bands, tag, rate=rate / accumulator.epsilon
            )
            yield from self.outer_product_units[matrix].shift(accumulator, step, tag)
            learnt.clear()
        state.since_refresh += samples
        self.count_samples(matrix, samples)
        index, pulses = self.outer_product_units[matrix].apply(state.accumulator, tag)
        if index.size:
            yield from self._program(matrix, state, index, pulses, tag)

    def maintain(self, matrix: str, tag: Tag) -> Work[None]:
        """Refresh saturated pairs among those programmed since the last time.

        Due every so many samples, and when the layer's part of the log is full.
        """
        state, policy = self.state[matrix], self.architecture.refresh
        if not state.refresh_due(policy.every, self._log_words):
            return
        state.since_refresh = state.logged = 0
        for tiles, row, logs in zip(self.tiles[matrix], state.cells, state.logs, strict=True):
            for tile, cells, log in zip(tiles, row, logs, strict=True):
                if (candidates := log.take()).size:
                    work = self.programmer.refresh(
                        cells, candidates, tag, saturated=policy.saturated, difference=policy.difference,
                        most_pulses=policy.most_pulses, even=policy.even,
                    )  # fmt: skip
                    yield from tile.slot.during(work)

    # --- parts of verbs -------------------------------------------------------------------------------------------
    @cached_property
    def _at_tiles(self) -> bool:
        return self.architecture.outer_product.at == "tiles"

    def _outer_product_units(self) -> dict[str, OuterProductUnit]:
        """Return what adds to chi of each layer: the units at its tiles, or the one unit of all layers."""
        outer, tile = self.architecture.outer_product, self.architecture.tile

        def unit(words: int, lines: int, copies: int, label: str) -> OuterProductUnit:
            chi = self.sram(words, banks=outer.chi.banks, word_bit=outer.chi.bits)
            given: dict[str, Any] = {
                "lanes": outer.lanes, "cycle_ps": self.ps("digital.cycle"), "x_bits": outer.x_bits,
                "error_bits": outer.error_bits, "copies": copies, "label": label, "chi": chi,
            }  # fmt: skip
            if outer.burst == 1:
                return OuterProductUnit(self.clock, self.ledger, **given)
            width = max(outer.x_bits, outer.error_bits)
            operands = self.sram(outer.burst * lines, banks=2 * outer.lanes, word_bit=width)
            return BurstOuterProductUnit(self.clock, self.ledger, **given, operands=operands)

        if self._at_tiles:
            words, lines = tile.rows * tile.columns, tile.rows + tile.columns
            return {
                name: unit(words, lines, self.state[name].grid.tiles, f"outer_product_unit {name}")
                for name in self.network.shapes
            }
        lines = max(sum(shape) for shape in self.network.shapes.values())
        return dict.fromkeys(self.network.shapes, unit(self.network.weights, lines, 1, "outer_product_unit"))

    def _optimiser_units(self, optimiser: Optimiser) -> dict[str, OptimiserUnit]:
        """Return what turns gradients into steps, beside each unit that adds to chi and as wide."""
        outer, tile = self.architecture.outer_product, self.architecture.tile

        def unit(words: int, **given: Any) -> OptimiserUnit:
            return self.optimiser_unit(
                optimiser, words, lanes=outer.lanes, banks=outer.chi.banks, below=outer.states == "below", **given
            )

        if self._at_tiles:
            words = tile.rows * tile.columns
            return {
                name: unit(words, copies=self.state[name].grid.tiles, label=f"optimiser_unit {name}")
                for name in self.network.shapes
            }
        return dict.fromkeys(self.network.shapes, unit(self.network.weights))

    def _program(self, matrix: str, state: LayerState, index: I64, pulses: I64, tag: Tag) -> Work[None]:
        """Pulse weights given by flat positions in the layer, tile by tile; tile before programmer, always."""
        for due in state.by_tile(index, pulses):
            r, c = due.row, due.column
            tile = self.tiles[matrix][r][c]
            yield from tile.slot.during(self.programmer.set_pulses(state.cells[r][c], due.index, due.pulses, tag))
            if matrix in self.aside.followed:
                yield from tile.slot.during(_read_signs(self, matrix, (r, c), due.index, tag))
            state.logs[r][c].add(due.index)
            state.logged += due.index.size


def _read_signs(chip: MixedPrecisionChip, matrix: str, place: tuple[int, int], inside: I64, tag: Tag) -> Work[None]:
    """Read weights of a tile that were programmed, and note their signs; a refresh is taken to change none."""
    r, c = place
    grid, cells = chip.state[matrix].grid, chip.state[matrix].cells[r][c]
    negative = yield from chip.programmer.read_signs(cells, inside, tag)
    rows, columns = np.divmod(inside, cells.shape[1])
    yield from chip.aside.follow(matrix, rows + grid.rows[r].start, columns + grid.columns[c].start, negative, tag)


def _not_zero(scale: Scale) -> Scale:
    """Return a scale with 1 in place of 0: any will do where all is zero."""
    return (scale or 1.0) if isinstance(scale, float) else np.where(scale > 0, scale, 1.0)


def expected_state(
    architecture: MixedPrecisionArchitecture, network: Network, writing: Mapping[str, InPairs], *, gathers: bool
) -> dict[str, LayerState]:
    """Return leaves without numbers for each matrix, with a gradient for an optimiser if it `gathers` one."""
    outer, tile, copies = architecture.outer_product, architecture.tile, architecture.weight.copies
    conductance = 2 * copies * build_device(architecture).common
    state: dict[str, LayerState] = {}
    shapes = shapes_in_tiles(network, architecture.feedback.at)
    for name, grid in place(shapes, rows=tile.rows, columns=tile.columns).items():
        written, edges = writing.get(name, InPairs()), grid.edges() if outer.at == "tiles" else None
        sums = partial(ExpectedAccumulator, shapes[name], edges=edges, burst=outer.burst)
        cells = [
            [
                ExpectedCells((row.size, column.size), conductance=conductance, writing=written, copies=copies)
                for column in grid.columns
            ]
            for row in grid.rows
        ]  # fmt: skip
        logs = [[ExpectedLog(written.looked) for _ in grid.columns] for _ in grid.rows]
        leaves: Any = grid, cells, sums(due=written.pairs), logs, sums() if gathers else None
        state[name] = ExpectedLayerState(*leaves)
    return state


def build_device(architecture: MixedPrecisionArchitecture) -> Device:
    """Return the device model that the architecture names, with its switches."""
    on = architecture.nonidealities
    device = library.build(
        architecture.device_file(),
        Switches(
            state_dependence=on.state_dependence, programming_noise=on.programming_noise, pulse_memory=on.pulse_memory,
            read_noise=on.read_noise, drift=on.drift,
        ),
    )  # fmt: skip
    if not on.device_saturation:
        device.high = 1.0  # a siemens: no device comes near
    return device

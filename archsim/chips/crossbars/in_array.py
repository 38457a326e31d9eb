"""The chip that updates its weights in the array, in bidirectional devices against a fixed reference.

Plain gradient descent as pulses up and down, without an accumulator, as in MLP+NeuroSim or by coincidences of trains;
or a fast array beside every matrix that learns so, and weights that take over what it holds; or volatile devices over
pairs that take over what those hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
from numpy.typing import NDArray

from archsim.analog.cells import Cells
from archsim.analog.hybrid import HybridCells, Written
from archsim.analog.in_place import InPlace
from archsim.analog.sided import SidedCells
from archsim.analog.singles.single import SingleCells
from archsim.base.arrays import Arrays
from archsim.base.rounding import Quantiser
from archsim.base.signal import Signal, Tag
from archsim.base.streams import Streams
from archsim.base.verbs import Work
from archsim.base.yamlfile import Document
from archsim.chips.architecture import Architecture
from archsim.chips.board import Times
from archsim.chips.crossbars.crossbar import CrossbarChip
from archsim.chips.crossbars.in_array_file import InArrayArchitecture, InArrayNonIdealities, TransferFile
from archsim.chips.crossbars.loading import load_cells, loaded
from archsim.chips.crossbars.weights.base import FastArray, InArrayLayer, Writing
from archsim.chips.crossbars.weights.expected import RULES, expected_layers
from archsim.chips.crossbars.weights.hybrid import Hybrid
from archsim.chips.crossbars.weights.rounded import Rounded
from archsim.chips.crossbars.weights.sided import Sided
from archsim.chips.crossbars.weights.trains import Trains
from archsim.chips.crossbars.weights.transfer import Transferred
from archsim.chips.fitting.placement import Grid, Shape
from archsim.devices import library
from archsim.devices.base import Device, Switches
from archsim.devices.symmetry import symmetry
from archsim.hardware.component import Component
from archsim.hardware.tile import Converters
from archsim.learning.optimisers.rules import Optimiser
from archsim.learning.pulses import PulseRule
from archsim.learning.trains.sending import PulseTrains
from archsim.learning.transfer import Follow
from archsim.networks.graph import Matrix
from archsim.networks.network import Network


class InArrayChip(CrossbarChip):
    """Verbs of a chip that updates in the array. Build with `start`, which also places and loads the network."""

    SCHEMA = InArrayArchitecture
    WRITES_IN_PLACE = ESTIMATED = True
    architecture: InArrayArchitecture
    state: dict[str, InArrayLayer]

    def __init__(
        self, architecture: InArrayArchitecture, network: Network, times: Times, state: dict[str, InArrayLayer], *,
        now_ps: int = 0,
    ) -> None:  # fmt: skip
        super().__init__(architecture, network, times, state, now_ps=now_ps)
        self.steps = weight_steps(architecture, network)
        self.writing = _kind(architecture)(self, state)
        leaking = build_device(architecture).leak > 0
        self._leaking = [cast("Written", cells) for cells in self.cells().values()] if leaking else []

    @property
    def switches(self) -> InArrayNonIdealities:
        """The architecture's non-idealities."""
        return self.architecture.nonidealities

    @classmethod
    def check(cls, source: Document, architecture: Architecture) -> None:
        """Refuse a device that is not known, whose file is wrong, or that cannot be pulsed down gradually."""
        super().check(source, architecture)
        mine = cast("InArrayArchitecture", architecture)
        device = build_device(mine)
        if not device.bidirectional and mine.sides is None:
            expected = "a device with gradual pulses up and down, or sides: pairs that are pulsed up only"
            raise source.error(("weight", "device"), value=mine.weight.device, expected=expected)
        if device.leak and mine.sides is not None:
            expected = "a device that does not leak, in pairs that are pulsed up only"
            raise source.error(("weight", "device"), value=mine.weight.device, expected=expected)

    @classmethod
    def loaded(
        cls, architecture: Architecture, network: Network, times: Times, streams: Streams, optimiser: Optimiser | None
    ) -> Self:
        """Return a chip with devices loaded tile by tile, and fast arrays at their zero."""
        del optimiser  # refused: nothing here sums gradients
        mine = cast("InArrayArchitecture", architecture)
        device = build_device(mine)
        kind: Callable[..., Written]
        if mine.sides:
            kind = SidedCells
        elif mine.pairs:
            kind = partial(HybridCells, pairs=build_device(mine, mine.pair_file()), gain=mine.pairs.gain)
        else:
            kind = partial(SingleCells, copies=mine.weight.copies, turns=mine.weight.turns)
        found: dict[str, tuple[Grid, list[list[Written]]]] = load_cells(kind, device, mine, network, streams)
        learn = network.shapes if mine.transfer else {}
        state = {
            name: InArrayLayer(
                grid, cells, _rule(mine, network, name, streams),
                _fast(mine, network, name, device, streams) if name in learn else None,
            )
            for name, (grid, cells) in found.items()
        }  # fmt: skip
        made = cls(mine, network, times, state)
        made.aside.load(network.initial_weights(streams))
        return made

    @classmethod
    def shaped(
        cls, architecture: Architecture, network: Network, times: Times, optimiser: Optimiser | None,
        writing: Mapping[str, InPlace],
    ) -> Self:  # fmt: skip
        """Return a chip without devices and without numbers."""
        del optimiser
        mine = cast("InArrayArchitecture", architecture)
        point, _ = _step(mine)
        pair = build_device(mine, mine.pair_file()) if mine.pairs else None
        state = expected_layers(mine, network, build_device(mine), point, writing, pair=pair)
        return cls(mine, network, times, state)

    @classmethod
    def arrays_of(cls, architecture: Architecture, network: Network) -> dict[str, Shape]:
        """Return the arrays that take tiles: weights, and of each matrix a fast array and a reference if it has any."""
        transfer, learn = cast("InArrayArchitecture", architecture).transfer, network.shapes
        beside = ("fast", "reference")[: transfer.arrays - 1] if transfer else ()
        more = {f"{name}.{which}": shape for which in beside for name, shape in learn.items()}
        return {**super().arrays_of(architecture, network), **more}

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
        return [*super().components(), *self.writing.components()]

    def steady(self, samples: int, kind: int = 0) -> tuple[float, ...]:
        """Set the ranges, and the transfers of a step: each kind of the former with the fewer, then with the more."""
        looks = super().steady(samples, kind // 2)
        more, self.writing.more = self.writing.more_often(samples), bool(kind % 2)
        return tuple(part for look in looks for part in (look * (1 - more), look * more))

    def tile_counts(self) -> dict[str, int]:
        """Return how many tiles each matrix takes, in all its arrays."""
        transfer = self.architecture.transfer
        arrays = dict.fromkeys(self.network.shapes, transfer.arrays) if transfer else {}
        return {name: arrays.get(name, 1) * tiles for name, tiles in super().tile_counts().items()}

    def cells(self) -> dict[str, Cells]:
        """Return the cells of every tile, those of fast arrays among them."""
        return {**super().cells(), **self.writing.cells()}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what the matrices keep beside cells, too."""
        return {**self.writing.arrays(), **super().arrays()}

    def restore(self, arrays: Arrays) -> None:
        """Take over what `arrays` returned, in place."""
        self.writing.restore(arrays)
        super().restore(arrays)

    # --- verbs ----------------------------------------------------------------------------------------------------
    def accumulate(self, matrix: str, x: Signal, d: Signal, rate: float, tag: Tag) -> Work[None]:
        """Pulse the devices, of the weights or of a fast array, by the outer product."""
        return self.writing.accumulate(matrix, x, d, rate, tag)

    def apply(self, matrix: str, samples: int, rate: float, tag: Tag) -> Work[None]:
        """Count, and transfer what is due of a fast array; the weights of others have been pulsed already.

        Signs are noted as they are now. That they are known without a read is assumed: nothing here reads single
        devices.
        """
        del rate
        self.count_samples(matrix, samples)
        if matrix == self._first:
            for leaking in self._leaking:
                leaking.wait_batch(self.clock.now)
        yield from self.writing.apply(matrix, samples, tag)
        if matrix in self.aside.followed:
            state = self.state[matrix]
            for r, row in enumerate(state.cells):
                for c, cells in enumerate(row):
                    rows, columns = (each.reshape(-1) for each in np.indices(cells.shape))
                    places = rows + state.grid.rows[r].start, columns + state.grid.columns[c].start
                    yield from self.aside.follow(matrix, *places, cells.weight.reshape(-1) < 0, tag)

    def maintain(self, matrix: str, tag: Tag) -> Work[None]:
        """Refresh saturated pairs, where devices are pulsed up only; others go both ways and are stuck nowhere."""
        return self.writing.maintain(matrix, tag)


def _kind(architecture: InArrayArchitecture) -> type[Writing]:
    """Return how the matrices of a chip learn."""
    if architecture.sides:
        return Sided
    if architecture.pairs:
        return Hybrid
    if architecture.transfer:
        return Transferred
    return Trains if architecture.update.rounding == "trains" else Rounded


def _rule(architecture: InArrayArchitecture, network: Network, name: str, streams: Streams) -> PulseRule | PulseTrains:
    """Return what finds the pulses for the outer products of a matrix."""
    update, shape = architecture.update, network.graph.matrices[name].shape
    if update.rounding == "trains":
        trains = architecture.trains
        random = streams.generator(f"update/{name}")
        return PulseTrains(shape, length=trains.length, managed=trains.managed, random=random)
    up, down = counting_steps(architecture, network.graph.matrices[name])
    chance = streams.generator(f"update/{name}") if update.rounding == "stochastic" else None
    return PulseRule(shape, up=up, down=down, random=chance)


def _fast(
    architecture: InArrayArchitecture, network: Network, name: str, device: Device, streams: Streams
) -> FastArray:
    """Return the fast array of a matrix, at the zero that it is read against, its reference, and the buffer's rule."""
    transfer, weight, shape = cast("TransferFile", architecture.transfer), architecture.weight, network.shapes[name]
    unit = weight.unit_of(network.graph.matrices[name].initial_std)
    point, step = symmetry(_without_noise(architecture))
    zero = np.full(shape, (point - (device.low + device.high) / 2) / unit, np.float32)
    if transfer.reference == "middle":
        zero[:] = 0.0
    given: dict[str, Any] = {"unit": unit, "streams": streams}
    load: Callable[..., list[list[Written]]] = partial(cast("Any", loaded), SingleCells, device, architecture, **given)
    cells = load(zero, name=f"{name}.fast")
    reference: list[list[Written]] = []
    if transfer.reference == "array":
        error = streams.generator(f"reference/{name}").standard_normal(shape) * transfer.reference_error
        off = zero + error.astype(np.float32)
        reference = load(off, name=f"{name}.reference")
    given = {
        "follow": Follow(transfer.every, transfer.share, transfer.gamma),
        "steps": (step / unit, step / (unit * weight.parts)),
        "length": architecture.trains.length, "keep": transfer.keep, "forgets": transfer.forgets,
    }  # fmt: skip
    if transfer.rule == "chopped":
        given |= {"flip": transfer.flip, "random": streams.generator(f"chopper/{name}")}
    elif transfer.rule == "dynamic":
        given |= {"period": transfer.period, "tail": transfer.tail}
    return FastArray(cells, reference, RULES[transfer.rule](shape, **given))


def weight_steps(architecture: InArrayArchitecture, network: Network) -> dict[str, float]:
    """Return matrix -> the mean weight that one pulse changes: at the device's symmetry point, or of a pair's."""
    (_, step), weight = _step(architecture), architecture.weight
    return {
        name: step / (weight.unit_of(matrix.initial_std) * weight.parts)
        for name, matrix in network.graph.matrices.items()
    }


def _step(architecture: InArrayArchitecture) -> tuple[float, float]:
    """Return where devices stand in the mean [S], and the mean step [S] of a pulse there.

    Of a device that is pulsed up only, the state that a pair begins in, and the mean step that its file says.
    """
    device = _without_noise(architecture)
    return (device.common, device.epsilon) if architecture.sides else symmetry(device)


def counting_steps(architecture: InArrayArchitecture, matrix: Matrix) -> tuple[float, float]:
    """Return the weight that a pulse up, and one down, is taken to change where numbers of pulses are worked out."""
    device, levels = build_device(architecture), architecture.update.levels
    unit = architecture.weight.unit_of(matrix.initial_std) * architecture.weight.parts
    span = device.high - device.low
    if levels is None:
        return device.epsilon / unit, device.epsilon / unit
    return span / levels.up / unit, span / levels.down / unit


def build_device(architecture: InArrayArchitecture, file: Path | None = None) -> Device:
    """Return the device model that the architecture names, or that of a file, with the architecture's switches."""
    on = architecture.nonidealities
    return library.build(
        file or architecture.device_file(),
        Switches(
            state_dependence=on.state_dependence, programming_noise=on.programming_noise, read_noise=on.read_noise,
            drift=on.drift,
        ),
    )  # fmt: skip


def _without_noise(architecture: InArrayArchitecture) -> Device:
    """Return the device as it steps on average."""
    on = architecture.nonidealities
    return library.build(
        architecture.device_file(), Switches(state_dependence=on.state_dependence, programming_noise=False)
    )  # fmt: skip

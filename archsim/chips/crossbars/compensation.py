"""Global drift compensation: known vectors read at the start and later, one digital factor a layer.

Source
------
Le Gallo et al., Adv. Electron. Mater. 4, 1700627 (2018), as described in the documentation of IBM's aihwkit: the ratio
of the summed absolute outputs of a crossbar then and now scales its outputs, in digital.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from archsim.base.arrays import F32
from archsim.base.signal import Signal, Tag
from archsim.base.streams import Streams
from archsim.base.verbs import Work
from archsim.chips.chip import Chip
from archsim.networks.network import Network

AMPLITUDE = 0.25
"""Largest known input: well below the ADCs' full scale, since clipping at the start would hide drift later."""
VECTORS = 8
"""Different known vectors a layer."""
READS = 16
"""Reads of each vector, added up before magnitudes are taken: noise alone has a magnitude, too, and would bias them."""


def known_vectors(network: Network, streams: Streams) -> dict[str, F32]:
    """Return the known inputs of each matrix, (VECTORS, rows), uniform within +-AMPLITUDE: always the same."""
    return {
        matrix.name: streams.generator(f"calibration/{matrix.name}")
        .uniform(-AMPLITUDE, AMPLITUDE, (VECTORS, matrix.rows))
        .astype(np.float32)
        for matrix in network.matrices
    }


def read_out(chip: Chip, network: Network, vectors: Mapping[str, F32], phase: str) -> Work[dict[str, float]]:
    """Return the summed absolute outputs of each layer for its known vectors, read through the chip's converters.

    Vectors come over the host link; sums and magnitudes are taken in the digital unit; all is booked under `phase`.
    """
    begin, unit = chip.clock.now, chip.digital_unit
    found = {}
    for matrix in network.matrices:
        tag = Tag(phase, matrix.name)
        x = yield from chip.receive(Signal(vectors[matrix.name], bits=chip.input_bits), tag)
        products = yield from chip.multiply(matrix.name, Signal(np.tile(x.values, (READS, 1))), tag)
        unit.fetch(products.elements, tag)
        summed = yield from unit.collect(np.split(products.values, READS), tag)
        found[matrix.name] = yield from unit.magnitude(summed, tag)
    chip.book_time(phase, begin)
    return found


def factors(first: Mapping[str, float], now: Mapping[str, float]) -> dict[str, float]:
    """Return the factor of each layer: its first read-out over the present one; 1 where nothing is read."""
    return {layer: first[layer] / now[layer] if now[layer] else 1.0 for layer in first}


class Compensated:
    """The verbs of an inference on a chip whose products are scaled in its digital unit, by one factor a layer."""

    def __init__(self, chip: Chip, gains: Mapping[str, float]) -> None:
        self.chip, self.gains = chip, gains
        self.receive = chip.receive
        self.multiply_transposed, self.compute = chip.multiply_transposed, chip.compute
        self.accumulate, self.apply = chip.accumulate, chip.apply
        self.adjust, self.learn, self.maintain = chip.adjust, chip.learn, chip.maintain
        self.spill, self.fill, self.cross = chip.spill, chip.fill, chip.cross

    def multiply(self, matrix: str, x: Signal, tag: Tag) -> Work[Signal]:
        """Return the chip's x W times the layer's factor: a read, a multiplication and a write an element."""
        unit = self.chip.digital_unit
        product = yield from self.chip.multiply(matrix, x, tag)
        unit.fetch(product.elements, tag)
        result = yield from unit.collect([product.values], tag, scale=self.gains[matrix])
        return Signal(result)

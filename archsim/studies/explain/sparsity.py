"""How sparse inputs and errors were in a recorded run, as far as its counts tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from archsim.learning.functions import words
from archsim.networks.file import network_of
from archsim.networks.network import Network
from archsim.records.recorded import Recorded, RecordedChip

MACS = "multiply-accumulates"
"""Begins what is counted of a layer that sees several vectors a sample."""


@dataclass(frozen=True, slots=True)
class Sparsity:
    """How many of the things that could be are not zero, per sample.

    Parameters
    ----------
    chip, phase, layer : str
    what : str
        What is counted.
    from_ : str
        The counts of activity.csv that it was derived from.
    count, most : float
        Per sample, and how many there could be.
    """

    chip: str
    phase: str
    layer: str
    what: str
    from_: str
    count: float
    most: float

    @property
    def share(self) -> float:
        """Part of them that is not zero."""
        return self.count / self.most


def sparsity(recorded: Recorded) -> list[Sparsity]:
    """Return what a run's counts tell of the sparsity of its inputs and errors, by chip, layer and phase.

    On a chip with tiles and an outer-product unit a DAC converts for each non-zero code, once a tile along the other
    side of the layer. In the update it multiplies once a non-zero input (by the rate) and once an element of chi that
    both operands leave non-zero, and reads chi once for each of these: so products less reads are non-zero inputs, and
    reads over these the mean number of non-zero errors that met them. With `skip_zeros` off,
    or chi touched once a burst, nothing of this shows. On a chip with a MAC array multiplications say how many weights
    took part. The bias is one more input, never zero.
    """
    workload = recorded.run["workload"]
    batch = workload["training"]["batch"]
    network = network_of(workload["network"])
    shapes, uses = network.shapes, _uses(network)
    found: list[Sparsity] = []
    for architecture in recorded.run["architectures"]:
        if architecture["name"] not in recorded.chips:
            continue
        counts = _counts(recorded.chips[architecture["name"]], batch)
        for name, shape in shapes.items():
            if {"tile", "outer_product"} <= set(architecture):
                found += _accumulating(architecture, name, shape, counts, uses)
            elif "mac_array" in architecture:
                found += _digital(architecture, name, shape, counts, uses)
    return found


Uses = Mapping[tuple[str, str], tuple[str, int]]
"""(Phase, matrix) -> verb, vectors a sample."""


def _uses(network: Network) -> Uses:
    """Return how a training step uses each matrix, by phase; what is used both ways in one phase is left out.

    A second pass forward, in the place of a backward one, is left out: it is of inputs, and no errors.
    """
    vectors: dict[tuple[str, str], dict[str, int]] = {}
    for program in network.training:
        for phase, calls in program.phases:
            for call in calls:
                if isinstance(call.target, str) and call.verb in {"multiply", "multiply_transposed", "accumulate"}:
                    verbs = vectors.setdefault((phase, call.target), {})
                    positions = words(program.tensors[call.inputs[0]].shape[:-1])
                    verbs[call.verb] = verbs.get(call.verb, 0) + positions
    again = {
        matrix
        for phase, matrix in vectors
        if phase == "backward" and vectors["backward", matrix].keys() == vectors.get(("forward", matrix), {}).keys()
    }
    return {
        (phase, matrix): next(iter(verbs.items()))
        for (phase, matrix), verbs in vectors.items()
        if len(verbs) == 1 and not (phase == "backward" and matrix in again)
    }


def _counts(chip: RecordedChip, batch: int) -> dict[tuple[str, str, str], float]:
    """Return (phase, layer, key) -> amount a sample."""
    keys = {(entry.component, entry.key.partition(".")[2]): entry.key for entry in chip.entries}
    sums: dict[tuple[str, str, str], float] = {}
    for row in chip.rows:
        place = row.phase, row.layer, keys[row.component, row.action]
        sums[place] = sums.get(place, 0.0) + row.amount / chip.steps / batch
    return sums


def _accumulating(
    architecture: Mapping[str, Any], layer: str, shape: tuple[int, int], counts: Mapping[tuple[str, str, str], float],
    uses: Uses,
) -> list[Sparsity]:  # fmt: skip
    rows, columns = shape
    name, tile, outer = architecture["name"], architecture["tile"], architecture["outer_product"]
    along, across = -(-columns // tile["columns"]), -(-rows // tile["rows"])
    found = []
    for phase, what in (("forward", "inputs"), ("backward", "errors")):
        verb, vectors = uses.get((phase, layer), ("", 0))
        lines, bands = (rows, along) if verb == "multiply" else (columns, across)
        if vectors and (driven := counts.get((phase, layer, "tile.dac.convert"))):
            text = f"{what} with a non-zero DAC code"
            found.append(
                Sparsity(name, phase, layer, text, "tile: dac.convert", driven / bands, vectors * lines)
            )  # fmt: skip
    _, vectors = uses.get(("update", layer), ("", 0))
    updates = counts.get(("update", layer, "outer_product_unit.chi.read"), 0.0)
    scaled = counts.get(("update", layer, "outer_product_unit.multiply"), 0.0) - updates
    inputs = scaled / (along if outer.get("at") == "tiles" else 1)  # each band of columns scales its own
    each_vector = outer.get("burst", 1) == 1  # a burst touches chi once, which says nothing of its vectors
    if not (vectors and updates and inputs and outer["skip_zeros"] and each_vector):
        return found
    derived = "outer_product_unit: multiply - chi.read"
    return [
        *found,
        Sparsity(
            name, "update", layer, f"non-zero inputs of {outer['x_bits']} bits", derived, inputs, vectors * rows
        ),
        Sparsity(
            name, "update", layer, f"non-zero errors of {outer['error_bits']} bits",
            "outer_product_unit: chi.read / (multiply - chi.read)", updates / inputs, columns,
        ),
        Sparsity(
            name, "update", layer, "elements of chi changed", "outer_product_unit: chi.read", updates,
            vectors * rows * columns,
        ),
    ]  # fmt: skip


def _digital(
    architecture: Mapping[str, Any], layer: str, shape: tuple[int, int], counts: Mapping[tuple[str, str, str], float],
    uses: Uses,
) -> list[Sparsity]:  # fmt: skip
    number = architecture["mac_array"].get("format", "fp32")
    key = "mac_array.multiply" if number == "fp32" else f"{number}_array.multiply"
    found = []
    for phase in ("forward", "backward", "update"):
        _, vectors = uses.get((phase, layer), ("", 0))
        if vectors and (macs := counts.get((phase, layer, key))):
            what = "weights that took part" if vectors == 1 else f"{MACS} of {vectors:,} vectors that took part"
            most = vectors * shape[0] * shape[1]
            found.append(Sparsity(architecture["name"], phase, layer, what, "mac_array: multiply", macs, most))
    return found

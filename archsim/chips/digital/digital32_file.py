"""Structure of the digital chip: what its file says, and what a network asks of its operand memory."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from archsim.base.quantities import Count, Switch
from archsim.base.yamlfile import Record
from archsim.chips.architecture import Architecture, FeedbackFile
from archsim.chips.fitting.demands import Demand
from archsim.hardware.mac_array import WEIGHT_BIT
from archsim.learning.formats import FORMATS, FormatName
from archsim.networks.network import Network


class MacArrayFile(Record):
    """MAC lanes and the partial sums each holds, zero skipping, banks and word of the weight memory, operand memory.

    `weight_words` is what the weight memory holds at most: weights beyond it lie in the memory below the chip, with
    their gradients and an optimiser's states, and pass through for each use. By default all fit.


    `format` other than fp32 needs `timing: systolic`, lanes in so many `rows`; there `accumulators` is how many vectors
    stream through a block of weights, and `weights_per_access` counts rounded weights.
    """

    format: FormatName = "fp32"
    timing: Literal["lanes", "systolic"] = "lanes"
    rows: Count = 1
    lanes: Count
    skip_zero_inputs: Switch
    weight_banks: Count
    weights_per_access: Count = 1
    weight_words: Count | None = None
    operand_words: Count
    operand_banks: Count = 1
    accumulators: Count = 1

    @model_validator(mode="after")
    def _systolic(self) -> Self:
        if (self.timing == "systolic") != (self.format != "fp32"):
            raise ValueError(f"format {self.format} with timing {self.timing}; expected fp32 with lanes, or another "
                             "format with systolic")  # fmt: skip
        if self.lanes % self.rows:
            raise ValueError(f"{self.lanes} lanes in {self.rows} rows; expected a multiple")
        return self

    @property
    def columns(self) -> int:
        """Lanes of a row: of a systolic array those that do 32-bit arithmetic on its edge."""
        return self.lanes // self.rows


class Digital32Architecture(Architecture):
    """Structure of the 32-bit digital chip."""

    chip: Literal["digital32"]
    mac_array: MacArrayFile
    feedback: FeedbackFile = FeedbackFile(at="memory")

    @model_validator(mode="after")
    def _digital(self) -> Self:
        wide = self.mac_array.timing == "systolic"
        if self.feedback.at == "tiles" or (wide and self.feedback.at == "generator"):
            expected = "memory" if wide else "memory or generator"
            raise ValueError(f"feedback.at: got {self.feedback.at!r}; expected {expected}")
        return self

    @model_validator(mode="after")
    def _stay(self) -> Self:
        if self.flow is not None and self.mac_array.weight_words is not None:
            raise ValueError(
                "flow and mac_array.weight_words: weights from below pass through once a batch, not for each of its "
                "micro-bursts; expected one of the two"
            )
        return self


def operand_demand(array: MacArrayFile, network: Network) -> Demand:
    """Return what a network asks of the operand memory, in which vectors stand together, whatever the batch."""
    return _streams(array, network) if array.timing == "systolic" else _groups(array, network)


def _groups(array: MacArrayFile, network: Network) -> Demand:
    """Return what lanes ask: so many vectors and their products as a lane has accumulators."""
    together, available = array.accumulators, array.operand_words
    widest = max(network.graph.matrices.values(), key=lambda matrix: sum(matrix.shape))
    rows, columns = widest.shape
    return Demand(
        "mac_array.operand_words", together * (rows + columns), available,
        f"{'a vector' if together == 1 else f'each of {together} vectors'} of {widest.name} ({rows}) and its "
        f"product ({columns}) take {rows + columns} words of the operand memory",
        f"at least {together * (rows + columns)} words",
    )  # fmt: skip


def _streams(array: MacArrayFile, network: Network) -> Demand:
    """Return what a systolic array asks of its operand memory: what streams through a block, and the block's sums."""
    widest = max(network.graph.matrices.values(), key=lambda matrix: max(matrix.shape))
    size = max(widest.shape)
    words = -(-size * FORMATS[array.format].bits // WEIGHT_BIT) + array.columns
    needed = array.accumulators * words
    return Demand(
        "mac_array.operand_words", needed, array.operand_words,
        f"each of {array.accumulators} vectors of {size} numbers for {widest.name} and its sums in {array.columns} "
        f"columns take {words} words of the operand memory",
        f"at least {needed} words",
    )  # fmt: skip

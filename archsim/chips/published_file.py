"""Schema of designs that run operations on counts: published macros, cores and accelerators, by their parts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, FiniteFloat, model_validator

from archsim.base.quantities import BitWidth, Count, Length, Switch, positive
from archsim.base.yamlfile import FileRecord, Record, quantity
from archsim.chips.architecture import Boundary
from archsim.hardware.sampled_tile import InputStyle, OutputStyle

Conductance = Annotated[float, quantity("S"), AfterValidator(positive)]
Share = Annotated[FiniteFloat, Field(gt=0, le=1)]
BlockName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Bits = Annotated[int, Field(ge=1, le=32, strict=True)]


class InputFile(Record):
    """Line drivers: style, bits of an input, integrations a product takes."""

    style: InputStyle
    bits: Bits
    phases: Count


class OutputFile(Record):
    """Converters: style, bits, how many a tile has."""

    style: OutputStyle
    bits: Bits
    count: Count


class WriteFile(Record):
    """Outer-product update in the array: bits of the pulse length, phases, mean conductance, arrays written."""

    bits: Bits
    phases: Count
    conductance: Conductance
    arrays: Count


class CrossbarFile(Record):
    """Equal crossbar tiles that work in step.

    `arrays`: physical arrays read at once through one set of converters. `weights`: logical weights that a tile holds.
    `conductance` and `input_mean` decide what the cells draw, wherever a technology prices that.
    """

    tiles: Count
    rows: Count
    columns: Count
    arrays: Count
    weights: Count
    conductance: Conductance
    input_mean: Share
    input: InputFile
    output: OutputFile
    write: WriteFile | None = None


class MemoryFile(Record):
    """Banks of weight memory: capacity of one, bits of a read and of a write, times as many reads when transposed."""

    banks: Count
    bank: BitWidth
    read: BitWidth
    write: BitWidth
    transposed_reads: Count


class EngineFile(Record):
    """MAC units with their weight memory; `weights` of `weight_bits` are one matrix; wire between memory and units."""

    units: Count
    weights: Count
    weight_bits: Bits
    memory: MemoryFile | None = None
    wire: Length


class StreamFile(Record):
    """How vectors reach a tile and leave it: over one bus, `overlapped` with the product by double buffers or not."""

    width: BitWidth
    length: Length
    arbitration_cycles: Annotated[int, Field(ge=0, strict=True)]
    overlapped: Switch


class PublishedArchitecture(FileRecord):
    """Structure of a design that runs operations on counts; its files say `chip: kernels`."""

    kind: Literal["architecture"]
    chip: Literal["kernels"]
    name: str
    title: str
    boundary: Boundary
    crossbar: CrossbarFile | None = None
    engine: EngineFile | None = None
    stream: StreamFile | None = None
    blocks: dict[BlockName, Count] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_way_to_multiply(self) -> PublishedArchitecture:
        if (self.crossbar is None) == (self.engine is None):
            raise ValueError("has both or neither of `crossbar` and `engine`; expected one of them")
        if self.stream and not self.crossbar:
            raise ValueError("`stream` without `crossbar`; expected a crossbar to feed")
        return self

    @property
    def weights(self) -> int:
        """Logical weights that one product of the design goes through."""
        if self.crossbar:
            return self.crossbar.tiles * self.crossbar.weights
        return self.engine.weights if self.engine else 0

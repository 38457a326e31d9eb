"""Schema of designs that run operations on counts: published macros, cores and accelerators, by their parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, FiniteFloat, Tag, model_validator

from archsim.base.quantities import BitWidth, Count, Length, Switch, positive
from archsim.base.yamlfile import FileRecord, Record, quantity
from archsim.chips.architecture import Boundary
from archsim.hardware.published.sampled_tile import InputStyle, OutputStyle, RowsWritten, Settles

Conductance = Annotated[float, quantity("S"), AfterValidator(positive)]
Share = Annotated[FiniteFloat, Field(gt=0, le=1)]
BlockName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Bits = Annotated[int, Field(ge=1, le=32, strict=True)]
Cycles = Annotated[int, Field(ge=1, le=1_000_000, strict=True)]
Accesses = Annotated[FiniteFloat, Field(ge=0, le=1000)]


class InputFile(Record):
    """Line drivers: style, bits of an input (`signed`: one of them is the sign), integrations a product takes.

    `settles`: how often the lines settle, before each integration, before each pulse, or once a product.
    `bits_per_read`: bits that one read of a bit-serial input takes.
    """

    style: InputStyle
    bits: Bits
    phases: Count
    signed: Switch = True
    settles: Settles = "integration"
    bits_per_read: Count = 1

    @model_validator(mode="after")
    def _reads_bits(self) -> InputFile:
        if self.bits_per_read > 1 and self.style != "bit-serial":
            raise ValueError(f"`bits_per_read` of inputs by {self.style}; expected it with style: bit-serial alone")
        return self


class OutputFile(Record):
    """Converters: style, bits, how many a tile has."""

    style: OutputStyle
    bits: Bits
    count: Count


class WriteFile(Record):
    """Outer-product update in the array: bits of the pulse length, phases, mean conductance, arrays written.

    `rows`: all in parallel, or one after the other. `batch`: vectors whose update is written at once.
    """

    bits: Bits
    phases: Count
    conductance: Conductance
    arrays: Count
    rows: RowsWritten = "parallel"
    batch: Count = 1


class DriverBitsFile(Record):
    """Bits of a row's and of a column's driver, where their logic is a part of its own, by bits."""

    row: Bits
    column: Bits


class CrossbarFile(Record):
    """Equal crossbar tiles that work in step.

    `arrays`: physical arrays read at once through one set of converters. `weights`: logical weights that a tile holds.
    `slices`: columns that hold the parts of one weight, whose results make one. `conductance` and `input_mean` decide
    what the cells draw, wherever a technology prices that.
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
    driver_bits: DriverBitsFile | None = None
    slices: Count = 1

    @model_validator(mode="after")
    def _whole_weights(self) -> CrossbarFile:
        if self.columns % self.slices:
            raise ValueError(f"{self.columns} columns in {self.slices} slices; expected a whole number of weights")
        return self


class MemoryFile(Record):
    """Banks of weight memory: capacity of one, bits of a read and of a write, times as many reads when transposed."""

    banks: Count
    bank: BitWidth
    read: BitWidth
    write: BitWidth
    transposed_reads: Count


class RegistersFile(Record):
    """A register file beside each MAC unit: capacity, word, accesses a multiply-accumulate; `gated` with it or not."""

    capacity: BitWidth
    word: BitWidth
    reads: Accesses
    writes: Accesses
    gated: Switch = True


class EngineFile(Record):
    """MAC units with their weight memory; `weights` of `weight_bits` are one matrix; wire between memory and units.

    `zero_gating`: a multiply-accumulate with a zero operand takes its time but is gated (as many as the operation's
    density says). `registers`: files beside each unit, by name.
    """

    units: Count
    weights: Count
    weight_bits: Bits
    memory: MemoryFile | None = None
    wire: Length
    zero_gating: Switch = False
    registers: dict[BlockName, RegistersFile] = Field(default_factory=dict)


class StreamFile(Record):
    """How vectors reach a tile and leave it: over one bus, `overlapped` with the product by double buffers or not."""

    width: BitWidth
    length: Length
    arbitration_cycles: Annotated[int, Field(ge=0, strict=True)]
    overlapped: Switch


class StageFile(Record):
    """A stage that each result passes; `per` conversion or result of the tile.

    In each tile, or one that all tiles share. So many `lanes` begin an operation every `every` cycles, which ends
    `depth` cycles later; a serial unit has one lane, and `every` as large as `depth`.
    """

    kind: Literal["stage"]
    name: BlockName
    per: Literal["conversion", "result"]
    bits: Bits
    lanes: Count
    shared: Switch = False
    depth: Cycles = 1
    every: Cycles = 1


class LinkFile(Record):
    """Links along chains of `cores` tiles: each tile's results go to the next one, which adds its own if it `adds`.

    The last of a chain then has the chain's results for what comes after. `bits` of one result on its way, `width` of
    the link, `length` of one hop.
    """

    kind: Literal["link"]
    name: BlockName
    cores: Annotated[int, Field(ge=2, strict=True)]
    bits: Bits
    width: BitWidth
    length: Length
    adds: Switch = True


class BufferFile(Record):
    """A buffer: banks of a capacity with `ports` of a word each, and the bits that a vector reads and writes."""

    kind: Literal["buffer"]
    name: BlockName
    capacity: BitWidth
    word: BitWidth
    banks: Count = 1
    ports: Count = 1
    read: BitWidth | None = None
    write: BitWidth | None = None

    @model_validator(mode="after")
    def _has_traffic(self) -> BufferFile:
        if self.read is None and self.write is None:
            raise ValueError("has neither `read` nor `write`; expected the traffic of a vector")
        return self


STEPS = ("stage", "link", "buffer")


def _step(step: object) -> str:
    return f"<{step.get('kind')}>" if isinstance(step, Mapping) else f"<{getattr(step, 'kind', '')}>"


def _known_step(step: Any) -> Any:
    """Refuse a step of a kind that there is not."""
    kind = step.get("kind") if isinstance(step, Mapping) else getattr(step, "kind", None)
    if kind not in STEPS:
        raise ValueError(f"got the kind {kind!r}; expected a mapping with kind: {', '.join(STEPS)}")
    return step


StepFile = Annotated[
    Annotated[StageFile, Tag("<stage>")] | Annotated[LinkFile, Tag("<link>")] | Annotated[BufferFile, Tag("<buffer>")],
    Discriminator(_step),
    BeforeValidator(_known_step),
]


class FrameFile(Record):
    """A schedule of equal steps: each vector begins with a frame and takes `steps` of them, work or not."""

    steps: Count


class PublishedArchitecture(FileRecord):
    """Structure of a design that runs operations on counts; its files say `chip: kernels`.

    What a vector passes: the bus in if there is a `stream`, the steps `before`, the crossbar or engine, the steps
    `after`, the bus out. A unit is busy with one vector while the next unit has the one before, unless the stream is
    not overlapped.
    """

    kind: Literal["architecture"]
    chip: Literal["kernels"]
    name: str
    title: str
    boundary: Boundary
    crossbar: CrossbarFile | None = None
    engine: EngineFile | None = None
    stream: StreamFile | None = None
    blocks: dict[BlockName, Count] = Field(default_factory=dict)
    before: list[StepFile] = Field(default_factory=list)
    after: list[StepFile] = Field(default_factory=list)
    frame: FrameFile | None = None

    @model_validator(mode="after")
    def _one_way_to_multiply(self) -> PublishedArchitecture:
        if (self.crossbar is None) == (self.engine is None):
            raise ValueError("has both or neither of `crossbar` and `engine`; expected one of them")
        if self.stream and not self.crossbar:
            raise ValueError("`stream` without `crossbar`; expected a crossbar to feed")
        return self

    @model_validator(mode="after")
    def _steps_fit(self) -> PublishedArchitecture:
        names = [*self.blocks, *(self.engine.registers if self.engine else ()), "tile", "engine", "bus"]
        for step in (*self.before, *self.after):
            if step.name in names:
                raise ValueError(f"the name {step.name!r} stands for two parts; expected a name of its own for each")
            names.append(step.name)
            if step.kind != "buffer" and not self.crossbar:
                raise ValueError(f"the {step.kind} {step.name!r} without `crossbar`; expected results of a crossbar")
            if step.kind != "buffer" and step in self.before:
                raise ValueError(f"the {step.kind} {step.name!r} stands `before`; expected it `after` the crossbar")
        return self

    @model_validator(mode="after")
    def _chains_fit(self) -> PublishedArchitecture:
        tiles = self.crossbar.tiles if self.crossbar else 1
        for step in self.after:
            if step.kind != "link":
                continue
            if tiles % step.cores:
                raise ValueError(f"{tiles} tiles in chains of {step.cores} by {step.name!r}; expected a whole number")
            tiles //= step.cores if step.adds else 1
        return self

    @property
    def weights(self) -> int:
        """Logical weights that one product of the design goes through."""
        if self.crossbar:
            return self.crossbar.tiles * self.crossbar.weights
        return self.engine.weights if self.engine else 0

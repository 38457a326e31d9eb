"""A design that runs operations on counts: product, transposed product, outer-product update; no network, no values.

It has the components, the clock, the ledger and the bill of the chips that train, so that published designs check them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from archsim.base.errors import InputError, ModelError
from archsim.base.signal import Tag
from archsim.base.verbs import Work
from archsim.base.yamlfile import Document, validate
from archsim.chips.board import Board, Times
from archsim.chips.published.flow import Step, pass_through
from archsim.chips.published.published_file import (
    BufferFile,
    CrossbarFile,
    EngineFile,
    LinkFile,
    PublishedArchitecture,
    StageFile,
)
from archsim.hardware.bus import Bus
from archsim.hardware.component import Component
from archsim.hardware.published.block import Block
from archsim.hardware.published.core_link import CoreLink
from archsim.hardware.published.engine import Engine, WeightMemory
from archsim.hardware.published.register_file import RegisterFile
from archsim.hardware.published.sampled_tile import Array, Drive, DriverBits, Readout, SampledTile, Write
from archsim.hardware.published.stage import Stage
from archsim.hardware.published.streaming import Emit, Streaming
from archsim.hardware.published.traffic_buffer import TrafficBuffer
from archsim.hardware.sram import Sram

OPERATIONS = ("product", "transposed", "update")
_CONVERSION = {"multiplexed": "tile.adc.conversion", "ramp": "tile.adc.level", "binary-search": "tile.adc.level"}
_PHASES = {"product": "forward", "transposed": "backward", "update": "update"}


def parse(document: Document) -> PublishedArchitecture:
    """Validate the document of a design.

    Raises
    ------
    InputError
        For whatever breaks the schema.
    """
    architecture = validate(document, PublishedArchitecture)
    if architecture.name != document.path.stem:
        raise document.error(
            ("name",), value=architecture.name, expected=f"the file's own name, {document.path.stem!r}"
        )
    return architecture


class PublishedBoard(Board):
    """Components of one design.

    Parameters
    ----------
    architecture : PublishedArchitecture
    times : Times
    """

    def __init__(self, architecture: PublishedArchitecture, times: Times) -> None:
        super().__init__(times)
        self.architecture = architecture
        self.blocks = [Block(self.clock, self.ledger, name, count=n) for name, n in architecture.blocks.items()]
        self.registers: list[RegisterFile] = []
        self.slices = architecture.crossbar.slices if architecture.crossbar else 1
        self.tile = self._tile(architecture.crossbar) if architecture.crossbar else None
        self.engine = self._engine(architecture.engine) if architecture.engine else None
        stream = architecture.stream
        self.bus: Bus | None = None
        if stream:
            self.bus = Bus(
                self.clock, self.ledger, "bus", width_bit=int(stream.width), cycle_ps=self.ps("bus.cycle"),
                arbitration_cycles=stream.arbitration_cycles, length_m=stream.length,
            )  # fmt: skip
        self.before = [self._streaming(step, 1) for step in architecture.before]
        self.after: list[Streaming] = []
        giving = self.tile.tiles if self.tile else 1  # with results of their own; a chain's last core has its sums
        for step in architecture.after:
            self.after.append(self._streaming(step, giving))
            if isinstance(step, LinkFile) and step.adds:
                giving //= step.cores

    def _tile(self, file: CrossbarFile) -> SampledTile:
        style, bits = file.output.style, file.driver_bits
        return SampledTile(
            self.clock, self.ledger, tiles=file.tiles,
            array=Array(file.rows, file.columns, file.arrays, file.conductance, file.input_mean),
            drive=Drive(**file.input.model_dump()),
            readout=Readout(style, file.output.bits, file.output.count),
            write=Write(**file.write.model_dump()) if file.write else None,
            period_ps=self.ps("tile.dac.period"), settle_ps=self.ps("tile.settle"),
            convert_ps=self.ps(_CONVERSION[style]) if style in _CONVERSION else 0,
            driver_bits=DriverBits(bits.row, bits.column) if bits else None,
        )  # fmt: skip

    def _engine(self, file: EngineFile) -> Engine:
        memory, kept = None, file.memory
        if kept:
            memory = WeightMemory(
                kept.banks, int(kept.bank), int(kept.read), int(kept.write), kept.transposed_reads,
                self.ps("engine.memory.read"), self.ps("engine.memory.write"),
            )  # fmt: skip
        self.registers = [
            RegisterFile(
                self.clock, self.ledger, name, units=file.units, capacity_bit=int(each.capacity),
                word_bit=int(each.word), reads=each.reads, writes=each.writes, gated=each.gated,
            )
            for name, each in file.registers.items()
        ]  # fmt: skip
        return Engine(
            self.clock, self.ledger, units=file.units, cycle_ps=self.ps("engine.cycle"), weight_bit=file.weight_bits,
            memory=memory, wire_m=file.wire, zero_gating=file.zero_gating, registers=self.registers,
        )  # fmt: skip

    def _streaming(self, file: StageFile | LinkFile | BufferFile, tiles: int) -> Streaming:
        """Return the unit of a step that the results of so many tiles pass."""
        if isinstance(file, BufferFile):
            access_ps = self.ps(f"buffer_{file.name}.access", int(file.capacity))
            memory = Sram(int(file.capacity) * file.banks, int(file.word), file.banks, access_ps)
            return TrafficBuffer(
                self.clock, self.ledger, file.name, memory=memory, ports=file.ports, read_bit=int(file.read or 0),
                write_bit=int(file.write or 0),
            )  # fmt: skip
        if self.tile is None:
            raise ModelError(f"{file.name}: a {file.kind} without a crossbar")  # the schema refuses such a design
        if isinstance(file, LinkFile):
            return CoreLink(
                self.clock, self.ledger, file.name, chains=tiles // file.cores, hops=file.cores - 1,
                bits=file.bits, width_bit=int(file.width), cycle_ps=self.ps(f"link_{file.name}.cycle"),
                length_m=file.length, adds=file.adds,
            )  # fmt: skip
        return Stage(
            self.clock, self.ledger, file.name, tiles=tiles, shared=file.shared,
            operations=self.tile.conversions * self.slices if file.per == "conversion" else 1, lanes=file.lanes,
            depth=file.depth,
            every=file.every, cycle_ps=self.ps(f"stage_{file.name}.cycle"), bits=file.bits,
        )  # fmt: skip

    def components(self) -> list[Component]:
        """Return every unit of the design."""
        units: tuple[Component | None, ...] = (self.tile, self.engine, self.bus)
        return [*self.blocks, *self.registers, *self.before, *self.after, *(unit for unit in units if unit is not None)]

    def run_operation(self, operation: str, vectors: int = 1, density: float = 1.0) -> int:
        """Run one operation to its end, book its time and leakage, and return the time it took [ps].

        Parameters
        ----------
        operation : str
            One of `OPERATIONS`. An update of a crossbar passes the steps before it, not those after it.
        vectors : int
            Vectors one after the other.
        density : float
            Share of lines that are driven; in an engine, of multiply-accumulates whose operands are not zero.

        Raises
        ------
        InputError
            If the design cannot do it.
        """
        if operation not in OPERATIONS:
            raise InputError(key="kernel", value=operation, expected=f"one of {', '.join(OPERATIONS)}")
        if operation == "update" and self.tile and self.tile.write is None:
            raise InputError(key="kernel", value=operation, expected="a crossbar with `write`, to update weights in it")
        tag = Tag(_PHASES[operation], "design")
        begin = self.clock.now
        self.run(self._work(operation, vectors, density, tag))
        self.book_time(tag.phase, begin)
        self.settle()
        return self.clock.now - begin

    def _work(self, operation: str, vectors: int, density: float, tag: Tag) -> Work[None]:
        steps = self._steps(operation, density, tag)
        stream, frame = self.architecture.stream, self.architecture.frame
        if frame:
            frame_ps = frame.steps * self.ps("frame.step")
            for _ in range(vectors):
                due = self.clock.now + frame_ps
                yield from pass_through(self.clock, steps, 1)
                yield self.clock.timeout(max(due - self.clock.now, 0))
        elif stream and not stream.overlapped:
            for _ in range(vectors):
                yield from pass_through(self.clock, steps, 1)
        elif operation == "update" and self.tile and self.tile.write:  # the vectors of a batch are written at once
            yield from pass_through(self.clock, steps, -(-vectors // self.tile.write.batch))
        else:
            yield from pass_through(self.clock, steps, vectors)

    def _steps(self, operation: str, density: float, tag: Tag) -> list[Step]:
        """Return what a vector passes, in order."""
        update, transposed = operation == "update", operation == "transposed"
        before, arrive_ps = self._stream_steps(self.before, 1, 0, tag)
        if self.engine:
            core, arrive_ps = self._engine_steps(self.engine, operation, density, (arrive_ps, tag))
            after, _ = self._stream_steps(self.after, 1, arrive_ps, tag)
            return [*before, *core, *after]
        tile, bus = self.tile, self.bus
        if tile is None:
            raise ModelError("a design with neither crossbar nor engine")  # the schema refuses it
        if update:
            return [*before, Step(lambda _: tile.update(tag))]
        inputs, outputs = tile.lines(transposed=transposed)
        core = self._tile_steps(tile, operation, density, tag)
        results = outputs if transposed else outputs // self.slices
        after, _ = self._stream_steps(self.after, results, tile.emerge_ps(outputs), tag)
        if bus is None:
            return [*before, *core, *after]
        into = partial(bus.send, tile.tiles * inputs * tile.drive.bits, tag)
        out = partial(bus.send, tile.tiles * outputs * tile.readout.bits, tag)
        return [Step(lambda _: into()), *before, *core, *after, Step(lambda _: out())]

    def _engine_steps(
        self, engine: Engine, operation: str, density: float, arriving: tuple[int, Tag]
    ) -> tuple[list[Step], int]:
        """Return the engine's step, which works on what arrives over some time, and the time over which it gives."""
        arrive_ps, tag = arriving
        weights, transposed = self.architecture.weights, operation == "transposed"
        if operation == "update":
            work, own_ps = partial(engine.update, weights, tag), engine.update_ps(weights)
        else:
            work = partial(engine.product, weights, tag, transposed=transposed)
            own_ps = engine.product_ps(weights, transposed=transposed)

        def compute(emit: Emit) -> Work[None]:
            return work(density=density, arrive_ps=arrive_ps, emit=emit)

        return [Step(compute, streams=True)], max(own_ps, arrive_ps)

    def _tile_steps(self, tile: SampledTile, operation: str, density: float, tag: Tag) -> list[Step]:
        """Return the crossbar's two steps: lines that integrate, converters."""
        transposed = operation == "transposed"
        outputs = tile.lines(transposed=transposed)[1]

        def convert(emit: Emit) -> Work[None]:
            yield from tile.convert(outputs, emit)
            tile.count_products(1, tag, transposed=transposed, density=density)

        return [Step(partial(tile.integrate, outputs)), Step(convert, streams=tile.drive.style == "bit-serial")]

    def _stream_steps(
        self, units: Sequence[Streaming], results: int, arrive_ps: int, tag: Tag
    ) -> tuple[list[Step], int]:  # fmt: skip
        """Return the steps of units that results stream through, and the time from the first out to the last."""
        steps = []
        for unit in units:
            steps.append(Step(partial(_stream, unit, (results, arrive_ps, tag)), streams=True))
            arrive_ps = unit.span_ps(results, arrive_ps)
        return steps, arrive_ps


def _stream(unit: Streaming, vector: tuple[int, int, Tag], emit: Emit) -> Work[None]:
    results, arrive_ps, tag = vector
    return unit.stream(results, tag, arrive_ps=arrive_ps, emit=emit)

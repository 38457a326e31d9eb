"""A design that runs operations on counts: product, transposed product, outer-product update; no network, no values.

It has the components, the clock, the ledger and the bill of the chips that train, so that published designs check them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import simpy

from archsim.base.errors import InputError, ModelError
from archsim.base.signal import Tag
from archsim.base.verbs import Work
from archsim.base.yamlfile import Document, validate
from archsim.chips.board import Board, Times
from archsim.chips.published_file import CrossbarFile, EngineFile, PublishedArchitecture
from archsim.hardware.block import Block
from archsim.hardware.bus import Bus
from archsim.hardware.component import Component
from archsim.hardware.engine import Engine, WeightMemory
from archsim.hardware.sampled_tile import Array, Drive, Readout, SampledTile, Write

Stage = Callable[[], Work[None]]
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
        self.tile = self._tile(architecture.crossbar) if architecture.crossbar else None
        self.engine = self._engine(architecture.engine) if architecture.engine else None
        stream = architecture.stream
        self.bus: Bus | None = None
        if stream:
            self.bus = Bus(
                self.clock, self.ledger, "bus", width_bit=int(stream.width), cycle_ps=self.ps("bus.cycle"),
                arbitration_cycles=stream.arbitration_cycles, length_m=stream.length,
            )  # fmt: skip

    def _tile(self, file: CrossbarFile) -> SampledTile:
        style = file.output.style
        return SampledTile(
            self.clock, self.ledger, tiles=file.tiles,
            array=Array(file.rows, file.columns, file.arrays, file.conductance, file.input_mean),
            drive=Drive(file.input.style, file.input.bits, file.input.phases),
            readout=Readout(style, file.output.bits, file.output.count),
            write=Write(**file.write.model_dump()) if file.write else None,
            period_ps=self.ps("tile.dac.period"), settle_ps=self.ps("tile.settle"),
            convert_ps=self.ps(_CONVERSION[style]) if style in _CONVERSION else 0,
        )  # fmt: skip

    def _engine(self, file: EngineFile) -> Engine:
        memory, kept = None, file.memory
        if kept:
            memory = WeightMemory(
                kept.banks, int(kept.bank), int(kept.read), int(kept.write), kept.transposed_reads,
                self.ps("engine.memory.read"), self.ps("engine.memory.write"),
            )  # fmt: skip
        return Engine(
            self.clock, self.ledger, units=file.units, cycle_ps=self.ps("engine.cycle"), weight_bit=file.weight_bits,
            memory=memory, wire_m=file.wire,
        )  # fmt: skip

    def components(self) -> list[Component]:
        """Return every unit of the design."""
        units: tuple[Component | None, ...] = (self.tile, self.engine, self.bus)
        return [*self.blocks, *(unit for unit in units if unit is not None)]

    def run_operation(self, operation: str, vectors: int = 1, density: float = 1.0) -> int:
        """Run one operation to its end, book its time and leakage, and return the time it took [ps].

        Parameters
        ----------
        operation : str
            One of `OPERATIONS`.
        vectors : int
            Vectors one after the other.
        density : float
            Share of lines that are driven.

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
        transposed = operation == "transposed"
        if self.engine:
            for _ in range(vectors):
                yield from (
                    self.engine.update(self.architecture.weights, tag)
                    if operation == "update"
                    else self.engine.product(self.architecture.weights, tag, transposed=transposed)
                )
        elif self.tile and operation == "update":
            for _ in range(vectors):
                yield from self.tile.update(tag)
        elif self.tile and self.architecture.stream:
            yield from self._streamed(vectors, density, tag, transposed=transposed)
        elif self.tile:
            yield from self.tile.product(vectors, tag, transposed=transposed, density=density)

    def _streamed(self, vectors: int, density: float, tag: Tag, *, transposed: bool) -> Work[None]:
        """Bring vectors in, multiply, bring results out: one after the other, or overlapped by two buffers."""
        crossbar, bus, tile = self.architecture.crossbar, self.bus, self.tile
        if crossbar is None or bus is None or tile is None:
            raise ModelError("a streamed operation without crossbar and bus")  # the schema refuses such a design
        inputs, outputs = (crossbar.columns, crossbar.rows) if transposed else (crossbar.rows, crossbar.columns)
        into = partial(bus.send, crossbar.tiles * inputs * crossbar.input.bits, tag)
        out = partial(bus.send, crossbar.tiles * outputs * crossbar.output.bits, tag)
        product = partial(tile.product, 1, tag, transposed=transposed, density=density)
        if self.architecture.stream and self.architecture.stream.overlapped:
            yield from self._overlapped(vectors, into, product, out)
            return
        for _ in range(vectors):
            yield from into()
            yield from product()
            yield from out()

    def _overlapped(self, vectors: int, send: Stage, product: Stage, collect: Stage) -> Work[None]:
        """Run three stages side by side: two input buffers between the first and the second."""
        free, full, done = (simpy.Store(self.clock) for _ in range(3))
        for _ in range(2):  # double buffers
            free.put(None)

        def bring() -> Work[None]:
            for _ in range(vectors):
                yield free.get()
                yield from send()
                yield full.put(None)

        def multiply() -> Work[None]:
            for _ in range(vectors):
                yield full.get()
                yield from product()
                yield free.put(None)
                yield done.put(None)

        def take() -> Work[None]:
            for _ in range(vectors):
                yield done.get()
                yield from collect()

        yield self.clock.all_of([self.clock.process(work()) for work in (bring, multiply, take)])

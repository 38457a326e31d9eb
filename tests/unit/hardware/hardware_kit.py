"""Small components on a clock of their own, for the tests beside this file."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeVar

import numpy as np

from archsim.accounting.ledger import Ledger
from archsim.analog.paired import PairedCells
from archsim.base.arrays import F32
from archsim.base.rounding import Quantiser
from archsim.base.signal import Tag
from archsim.base.streams import Streams
from archsim.devices import library
from archsim.devices.base import Switches
from archsim.hardware.clock import Clock, Slot
from archsim.hardware.tile import Converters, Tile

TAG = Tag("forward", "fc1")
T = TypeVar("T")


def elapsed(clock: Clock, work: Generator[Any, Any, T]) -> tuple[T, int]:
    """Run a generator to its end; return its result and the picoseconds it took."""
    since = clock.now
    process = clock.process(work)
    clock.run()
    assert process.processed, "deadlock"
    return process.value, clock.now - since


def counted(ledger: Ledger, component: str, tag: Tag = TAG) -> dict[str, float]:
    """Return what a component has counted under a tag: action -> amount."""
    return {
        row.action: row.amount
        for row in ledger.rows()
        if (row.component, row.phase, row.layer) == (component, tag.phase, tag.layer)
    }


def ideal_cells(weight: F32, name: str = "fc1/0,0") -> PairedCells:
    """Return cells of ideal devices that hold a weight matrix."""
    device = library.build(library.device_file("ideal"), Switches())
    cells = PairedCells(device, weight.shape, scale=8e-6, streams=Streams(0), name=name)
    cells.load(weight, 0)
    return cells


def converters(**changes: Any) -> Converters:
    """Return converters of 8 bits with times that are prime numbers of picoseconds."""
    values = {
        "dac": Quantiser(8), "adc": Quantiser(8), "adcs": 4, "forward_scale": 4.0, "backward_scale": 4.0,
        "clips": True, "settle_ps": 1999, "period_ps": 97, "conversion_ps": 1013,
    }  # fmt: skip
    return Converters(**{**values, **changes})


def tile(
    clock: Clock, ledger: Ledger, *, rows: int = 6, columns: int = 10, bank: Slot | None = None, label: str = "tile",
    **changes: Any,
) -> Tile:  # fmt: skip
    """Return a tile with random weights in ideal devices."""
    weight = np.random.default_rng(3).uniform(-0.3, 0.3, (rows, columns)).astype(np.float32)
    return Tile(clock, ledger, label, cells=ideal_cells(weight), converters=converters(**changes), bank=bank)


def vectors(count: int, size: int, seed: int = 1) -> F32:
    """Return inputs within [0.1, 1], so that no code is zero."""
    return np.random.default_rng(seed).uniform(0.1, 1.0, (count, size)).astype(np.float32)

"""Components of published designs: times and counts are closed forms of their sizes."""

from __future__ import annotations

import pytest
from tile_kit import product

from archsim.accounting.ledger import Ledger
from archsim.base.errors import ModelError
from archsim.base.signal import Tag
from archsim.hardware.clock import Clock
from archsim.hardware.published.block import Block
from archsim.hardware.published.engine import Engine, WeightMemory
from archsim.hardware.published.sampled_tile import Array, Drive, Readout, SampledTile, Write

TAG = Tag("forward", "kernel")


def tile(drive: Drive, readout: Readout, **fields: object) -> SampledTile:
    array = fields.pop("array", Array(rows=64, columns=32, arrays=2, conductance=1e-6, input_mean=0.5))
    return SampledTile(
        Clock(),
        Ledger(),
        tiles=fields.pop("tiles", 1),
        array=array,
        drive=drive,
        readout=readout,  # type: ignore[arg-type]
        write=fields.pop("write", None),
        period_ps=1000,
        settle_ps=2000,
        convert_ps=500,
        **fields,  # type: ignore[arg-type]
    )


def run(unit: object, work: object) -> tuple[int, dict[str, float]]:
    clock = unit.clock  # type: ignore[attr-defined]
    clock.process(work)
    clock.run()
    return clock.now, {action: amount for action, amount in unit._account.total()[TAG].items() if amount}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("drive", "readout", "expected_ps"),
    [
        (Drive("pulse-width", 8), Readout("multiplexed", 8, 8), 2000 + 127 * 1000 + 4 * 500),
        (Drive("pulse-width", 8), Readout("ramp", 8, 32), 2000 + 127 * 1000 + 256 * 500),
        (Drive("pulse-width", 8), Readout("counter", 9, 32), 2000 + 127 * 1000),
        (Drive("pulse-width", 8, phases=4), Readout("counter", 9, 32), 4 * (2000 + 127 * 1000)),
        (Drive("binary-pulses", 8), Readout("binary-search", 6, 32), 2000 + 127 * 1000 + 6 * 500),
        (Drive("bit-serial", 16), Readout("multiplexed", 8, 1), 16 * 32 * 500 + 32 * 500),
        (Drive("bit-serial", 16), Readout("multiplexed", 8, 32), 16 * 3000 + 500),
    ],
)
def test_a_product_takes_its_closed_form(drive: Drive, readout: Readout, expected_ps: int) -> None:
    unit = tile(drive, readout)
    now, _ = run(unit, product(unit, 1, TAG))
    assert now == expected_ps


def test_a_product_counts_what_its_lines_and_phases_ask_for() -> None:
    unit = tile(Drive("pulse-width", 8, phases=4), Readout("counter", 9, 32), tiles=3)
    _, row = run(unit, product(unit, 5, TAG, density=0.25))
    driven = 3 * 5 * 64 * 0.25
    assert row["dac.convert"] == driven * 2  # half of four phases
    assert row["line.charge"] == driven * 2 * 2  # half of four phases, in both arrays
    assert row["cells.conduct"] == pytest.approx(driven * 32 * 2 * 1e-6 * 0.5 * 127e-9)
    assert row["adc.convert"] == 3 * 5 * 32
    assert row["adc.on"] == pytest.approx(3 * 5 * 32 * 4 * 129e-9)
    assert row["integrate.on"] == pytest.approx(3 * 5 * 32 * 4 * 127e-9)
    assert row["product"] == 15


def test_a_transposed_product_drives_columns_and_converts_rows() -> None:
    unit = tile(Drive("binary-pulses", 8), Readout("ramp", 8, 32))
    _, row = run(unit, product(unit, 1, TAG, transposed=True))
    assert row["dac.convert"] == 32
    assert row["line.charge"] == 32 * 7 * 2
    assert row["adc.convert"] == 64


def test_a_bit_serial_product_converts_every_bit() -> None:
    unit = tile(Drive("bit-serial", 16), Readout("multiplexed", 8, 1))
    _, row = run(unit, product(unit, 1, TAG))
    assert row["adc.convert"] == 16 * 32


def test_an_update_takes_its_phases_and_writes_every_cell_once() -> None:
    write = Write(bits=8, phases=4, conductance=2e-9, arrays=1)
    unit = tile(Drive("binary-pulses", 8), Readout("ramp", 8, 32), write=write)
    now, row = run(unit, unit.update(TAG))
    assert now == 4 * (2000 + 127 * 1000)
    assert row["write.conduct"] == pytest.approx(64 * 32 * 2e-9 * 127e-9)
    assert row["write.charge"] == 32 * 2
    assert row["line.charge"] == 64 * 7 * 2
    assert row["dac.convert"] == 64 * 2


def test_a_tile_without_write_refuses_an_update() -> None:
    unit = tile(Drive("pulse-width", 8), Readout("ramp", 8, 32))
    with pytest.raises(ModelError, match="write"):
        next(unit.update(TAG))


def engine(memory: WeightMemory | None) -> Engine:
    return Engine(Clock(), Ledger(), units=16, cycle_ps=1000, weight_bit=8, memory=memory, wire_m=1e-3)


MEMORY = WeightMemory(
    banks=4, bank_bit=4096, read_bit=64, write_bit=32, transposed_reads=8, read_ps=2000, write_ps=3000
)


def test_an_engine_is_bound_by_memory_or_by_arithmetic() -> None:
    assert engine(None).product_ps(1000) == 63 * 1000
    assert engine(MEMORY).product_ps(1000) == max(63 * 1000, 32 * 2000)
    assert engine(MEMORY).product_ps(1000, transposed=True) == 8 * 32 * 2000
    assert engine(MEMORY).update_ps(1000) == 32 * 2000 + 63 * 3000


def test_an_engine_reads_and_moves_every_weight_and_writes_it_in_an_update() -> None:
    unit = engine(MEMORY)
    now, row = run(unit, unit.update(1000, TAG))
    assert now == unit.update_ps(1000)
    assert row == {"mac": 1000, "memory.read": 8000, "memory.write": 8000, "wire": 16000}
    unit = engine(MEMORY)
    _, row = run(unit, unit.product(1000, TAG, transposed=True))
    assert row == {"mac": 1000, "memory.read": 64000, "wire": 8000}


def test_a_block_is_priced_under_its_own_name() -> None:
    block = Block(Clock(), Ledger(), "edram", count=168)
    assert [entry.key for entry in block.entries()] == ["block_edram.powered"]
    assert block.powered() == {"powered": 168}
    assert block.parts() == {"block": 168}

"""Units that results stream through, register files, and the tile's newer ways: closed forms of time and counts."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from hardware_kit import TAG, counted, elapsed
from hypothesis import given, settings
from hypothesis import strategies as st
from tile_kit import product, read_ps

from archsim.accounting.ledger import Ledger
from archsim.hardware.clock import Clock
from archsim.hardware.published.core_link import CoreLink
from archsim.hardware.published.engine import Engine
from archsim.hardware.published.register_file import RegisterFile
from archsim.hardware.published.sampled_tile import Array, Drive, DriverBits, Readout, SampledTile, Write
from archsim.hardware.published.stage import Stage
from archsim.hardware.published.streaming import Streaming
from archsim.hardware.published.traffic_buffer import TrafficBuffer
from archsim.hardware.sram import Sram

CYCLE, ACCESS = 1009, 2003


def stage(ledger: Ledger, **fields: Any) -> Stage:
    given_fields = {"tiles": 3, "shared": False, "operations": 1, "lanes": 2, "depth": 5, "every": 1, "bits": 16}
    return Stage(Clock(), ledger, "scale", cycle_ps=CYCLE, **(given_fields | fields))


def link(ledger: Ledger, **fields: Any) -> CoreLink:
    given_fields = {"chains": 2, "hops": 3, "bits": 24, "width_bit": 8, "length_m": 1e-3, "adds": True}
    return CoreLink(Clock(), ledger, "east", cycle_ps=CYCLE, **(given_fields | fields))


def buffer(ledger: Ledger, *, ports: int = 1, banks: int = 1, read: int = 640, write: int = 0) -> TrafficBuffer:
    return TrafficBuffer(
        Clock(),
        ledger,
        "glb",
        memory=Sram(8192 * banks, 64, banks, ACCESS),
        ports=ports,
        read_bit=read,
        write_bit=write,
    )


@pytest.mark.parametrize(
    ("fields", "expected_ps", "operations"),
    [
        ({}, (5 + 31) * CYCLE, 192),  # 64 results of a tile by 2 lanes, the first after 5 cycles
        ({"lanes": 1}, (5 + 63) * CYCLE, 192),
        ({"operations": 8}, (5 + 255) * CYCLE, 1536),
        ({"shared": True}, (5 + 95) * CYCLE, 192),
        ({"shared": True, "lanes": 1, "every": 5}, 192 * 5 * CYCLE, 192),  # a serial unit
    ],
)
def test_a_stage_fills_once_and_then_gives_a_result_an_interval(
    fields: dict[str, Any], expected_ps: int, operations: int
) -> None:
    ledger = Ledger()
    unit = stage(ledger, **fields)
    _, ps = elapsed(unit.clock, unit.stream(64, TAG))
    assert ps == expected_ps == unit.latency_ps(64)
    assert counted(ledger, "scale") == {"operation": operations}
    assert unit.powered() == {"powered": (1 if fields.get("shared") else 3) * unit.lanes}
    assert unit.sizes("operation") == {"bits": 16}


def test_partial_sums_go_down_a_chain_and_each_core_adds() -> None:
    ledger = Ledger()
    unit = link(ledger)
    _, ps = elapsed(unit.clock, unit.stream(64, TAG))
    assert ps == (3 * (3 + 1) + 63 * 3) * CYCLE  # 24 bits in 3 words of 8, and a cycle to add
    assert counted(ledger, "east") == {"transfer": 2 * 3 * 64 * 24, "add": 2 * 3 * 64}
    ledger = Ledger()
    unit = link(ledger, adds=False)
    _, ps = elapsed(unit.clock, unit.stream(64, TAG))
    assert ps == (3 * 3 + 63 * 3) * CYCLE
    assert counted(ledger, "east") == {"transfer": 2 * 3 * 64 * 24}
    assert [entry.key for entry in unit.entries()] == ["link_east.transfer"]


@pytest.mark.parametrize(("ports", "banks", "rounds"), [(1, 1, 15), (2, 1, 8), (1, 4, 4), (2, 4, 2)])
def test_ports_and_banks_share_the_traffic_of_a_buffer(ports: int, banks: int, rounds: int) -> None:
    ledger = Ledger()
    unit = buffer(ledger, ports=ports, banks=banks, read=640, write=300)
    _, ps = elapsed(unit.clock, unit.stream(1, TAG))
    assert ps == rounds * ACCESS
    assert counted(ledger, "glb") == {"read": 10, "write": 5}  # words of 64 bit
    assert unit.sizes("read") == {"capacity_bit": 8192, "word_bit": 64}
    assert unit.powered() == {"powered": 8192 * banks}


@settings(max_examples=50, deadline=None, derandomize=True)
@given(results=st.integers(1, 300), arrive=st.integers(0, 500) | st.just(10**7), lanes=st.integers(1, 9))
def test_results_never_leave_a_unit_faster_than_they_come(results: int, arrive: int, lanes: int) -> None:
    units: list[Streaming] = [stage(Ledger(), lanes=lanes), link(Ledger()), buffer(Ledger())]
    for unit in units:
        seen: list[int] = []
        emit = partial(seen.append, 0)
        _, ps = elapsed(unit.clock, unit.stream(results, TAG, arrive_ps=arrive, emit=emit))
        assert seen == [0]
        assert ps == unit.fill_ps() + max(unit.rest_ps(results), arrive)


@pytest.mark.parametrize(("gated", "reads"), [(True, 2 * 25), (False, 2 * 100)])
def test_zero_gating_saves_energy_but_no_time(gated: bool, reads: int) -> None:
    ledger = Ledger()
    clock = Clock()
    file = RegisterFile(
        clock, ledger, "filter", units=4, capacity_bit=3584, word_bit=16, reads=2, writes=0, gated=gated
    )
    unit = Engine(
        clock, ledger, units=4, cycle_ps=CYCLE, weight_bit=16, memory=None, wire_m=1e-3, zero_gating=True,
        registers=[file],
    )  # fmt: skip
    _, ps = elapsed(clock, unit.product(100, TAG, density=0.25))
    assert ps == 25 * CYCLE
    assert counted(ledger, "engine") == {"mac": 25, "gated": 75}
    assert counted(ledger, "filter") == {"read": reads}
    assert [entry.key for entry in file.entries()] == ["registers_filter.read"]
    assert file.parts() == {"bits": 4 * 3584}


def test_an_engine_that_gates_nothing_computes_every_product() -> None:
    ledger = Ledger()
    unit = Engine(Clock(), ledger, units=4, cycle_ps=CYCLE, weight_bit=16, memory=None, wire_m=1e-3)
    elapsed(unit.clock, unit.product(100, TAG, density=0.25))
    assert counted(ledger, "engine") == {"mac": 100}
    assert [entry.key for entry in unit.entries()] == ["engine.mac"]


def tile(drive: Drive, readout: Readout, **fields: Any) -> SampledTile:
    more = {"write": None, "array": Array(64, 32, 1, 1e-6, 1.0)} | fields
    return SampledTile(
        Clock(), Ledger(), tiles=2, drive=drive, readout=readout, period_ps=1000, settle_ps=7000, convert_ps=500, **more
    )


@pytest.mark.parametrize(
    ("drive", "expected_ps"),
    [
        (Drive("binary-pulses", 4, phases=2), 2 * 7000 + 2 * 7000),
        (Drive("binary-pulses", 4, phases=2, settles="pulse"), 2 * 3 * 7000 + 2 * 7000),
        (Drive("binary-pulses", 4, phases=2, settles="product"), 7000 + 2 * 7000),
        (Drive("pulse-width", 8, signed=False), 7000 + 255_000),
        (Drive("pulse-width", 8), 7000 + 127_000),
        (Drive("binary-pulses", 1), 7000 + 1000),  # a sign alone
        (Drive("voltage", 8), 7000 + 1000),
        (Drive("bit-serial", 4, settles="product"), 7000 + 4 * 2000 + 2000),  # conversions are the longer
    ],
)
def test_lines_settle_as_often_as_the_design_says(drive: Drive, expected_ps: int) -> None:
    style = "multiplexed" if drive.style == "bit-serial" else "counter"
    unit = tile(drive, Readout(style, 8, 8))
    _, ps = elapsed(unit.clock, product(unit, 1, TAG))
    assert ps == expected_ps


def test_an_input_by_count_charges_its_line_as_often_as_its_mean_says() -> None:
    unit = tile(Drive("pulse-count", 4, signed=False), Readout("counter", 4, 32), array=Array(64, 32, 1, 1e-6, 0.4))
    _, ps = elapsed(unit.clock, product(unit, 1, TAG))
    assert ps == 7000 + 15 * 1000
    assert unit._account.total()[TAG]["line.charge"] == pytest.approx(2 * 64 * 15 * 0.4)


def test_a_read_of_several_bits_takes_as_many_reads_and_conversions_less() -> None:
    unit = tile(Drive("bit-serial", 8, bits_per_read=3), Readout("multiplexed", 8, 32))
    _, ps = elapsed(unit.clock, product(unit, 1, TAG))
    assert ps == 3 * (7000 + 1000) + 500  # 3, 3 and 2 bits
    assert unit._account.total()[TAG]["adc.convert"] == 2 * 32 * 3


@pytest.mark.parametrize("style", ["ramp", "binary-search"])
def test_lines_share_converters_that_work_side_by_side(style: Any) -> None:
    half, whole = (tile(Drive("pulse-width", 8), Readout(style, 8, count)) for count in (16, 32))
    assert half.readout_ps(32) == 2 * whole.readout_ps(32) > 0
    _, ps = elapsed(half.clock, product(half, 1, TAG))
    assert ps == half.integrate_ps() + half.readout_ps(32)


def test_the_two_halves_of_a_product_take_the_time_of_the_whole() -> None:
    for drive in (Drive("pulse-width", 8), Drive("bit-serial", 8), Drive("bit-serial", 8, phases=2, settles="product")):
        for readout in (Readout("multiplexed", 8, 5), Readout("ramp", 6, 32), Readout("counter", 8, 32)):
            unit = tile(drive, readout)
            _, first = elapsed(unit.clock, unit.integrate(32))
            _, second = elapsed(unit.clock, unit.convert(32))
            early = unit.convert_span_ps(32)  # the converters of a bit-serial tile begin with its first bit
            assert first + second - early == read_ps(unit, 1, 32)


def test_a_serial_write_takes_its_rows_one_after_the_other() -> None:
    write = Write(bits=4, phases=4, conductance=1e-6, arrays=1)
    serial = Write(bits=4, phases=4, conductance=1e-6, arrays=1, rows="serial")
    for each, rows in ((write, 1), (serial, 64)):
        unit = tile(Drive("pulse-width", 8), Readout("counter", 8, 32), write=each)
        _, ps = elapsed(unit.clock, unit.update(TAG))
        row = unit._account.total()[TAG]
        assert ps == rows * 4 * (7000 + 7000)
        assert row["write.charge"] == 2 * 32 * 2 * rows
        assert row["write.conduct"] == pytest.approx(2 * 64 * 32 * 1e-6 * 7e-9)  # every cell once, either way


def test_the_logic_of_drivers_takes_area_by_their_bits() -> None:
    unit = tile(Drive("pulse-width", 8), Readout("counter", 8, 32), driver_bits=DriverBits(row=8, column=4))
    assert unit.parts()["row.driver.logic"] == 2 * 64 * 8
    assert unit.parts()["column.driver.logic"] == 2 * 32 * 4
    assert "row.driver.logic" not in tile(Drive("pulse-width", 8), Readout("counter", 8, 32)).parts()

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tile_kit import read_ps

from archsim.base.errors import InputError
from archsim.base.yamlfile import read
from archsim.chips.published.published import PublishedBoard, parse

DESIGN = """\
schema: 1
kind: architecture
chip: kernels
name: small
title: small
boundary:
  inside: [weight storage, arithmetic, activation, on-chip transport, weight update, programming, control and clock]
  outside: [host link, off-chip memory, initial loading]
crossbar:
  tiles: 2
  rows: 64
  columns: 32
  arrays: 1
  weights: 2048
  conductance: 1 uS
  input_mean: 1.0
  input: {style: pulse-width, bits: 8, phases: 1}
  output: {style: counter, bits: 8, count: 32}
stream: {width: 64 bit, length: 1 mm, arbitration_cycles: 1, overlapped: true}
blocks: {edram: 3}
"""
TIMES = {"tile.dac.period": 1e-9, "tile.settle": 3e-9, "bus.cycle": 1e-9, "engine.cycle": 1e-9}


class Times:
    def time_s(self, key: str, capacity_bit: float | None = None) -> float:
        del capacity_bit
        return TIMES[key]


def board(tmp_path: Path, **settings: Any) -> PublishedBoard:
    path = tmp_path / "small.yaml"
    path.write_text(DESIGN)
    document = read(path).with_settings({tuple(key.split("__")): str(value) for key, value in settings.items()})
    return PublishedBoard(parse(document), Times())


BITS = 2 * 64 * 8, 2 * 32 * 8
IN, OUT, PRODUCT = (1 + BITS[0] // 64) * 1000, (1 + BITS[1] // 64) * 1000, 130_000


def test_without_overlap_streams_and_products_follow_each_other(tmp_path: Path) -> None:
    unit = board(tmp_path, stream__overlapped="false")
    assert unit.run_operation("product", vectors=7) == 7 * (IN + PRODUCT + OUT)


def test_with_two_buffers_the_longer_of_bus_and_product_sets_the_pace(tmp_path: Path) -> None:
    assert board(tmp_path).run_operation("product", vectors=50) == IN + 50 * PRODUCT + OUT
    narrow = board(tmp_path, stream__width="4 bit")
    bus = (1 + BITS[0] // 4 + 1 + BITS[1] // 4) * 1000
    time_ps = narrow.run_operation("product", vectors=50)
    assert 50 * bus <= time_ps <= 50 * bus + 2 * PRODUCT  # work is conserved, the bus never idles but at the ends


def test_overlap_changes_no_count(tmp_path: Path) -> None:
    rows = []
    for overlapped in ("true", "false"):
        unit = board(tmp_path, stream__overlapped=overlapped)
        unit.run_operation("product", vectors=9)
        rows.append([row for row in unit.ledger.rows() if row.action != "powered" and "powered" not in row.action])
    assert rows[0] == rows[1]
    assert sum(row.amount for row in rows[0] if row.component == "bus") == 9 * sum(BITS)


def test_blocks_are_powered_for_the_whole_time(tmp_path: Path) -> None:
    unit = board(tmp_path)
    time_ps = unit.run_operation("product", vectors=3)
    (row,) = [row for row in unit.ledger.rows() if row.component == "edram"]
    assert row.amount == pytest.approx(3 * time_ps * 1e-12)


@pytest.mark.parametrize(
    ("kernel", "message"), [("updates", "one of product, transposed, update"), ("update", "a crossbar with `write`")]
)
def test_what_a_design_cannot_do_is_refused(tmp_path: Path, kernel: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        board(tmp_path).run_operation(kernel)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("name: small", "name: other", "the file's own name"),
        ("style: counter", "style: counted", "output.style"),
        ("conductance: 1 uS", "conductance: 1", "without a unit"),
        ("blocks: {edram: 3}", "blocks: {eDRAM: 3}", "blocks.eDRAM"),
        ("crossbar:", "engine: {units: 1, weights: 4, weight_bits: 8, wire: 1 mm}\ncrossbar:", "expected one of them"),
        ("rows: 64", "rows: 0", "crossbar.rows"),
        ("phases: 1}", "phases: 1, bits_per_read: 2}", "crossbar.input: `bits_per_read` of inputs by pulse-width"),
    ],
)
def test_what_is_wrong_in_a_design_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(DESIGN.replace(old, new, 1))
    with pytest.raises(InputError, match=message):
        parse(read(path))


STEPS = """\
before:
  - {kind: buffer, name: inputs, capacity: 8 KiB, word: 64 bit, read: 1024 bit}
after:
  - {kind: link, name: east, cores: 2, bits: 16, width: 8 bit, length: 1 mm}
  - {kind: stage, name: scale, per: result, bits: 16, lanes: 1, depth: 4}
  - {kind: stage, name: tanh, per: result, bits: 8, lanes: 1, shared: true, depth: 3, every: 3}
  - {kind: buffer, name: outputs, capacity: 8 KiB, word: 64 bit, ports: 2, write: 512 bit}
"""
LATER = {
    "buffer_inputs.access": 2e-9, "buffer_outputs.access": 2e-9, "link_east.cycle": 1e-9, "stage_scale.cycle": 1e-9,
    "stage_tanh.cycle": 1e-9, "frame.step": 300e-9, "tile.adc.conversion": 1e-9, "tile.adc.level": 1e-9,
}  # fmt: skip
NO_STREAM = "stream: {width: 64 bit, length: 1 mm, arbitration_cycles: 1, overlapped: true}\n"


class LaterTimes:
    def time_s(self, key: str, capacity_bit: float | None = None) -> float:
        assert (capacity_bit is not None) == key.startswith("buffer_")  # a memory's time may depend on its capacity
        return (TIMES | LATER)[key]


def with_steps(tmp_path: Path, more: str = STEPS, old: str = "", new: str = "") -> PublishedBoard:
    path = tmp_path / "small.yaml"
    path.write_text((DESIGN.replace(NO_STREAM, "") + more).replace(old, new, 1))
    return PublishedBoard(parse(read(path)), LaterTimes())


def test_a_vector_passes_the_units_in_their_order_and_streams_through_them(tmp_path: Path) -> None:
    inputs, link, scale, outputs = 16 * 2000, 2000 + 1000, 4000, 2000  # until a first result of each
    serial = 32 * 3000  # the serial unit for the sums of both tiles, and all behind it wait for it
    latency = inputs + 130_000 + link + scale + serial + outputs
    assert with_steps(tmp_path).run_operation("product") == latency
    assert with_steps(tmp_path).run_operation("product", vectors=9) == latency + 8 * 130_000  # the slowest unit


def test_each_unit_counts_what_passes_it_whatever_the_schedule(tmp_path: Path) -> None:
    unit = with_steps(tmp_path)
    unit.run_operation("product", vectors=3)
    amounts = {(row.component, row.action): row.amount for row in unit.ledger.rows() if row.layer == "design"}
    assert amounts["inputs", "read"] == 3 * 16
    assert amounts["east", "transfer"] == 3 * 32 * 16
    assert amounts["east", "add"] == 3 * 32
    assert amounts["scale", "operation"] == amounts["tanh", "operation"] == 3 * 32  # one of two tiles has the sums
    assert amounts["outputs", "write"] == 3 * 8
    unit = with_steps(tmp_path)
    unit.run_operation("transposed")
    amounts = {(row.component, row.action): row.amount for row in unit.ledger.rows() if row.layer == "design"}
    assert amounts["scale", "operation"] == 64  # rows give the results of a transposed product


def test_the_columns_of_a_weight_make_one_result(tmp_path: Path) -> None:
    text = "after:\n  - {kind: stage, name: scale, per: result, bits: 16, lanes: 1}\n"
    text += "  - {kind: stage, name: tanh, per: conversion, bits: 8, lanes: 4}\n"
    unit = with_steps(tmp_path, text, "weights: 2048", "weights: 512\n  slices: 4")
    unit.run_operation("product")
    amounts = {(row.component, row.action): row.amount for row in unit.ledger.rows() if row.layer == "design"}
    assert amounts["scale", "operation"] == 2 * 32 / 4
    assert amounts["tanh", "operation"] == 2 * 32
    with pytest.raises(InputError, match="32 columns in 5 slices"):
        with_steps(tmp_path, text, "weights: 2048", "weights: 512\n  slices: 5")


def test_a_vector_takes_its_frame_and_what_is_powered_is_powered_for_it(tmp_path: Path) -> None:
    unit = with_steps(tmp_path, "frame: {steps: 7}\n")
    assert unit.run_operation("product", vectors=3) == 3 * 2_100_000
    (row,) = [row for row in unit.ledger.rows() if row.component == "edram"]
    assert row.amount == pytest.approx(3 * 6.3e-6)
    long = with_steps(tmp_path, "frame: {steps: 1}\n", "input: {style: pulse-width, bits: 8, phases: 1}",
                      "input: {style: pulse-width, bits: 8, phases: 3}")  # fmt: skip
    assert long.run_operation("product", vectors=2) == 2 * 3 * 130_000  # work that is longer than its frame


def test_vectors_of_a_batch_are_written_at_once(tmp_path: Path) -> None:
    write = "  write: {bits: 8, phases: 4, conductance: 1 uS, arrays: 1, batch: 16}\nblocks:"
    unit = with_steps(tmp_path, "", "blocks:", write)
    assert unit.run_operation("update", vectors=33) == 3 * 4 * 130_000


def test_traffic_of_a_buffer_overlaps_with_the_work_of_an_engine(tmp_path: Path) -> None:
    text = "engine: {units: 4, weights: 400, weight_bits: 8, wire: 1 mm}\nblocks: {edram: 3}\n"
    crossbar = "crossbar:" + DESIGN.replace(NO_STREAM, "").partition("crossbar:")[2]
    glb = "before:\n  - {kind: buffer, name: inputs, capacity: 8 KiB, word: 64 bit, read: READ}\n"
    for bits, expected in (("640 bit", 2000 + 100_000), ("64000 bit", 1000 * 2000)):
        board = with_steps(tmp_path, glb.replace("READ", bits), crossbar, text)
        assert board.run_operation("product") == expected


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("kind: link", "kind: lnk", "got the kind 'lnk'; expected a mapping with kind: stage, link, buffer"),
        ("cores: 2", "cores: 3", "2 tiles in chains of 3 by 'east'; expected a whole number"),
        (
            "  - {kind: stage, name: scale",
            (
                "  - {kind: link, name: west, cores: 2, bits: 8, width: 8 bit, length: 1 mm}\n"
                "  - {kind: stage, name: scale"
            ),
            "1 tiles in chains of 2 by 'west'",
        ),
        ("name: east", "name: edram", "'edram' stands for two parts"),
        ("word: 64 bit, read: 1024 bit", "word: 64 bit", r"before\[0\]: has neither `read` nor `write`"),
        ("lanes: 1, depth: 4", "lane: 1, depth: 4", r"after\[1\].lane: unknown key"),
        ("before:\n", "before:\n  - {kind: stage, name: x, per: result, bits: 8, lanes: 1}\n", "stands `before`"),
        ("ports: 2", "ports: 0", r"after\[3\].ports"),
    ],
)
def test_what_is_wrong_in_a_step_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        with_steps(tmp_path, STEPS, old, new)


@pytest.mark.parametrize("vectors", [1, 2, 7])
@pytest.mark.parametrize(
    ("drive", "readout"),
    [
        ("{style: pulse-width, bits: 8, phases: 2}", "{style: multiplexed, bits: 8, count: 5}"),
        ("{style: binary-pulses, bits: 4, phases: 1, settles: pulse}", "{style: ramp, bits: 6, count: 16}"),
        ("{style: bit-serial, bits: 8, phases: 1}", "{style: multiplexed, bits: 8, count: 1}"),
        ("{style: bit-serial, bits: 8, phases: 1}", "{style: counter, bits: 8, count: 32}"),
        ("{style: voltage, bits: 8, phases: 1}", "{style: binary-search, bits: 8, count: 32}"),
    ],
)
def test_products_one_behind_the_other_take_the_closed_form_of_the_tile(
    tmp_path: Path, drive: str, readout: str, vectors: int
) -> None:
    path = tmp_path / "small.yaml"
    text = DESIGN.replace(NO_STREAM, "").replace("{style: pulse-width, bits: 8, phases: 1}", drive)
    path.write_text(text.replace("{style: counter, bits: 8, count: 32}", readout))
    unit = PublishedBoard(parse(read(path)), LaterTimes())
    assert unit.tile is not None
    assert unit.run_operation("product", vectors=vectors) == read_ps(unit.tile, vectors, 32)

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from archsim.base.errors import InputError
from archsim.base.yamlfile import read
from archsim.chips.published import PublishedBoard, parse

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
    ],
)
def test_what_is_wrong_in_a_design_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(DESIGN.replace(old, new, 1))
    with pytest.raises(InputError, match=message):
        parse(read(path))

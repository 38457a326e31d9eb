"""A systolic array: its closed form against a step-by-step array, its counts, and what it rounds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hardware_kit import TAG, counted, elapsed

from archsim.accounting.ledger import Ledger
from archsim.hardware.clock import Clock
from archsim.hardware.sram import Sram
from archsim.hardware.systolic_array import ARRAYS, Systolic, SystolicArray
from archsim.learning.formats import FORMATS

CYCLE, ACCESS = 1000, 700


def array(
    clock: Clock, ledger: Ledger, name: str = "bf16", *, rows: int = 4, columns: int = 3, depth: int = 5,
    skip: bool = False, banks: int = 64,
) -> SystolicArray:  # fmt: skip
    number = FORMATS[name](np.random.default_rng(0))
    memories: dict[str, Any] = {
        "weights": Sram.for_words(64, word_bit=4 * number.bits, banks=banks, access_ps=ACCESS),
        "masters": Sram.for_words(64, word_bit=128, banks=banks, access_ps=ACCESS),
        "operands": Sram.for_words(64, word_bit=32, banks=1, access_ps=ACCESS),
    }
    return ARRAYS[name](
        clock, ledger, timing=Systolic(rows, columns, depth), cycle_ps=CYCLE, number=number, skip_zero_inputs=skip,
        **memories,
    )  # fmt: skip


def simulated(rows: int, columns: int, x: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, int]:
    """Return x W of one block, lane by lane and cycle by cycle, and the cycles until the last result is out.

    A row of weights enters a cycle and shifts down; then vector t enters row r in cycle t + r, moves to the right, and
    sums move down: what leaves column c at the bottom belongs to the vector that entered rows - 1 + c cycles before.
    """
    vectors = x.shape[0]
    held = np.zeros((rows, columns))
    inputs, sums = np.zeros((rows, columns)), np.zeros((rows, columns))
    cycles = 0
    for row in reversed(range(rows)):
        held[1:] = held[:-1]
        held[0] = weight[row]
        cycles += 1
    out = np.zeros((vectors, columns))
    left, time = vectors * columns, 0
    while left:
        inputs[:, 1:] = inputs[:, :-1]
        for r in range(rows):
            inputs[r, 0] = x[time - r, r] if 0 <= time - r < vectors else 0
        sums[1:] = sums[:-1]
        sums[0] = 0
        sums += held * inputs
        for c in range(columns):
            if 0 <= (vector := time - (rows - 1) - c) < vectors:
                out[vector, c] = sums[-1, c]
                left -= 1
        time += 1
    return out, cycles + time


@pytest.mark.parametrize(("rows", "columns", "vectors"), [(4, 3, 5), (1, 1, 1), (8, 2, 1), (2, 7, 9), (5, 5, 5)])
def test_the_closed_form_is_what_an_array_takes_lane_by_lane(rows: int, columns: int, vectors: int) -> None:
    rng = np.random.default_rng(0)
    x, weight = rng.normal(size=(vectors, rows)), rng.normal(size=(rows, columns))
    out, cycles = simulated(rows, columns, x, weight)
    np.testing.assert_allclose(out, x @ weight)
    assert Systolic(rows, columns, depth=100).cycles(vectors, rows, columns) == cycles


def test_blocks_and_passes_follow_one_another() -> None:
    timing = Systolic(rows=4, columns=3, depth=5)
    block = 2 * 4 + 3 - 2
    assert timing.cycles(5, 4, 3) == block + 5
    assert timing.cycles(5, 5, 7) == 2 * 3 * (block + 5)
    assert timing.cycles(12, 4, 3) == 3 * block + 12  # 5 + 5 + 2 vectors
    assert timing.sums(5, 9, 7) == (5 * 7 * 2, 5 * 7 * 3)
    assert timing.streamed_reads(5, 9, 7) == 5 * 9 * 3
    assert timing.clocked(12, 9, 7) == 9 * 7 * (3 * 4 + 12)


@pytest.mark.parametrize("name", ["bf16", "fp8", "int8"])
@pytest.mark.parametrize("transposed", [False, True])
def test_a_product_is_that_of_rounded_operands_and_counts_each_once(name: str, transposed: bool) -> None:
    clock, ledger = Clock(), Ledger()
    unit = array(clock, ledger, name)
    rng = np.random.default_rng(1)
    weight = rng.normal(size=(9, 7)).astype(np.float32)
    rows, columns = (7, 9) if transposed else (9, 7)
    x = rng.normal(size=(12, rows)).astype(np.float32)
    expected = FORMATS[name](np.random.default_rng(0))
    rounded = expected.error(x) if transposed else expected.operand(x)
    assert 1e-4 < np.abs(rounded - x).max() < 0.3
    work = unit.multiply_transposed(weight, x, TAG) if transposed else unit.multiply(weight, x, TAG)
    y, ps = elapsed(clock, work)
    np.testing.assert_allclose(y, rounded @ (weight.T if transposed else weight), rtol=1e-5, atol=1e-5)
    assert ps == unit.timing.cycles(12, rows, columns) * CYCLE
    bits = 16 if name == "bf16" else 8
    reads, writes = unit.timing.sums(12, rows, columns)
    bands = -(-columns // 3)
    scaled = {} if name == "bf16" else {"compare": 12 * rows, "scale": 12 * rows + 12 * columns}
    assert counted(ledger, "mac_array") == {
        "multiply": 12 * 63, "add": 12 * 63, "convert": 12 * rows, **scaled,
        "weights.read": -(-3 * 63 // 4),  # three passes of 5 vectors, four weights a word
        "operand.read": -(-12 * rows * bands * bits // 32) + reads,
        "operand.write": -(-12 * rows * bits // 32) + writes,
        "control.cycle": 63 * (3 * 4 + 12),
    }  # fmt: skip


@pytest.mark.parametrize("into", [False, True])
def test_an_outer_product_adds_its_sums_once_to_every_32_bit_weight(into: bool) -> None:
    clock, ledger = Clock(), Ledger()
    unit = array(clock, ledger)
    rng = np.random.default_rng(2)
    x, d = rng.normal(size=(6, 9)).astype(np.float32), rng.normal(size=(6, 7)).astype(np.float32)
    weight = np.ones((9, 7), np.float32)
    memory = Sram.for_words(64, word_bit=32, banks=1, access_ps=ACCESS) if into else None
    accesses, ps = elapsed(clock, unit.add_outer(weight, x, d, TAG, into=memory))
    number = FORMATS["bf16"]()
    np.testing.assert_allclose(weight, 1 + number.operand(x).T @ number.error(d), rtol=1e-5, atol=1e-6)
    assert accesses == (63 if into else -(-63 // 4))
    compute = unit.timing.cycles(9, 6, 7) * CYCLE  # 9 rows stream past 6 errors of 7 columns
    assert ps == max(compute, 2 * accesses * ACCESS if into else 2 * accesses // 64 * ACCESS)
    found = counted(ledger, "mac_array")
    assert found["multiply"] == 6 * 63
    assert found["master.add"] == 63
    assert found.get("master.read", 0) == found.get("master.write", 0) == (0 if into else accesses)


def test_zero_inputs_save_switching_and_no_time() -> None:
    found = []
    for skip in (False, True):
        clock, ledger = Clock(), Ledger()
        unit = array(clock, ledger, skip=skip)
        x = np.ones((4, 9), np.float32)
        x[:, ::3] = 0
        _, ps = elapsed(clock, unit.multiply(np.ones((9, 7), np.float32), x, TAG))
        found.append((ps, counted(ledger, "mac_array")["multiply"]))
    assert found == [(found[0][0], 4 * 63), (found[0][0], 4 * 6 * 7)]


def test_a_memory_with_few_banks_is_waited_for() -> None:
    times = []
    for banks in (1, 64):
        clock, ledger = Clock(), Ledger()
        _, ps = elapsed(
            clock,
            array(clock, ledger, banks=banks).multiply(
                np.ones((90, 70), np.float32), np.ones((1, 90), np.float32), TAG
            ),
        )
        times.append(ps)
    assert times[1] == Systolic(4, 3, 5).cycles(1, 90, 70) * CYCLE
    assert times[0] == max(times[1], -(-90 * 70 // 4) * ACCESS)


def test_renewing_reads_32_bit_weights_and_writes_rounded_ones() -> None:
    clock, ledger = Clock(), Ledger()
    unit = array(clock, ledger)
    weight = np.random.default_rng(3).normal(size=(9, 7)).astype(np.float32)
    rounded, ps = elapsed(clock, unit.renew(weight, TAG))
    np.testing.assert_array_equal(rounded, FORMATS["bf16"]().operand(weight))
    assert ps == -(-63 // 3) * CYCLE
    assert counted(ledger, "mac_array") == {
        "convert": 63, "master.read": 16, "weights.write": 16, "control.cycle": 63,
    }  # fmt: skip


def test_a_step_with_decay_multiplies_every_weight_too() -> None:
    clock, ledger = Clock(), Ledger()
    unit = array(clock, ledger)
    weight = np.full((9, 7), 2, np.float32)
    elapsed(clock, unit.move(weight, np.full((9, 7), 0.5, np.float32), TAG, kept=0.5))
    assert (weight == 1.5).all()
    found = counted(ledger, "mac_array")
    assert (found["scale"], found["master.add"], found["master.read"]) == (63, 63, 16)

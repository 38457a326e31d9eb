"""The digital unit, the outer product unit, the programmer and the MAC array: hand-worked times and counts."""

from __future__ import annotations

import numpy as np
import pytest
from hardware_kit import TAG, counted, elapsed, ideal_cells, vectors
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.accounting.ledger import Ledger
from archsim.base.signal import Signal
from archsim.hardware.clock import Clock
from archsim.hardware.digital_unit import DigitalUnit
from archsim.hardware.mac_array import MacArray
from archsim.hardware.sram import Sram
from archsim.hardware.updating.outer_product_unit import BurstOuterProductUnit, OuterProductUnit
from archsim.hardware.updating.programmer import LoggingProgrammer
from archsim.learning.chi.accumulate import Accumulator
from archsim.learning.functions import Elementwise

CYCLE, ACCESS, SET, RESET, READ = 1009, 2003, 100_003, 50_021, 130_003


def sram(banks: int = 1) -> Sram:
    return Sram(65536 * banks, 32, banks, ACCESS)


def digital_unit(clock: Clock, ledger: Ledger, lanes: int = 1) -> DigitalUnit:
    return DigitalUnit(clock, ledger, lanes=lanes, cycle_ps=CYCLE, buffer=sram())


# --- digital unit -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("lanes", [1, 3, 16])
@pytest.mark.parametrize(
    ("op", "counts"),
    [
        ("sigmoid", {"lookup": 1, "buffer.read": 1}),
        ("sigmoid-error", {"multiply": 2, "add": 2, "buffer.read": 2}),
        ("sigmoid-derivative", {"multiply": 2, "add": 1, "buffer.read": 2}),
        ("relu", {"compare": 1, "buffer.read": 1}),
        ("relu-derivative", {"compare": 1, "buffer.read": 2}),
        ("tanh-derivative", {"multiply": 2, "add": 1, "buffer.read": 2}),
        ("difference", {"add": 1, "buffer.read": 2}),
    ],
)
def test_an_elementwise_operation_takes_its_elementary_operations_over_the_lanes(
    op: str, counts: dict[str, int], lanes: int
) -> None:
    ledger = Ledger()
    unit = digital_unit(Clock(), ledger, lanes)
    operands = [Signal(vectors(2, 5, seed)) for seed in range(counts["buffer.read"])]
    result, ps = elapsed(unit.clock, unit.compute(Elementwise(op, (5,)), operands, TAG))
    n = 10
    arithmetic = sum(amount for action, amount in counts.items() if action != "buffer.read") * n
    cycles = (arithmetic + lanes - 1) // lanes
    assert ps == cycles * CYCLE
    expected = {action: amount * n for action, amount in counts.items()} | {"buffer.write": n}
    assert counted(ledger, "digital_unit") == expected | ({"control.cycle": cycles} if cycles else {})
    assert result.values.shape == (2, 5)


@pytest.mark.parametrize("lanes", [1, 4])
@pytest.mark.parametrize("parts", [1, 2, 4])
@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_partial_sums_take_an_addition_less_than_there_are_and_a_product_if_scaled(
    lanes: int, parts: int, scale: float
) -> None:
    ledger = Ledger()
    unit = digital_unit(Clock(), ledger, lanes)
    given_parts = [vectors(1, 6, seed) for seed in range(parts)]
    before = [part.copy() for part in given_parts]
    result, ps = elapsed(unit.clock, unit.collect(given_parts, TAG, scale=scale))
    operations = 6 * (parts - 1) + (6 if scale != 1 else 0)
    assert ps == (operations + lanes - 1) // lanes * CYCLE
    found = counted(ledger, "digital_unit")
    assert found.get("add", 0) == 6 * (parts - 1)
    assert found.get("multiply", 0) == (6 if scale != 1 else 0)
    assert found["buffer.write"] == 6
    np.testing.assert_allclose(result, sum(before) * np.float32(scale), rtol=1e-6)
    for part, same in zip(given_parts, before, strict=True):
        np.testing.assert_array_equal(part, same)  # partial sums are not changed in place


def test_normalising_takes_a_comparison_and_a_product_an_element() -> None:
    ledger = Ledger()
    unit = digital_unit(Clock(), ledger)
    d = np.array([[0.5, -2.0, 1.0]], np.float32)
    (result, scale), ps = elapsed(unit.clock, unit.normalise(d, TAG))
    assert ps == 6 * CYCLE
    assert counted(ledger, "digital_unit") == {
        "compare": 3, "multiply": 3, "buffer.read": 6, "buffer.write": 3, "control.cycle": 6,
    }  # fmt: skip
    assert scale == 2.0
    np.testing.assert_array_equal(result, [[0.25, -1.0, 0.5]])


def test_an_error_of_nothing_but_zeros_stays_zero() -> None:
    clock = Clock()
    (result, scale), _ = elapsed(clock, digital_unit(clock, Ledger()).normalise(np.zeros((2, 3), np.float32), TAG))
    assert scale == 0
    assert not result.any()


def test_words_stored_and_fetched_behind_a_transfer_take_no_time() -> None:
    clock, ledger = Clock(), Ledger()
    unit = digital_unit(clock, ledger)
    unit.store(7, TAG)
    unit.store(7, TAG)
    unit.fetch(3, TAG)
    assert clock.now == 0
    assert counted(ledger, "digital_unit") == {"buffer.write": 14, "buffer.read": 3}


# --- outer product ----------------------------------------------------------------------------------------------------
def outer_product_unit(clock: Clock, ledger: Ledger, *, lanes: int = 1, banks: int = 1) -> OuterProductUnit:
    return OuterProductUnit(
        clock, ledger, lanes=lanes, cycle_ps=CYCLE, chi=sram(banks), x_bits=8, error_bits=3
    )  # fmt: skip


def accumulator(rows: int, columns: int, *, skip_zeros: bool = True) -> Accumulator:
    return Accumulator(
        (rows, columns), epsilon=0.1, bits=32, limit=64, x_bits=8, error_bits=3, skip_zeros=skip_zeros
    )  # fmt: skip


@settings(max_examples=60, deadline=None, derandomize=True)
@given(updates=st.integers(0, 5000), rows=st.integers(0, 300), lanes=st.integers(1, 64), banks=st.integers(1, 64))
def test_the_outer_product_takes_the_longer_of_arithmetic_and_memory(
    updates: int, rows: int, lanes: int, banks: int
) -> None:
    unit = outer_product_unit(Clock(), Ledger(), lanes=lanes, banks=banks)
    arithmetic = ((rows + lanes - 1) // lanes + (updates + lanes - 1) // lanes) * CYCLE
    memory = (2 * updates + banks - 1) // banks * ACCESS
    assert unit.hold_ps(updates, rows, updates) == max(arithmetic, memory)


@pytest.mark.parametrize(("lanes", "cycles"), [(1, 36), (2, 18), (3, 12), (4, 10), (8, 5), (64, 2)])
def test_lanes_share_the_scaling_of_rows_and_the_elements(lanes: int, cycles: int) -> None:
    clock, ledger = Clock(), Ledger()
    unit = outer_product_unit(clock, ledger, lanes=lanes, banks=1024)  # so many banks that memory is never the longer
    x, d = np.full((1, 6), 0.5, np.float32), np.full((1, 5), 1.0, np.float32)
    done, ps = elapsed(clock, unit.accumulate(accumulator(6, 5), x, d, TAG, x_scale=1.0, rate=0.01))
    assert (done.rows, done.updates) == (6, 30)
    assert ps == cycles * CYCLE == unit.hold_ps(30, 6, 30)
    assert counted(ledger, "outer_product_unit")["control.cycle"] == cycles


def test_the_outer_product_counts_the_elements_with_two_non_zero_operands() -> None:
    clock, ledger = Clock(), Ledger()
    unit = outer_product_unit(clock, ledger)
    x = np.array([[1.0, 0.0, 0.5, 0.001]], np.float32)  # 0.001 is below half a code of 8 bits
    d = np.array([[1.0, 0.0, -0.6, 0.1]], np.float32)  # 0.1 is below half a code of 3 bits
    done, ps = elapsed(clock, unit.accumulate(accumulator(4, 4), x, d, TAG, x_scale=1.0, rate=0.05))
    assert (done.updates, done.rows) == (4, 2)
    hold = max((2 + 4) * CYCLE, 8 * ACCESS)
    assert ps == hold
    assert counted(ledger, "outer_product_unit") == {
        "multiply": 4 + 2, "add": 4, "compare": 4, "chi.read": 4, "chi.write": 4, "control.cycle": -(-hold // CYCLE),
    }  # fmt: skip


def test_the_outer_product_that_skips_nothing_counts_every_element() -> None:
    clock, ledger = Clock(), Ledger()
    unit = outer_product_unit(clock, ledger)
    x, d = np.zeros((2, 4), np.float32), np.zeros((2, 3), np.float32)
    work = unit.accumulate(accumulator(4, 3, skip_zeros=False), x, d, TAG, x_scale=1.0, rate=0.05)
    _, ps = elapsed(clock, work)
    assert counted(ledger, "outer_product_unit")["chi.write"] == 2 * 4 * 3
    assert ps == unit.hold_ps(24, 8, 24)


@pytest.mark.parametrize(("vectors_", "burst"), [(1, 4), (4, 4), (7, 4), (64, 32)])
@pytest.mark.parametrize("lanes", [1, 3])
def test_a_burst_touches_chi_once_and_reads_two_operands_a_product(vectors_: int, burst: int, lanes: int) -> None:
    """Dense operands, so that every count has a closed form; chi would be read and written n rows columns times else."""
    clock, ledger, rows, columns = Clock(), Ledger(), 5, 3
    chi = Accumulator((rows, columns), epsilon=0.1, bits=32, limit=64, x_bits=8, error_bits=3, burst=burst)
    operands = Sram(8192, 8, 2 * lanes, ACCESS)
    unit = BurstOuterProductUnit(
        clock, ledger, lanes=lanes, cycle_ps=CYCLE, chi=sram(), operands=operands, x_bits=8, error_bits=3
    )
    x, d = np.full((vectors_, rows), 0.5, np.float32), np.ones((vectors_, columns), np.float32)
    done, ps = elapsed(clock, unit.accumulate(chi, x, d, TAG, x_scale=1.0, rate=1e-4))
    products, touched = vectors_ * rows * columns, -(-vectors_ // burst) * rows * columns
    scaled, kept = vectors_ * rows, vectors_ * (rows + columns)
    assert (done.products, done.rows, done.updates, done.operands) == (products, scaled, touched, [kept])
    cycles = -(-scaled // lanes) - (-products // lanes)
    assert ps == max(cycles * CYCLE, 2 * touched * ACCESS, -(-(kept + 2 * products) // (2 * lanes)) * ACCESS)
    assert counted(ledger, "outer_product_unit") == {
        "multiply": products + scaled, "add": products, "compare": touched, "chi.read": touched, "chi.write": touched,
        "operand.read": 2 * products, "operand.write": kept, "control.cycle": -(-ps // CYCLE),
    }  # fmt: skip


def test_an_epsilon_taken_out_of_chi_is_one_more_addition() -> None:
    clock, ledger = Clock(), Ledger()
    unit = outer_product_unit(clock, ledger)
    one = np.ones((1, 1), np.float32)
    chi = accumulator(1, 1)
    _, ps = elapsed(clock, unit.accumulate(chi, one, one, TAG, x_scale=1.0, rate=0.25))
    index, pulses = unit.apply(chi, TAG)
    assert (index.tolist(), pulses.tolist()) == ([0], [2])  # 2.5 epsilon: two pulses, half an epsilon stays
    assert counted(ledger, "outer_product_unit")["add"] == 1 + 1
    assert clock.now == ps, "taking out takes no time"
    assert unit.apply(chi, TAG)[0].size == 0
    assert counted(ledger, "outer_product_unit")["add"] == 1 + 1, "there is nothing left to take out"


# --- programmer -------------------------------------------------------------------------------------------------------
def programmer(clock: Clock, ledger: Ledger, parallel: int = 1) -> LoggingProgrammer:
    return LoggingProgrammer(
        clock, ledger, parallel=parallel, set_ps=SET, reset_ps=RESET, read_ps=READ, cycle_ps=CYCLE, log=sram()
    )  # fmt: skip


@settings(max_examples=60, deadline=None, derandomize=True)
@given(pulses=st.integers(0, 500), resets=st.integers(0, 500), reads=st.integers(0, 500), parallel=st.integers(1, 64))
def test_trains_take_a_pulse_for_each_group_of_parallel_devices(
    pulses: int, resets: int, reads: int, parallel: int
) -> None:
    def groups(devices: int) -> int:
        return (devices + parallel - 1) // parallel

    unit = programmer(Clock(), Ledger(), parallel)
    expected = groups(pulses) * SET + groups(resets) * RESET + groups(reads) * READ
    assert unit.train_ps(pulses=pulses, resets=resets, reads=reads) == expected


@pytest.mark.parametrize("parallel", [1, 2, 8])
def test_set_pulses_change_the_cells_take_their_train_and_are_logged(parallel: int) -> None:
    clock, ledger = Clock(), Ledger()
    unit = programmer(clock, ledger, parallel)
    cells = ideal_cells(np.zeros((3, 4), np.float32))
    index, pulses = np.array([1, 6]), np.array([2, -3])
    given_pulses, ps = elapsed(clock, unit.set_pulses(cells, index, pulses, TAG))
    assert given_pulses == 5
    assert ps == -(-5 // parallel) * SET
    np.testing.assert_allclose(cells.weight.reshape(-1)[index], pulses * 0.766 / 8, rtol=1e-5)
    assert np.count_nonzero(cells.weight) == 2
    assert counted(ledger, "programmer") == {"set.pulse": 5, "log.write": 2, "control.cycle": -(-ps // CYCLE)}


def test_refresh_resets_saturated_pairs_and_programs_their_difference_again() -> None:
    clock, ledger = Clock(), Ledger()
    unit = programmer(clock, ledger)
    cells = ideal_cells(np.zeros((1, 3), np.float32))
    cells.set_pulses(np.array([0, 0, 1]), np.array([12, -10, 1]), 0)
    before = cells.weight.copy()
    work = unit.refresh(cells, np.array([0, 1]), TAG, saturated=9e-6, difference=7e-6, most_pulses=20)
    done, ps = elapsed(clock, work)
    assert (done.pairs, done.resets) == (1, 2)
    np.testing.assert_allclose(cells.weight, before, atol=0.6 * 0.766 / 8)  # within half a pulse and the lower bound
    assert ps == done.pulses * SET + 2 * RESET + done.reads * READ
    assert counted(ledger, "programmer") == {
        "set.pulse": done.pulses, "reset.pulse": 2, "device.read": 2 * 2 + done.pulses, "log.read": 2,
        "control.cycle": -(-ps // CYCLE),
    }  # fmt: skip


def test_refresh_of_nothing_takes_no_time() -> None:
    clock, ledger = Clock(), Ledger()
    none = np.empty(0, np.int64)
    cells = ideal_cells(np.zeros((1, 3), np.float32))
    work = programmer(clock, ledger).refresh(cells, none, TAG, saturated=9e-6, difference=7e-6, most_pulses=20)
    assert elapsed(clock, work)[1] == 0
    assert counted(ledger, "programmer") == {}


def test_two_layers_that_program_at_once_follow_each_other() -> None:
    clock = Clock()
    unit = programmer(clock, Ledger())
    for name in ("fc1/0,0", "fc2/0,0"):
        cells = ideal_cells(np.zeros((1, 3), np.float32), name)
        clock.process(unit.set_pulses(cells, np.array([0]), np.array([1]), TAG))
    clock.run()
    assert clock.now == 2 * SET
    assert unit.slot.waited_ps == SET


# --- MAC array --------------------------------------------------------------------------------------------------------
def mac_array(
    clock: Clock, ledger: Ledger, *, lanes: int = 1, banks: int = 1, skip: bool = False, accumulators: int = 1
) -> MacArray:
    return MacArray(
        clock, ledger, lanes=lanes, cycle_ps=CYCLE, weights=sram(banks), operands=sram(), skip_zero_inputs=skip,
        accumulators=accumulators,
    )  # fmt: skip


def test_bits_of_a_word_are_changed_by_reading_and_writing_it() -> None:
    clock, ledger = Clock(), Ledger()
    _, ps = elapsed(clock, mac_array(clock, ledger, banks=2).rewrite(3, TAG))
    assert ps == 2 * 3 * ACCESS // 2
    assert counted(ledger, "mac_array") == {"weights.read": 3, "weights.write": 3, "control.cycle": -(-ps // CYCLE)}


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize(("lanes", "banks"), [(1, 1), (4, 2), (3, 16)])
@pytest.mark.parametrize("transposed", [False, True])
def test_a_product_counts_one_mac_a_weight_and_skips_zero_inputs_only_if_told(
    skip: bool, lanes: int, banks: int, transposed: bool
) -> None:
    clock, ledger = Clock(), Ledger()
    unit = mac_array(clock, ledger, lanes=lanes, banks=banks, skip=skip)
    weight = np.random.default_rng(0).normal(size=(6, 10)).astype(np.float32)
    rows, columns = (10, 6) if transposed else (6, 10)
    x = vectors(2, rows)
    x[:, ::2] = 0
    work = unit.multiply_transposed(weight, x, TAG) if transposed else unit.multiply(weight, x, TAG)
    y, ps = elapsed(clock, work)
    np.testing.assert_allclose(y, x @ (weight.T if transposed else weight), rtol=1e-5, atol=1e-6)
    inputs = rows if skip else 2 * rows  # every second of 2 x rows
    macs = inputs * columns
    assert ps == max(-(-macs // lanes) * CYCLE, -(-macs // banks) * ACCESS)
    assert counted(ledger, "mac_array") == {
        "multiply": macs, "add": macs, "weights.read": macs, "operand.read": inputs * -(-columns // lanes),
        "operand.write": 2 * columns, "control.cycle": -(-ps // CYCLE),
    }  # fmt: skip


@pytest.mark.parametrize("skip", [False, True])
def test_an_update_reads_and_writes_every_weight(skip: bool) -> None:
    clock, ledger = Clock(), Ledger()
    unit = mac_array(clock, ledger, lanes=2, banks=4, skip=skip)
    weight = np.zeros((4, 3), np.float32)
    x = np.array([[1, 0, 2, 0]], np.float32)
    d = np.array([[1, -1, 0.5]], np.float32)
    _, ps = elapsed(clock, unit.add_outer(weight, x, d, TAG))
    np.testing.assert_allclose(weight, x.T @ d)
    inputs = 2 if skip else 4
    macs = inputs * 3
    assert ps == max(-(-macs // 2) * CYCLE, -(-2 * macs // 4) * ACCESS)
    assert counted(ledger, "mac_array") == {
        "multiply": macs, "add": macs, "weights.read": macs, "weights.write": macs, "operand.read": inputs + macs,
        "control.cycle": -(-ps // CYCLE),
    }  # fmt: skip


@pytest.mark.parametrize("accumulators", [1, 2, 3, 8])
@pytest.mark.parametrize("skip", [False, True])
def test_a_weight_is_read_once_for_as_many_vectors_as_a_lane_has_accumulators(accumulators: int, skip: bool) -> None:
    """7 vectors; each of 6 rows is driven by one vector in three, so that a group of three or more drives all."""
    clock, ledger = Clock(), Ledger()
    unit = mac_array(clock, ledger, lanes=2, skip=skip, accumulators=accumulators)
    weight, x, d = np.zeros((6, 5), np.float32), vectors(7, 6), vectors(7, 5)
    if skip:
        x[np.add.outer(np.arange(7), np.arange(6)) % 3 != 0] = 0
    groups = -(-7 // accumulators)
    driven = [x[k * accumulators : (k + 1) * accumulators].any(axis=0).sum() if skip else 6 for k in range(groups)]
    swept = 5 * sum(driven)
    y, ps = elapsed(clock, unit.multiply(weight, x, TAG))
    macs = np.count_nonzero(x) * 5
    assert ps == max(-(-macs // 2) * CYCLE, swept * ACCESS)
    assert counted(ledger, "mac_array")["weights.read"] == swept
    assert counted(ledger, "mac_array")["multiply"] == macs
    assert not y.any()
    _, ps = elapsed(clock, unit.add_outer(weight, x, d, TAG))
    assert ps == max(-(-macs // 2) * CYCLE, 2 * swept * ACCESS)
    assert counted(ledger, "mac_array")["weights.read"] == 2 * swept
    assert counted(ledger, "mac_array")["weights.write"] == swept
    np.testing.assert_allclose(weight, x.T @ d, rtol=1e-5, atol=1e-6)


def test_the_array_is_bound_by_its_memory_until_there_are_banks_enough() -> None:
    times = [mac_array(Clock(), Ledger(), lanes=8, banks=banks).hold_ps(800, 800) for banks in (1, 2, 4, 8, 16, 32)]
    assert times[:4] == [800 // banks * ACCESS for banks in (1, 2, 4, 8)]
    assert times[5] == 100 * CYCLE

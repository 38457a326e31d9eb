"""Cells: products, converters, loading, pulses, the cache, drift on the clock, streams."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cells_kit import IDEAL, QUIET, SCALE, STILL, T0_PS, US, S, blank, conductances, loaded
from hypothesis import example, given, settings
from hypothesis import strategies as st

from archsim.analog import _kernels
from archsim.analog import cells as cells_module
from archsim.analog.cells import normal_table
from archsim.analog.paired import PairedCells
from archsim.base.signal import STEP_PHASES
from archsim.base.streams import Streams
from archsim.devices.base import DeviceArray, Switches
from archsim.learning.chi.accumulate import Accumulator

shapes = st.tuples(st.integers(1, 13), st.integers(1, 9))


def inputs(seed: int, vectors: int, size: int, density: float) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (vectors, size)) * (rng.random((vectors, size)) < density)
    return x.astype(np.float32)


# --- Products


@given(shape=shapes, vectors=st.integers(1, 3), seed=st.integers(0, 999), density=st.sampled_from([0, 0.1, 0.6, 1]))
@settings(max_examples=60, deadline=None)
def test_without_noise_a_product_is_a_product_in_both_directions(
    shape: tuple[int, int], vectors: int, seed: int, density: float
) -> None:
    cells, weight = loaded(shape)
    total = sum(conductances(cells, 0))
    x, d = inputs(seed, vectors, shape[0], density), inputs(seed + 1, vectors, shape[1], density)
    y, driven, clipped, moment = cells.multiply(x, "forward", IDEAL)
    assert y == pytest.approx(x @ weight, abs=1e-5)
    assert (driven, clipped) == (np.count_nonzero(x), 0)
    assert moment == pytest.approx(float((np.abs(x).astype(float) @ total).sum()), rel=1e-6)
    back, driven, clipped, moment = cells.multiply_transposed(d, "backward", IDEAL)
    assert back == pytest.approx(d @ weight.T, abs=1e-5)
    assert (driven, clipped) == (np.count_nonzero(d), 0)
    assert moment == pytest.approx(float((np.abs(d).astype(float) @ total.T).sum()), rel=1e-6)


@example(shape=(1, 5), seed=0, dac=1, adc=15, full=0.31305152882849413, clips=True, back=True)
@given(shape=shapes, seed=st.integers(0, 999), dac=st.sampled_from([1, 7, 127]), adc=st.sampled_from([1, 15, 127]),
       full=st.floats(0.05, 3), clips=st.booleans(), back=st.booleans())  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_converters_round_inputs_and_round_and_clip_outputs(
    shape: tuple[int, int], seed: int, dac: int, adc: int, full: float, clips: bool, back: bool
) -> None:
    cells, weight = loaded(shape)
    x = 1.3 * inputs(seed, 2, shape[1] if back else shape[0], 0.7)
    product = cells.multiply_transposed if back else cells.multiply
    y, driven, clipped, moment = product(x, "forward", (dac, adc, full, clips))
    codes = np.clip(np.rint(x * np.float32(dac)), -dac, dac) / dac
    exact = codes @ (weight.T if back else weight).astype(float)
    due = exact * adc / full
    rounded = np.rint(due)
    expected = (np.clip(rounded, -adc, adc) if clips else rounded) * full / adc
    clear = np.abs(np.abs(due - np.trunc(due)) - 0.5) > 1e-3  # not on the edge between two codes
    assert y[clear] == pytest.approx(expected[clear], rel=1e-5, abs=1e-6)
    assert (np.abs(y - expected)[~clear] <= 1.00001 * full / adc).all()  # there one code either way is right
    assert driven == np.count_nonzero(codes)
    total = sum(conductances(cells, 0))
    assert moment == pytest.approx(float((np.abs(codes) @ (total.T if back else total)).sum()), rel=1e-6)
    if clear.all():
        beyond = np.abs(rounded) > adc
        assert clipped == (np.count_nonzero(beyond) if clips else 0)


def test_an_ideal_adc_may_clip_without_rounding() -> None:
    cells, weight = loaded((20, 4))
    x = np.ones((1, 20), np.float32)
    y, _, clipped, _ = cells.multiply(x, "forward", (0, 0, 0.25, True))
    exact = x @ weight
    assert y == pytest.approx(np.clip(exact, -0.25, 0.25), abs=1e-5)
    assert clipped == np.count_nonzero(np.abs(exact) > 0.25) > 0


def way(cells: PairedCells, *, back: bool) -> Any:
    return cells.multiply_transposed if back else cells.multiply


@pytest.mark.parametrize("back", [False, True])
def test_vectors_one_by_one_are_the_vectors_of_a_small_burst_to_the_bit(back: bool) -> None:
    """With noise: a burst draws the same numbers as its vectors would."""
    together, _ = loaded((8, 8), STILL)
    apart, _ = loaded((8, 8), STILL)
    x = inputs(3, 5, 8, 0.8)
    whole = way(together, back=back)(x, "forward", (127, 127, 2.0, True))
    parts = [way(apart, back=back)(x[v : v + 1], "forward", (127, 127, 2.0, True)) for v in range(5)]
    assert (whole[0] == np.concatenate([part[0] for part in parts])).all()
    assert whole[1:3] == (sum(part[1] for part in parts), sum(part[2] for part in parts))
    assert whole[3] == pytest.approx(sum(part[3] for part in parts))


@given(shape=shapes, sizes=st.lists(st.integers(1, 40), min_size=1, max_size=4), seed=st.integers(0, 999),
       dac=st.sampled_from([0, 7, 127]), density=st.sampled_from([0, 0.2, 1]), back=st.booleans(),
       noisy=st.booleans(), slab=st.sampled_from([3, 16, cells_module.SLAB]), part=st.sampled_from([1, cells_module.PART]))  # fmt: skip
@settings(max_examples=80, deadline=None)
def test_bursts_of_any_size_and_slabs_are_the_vectors_one_by_one(
    shape: tuple[int, int], sizes: list[int], seed: int, dac: int, density: float, back: bool, noisy: bool, slab: int,
    part: int,
) -> None:  # fmt: skip
    """Both paths, with the same draws of noise: up to the rounding of float32; counts exactly."""
    switches = STILL if noisy else QUIET
    (bursts, _), (alone, _) = loaded(shape, switches), loaded(shape, switches)
    x = 1.2 * inputs(seed, sum(sizes), shape[1] if back else shape[0], density)
    grids = (dac, 0, 0.4, True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cells_module, "SLAB", slab)
        patch.setattr(cells_module, "PART", part)
        found = [way(bursts, back=back)(burst, "forward", grids) for burst in np.split(x, np.cumsum(sizes)[:-1])]
    each = [way(alone, back=back)(x[v : v + 1], "forward", grids) for v in range(len(x))]
    y = np.concatenate([one[0] for one in each])
    assert np.concatenate([one[0] for one in found]) == pytest.approx(y, rel=1e-5, abs=1e-5)
    assert sum(one[1] for one in found) == sum(one[1] for one in each)
    clear = np.abs(np.abs(y) - 0.4) > 1e-4
    if (clear | (np.abs(y) == np.float32(0.4))).all():
        assert sum(one[2] for one in found) == sum(one[2] for one in each)
    assert sum(one[3] for one in found) == pytest.approx(sum(one[3] for one in each), rel=1e-6)


@pytest.mark.parametrize("back", [False, True])
def test_a_burst_is_the_same_from_some_lines_of_a_signal_and_into_some_columns_of_a_result(back: bool) -> None:
    first, _ = loaded((9, 6), STILL)
    second, _ = loaded((9, 6), STILL)
    x, whole = inputs(4, 60, 20, 0.5), np.full((60, 15), 7, np.float32)
    lines, outputs = slice(5, 5 + (6 if back else 9)), 9 if back else 6
    a = way(first, back=back)(x[:, lines], "forward", (127, 127, 2.0, True), (whole, 4))
    b = way(second, back=back)(np.ascontiguousarray(x[:, lines]), "forward", (127, 127, 2.0, True))
    assert (a[0] == b[0]).all()
    assert a[1:] == b[1:]
    assert (whole[:, 4 : 4 + outputs] == b[0]).all()
    assert (np.delete(whole, range(4, 4 + outputs), axis=1) == 7).all(), "what stands beside it is left alone"


@pytest.mark.parametrize("levels", [0, 7, 127])
def test_codes_say_what_drives_each_line(levels: int) -> None:
    x = 1.3 * inputs(4, 7, 5, 0.5)
    codes, squares = np.empty((2, *x.shape), np.float32)
    driven, magnitude = np.full(5, 2, np.int32), np.full(5, 0.5)
    _kernels.encode(x, levels, codes, squares, driven, magnitude)
    expected = np.clip(np.rint(x * np.float32(levels)), -levels, levels) / levels if levels else x
    assert codes == pytest.approx(expected, abs=1e-7)
    assert (squares == codes * codes).all()
    assert (driven - 2).tolist() == np.count_nonzero(expected, axis=0).tolist(), "added to what was counted before"
    assert magnitude - 0.5 == pytest.approx(np.abs(expected).sum(axis=0), rel=1e-6)


# --- Noise, number by number


def split_mix(state: int) -> tuple[int, int]:
    mask = 2**64 - 1
    state = (state + 0x9E3779B97F4A7C15) & mask
    z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
    return state, z ^ (z >> 31)


def test_the_generator_is_split_mix_64() -> None:
    """The first numbers of the published generator from the seeds 1234567 and 0."""
    first = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821]
    assert [int(_kernels.random_word(np.uint64(1234567), np.uint64(k))) for k in range(5)] == first
    assert int(_kernels.random_word(np.uint64(0), np.uint64(0))) == 0xE220A8397B1DCDAF


@pytest.mark.parametrize("back", [False, True])
@pytest.mark.parametrize("lines", [1, 2, 5, 8])
def test_noise_is_the_spread_of_the_devices_times_numbers_from_the_table(lines: int, back: bool) -> None:
    """Each output gets sqrt(sum x_i^2 s_ij^2) times one entry; four entries from the bits of one word."""
    shape = (6, lines) if not back else (lines, 6)
    noisy, _ = loaded(shape, STILL)
    quiet, _ = loaded(shape)
    x = inputs(8, 2, 6, 0.8)
    got = (noisy.multiply_transposed if back else noisy.multiply)(x, "forward", IDEAL)[0]
    clean = (quiet.multiply_transposed if back else quiet.multiply)(x, "forward", IDEAL)[0]
    variance = sum((0.03 * g.astype(float) + 0.13 * US) ** 2 for g in conductances(noisy, 0)) / SCALE**2
    spread = np.sqrt(x.astype(float) ** 2 @ (variance.T if back else variance))
    stream = "cells/a/0,0/read/step/" + ("transposed" if back else "forward")
    state, draws = int(Streams(1).word(stream)[0]), []
    for _ in range(2):
        entries: list[int] = []
        while len(entries) < lines:
            state, word = split_mix(state)
            entries += [(word >> shift) & 16383 for shift in (0, 16, 32, 48)]
        draws.append(normal_table()[entries[:lines]])
    assert got - clean == pytest.approx(spread * np.array(draws), abs=1e-5)


def test_an_undriven_array_gives_no_noise_but_a_product_of_zeros() -> None:
    cells, _ = loaded((5, 5), STILL)
    y, driven, _, moment = cells.multiply(np.zeros((2, 5), np.float32), "forward", IDEAL)
    assert not y.any()
    assert (driven, moment) == (0, 0)


def test_a_weight_takes_at_most_90_bytes_with_its_chi_whatever_the_array() -> None:
    """56 in devices, 12 in the cache, 4 of chi; what grows with lines is little."""
    rows, columns = 300, 200
    cells, chi = (
        blank((rows, columns)),
        Accumulator((rows, columns), epsilon=0.1, bits=16, limit=64, x_bits=8, error_bits=3),
    )

    def held(one: Any) -> int:
        if isinstance(one, np.ndarray):
            return one.nbytes if one.base is None else 0
        if isinstance(one, DeviceArray):
            return sum(held(getattr(one, name)) for name in DeviceArray.__slots__)
        return sum(map(held, one)) if isinstance(one, (tuple, list)) else 0

    table = cells._table.nbytes  # one for all arrays
    taken = sum(held(value) for owner in (cells, chi) for value in vars(owner).values()) - table
    assert 72 <= taken / (rows * columns) <= 74


# --- Loading and pulses


def test_loading_is_exact_within_the_bounds() -> None:
    cells, weight = loaded((30, 30))
    assert cells.weight == pytest.approx(weight, abs=1e-6)
    plus, minus = (side.conductance for side in cells.pairs)
    around = np.maximum(
        1.6, 0.1 + np.abs(weight.reshape(-1)) * 4
    )  # uS: the common conductance, or as low as bounds allow
    assert (plus + minus) / 2 / US == pytest.approx(around, rel=1e-5)


@given(st.floats(-2, 2, width=32))
@settings(max_examples=50, deadline=None)
def test_a_weight_out_of_reach_is_loaded_as_near_as_the_bounds_allow(weight: float) -> None:
    """12 - 0.1 uS at 8 uS a unit reach 1.4875; below that a pair is moved up as a whole and loses nothing."""
    cells = blank((1, 1))
    cells.load(np.array([[weight]], np.float32), 0)
    assert cells.weight[0, 0] == pytest.approx(np.clip(weight, -11.9 / 8, 11.9 / 8), abs=2e-6)


def test_positive_pulses_go_to_g_plus_and_negative_ones_to_g_minus() -> None:
    cells, _ = loaded((3, 3))
    before = [side.conductance.copy() for side in cells.pairs]
    assert cells.set_pulses(np.array([0, 4, 8]), np.array([2, -3, 1]), 10) == 6
    plus, minus = cells.pairs
    assert plus.set_pulses.tolist() == [2, 0, 0, 0, 0, 0, 0, 0, 1]
    assert minus.set_pulses.tolist() == [0, 0, 0, 0, 3, 0, 0, 0, 0]
    assert np.flatnonzero(plus.conductance != before[0]).tolist() == [0, 8]
    assert np.flatnonzero(minus.conductance != before[1]).tolist() == [4]
    assert plus.programmed_ps.tolist() == [10, 0, 0, 0, 0, 0, 0, 0, 10]


def test_pulses_move_a_weight_by_epsilon_each_in_an_ideal_device() -> None:
    cells = blank((2, 2), name="ideal")
    cells.load(np.zeros((2, 2), np.float32), 0)
    cells.set_pulses(np.array([0, 1, 3]), np.array([1, -2, 3]), 0)
    epsilon = cells.device.epsilon / SCALE
    assert cells.weight == pytest.approx(np.array([[1, -2], [0, 3]]) * epsilon, rel=1e-5)


def test_pairs_are_views_of_the_devices() -> None:
    cells, _ = loaded((2, 2))
    plus, minus = cells.pairs
    plus.conductance[1], minus.conductance[2] = 5 * US, 6 * US
    assert cells.devices.conductance[[1, 6]] == pytest.approx([5 * US, 6 * US])


# --- The cache


def kept(cells: PairedCells) -> list[np.ndarray]:
    return [cells.weight.copy(), cells.variance.copy(), cells._row_total.copy(), cells._column_total.copy()]


@given(shape=shapes, seed=st.integers(0, 999), now_s=st.floats(0, 1e5), refresh=st.booleans())
@settings(max_examples=40, deadline=None)
def test_after_writes_the_cache_is_what_a_full_renewal_gives(
    shape: tuple[int, int], seed: int, now_s: float, refresh: bool
) -> None:
    cells, _ = loaded(shape, Switches())
    now, pairs = int(now_s * S), shape[0] * shape[1]
    cells.renew(now)
    rng = np.random.default_rng(seed)
    for _ in range(20):
        index = rng.choice(pairs, min(5, pairs), replace=False)
        cells.set_pulses(index, rng.choice([-9, -1, 1, 9], index.size), now)
    if refresh:
        cells.refresh(np.arange(pairs), now, saturated=6 * US, difference=7 * US, most_pulses=20)
    before = kept(cells)
    cells.renew(now)
    for old, new in zip(before, kept(cells), strict=True):
        assert old == pytest.approx(new, rel=1e-5, abs=1e-11)


def test_the_totals_do_not_wander_over_many_writes() -> None:
    """20,000 writes: row and column sums stay what a sum over the devices gives, to one in a million."""
    cells, _ = loaded((6, 5))
    rng = np.random.default_rng(1)
    for _ in range(20_000):
        if cells.devices.conductance.max() > 11 * US:
            cells.refresh(np.arange(30), 0, saturated=9 * US, difference=20 * US, most_pulses=3)
        cells.set_pulses(rng.integers(0, 30, 1), rng.choice([-1, 1], 1), 0)
    total = sum(g.astype(float) for g in conductances(cells, 0))
    assert cells._row_total == pytest.approx(total.sum(axis=1), rel=1e-6)
    assert cells._column_total == pytest.approx(total.sum(axis=0), rel=1e-6)


@given(
    events=st.lists(st.tuples(st.floats(0, 3e4), st.lists(st.integers(0, 11), unique=True, min_size=1)), max_size=8),
    tolerance=st.sampled_from([0.002, 0.01, 0.05]),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_whatever_is_written_when_the_cache_is_never_off_by_more_than_its_tolerance(
    events: list[tuple[float, list[int]]], tolerance: float
) -> None:
    """Of what the pair conducted when it was cached, at most true/(1 - tolerance): its devices may differ in age."""
    allowed = tolerance / (1 - tolerance) * (1 + 1e-4)
    cells = blank((4, 3), Switches(), tolerance=tolerance)
    cells.load(np.random.default_rng(2).normal(0, 0.2, (4, 3)).astype(np.float32), 0)
    now = 0
    for wait_s, index in events:
        now += int(wait_s * S)
        cells.age(now)
        plus, minus = conductances(cells, now)
        assert (np.abs(cells.weight - (plus - minus) / SCALE) <= allowed * (plus + minus) / SCALE + 1e-6).all()
        assert cells._row_total == pytest.approx((plus + minus).sum(axis=1), rel=allowed)
        cells.set_pulses(np.array(index), np.where(np.array(index) % 2, 1, -1), now)


def test_the_cache_is_kept_for_its_window_and_not_longer() -> None:
    cells, _ = loaded((3, 3), Switches())
    now, window = 5 * S, int(cells._window_ps)
    cells.renew(now)
    before = cells.weight.copy()
    cells.age(now + window)
    assert (cells.weight == before).all()
    assert cells._renewed_ps == now
    cells.age(now + window + 10)
    assert (cells.weight != before).all()
    assert cells._renewed_ps == now + window + 10


def test_without_drift_time_changes_nothing() -> None:
    cells, _ = loaded((3, 3), STILL)
    before = kept(cells)
    cells.age(10**18)
    assert cells._renewed_ps == 0
    cells.renew(10**18)
    for old, new in zip(before, kept(cells), strict=True):
        assert (old == new).all()


def test_a_weight_reads_as_programmed_at_the_reference_time() -> None:
    cells, weight = loaded((5, 5), Switches())
    cells.renew(T0_PS)
    assert cells.weight == pytest.approx(weight, abs=1e-6)


def test_the_noise_of_a_read_follows_the_drifted_conductance() -> None:
    cells, _ = loaded((4, 4), Switches())
    cells.renew(10**6 * S)
    expected = sum((0.03 * g + 0.13 * US) ** 2 for g in conductances(cells, 10**6 * S)) / SCALE**2
    assert cells.variance == pytest.approx(expected, rel=1e-5)


# --- Streams


@pytest.mark.parametrize("other", ["evaluation", "retention"])
def test_evaluation_leaves_the_noise_of_training_alone(other: str) -> None:
    x = np.ones((1, 5), np.float32)
    plain, _ = loaded((5, 5), STILL)
    tested, _ = loaded((5, 5), STILL)
    for _ in range(7):
        tested.multiply(x, other, IDEAL)
        tested.multiply_transposed(x, other, IDEAL)
    assert (plain.multiply(x, "forward", IDEAL)[0] == tested.multiply(x, "forward", IDEAL)[0]).all()
    assert (plain.multiply(x, other, IDEAL)[0] != tested.multiply(x, other, IDEAL)[0]).any()


def test_the_phases_of_a_step_are_one_reader() -> None:
    cells, _ = loaded((5, 5), STILL)
    x = np.ones((1, 5), np.float32)
    by_phase = [cells.multiply(x, phase, IDEAL)[0] for phase in STEP_PHASES]
    again, _ = loaded((5, 5), STILL)
    assert all((again.multiply(x, "forward", IDEAL)[0] == y).all() for y in by_phase)


def test_the_two_directions_draw_apart() -> None:
    """Reading one way, however often, changes no draw of the other; and they are not the same draws."""
    x = np.ones((1, 5), np.float32)
    plain, _ = loaded((5, 5), STILL)
    read, _ = loaded((5, 5), STILL)
    for _ in range(3):
        read.multiply(x, "forward", IDEAL)
    assert (
        plain.multiply_transposed(x, "backward", IDEAL)[0] == read.multiply_transposed(x, "backward", IDEAL)[0]
    ).all()
    blank_, _ = loaded((5, 5), STILL)
    blank_.load(np.zeros((5, 5), np.float32), 0)
    assert (blank_.multiply(x, "forward", IDEAL)[0] != blank_.multiply_transposed(x, "forward", IDEAL)[0]).all()


def test_restored_cells_go_on_with_the_next_vector() -> None:
    one, _ = loaded((5, 5), STILL)
    other, _ = loaded((5, 5), STILL, seed=9)
    x = inputs(1, 20, 5, 1)
    one.multiply(x, "forward", IDEAL)
    other.restore({name: array.copy() for name, array in one.arrays().items()})
    assert one.arrays()["read_streams"][..., 1].tolist() == [[20, 0], [0, 0], [0, 0]]
    for phase in ("forward", "evaluation"):
        assert (one.multiply(x, phase, IDEAL)[0] == other.multiply(x, phase, IDEAL)[0]).all()


def test_reading_leaves_the_noise_of_programming_alone() -> None:
    plain, _ = loaded((5, 5), STILL)
    read, _ = loaded((5, 5), STILL)
    for _ in range(9):
        read.multiply(np.ones((1, 5), np.float32), "forward", IDEAL)
    read._read_devices(np.arange(50), 0)
    for cells in (plain, read):
        cells.set_pulses(np.arange(25), np.ones(25, np.int64), 0)
    assert (plain.weight == read.weight).all()


def test_arrays_of_other_names_and_seeds_have_other_noise() -> None:
    one, _ = loaded((5, 5), STILL, seed=1)
    two, _ = loaded((5, 5), STILL, seed=2)
    x = np.ones((1, 5), np.float32)
    assert (one.multiply(x, "forward", IDEAL)[0] != two.multiply(x, "forward", IDEAL)[0]).all()
    assert QUIET.read_noise is False

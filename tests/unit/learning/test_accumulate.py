"""Chi: the outer product against NumPy, conservation, the threshold, counts; the refresh log."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.learning.chi import _kernels
from archsim.learning.chi.accumulate import Accumulator, RefreshLog

EPSILON = 0.1
cases = {
    "seed": st.integers(0, 999), "vectors": st.integers(1, 3), "rows": st.integers(1, 9), "columns": st.integers(1, 9),
    "density": st.sampled_from([0.0, 0.2, 1.0]), "rate": st.floats(0.01, 3),
}  # fmt: skip


def operands(seed: int, vectors: int, rows: int, columns: int, density: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = (rng.uniform(-1, 1, (vectors, rows)) * (rng.random((vectors, rows)) < 0.5)).astype(np.float32)
    d = (rng.uniform(-1, 1, (vectors, columns)) * (rng.random((vectors, columns)) < density)).astype(np.float32)
    return x, d


def unit(shape: tuple[int, int], **options: object) -> Accumulator:
    return Accumulator(
        shape, **{"epsilon": EPSILON, "bits": 32, "limit": 64, "x_bits": 8, "error_bits": 3, **options}  # type: ignore[arg-type]
    )  # fmt: skip


def codes(x: np.ndarray, bits: int, scale: float = 1.0) -> np.ndarray:
    levels = 2 ** (bits - 1) - 1
    return np.clip(np.rint(x * np.float32(levels / scale)), -levels, levels).astype(float) * scale / levels


def taken(one: Accumulator) -> np.ndarray:
    """Take the pulses due out of chi and return them as a matrix (rows, columns)."""
    found = np.zeros(one.chi.size)
    index, pulses = one.apply()
    assert (pulses != 0).all()
    assert np.unique(index).size == index.size
    found[index] = pulses
    return found.reshape(one.chi.shape[::-1])


@given(**cases, error_bits=st.integers(2, 8))
@settings(max_examples=80, deadline=None)
def test_chi_before_and_the_update_are_chi_after_and_the_pulses(
    seed: int, vectors: int, rows: int, columns: int, density: float, rate: float, error_bits: int
) -> None:
    """Nothing is lost or made: up to the rounding of float32, whatever the operands, and over three updates in a row."""
    one, total, given_pulses = unit((rows, columns), error_bits=error_bits, limit=1e6), 0.0, 0.0
    for step in range(3):
        x, d = operands(seed + step, vectors, rows, columns, density)
        before = one.chi.T.astype(float)
        one.accumulate(x, d, x_scale=1.0, rate=rate)
        update = codes(x, 8).T @ codes(d, error_bits) * rate / EPSILON
        pulses = taken(one)
        assert one.chi.T + pulses == pytest.approx(before + update, rel=1e-5, abs=2e-5)
        total, given_pulses = total + update, given_pulses + pulses
    assert one.chi.T + given_pulses == pytest.approx(total, rel=1e-5, abs=6e-5)


@given(**cases, bits=st.sampled_from([8, 12, 16, 32]))
@settings(max_examples=80, deadline=None)
def test_pulses_are_chi_truncated_and_what_stays_is_below_one_epsilon(
    seed: int, vectors: int, rows: int, columns: int, density: float, rate: float, bits: int
) -> None:
    one = unit((rows, columns), bits=bits)
    start = np.random.default_rng(seed).uniform(-0.99, 0.99, one.chi.shape)
    one.chi[...] = np.rint(start / one.step) * one.step if one.step else start
    one.chi[np.abs(one.chi) >= 1] = 0
    twin = one.chi.copy()
    x, d = operands(seed, vectors, rows, columns, density)
    one.accumulate(x, d, x_scale=1.0, rate=rate)
    whole = (np.array([0, rows]), np.array([0, columns])), np.empty((1, 1, 3), np.int64)
    scratch = np.empty(rows, np.float32), np.empty(columns, np.float32), np.zeros(columns, np.bool_)
    _kernels.accumulate(x, d, rate / EPSILON, (1.0, 127, 3), twin, one.step, one.limit, True, *whole, *scratch)
    assert (one.chi == twin).all(), "nothing is taken out before it is asked for"
    pulses = taken(one)
    assert (pulses == np.trunc(twin.T)).all()
    assert (twin.T - pulses == one.chi.T).all(), "exact: chi and a whole number are both float32"
    assert (np.abs(one.chi) < 1).all()
    assert not (one.chi.T * twin.T < 0).any(), "the rest keeps its sign"


@given(**cases, bits=st.sampled_from([6, 8, 12, 16]))
@settings(max_examples=80, deadline=None)
def test_with_few_bits_every_single_product_is_rounded_to_the_grid_of_chi(
    seed: int, vectors: int, rows: int, columns: int, density: float, rate: float, bits: int
) -> None:
    """Against NumPy, one vector after the other, where no product lies on the edge between two codes."""
    one = unit((rows, columns), bits=bits, limit=32)
    step = 64 / 2**bits
    x, d = operands(seed, vectors, rows, columns, density)
    one.accumulate(x, d, x_scale=1.0, rate=rate)
    chi, clear = np.zeros((rows, columns)), np.ones((rows, columns), bool)
    for xv, dv in zip(codes(x, 8), codes(d, 3), strict=True):
        change = np.outer(xv, dv) * rate / EPSILON / step
        clear &= np.abs(np.abs(change - np.trunc(change)) - 0.5) > 1e-3
        chi = np.clip(chi + np.rint(change) * step, -32, 32)
    found = one.chi.T + taken(one)
    assert (found[clear] == chi[clear]).all()


@pytest.mark.parametrize(("bits", "limit"), [(8, 64), (12, 64), (8, 2), (16, 4)])
def test_chi_stays_on_its_grid(bits: int, limit: float) -> None:
    """A grid of 2 limit/2^bits: also after a pulse has been taken out, whatever limit an architecture may state."""
    one = unit((9, 7), bits=bits, limit=limit)
    for seed in range(20):
        one.accumulate(*operands(seed, 1, 9, 7, 1.0), x_scale=1.0, rate=0.5)
        one.apply()
        on_grid = one.chi / (2 * limit / 2**bits)
        assert on_grid == pytest.approx(np.rint(on_grid), abs=1e-3)


@pytest.mark.parametrize("sign", [1, -1])
def test_chi_saturates_at_its_limit_to_both_sides(sign: int) -> None:
    for bits in (8, 32):
        one = unit((1, 1), epsilon=1e-6, bits=bits, limit=8)
        one.accumulate(np.ones((1, 1), np.float32), np.full((1, 1), sign, np.float32), x_scale=1.0, rate=1.0)
        assert taken(one) == [8 * sign]
        assert one.chi[0, 0] == 0


def test_from_24_bits_on_chi_is_float32() -> None:
    assert unit((1, 1), bits=23).step == 128 / 2**23
    assert unit((1, 1), bits=24).step == 0
    assert unit((1, 1)).chi.dtype == np.float32


def test_a_crossing_of_exactly_one_is_a_pulse_and_just_below_is_none() -> None:
    one = unit((1, 2), epsilon=1.0, error_bits=8)
    one.chi[:, 0] = (np.float32(1 - 2**-24), -0.5)
    one.accumulate(np.ones((1, 1), np.float32), np.array([[0, -1]], np.float32), x_scale=1.0, rate=0.5)
    index, pulses = one.apply()
    assert (index.tolist(), pulses.tolist()) == ([1], [-1])
    assert one.chi[:, 0].tolist() == [np.float32(1 - 2**-24), 0]


@given(**cases)
@settings(max_examples=60, deadline=None)
def test_operands_with_a_zero_are_skipped_and_not_counted_or_all_are(
    seed: int, vectors: int, rows: int, columns: int, density: float, rate: float
) -> None:
    x, d = operands(seed, vectors, rows, columns, density)
    skipping, plain = unit((rows, columns)), unit((rows, columns), skip_zeros=False)
    done, all_of_them = (one.accumulate(x, d, x_scale=1.0, rate=rate) for one in (skipping, plain))
    driven, errors = np.count_nonzero(codes(x, 8), axis=1), np.count_nonzero(codes(d, 3), axis=1)
    assert (done.products, done.rows, done.updates) == (driven @ errors, driven @ (errors > 0), driven @ errors)
    everything = vectors * rows * columns
    assert (all_of_them.products, all_of_them.rows, all_of_them.updates) == (everything, vectors * rows, everything)
    assert (skipping.chi == plain.chi).all(), "what is counted changes nothing that is computed"
    assert (taken(skipping) == taken(plain)).all()


def test_inputs_are_coded_over_their_full_scale_and_clipped() -> None:
    one = unit((3, 1), epsilon=1.0, error_bits=8)
    one.accumulate(np.array([[0.1, 2.0, 5.0]], np.float32), np.ones((1, 1), np.float32), x_scale=2.0, rate=0.1)
    assert one.chi[0] == pytest.approx([0.1 * np.rint(0.1 * 63.5) / 63.5, 0.2, 0.2], rel=1e-5)


def test_more_crossings_than_the_buffer_holds_are_all_taken() -> None:
    one = unit((40, 30), epsilon=0.01, error_bits=8)
    for _ in range(2):
        one.accumulate(np.ones((1, 40), np.float32), np.ones((1, 30), np.float32), x_scale=1.0, rate=0.015)
        assert taken(one).all()
        assert np.abs(one.chi).max() < 1


def test_a_result_is_not_overwritten_by_the_next() -> None:
    one = unit((2, 2), epsilon=0.1, error_bits=8)
    one.accumulate(np.ones((1, 2), np.float32), np.ones((1, 2), np.float32), x_scale=1.0, rate=0.2)
    first = one.apply()
    kept = [part.copy() for part in first]
    one.accumulate(np.ones((1, 2), np.float32), -np.ones((1, 2), np.float32), x_scale=1.0, rate=0.9)
    one.apply()
    for part, same in zip(first, kept, strict=True):
        assert (part == same).all()


@given(**cases, times=st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_a_batch_is_applied_once_with_all_that_was_accumulated(
    seed: int, vectors: int, rows: int, columns: int, density: float, rate: float, times: int
) -> None:
    """Vectors given at once, or in several parts, come to the same chi and the same pulses, to the bit."""
    x, d = operands(seed, vectors * times, rows, columns, density)
    whole, parts = unit((rows, columns)), unit((rows, columns))
    whole.accumulate(x, d, x_scale=1.0, rate=rate)
    for xs, ds in zip(np.split(x, times), np.split(d, times), strict=True):
        parts.accumulate(xs, ds, x_scale=1.0, rate=rate)
    assert (taken(whole) == taken(parts)).all()
    assert (whole.chi == parts.chi).all()


def test_what_is_restored_has_its_pulses_still_to_come() -> None:
    one, other = unit((2, 3)), unit((2, 3))
    one.chi[1, 1] = -2.25
    other.restore(one.chi)
    assert taken(other).tolist() == [[0, 0, 0], [0, -2, 0]]
    assert other.chi[1, 1] == -0.25


def test_take_pulses_leaves_chi_alone_if_the_buffer_is_too_short() -> None:
    chi = np.full((2, 3), 2.5, np.float32)
    buffer = np.empty(4, np.int64)
    crossed = np.ones(2, np.bool_)
    assert _kernels.take_pulses(chi, crossed, buffer, buffer.copy()) == 6
    assert (chi == 2.5).all()
    assert crossed.all()


@given(st.lists(st.lists(st.integers(0, 20), max_size=5), max_size=5))
def test_the_log_gives_each_pair_once_in_order_and_forgets(parts: list[list[int]]) -> None:
    log = RefreshLog()
    for part in parts:
        log.add(np.array(part, np.int64))
    assert log.take().tolist() == sorted({pair for part in parts for pair in part})
    again = log.take()
    assert again.tolist() == []
    assert again.dtype == np.int64


@given(**cases, data=st.data(), burst=st.sampled_from([1, 2, 5]))
@settings(max_examples=60, deadline=None)
def test_counts_by_band_are_those_of_the_bands_own_operands(
    seed: int, vectors: int, rows: int, columns: int, density: float, rate: float, data: st.DataObject, burst: int
) -> None:
    across, down = (
        [0, *sorted(data.draw(st.sets(st.integers(1, size - 1), max_size=3)) if size > 1 else []), size]
        for size in (rows, columns)
    )
    x, d = operands(seed, vectors, rows, columns, density)
    done = unit((rows, columns), edges=(across, down), burst=burst).accumulate(x, d, x_scale=1.0, rate=rate)
    bands = [(a, b, c, e) for a, b in pairwise(across) for c, e in pairwise(down)]
    alone = [
        unit((b - a, e - c), burst=burst).accumulate(
            np.ascontiguousarray(x[:, a:b]), np.ascontiguousarray(d[:, c:e]), x_scale=1.0, rate=rate
        ).bands[0]
        for a, b, c, e in bands
    ]  # fmt: skip
    assert done.bands == alone


# --- bursts
bursts = {**cases, "vectors": st.integers(1, 12), "burst": st.integers(2, 6)}


@given(**bursts, skip=st.booleans())
@settings(max_examples=80, deadline=None)
def test_a_burst_counts_products_as_its_vectors_do_and_touches_chi_once(
    seed: int, vectors: int, rows: int, columns: int, density: float, rate: float, burst: int, skip: bool
) -> None:
    """Chi: rows with any non-zero code times columns with any, burst by burst."""
    x, d = operands(seed, vectors, rows, columns, density)
    each = unit((rows, columns), skip_zeros=skip).accumulate(x, d, x_scale=1.0, rate=rate)
    done = unit((rows, columns), skip_zeros=skip, burst=burst).accumulate(x, d, x_scale=1.0, rate=rate)
    assert (done.products, done.rows) == (each.products, each.rows)
    assert done.operands == [vectors * (rows + columns)]
    touched = 0
    for begin in range(0, vectors, burst):
        part = slice(begin, begin + burst)
        across, down = codes(x[part], 8).any(axis=0).sum(), codes(d[part], 3).any(axis=0).sum()
        touched += across * down if skip else rows * columns
    assert done.updates == touched


@given(**bursts, bits=st.sampled_from([8, 12, 16, 32]))
@settings(max_examples=80, deadline=None)
def test_a_burst_is_rounded_once_to_the_grid_of_chi(
    seed: int, vectors: int, rows: int, columns: int, density: float, rate: float, burst: int, bits: int
) -> None:
    """Against NumPy, burst by burst, where no sum lies on the edge between two codes."""
    one = unit((rows, columns), bits=bits, limit=32, burst=burst)
    x, d = operands(seed, vectors, rows, columns, density)
    one.accumulate(x, d, x_scale=1.0, rate=rate)
    step = 64 / 2**bits
    chi, clear = np.zeros((rows, columns)), np.ones((rows, columns), bool)
    for begin in range(0, vectors, burst):
        part = slice(begin, begin + burst)
        change = codes(x[part], 8).T @ codes(d[part], 3) * rate / EPSILON / step
        if bits < 24:
            clear &= np.abs(np.abs(change - np.trunc(change)) - 0.5) > 1e-3
            change = np.rint(change)
        chi = np.clip(chi + change * step, -32, 32)
    found = one.chi.T
    if bits < 24:
        assert (found[clear] == chi[clear]).all()
    else:
        assert found == pytest.approx(chi, rel=1e-5, abs=1e-5)


@given(**bursts)
@settings(max_examples=60, deadline=None)
def test_without_a_grid_bursts_and_vectors_come_to_the_same_chi_and_pulses(
    seed: int, vectors: int, rows: int, columns: int, density: float, rate: float, burst: int
) -> None:
    """Up to the rounding of float32; what lies at a threshold may have its pulse or keep it."""
    x, d = operands(seed, vectors, rows, columns, density)
    each, summed = unit((rows, columns), limit=1e6), unit((rows, columns), limit=1e6, burst=burst)
    for one in (each, summed):
        one.accumulate(x, d, x_scale=1.0, rate=rate)
    assert summed.chi == pytest.approx(each.chi, rel=1e-5, abs=2e-4)
    assert taken(summed) + summed.chi.T == pytest.approx(taken(each) + each.chi.T, rel=1e-5, abs=2e-4)


@pytest.mark.parametrize("bits", [16, 32])
@pytest.mark.parametrize("burst", [1, 4])
def test_changes_that_end_at_the_limit_are_counted(bits: int, burst: int) -> None:
    one = unit((3, 2), epsilon=1.0, bits=bits, limit=8, burst=burst)
    x, d = np.array([[1, 1, 0]], np.float32), np.array([[1, -1]], np.float32)
    one.accumulate(x, d, x_scale=1.0, rate=5.0)
    assert one.saturated == 0
    one.accumulate(x, d, x_scale=1.0, rate=5.0)
    assert one.saturated == 4, "the third row has no input"

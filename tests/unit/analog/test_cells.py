from __future__ import annotations

import numpy as np
import pytest

from archsim.analog.cells import PairedCells
from archsim.base.streams import Streams
from archsim.devices.base import Device, Switches
from archsim.devices.library import build, device_file

SCALE = 8e-6
IDEAL = (0, 0, 1.0, False)
QUIET = Switches(read_noise=False, drift=False)


def device(switches: Switches = QUIET) -> Device:
    return build(device_file("pcm-nandakumar2018"), switches)


def loaded(shape: tuple[int, int], switches: Switches = QUIET) -> tuple[PairedCells, np.ndarray]:
    cells = PairedCells(device(switches), shape, scale=SCALE, streams=Streams(1), name="a/0,0")
    weight = np.random.default_rng(2).normal(0, 0.2, shape).astype(np.float32)
    cells.load(weight, 0)
    return cells, weight


@pytest.mark.parametrize("vectors", [1, 3])
@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5, 13])
def test_without_noise_a_product_is_a_product(rows: int, vectors: int) -> None:
    cells, weight = loaded((rows, 6))
    rng = np.random.default_rng(3)
    x = (rng.uniform(-1, 1, (vectors, rows)) * (rng.random((vectors, rows)) < 0.6)).astype(np.float32)
    y, driven, clipped, moment = cells.multiply(x, "forward", IDEAL)
    assert y == pytest.approx(x @ weight, abs=1e-5)
    assert (driven, clipped) == (np.count_nonzero(x), 0)
    total = sum(side.conductance.reshape(rows, 6).astype(float) for side in cells.pairs)
    assert moment == pytest.approx(float((np.abs(x).astype(float) @ total).sum()), rel=1e-6)
    d = rng.uniform(-1, 1, (vectors, 6)).astype(np.float32)
    back, driven, _, moment = cells.multiply_transposed(d, "backward", IDEAL)
    assert back == pytest.approx(d @ weight.T, abs=1e-5)
    assert driven == d.size
    assert moment == pytest.approx(float((np.abs(d).astype(float) @ total.T).sum()), rel=1e-6)


def test_converters_round_inputs_and_round_and_clip_outputs() -> None:
    cells, weight = loaded((20, 4))
    x = np.random.default_rng(4).uniform(0, 1, (1, 20)).astype(np.float32)
    full = 0.5
    y, _, clipped, _ = cells.multiply(x, "forward", (7, 15, full, True))
    codes = np.rint(x * 7) / 7
    raw = codes @ weight
    expected = np.clip(np.rint(raw * 15 / full) * full / 15, -full, full)
    assert y == pytest.approx(expected, abs=1e-5)
    assert clipped == np.count_nonzero(np.abs(np.rint(raw * 15 / full)) > 15)
    free, _, clipped, _ = cells.multiply(x, "forward", (7, 15, full, False))
    assert clipped == 0
    assert np.abs(free).max() > full


def test_loading_is_exact_within_the_bounds() -> None:
    cells, weight = loaded((30, 30))
    assert cells.weight == pytest.approx(weight, abs=1e-6)
    wide = np.array([[1.2, -1.2]], np.float32)
    cells = PairedCells(device(), (1, 2), scale=SCALE, streams=Streams(1), name="b/0,0")
    cells.load(wide, 0)
    assert cells.weight == pytest.approx(wide, abs=1e-6)


def test_positive_pulses_go_to_g_plus_and_negative_ones_to_g_minus() -> None:
    cells, _ = loaded((3, 3))
    before = [side.conductance.copy() for side in cells.pairs]
    assert cells.set_pulses(np.array([0, 4, 8]), np.array([2, -3, 1]), 10) == 6
    plus, minus = cells.pairs
    assert plus.set_pulses.tolist() == [2, 0, 0, 0, 0, 0, 0, 0, 1]
    assert minus.set_pulses.tolist() == [0, 0, 0, 0, 3, 0, 0, 0, 0]
    assert (np.flatnonzero(plus.conductance != before[0]) == [0, 8]).all()
    assert np.flatnonzero(minus.conductance != before[1]).tolist() == [4]


@pytest.mark.parametrize("now_s", [0, 5, 1000])
def test_after_writes_the_cache_is_what_a_full_renewal_gives(now_s: int) -> None:
    cells, _ = loaded((12, 9), Switches())
    now = now_s * 10**12
    cells.renew(now)
    rng = np.random.default_rng(6)
    for _ in range(30):
        index = rng.choice(108, 5, replace=False)
        cells.set_pulses(index, rng.choice([-2, -1, 1, 2], 5), now)
    kept = [cells.weight.copy(), cells.variance.copy(), cells._row_total.copy(), cells._column_total.copy()]
    cells.renew(now)
    for old, new in zip(kept, (cells.weight, cells.variance, cells._row_total, cells._column_total), strict=True):
        assert old == pytest.approx(new, rel=1e-5, abs=1e-12)


def test_refresh_starts_saturated_pairs_anew_and_keeps_their_difference() -> None:
    cells, _ = loaded((1, 4))
    plus, minus = cells.pairs
    plus.conductance[:] = np.array([11, 11, 5, 11]) * 1e-6
    minus.conductance[:] = np.array([8, 1, 4, 10.9]) * 1e-6
    cells.renew(0)
    before = cells.weight.copy()
    done = cells.refresh(np.arange(4), 0, saturated=9.5e-6, difference=7e-6, most_pulses=20)
    assert done.pairs == 2
    assert done.resets == 4
    assert done.reads == 8 + done.pulses
    assert plus.reset_pulses.tolist() == [1, 0, 0, 1]
    assert plus.set_pulses.sum() + minus.set_pulses.sum() == done.pulses
    assert (cells.weight[0, 1:3] == before[0, 1:3]).all()
    assert cells.weight[0, 0] == pytest.approx(before[0, 0], abs=0.35)
    assert cells.weight[0, 3] == pytest.approx(0.0, abs=0.1)


def test_refresh_of_nothing_does_nothing() -> None:
    cells, _ = loaded((2, 2))
    done = cells.refresh(np.empty(0, np.int64), 0, saturated=9e-6, difference=7e-6, most_pulses=20)
    assert (done.reads, done.resets, done.pulses, done.pairs) == (0, 0, 0, 0)


def test_evaluation_leaves_the_noise_of_training_alone() -> None:
    x = np.ones((1, 5), np.float32)
    plain, _ = loaded((5, 5), Switches(drift=False))
    tested, _ = loaded((5, 5), Switches(drift=False))
    for _ in range(7):
        tested.multiply(x, "evaluation", IDEAL)
    assert (plain.multiply(x, "forward", IDEAL)[0] == tested.multiply(x, "forward", IDEAL)[0]).all()

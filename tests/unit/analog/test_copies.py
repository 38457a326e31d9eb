"""Several pairs a weight: what they read as, who is pulsed, what noise is left, what is kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cells_kit import QUIET, SCALE, STILL, US, device

from archsim.analog.cells import PairedCells
from archsim.base.streams import Streams
from archsim.devices.base import Switches

ROWS, COLUMNS = 3, 4
WEIGHTS = ROWS * COLUMNS


def cells(copies: int, *, switches: Switches = QUIET, name: str = "pcm-nandakumar2018", shape: tuple[int, int] = (ROWS, COLUMNS),
          seed: int = 1) -> PairedCells:  # fmt: skip
    return PairedCells(device(switches, name), shape, scale=SCALE, streams=Streams(seed), name="a/0,0", copies=copies)


def pulses_of(made: PairedCells) -> np.ndarray:
    """Return SET pulses by side, copy and weight."""
    return np.array([side.set_pulses.reshape(made.copies, -1) for side in made.pairs])


@pytest.mark.parametrize("copies", [1, 2, 5])
def test_copies_hold_the_weight_together_and_their_read_noise_averages(copies: int) -> None:
    weight = np.random.default_rng(3).normal(0, 0.1, (ROWS, COLUMNS)).astype(np.float32)
    made = cells(copies, switches=STILL)
    made.load(weight, 0)
    one = cells(1, switches=STILL)
    one.load(weight, 0)
    assert made.weight == pytest.approx(weight, rel=1e-5, abs=1e-6)
    assert made.variance == pytest.approx(one.variance / copies, rel=1e-5)
    _, _, _, moment = made.multiply(np.ones((1, ROWS), np.float32), "forward", (0, 0, 1.0, False))
    assert moment == pytest.approx(float(made.devices.conductance.sum()), rel=1e-5), "every device conducts"


def test_pairs_of_a_weight_are_pulsed_in_turn_and_each_pulse_moves_it_by_its_part_of_epsilon() -> None:
    made = cells(3, name="ideal")
    made.load(np.zeros((ROWS, COLUMNS), np.float32), 0)
    step = made.device.epsilon / (3 * SCALE)
    for k in range(1, 5):
        given = made.set_pulses(np.array([5]), np.array([1]), 0)
        assert given.pairs.tolist() == [5 + (k - 1) % 3 * WEIGHTS]
        assert made.weight.reshape(-1)[5] == pytest.approx(k * step, rel=1e-5)
    assert pulses_of(made)[0, :, 5].tolist() == [2, 1, 1]
    assert pulses_of(made).sum() == 4


def test_several_pulses_are_dealt_from_the_pair_whose_turn_it_is() -> None:
    made = cells(3, name="ideal")
    made.load(np.zeros((ROWS, COLUMNS), np.float32), 0)
    made.set_pulses(np.array([0]), np.array([1]), 0)  # it is the second pair's turn now
    given = made.set_pulses(np.array([2, 7]), np.array([7, -2]), 0)
    assert given.pulses == 9
    assert pulses_of(made)[0, :, 2].tolist() == [2, 3, 2]
    assert pulses_of(made)[1, :, 7].tolist() == [0, 1, 1]
    assert sorted(given.pairs.tolist()) == [2, 2 + WEIGHTS, 7 + WEIGHTS, 2 + 2 * WEIGHTS, 7 + 2 * WEIGHTS]
    step = made.device.epsilon / (3 * SCALE)
    assert made.weight.reshape(-1)[[0, 2, 7]] == pytest.approx(np.array([1, 7, -2]) * step, rel=1e-5)


def test_four_copies_halve_the_programming_noise_of_the_same_change() -> None:
    """One pulse on each of four pairs moves a weight as far as one pulse on its only pair.

    20,000 weights: a standard deviation is known to half a percent; bounds of 4 % are passed by chance less than once
    in 10^9.
    """
    spreads, means = [], []
    for copies in (1, 4):
        made = cells(copies, shape=(100, 200))
        made.load(np.zeros((100, 200), np.float32), 0)
        index = np.arange(20_000)
        made.set_pulses(index, np.full(20_000, copies), 0)
        spreads.append(float(made.weight.std()))
        means.append(float(made.weight.mean()))
    assert means[1] == pytest.approx(means[0], rel=0.04)
    assert spreads[1] == pytest.approx(spreads[0] / 2, rel=0.04)


def test_a_refresh_starts_the_saturated_pair_anew_and_leaves_its_neighbours() -> None:
    made = cells(2, name="ideal")
    made.load(np.zeros((ROWS, COLUMNS), np.float32), 0)
    plus, minus = made.pairs
    plus.conductance[WEIGHTS + 4], minus.conductance[WEIGHTS + 4] = 11 * US, 8 * US
    made.renew(0)
    before = made.weight.copy()
    policy: dict[str, Any] = {"saturated": 9.5 * US, "difference": 7 * US, "most_pulses": 20}
    done = made.refresh(np.array([4, WEIGHTS + 4]), 9, **policy)
    assert (done.pairs, done.resets) == (1, 2)
    assert np.flatnonzero(plus.reset_pulses).tolist() == [WEIGHTS + 4]
    allowed = (made.device.epsilon / 2 + made.device.low) / (2 * SCALE)
    assert np.abs(made.weight - before).max() <= allowed * (1 + 1e-4)


def test_whose_turn_it_is_comes_back_with_the_rest() -> None:
    index, rng = np.arange(WEIGHTS), np.random.default_rng(5)
    original, restored = (cells(3, switches=Switches()) for _ in range(2))
    original.load(np.full((ROWS, COLUMNS), 0.1, np.float32), 0)
    for now_ps in np.cumsum(rng.integers(1, 10**12, 20)).tolist():
        chosen = rng.choice(index, 3, replace=False)
        original.set_pulses(chosen, rng.choice([-3, -1, 1, 2], 3), now_ps)
    restored.restore({name: np.array(array) for name, array in original.arrays().items()})
    assert np.array_equal(original.weight, restored.weight)
    assert np.array_equal(original.variance, restored.variance)
    given = [one.set_pulses(index, np.ones(WEIGHTS, np.int64), now_ps).pairs.tolist() for one in (original, restored)]
    assert given[0] == given[1]

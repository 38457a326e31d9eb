"""A volatile device over a pair: what they read as together, how weights go from one to the other, leak, what is kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from cells_kit import QUIET, STILL, US, device

from archsim.analog.hybrid import HybridCells
from archsim.analog.singles.single import SingleCells
from archsim.base.streams import Streams
from archsim.devices.base import Switches

UNIT, GAIN, SHAPE = 10 * US, 3.0, (3, 4)
IDEAL = (0, 0, 1.0, False)


def cells(switches: Switches = QUIET, pairs: str = "ideal", volatile: str = "capacitor") -> HybridCells:
    made = HybridCells(device(replace(switches, programming_noise=False), volatile), SHAPE, scale=UNIT,
                       streams=Streams(3), name="a/0,0", pairs=device(switches, pairs), gain=GAIN)  # fmt: skip
    made.load(np.random.default_rng(1).uniform(-0.5, 0.5, SHAPE).astype(np.float32), 0)
    return made


def held(made: HybridCells) -> np.ndarray:
    """Return the weights as the formula has them, of the devices' own conductances."""
    g = made.volatile.devices.conductance.reshape(SHAPE)
    plus, minus = made.pairs.devices.conductance.reshape(2, *SHAPE)
    middle = (made.volatile.device.low + made.volatile.device.high) / 2
    return (GAIN * (plus - minus) + made.sign[0] * (g - middle)) / UNIT


def test_a_weight_is_the_pair_times_its_gain_and_the_volatile_device_and_all_conduct() -> None:
    made = cells()
    made.pulse(np.array([1, 6]), np.array([40, -25]), 0)
    assert made.weight == pytest.approx(held(made), abs=1e-5)
    _, _, _, moment = made.multiply(np.ones((1, 3), np.float32), "forward", IDEAL)
    every = float(made.pairs.devices.conductance.sum() + made.volatile.devices.conductance.sum())
    assert moment == pytest.approx(every + 3 * made.volatile.reference, rel=1e-5)


def test_read_noise_of_the_pairs_counts_with_their_gain() -> None:
    made = cells(STILL, "pcm-nandakumar2018")
    law = made.pairs.device.reading
    sigma = law.noise_slope * made.pairs.devices.conductance.reshape(2, *SHAPE) + law.noise_offset
    assert made.variance == pytest.approx((sigma**2).sum(axis=0) * (GAIN / UNIT) ** 2, rel=1e-4)
    x = np.ones((1, 3), np.float32)
    reads = np.array([made.multiply(x, "forward", IDEAL)[0][0] for _ in range(4000)])
    assert reads.std(axis=0) == pytest.approx(np.sqrt(made.variance.sum(axis=0)), rel=0.06), "five standard errors"


@pytest.mark.parametrize("closed", [True, False])
def test_what_goes_into_the_pairs_is_within_half_a_step_and_what_is_left_is_said(closed: bool) -> None:
    made = cells()
    made.pulse(np.arange(12), np.array([90, -90, 10, 60, -60, 5, 120, -120, 1, -1, 45, -45]), 0)
    before, read = made.weight.copy(), made.look(0)
    wanted = made.weight.reshape(-1) * np.float32(UNIT / GAIN)
    done = made.program(wanted, read, 0, saturated=10 * US, most_pulses=20, closed=closed)
    step = made.pairs.device.epsilon
    assert abs(done.difference - wanted).max() <= step / 2 * 1.001
    plus, minus = made.pairs.devices.conductance.reshape(2, -1)
    assert done.difference == pytest.approx(plus - minus, abs=1e-3 * step), "what it says they hold is what they hold"
    changed = abs(wanted - read.difference) >= step / 2
    assert done.pulses >= changed.sum() > 3
    assert (done.reads, done.resets) == (done.pulses if closed else 0, 0)
    assert made.weight - before == pytest.approx(
        ((done.difference - read.difference) * GAIN / UNIT).reshape(SHAPE), abs=1e-5
    )


def test_a_pair_whose_device_is_full_begins_anew() -> None:
    made = cells()
    made.pairs.devices.conductance[:] = 9 * US
    made.renew(0)
    wanted = np.full(12, 2 * US, np.float32)
    done = made.program(wanted, made.look(0), 0, saturated=8 * US, most_pulses=20, closed=True)
    assert (done.resets, done.reads - done.pulses) == (24, 24)
    assert made.pairs.devices.reset_pulses.tolist() == [1] * 24
    assert abs(done.difference - wanted).max() <= made.pairs.device.epsilon / 2


def test_under_the_other_sign_pulses_and_reads_are_the_other_way_round() -> None:
    made = cells()
    made.pulse(np.arange(12), np.full(12, 30), 0)
    moved = made.discharge(29.75e-9, 0, inverts=True)
    assert moved == pytest.approx(12 * 30, rel=0.02), "30 steps of 29.75 nS, which shrink a little"
    at_zero = made.weight.copy()
    made.pulse(np.arange(12), np.full(12, 30), 0)
    assert (made.weight > at_zero + 0.08).all()
    assert made.volatile.devices.down_pulses.sum() == 12 * 30
    assert made.weight == pytest.approx(held(made), abs=1e-5)


def test_kept_cells_read_and_pulse_as_the_original() -> None:
    made, other = cells(STILL, "pcm-nandakumar2018"), cells(STILL, "pcm-nandakumar2018")
    made.discharge(29.75e-9, 0, inverts=True)
    made.pulse(np.array([2, 5]), np.array([7, -9]), 5)
    other.restore({name: array.copy() for name, array in made.arrays().items()})
    assert other.weight.tolist() == made.weight.tolist()
    for each in (made, other):
        each.pulse(np.array([1]), np.array([11]), 9)
    assert other.weight.tolist() == made.weight.tolist()
    x = np.ones((1, 3), np.float32)
    assert other.multiply(x, "forward", IDEAL)[0].tolist() == made.multiply(x, "forward", IDEAL)[0].tolist()


def test_a_capacitor_leaks_towards_the_middle_by_batches() -> None:
    """(1 - 10^-6)^20,001 after as many batches; not before the tolerance of a hundredth, 10,001 batches, has gone by."""
    made = SingleCells(
        device(Switches(read_noise=False), "capacitor"), (1, 2), scale=UNIT, streams=Streams(1), name="a"
    )
    made.load(np.array([[0.4, -0.3]], np.float32), 0)
    leaked = [made.wait_batch(0) for _ in range(20_002)]
    assert [k for k, done in enumerate(leaked, 1) if done] == [10_001, 20_002]
    assert made.weight[0] == pytest.approx(np.array([0.4, -0.3]) * (1 - 1e-6) ** 20_002, rel=1e-4)
    still = SingleCells(device(QUIET, "capacitor"), (1, 2), scale=UNIT, streams=Streams(1), name="a")
    assert not any(still.wait_batch(0) for _ in range(20_002)), "the switch of drift is off"

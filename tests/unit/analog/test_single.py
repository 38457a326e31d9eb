"""One device a weight against a fixed reference: load, pulses both ways, products, what is kept."""

from __future__ import annotations

import numpy as np
import pytest

from archsim.analog.paired import PairedCells
from archsim.analog.single import SingleCells
from archsim.base.errors import ModelError
from archsim.base.streams import Streams
from archsim.devices import library
from archsim.devices.base import Device, Switches

US = 1e-6
IDEAL = (0, 0, 1.0, False)
"""Converters that neither round nor clip."""


def device(name: str = "ideal") -> Device:
    return library.build(library.device_file(name), Switches())


def cells(shape: tuple[int, int] = (4, 3), name: str = "ideal", seed: int = 1) -> SingleCells:
    return SingleCells(device(name), shape, scale=6 * US, streams=Streams(seed), name="fc1/0,0")


def test_the_reference_is_the_middle_of_the_range_and_stands_for_a_weight_of_zero() -> None:
    made = cells()
    made.load(np.zeros((4, 3), np.float32), 0)
    assert made.reference == pytest.approx((0.1 + 12) / 2 * US)
    assert made.devices.conductance == pytest.approx(np.full(12, made.reference))
    assert made.weight == pytest.approx(np.zeros((4, 3)), abs=1e-6)


def test_weights_are_loaded_exactly_within_the_bounds_and_clipped_beyond_them() -> None:
    made, wanted = cells((1, 3)), np.array([[-0.5, 0.25, 3.0]], np.float32)
    made.load(wanted, 0)
    assert made.weight[0] == pytest.approx([-0.5, 0.25, (12 - 0.1) / 2 / 6], rel=1e-5)


def test_pulses_move_weights_up_and_down_by_epsilon_each() -> None:
    made = cells()
    made.load(np.zeros((4, 3), np.float32), 0)
    done = made.pulse(np.array([1, 5, 6]), np.array([2, -3, 1]), 1000)
    step = made.device.epsilon / made.scale
    expected = np.zeros(12)
    expected[[1, 5, 6]] = [2 * step, -3 * step, step]
    assert made.weight.reshape(-1) == pytest.approx(expected, abs=1e-5)
    assert (done.up, done.down) == (3, 3)
    assert made.devices.set_pulses[[1, 5, 6]].tolist() == [2, 0, 1]
    assert made.devices.down_pulses[[1, 5, 6]].tolist() == [0, 3, 0]


def test_the_moment_is_the_mean_conductance_of_each_train_times_its_pulses() -> None:
    made = cells()
    made.load(np.zeros((4, 3), np.float32), 0)
    g, step = made.reference, made.device.epsilon
    done = made.pulse(np.array([1, 5]), np.array([2, -3]), 0)
    assert done.up_moment == pytest.approx(2 * (g + step))
    assert done.down_moment == pytest.approx(3 * (g - 1.5 * step))


def test_products_in_both_directions_are_those_of_the_weights() -> None:
    made, random = cells((6, 5)), np.random.default_rng(2)
    weight = random.uniform(-0.8, 0.8, (6, 5)).astype(np.float32)
    made.load(weight, 0)
    x, d = (random.uniform(-1, 1, (2, n)).astype(np.float32) for n in (6, 5))
    assert made.multiply(x, "forward", IDEAL)[0] == pytest.approx(x @ weight, abs=1e-5)
    assert made.multiply_transposed(d, "backward", IDEAL)[0] == pytest.approx(d @ weight.T, abs=1e-5)


def test_a_read_drives_the_devices_and_one_reference_a_line() -> None:
    made = cells((2, 3))
    made.load(np.zeros((2, 3), np.float32), 0)
    made.pulse(np.array([4]), np.array([1]), 0)
    moments = [made.multiply(np.eye(2, dtype=np.float32)[i : i + 1], "forward", IDEAL)[3] for i in range(2)]
    assert moments == pytest.approx([4 * made.reference, 4 * made.reference + made.device.epsilon], rel=1e-5)


def test_an_array_that_was_renewed_as_a_whole_has_the_cache_of_one_renewed_in_parts() -> None:
    made, random = cells((6, 5), "linear"), np.random.default_rng(4)
    made.load(random.uniform(-0.8, 0.8, (6, 5)).astype(np.float32), 0)
    for _ in range(20):
        index = np.unique(random.integers(0, 30, 8))
        made.pulse(index, random.choice([-2, -1, 1, 2], index.size), 0)
    before = [made.weight.copy(), made.variance.copy(), made._row_total.copy(), made._column_total.copy()]
    made.renew(0)
    for ours, whole in zip(before, (made.weight, made.variance, made._row_total, made._column_total), strict=True):
        assert ours == pytest.approx(whole, rel=1e-6, abs=1e-12)


def test_restored_cells_read_the_same_bits() -> None:
    made, other = cells((6, 5), "linear"), cells((6, 5), "linear")
    made.load(np.full((6, 5), 0.1, np.float32), 0)
    made.pulse(np.array([3, 7]), np.array([2, -2]), 500)
    other.restore(made.arrays())
    x = np.ones((1, 6), np.float32)
    assert (made.multiply(x, "forward", IDEAL)[0] == other.multiply(x, "forward", IDEAL)[0]).all()


def test_a_device_without_gradual_down_pulses_is_refused() -> None:
    with pytest.raises(ModelError, match="up and down"):
        cells(name="pcm-nandakumar2018")


def test_pairs_take_twice_the_devices() -> None:
    pairs = PairedCells(device(), (4, 3), scale=6 * US, streams=Streams(1), name="a")
    assert (cells().devices.conductance.size, pairs.devices.conductance.size) == (12, 24)
    assert (cells().per_weight, pairs.per_weight) == (1, 2)

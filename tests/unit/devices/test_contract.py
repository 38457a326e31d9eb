"""One suite for every shipped device file."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.base.streams import Normals
from archsim.devices.base import Device, DeviceArray, Switches
from archsim.devices.library import build, device_file, shipped_devices

every_device = pytest.mark.parametrize("name", shipped_devices())
SWITCHES = [field.name for field in fields(Switches)]
US = 1e-6


def make(name: str, **switches: bool) -> Device:
    return build(device_file(name), Switches(**switches))


def normals(seed: int = 0) -> Normals:
    return Normals(np.random.default_rng(seed))


def state(array: DeviceArray) -> list[list[float]]:
    return [getattr(array, name).tolist() for name in DeviceArray.__slots__]


@every_device
def test_its_numbers_make_sense(name: str) -> None:
    device = make(name)
    assert 0 < device.low < device.common < device.high
    assert 0 < device.epsilon < device.high - device.low
    assert device.reading.shortest_s > 0


@every_device
@given(
    trains=st.lists(st.tuples(st.lists(st.integers(0, 4), min_size=1, unique=True), st.integers(1, 60)), max_size=6),
    resets=st.lists(st.integers(0, 4), unique=True),
    switches=st.dictionaries(st.sampled_from(SWITCHES), st.booleans()),
    seed=st.integers(0, 99),
)
@settings(max_examples=40, deadline=None)
def test_conductance_stays_in_its_bounds_and_pulses_are_counted(
    name: str, trains: list[tuple[list[int], int]], resets: list[int], switches: dict[str, bool], seed: int
) -> None:
    device, array, source = make(name, **switches), DeviceArray.blank(5), normals(seed)
    device.reset(array, np.arange(5), 0, source)
    given_pulses = np.zeros(5, np.int64)
    for now, (which, pulses) in enumerate(trains, start=1):
        index = np.array(which)
        before = array.conductance.copy()
        device.set_pulses(array, index, np.full(index.size, pulses), pulses * index.size, now, source)
        given_pulses[index] += pulses
        untouched = np.setdiff1d(np.arange(5), index)
        assert (array.conductance[untouched] == before[untouched]).all()
        assert (array.conductance >= np.float32(device.low)).all()
        assert (array.conductance <= np.float32(device.high)).all()
        assert (array.programmed_ps[index] == now).all()
    device.reset(array, np.array(resets, np.int64), 99, source)
    assert (array.set_pulses == given_pulses).all()
    assert (array.reset_pulses == 1 + np.isin(np.arange(5), resets)).all()
    assert (array.conductance >= np.float32(device.low)).all()
    assert (array.programmed_ps[resets] == 99).all()


@every_device
def test_the_same_random_numbers_give_the_same_devices(name: str) -> None:
    found = []
    for _ in range(2):
        device, array, source = make(name), DeviceArray.blank(9), normals(4)
        device.load(array, np.linspace(US, 2 * US, 9, dtype=np.float32), 0)
        device.set_pulses(array, np.arange(9), np.arange(1, 10), 45, 7, source)
        device.reset(array, np.array([3, 5]), 8, source)
        found.append(state(array))
    assert found[0] == found[1]


@every_device
def test_only_the_named_devices_change(name: str) -> None:
    device, array = make(name), DeviceArray.blank(6)
    device.load(array, np.full(6, 2e-6, np.float32), 0)
    device.set_pulses(array, np.array([1, 4]), np.array([2, 2]), 4, 99, normals())
    assert array.programmed_ps.tolist() == [0, 99, 0, 0, 99, 0]
    assert (array.conductance[[0, 2, 3, 5]] == np.float32(2e-6)).all()
    assert array.set_pulses.tolist() == [0, 2, 0, 0, 2, 0]


@every_device
def test_no_devices_are_no_work(name: str) -> None:
    device, array, nothing = make(name), DeviceArray.blank(3), np.empty(0, np.int64)
    device.load(array, np.full(3, US, np.float32), 0)
    before = state(array)
    device.set_pulses(array, nothing, nothing, 0, 9, normals())
    device.reset(array, nothing, 9, normals())
    assert state(array) == before


@every_device
def test_loading_is_exact_clips_to_the_bounds_and_counts_no_pulse(name: str) -> None:
    device, array = make(name), DeviceArray.blank(3)
    device.load(array, np.array([[0.0, 2e-6, 1.0]], np.float32), 77)
    assert array.conductance.tolist() == [np.float32(device.low), np.float32(2e-6), np.float32(device.high)]
    assert array.programmed_ps.tolist() == [77] * 3
    assert not array.set_pulses.any()
    assert not array.reset_pulses.any()


@every_device
def test_epsilon_is_what_ten_pulses_give_on_average(name: str) -> None:
    """10,000 devices: the mean of ten pulses is known to 0.3 % (standard error); a band of 2 % fails by chance below 1e-9.

    Clipping at the bounds moves the noisy mean by 1 % itself.
    """
    device, array, source = make(name), DeviceArray.blank(10_000), normals()
    index = np.arange(10_000)
    device.reset(array, index, 0, source)
    begin = array.conductance.astype(float)
    device.set_pulses(array, index, np.full(10_000, 10), 100_000, 0, source)
    assert np.mean(array.conductance - begin) / 10 == pytest.approx(device.epsilon, rel=0.02)


@every_device
def test_with_all_switches_off_every_pulse_adds_epsilon_and_nothing_else_happens(name: str) -> None:
    device, array = make(name, **dict.fromkeys(SWITCHES, False)), DeviceArray.blank(3)
    device.load(array, np.full(3, US, np.float32), 0)
    device.set_pulses(array, np.arange(3), np.array([1, 2, 7]), 10, 0, normals())
    assert array.conductance == pytest.approx(US + device.epsilon * np.array([1, 2, 7]), rel=1e-6)
    assert not device.reading.noisy
    assert device.reading.exponent == 0
    device.reset(array, np.arange(3), 0, normals())
    assert array.conductance == pytest.approx(np.full(3, device.low), rel=1e-6)


def test_the_ideal_device_adds_epsilon_exactly_and_knows_no_switch() -> None:
    device, array = make("ideal"), DeviceArray.blank(4)
    device.load(array, np.full(4, US, np.float32), 0)
    device.set_pulses(array, np.arange(4), np.array([1, 2, 3, 99]), 105, 0, normals())
    exact = np.minimum(US + device.epsilon * np.array([1, 2, 3, 99]), device.high)
    assert array.conductance == pytest.approx(exact, rel=1e-6)
    assert not device.reading.noisy
    assert device.reading.exponent == 0
    assert device.reading.window_s(0.01) == float("inf")

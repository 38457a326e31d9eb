"""One suite for every shipped device file."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.base.streams import Normals
from archsim.devices.base import Device, DeviceArray, Switches
from archsim.devices.library import build, device_file, shipped_devices


def make(name: str) -> Device:
    return build(device_file(name), Switches())


def normals(seed: int = 0) -> Normals:
    return Normals(np.random.default_rng(seed))


@pytest.mark.parametrize("name", shipped_devices())
@given(pulses=st.lists(st.integers(1, 60), min_size=1, max_size=6), seed=st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_conductance_never_leaves_its_bounds(name: str, pulses: list[int], seed: int) -> None:
    device = make(name)
    array, source = DeviceArray.blank(5), normals(seed)
    index = np.arange(5)
    device.reset(array, index, 0, source)
    for n in pulses:
        device.set_pulses(array, index, np.full(5, n), 5 * n, 0, source)
        assert (array.conductance >= np.float32(device.low)).all()
        assert (array.conductance <= np.float32(device.high)).all()
    assert (array.set_pulses == sum(pulses)).all()
    assert (array.reset_pulses == 1).all()


@pytest.mark.parametrize("name", shipped_devices())
def test_the_same_random_numbers_give_the_same_devices(name: str) -> None:
    found = []
    for _ in range(2):
        device, array = make(name), DeviceArray.blank(9)
        device.load(array, np.linspace(1e-6, 2e-6, 9, dtype=np.float32), 0)
        device.set_pulses(array, np.arange(9), np.arange(1, 10), 45, 7, normals(4))
        found.append(array.conductance.copy())
    assert (found[0] == found[1]).all()


@pytest.mark.parametrize("name", shipped_devices())
def test_only_the_named_devices_change(name: str) -> None:
    device, array = make(name), DeviceArray.blank(6)
    device.load(array, np.full(6, 2e-6, np.float32), 0)
    device.set_pulses(array, np.array([1, 4]), np.array([2, 2]), 4, 99, normals())
    assert array.programmed_ps.tolist() == [0, 99, 0, 0, 99, 0]
    assert (array.conductance[[0, 2, 3, 5]] == np.float32(2e-6)).all()
    assert array.set_pulses.tolist() == [0, 2, 0, 0, 2, 0]


@pytest.mark.parametrize("name", shipped_devices())
def test_epsilon_is_about_what_ten_pulses_give(name: str) -> None:
    device, array, source = make(name), DeviceArray.blank(4000), normals()
    index = np.arange(4000)
    device.reset(array, index, 0, source)
    begin = array.conductance.mean()
    device.set_pulses(array, index, np.full(4000, 10), 40_000, 0, source)
    assert (array.conductance.mean() - begin) / 10 == pytest.approx(device.epsilon, rel=0.05)


@pytest.mark.parametrize("name", shipped_devices())
def test_loading_clips_to_the_bounds(name: str) -> None:
    device, array = make(name), DeviceArray.blank(2)
    device.load(array, np.array([0.0, 1.0], np.float32), 0)
    assert array.conductance.tolist() == [np.float32(device.low), np.float32(device.high)]


def test_the_ideal_device_adds_epsilon_exactly() -> None:
    device, array = make("ideal"), DeviceArray.blank(3)
    device.load(array, np.full(3, 1e-6, np.float32), 0)
    device.set_pulses(array, np.arange(3), np.array([1, 2, 3]), 6, 0, normals())
    assert array.conductance == pytest.approx(1e-6 + device.epsilon * np.array([1, 2, 3]), rel=1e-6)

"""One suite for every shipped device file."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.base.errors import ModelError
from archsim.base.streams import Normals
from archsim.devices.base import Device, DeviceArray, Switches
from archsim.devices.library import build, device_file, shipped_devices

every_device = pytest.mark.parametrize("name", shipped_devices())
BIDIRECTIONAL = [name for name in shipped_devices() if build(device_file(name), Switches()).bidirectional]
every_bidirectional_device = pytest.mark.parametrize("name", BIDIRECTIONAL)
SWITCHES = [field.name for field in fields(Switches)]
US = 1e-6


def make(name: str, **switches: bool) -> Device:
    return build(device_file(name), Switches(**switches))


def normals(seed: int = 0) -> Normals:
    return Normals(np.random.default_rng(seed))


def between(device: Device, part: float, devices: int = 1) -> np.ndarray:
    """Return conductances at a part of the way from the lower to the upper bound."""
    return np.full(devices, device.low + part * (device.high - device.low), np.float32)


def state(array: DeviceArray) -> list[list[float]]:
    return [getattr(array, name).tolist() for name in DeviceArray.__slots__]


@every_device
def test_its_numbers_make_sense(name: str) -> None:
    device = make(name)
    assert 0 < device.low < device.common < device.high
    assert 0 < device.epsilon < device.high - device.low
    assert device.reading.shortest_s > 0


@every_device
def test_its_effects_are_exactly_the_switches_that_change_anything(name: str) -> None:
    """RESET, pulses up and down from several states, reads, all with the same random numbers."""
    assert make(name).effects == tuple(each for each in SWITCHES if behaviour(name, **{each: False}) != behaviour(name))


def behaviour(name: str, **switches: bool) -> list[object]:
    """Return all that a device does in a small life: conductances, pulses, and how it is read."""
    device, source, index, seen = make(name, **switches), normals(), np.arange(50), []
    array = DeviceArray.blank(50)
    device.reset(array, index, 0, source)
    ways = [device.set_pulses, *([device.down_pulses] if device.bidirectional else [])]
    for part in (0.1, 0.5, 0.9):
        for way in ways:
            for pulses in (1, 3):
                seen.append(array.conductance.tolist())
                way(array, index, np.full(50, pulses), 50 * pulses, 1, source)
        device.load(array, between(device, part, 50), 2)
    return [*seen, device.leak, device.reading.exponent, device.reading.noise_slope, device.reading.noise_offset]


@every_device
@given(
    trains=st.lists(
        st.tuples(st.lists(st.integers(0, 4), min_size=1, unique=True), st.integers(1, 60), st.booleans()), max_size=6
    ),
    resets=st.lists(st.integers(0, 4), unique=True),
    switches=st.dictionaries(st.sampled_from(SWITCHES), st.booleans()),
    seed=st.integers(0, 99),
)
@settings(max_examples=40, deadline=None)
def test_conductance_stays_in_its_bounds_and_pulses_are_counted(
    name: str, trains: list[tuple[list[int], int, bool]], resets: list[int], switches: dict[str, bool], seed: int
) -> None:
    device, array, source = make(name, **switches), DeviceArray.blank(5), normals(seed)
    device.reset(array, np.arange(5), 0, source)
    up, down = np.zeros(5, np.int64), np.zeros(5, np.int64)
    for now, (which, pulses, downwards) in enumerate(trains, start=1):
        index = np.array(which)
        before = array.conductance.copy()
        lower = downwards and device.bidirectional
        way, counted = (device.down_pulses, down) if lower else (device.set_pulses, up)
        way(array, index, np.full(index.size, pulses), pulses * index.size, now, source)
        counted[index] += pulses
        untouched = np.setdiff1d(np.arange(5), index)
        assert (array.conductance[untouched] == before[untouched]).all()
        assert (array.conductance >= np.float32(device.low)).all()
        assert (array.conductance <= np.float32(device.high)).all()
        assert (array.programmed_ps[index] == now).all()
    device.reset(array, np.array(resets, np.int64), 99, source)
    assert (array.set_pulses == up).all()
    assert (array.down_pulses == down).all()
    assert (array.reset_pulses == 1 + np.isin(np.arange(5), resets)).all()
    assert (array.conductance >= np.float32(device.low)).all()
    assert (array.programmed_ps[resets] == 99).all()


@every_device
def test_the_same_random_numbers_give_the_same_devices(name: str) -> None:
    found = []
    for _ in range(2):
        device, array, source = make(name), DeviceArray.blank(9), normals(4)
        device.load(array, np.linspace(device.low, device.high, 9, dtype=np.float32), 0)
        device.set_pulses(array, np.arange(9), np.arange(1, 10), 45, 7, source)
        if device.bidirectional:
            device.down_pulses(array, np.array([0, 8]), np.array([3, 4]), 7, 7, source)
        device.reset(array, np.array([3, 5]), 8, source)
        found.append(state(array))
    assert found[0] == found[1]


@every_device
def test_only_the_named_devices_change(name: str) -> None:
    device, array = make(name), DeviceArray.blank(6)
    device.load(array, between(device, 0.2, 6), 0)
    device.set_pulses(array, np.array([1, 4]), np.array([2, 2]), 4, 99, normals())
    assert array.programmed_ps.tolist() == [0, 99, 0, 0, 99, 0]
    assert (array.conductance[[0, 2, 3, 5]] == between(device, 0.2)).all()
    assert (array.conductance[[1, 4]] != between(device, 0.2)).all()
    assert array.set_pulses.tolist() == [0, 2, 0, 0, 2, 0]


@every_device
def test_no_devices_are_no_work(name: str) -> None:
    device, array, nothing = make(name), DeviceArray.blank(3), np.empty(0, np.int64)
    device.load(array, between(device, 0.2, 3), 0)
    before = state(array)
    device.set_pulses(array, nothing, nothing, 0, 9, normals())
    if device.bidirectional:
        device.down_pulses(array, nothing, nothing, 0, 9, normals())
    device.reset(array, nothing, 9, normals())
    assert state(array) == before


@every_device
def test_loading_is_exact_clips_to_the_bounds_and_counts_no_pulse(name: str) -> None:
    device, array = make(name), DeviceArray.blank(3)
    inside = between(device, 0.2)[0]
    device.load(array, np.array([[0.0, inside, 1.0]], np.float32), 77)
    assert array.conductance.tolist() == [np.float32(device.low), inside, np.float32(device.high)]
    assert array.programmed_ps.tolist() == [77] * 3
    assert not array.set_pulses.any()
    assert not array.reset_pulses.any()
    assert not array.down_pulses.any()


@pytest.mark.parametrize("name", ["ideal", "pcm-nandakumar2018"])
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


@pytest.mark.parametrize("name", [name for name in shipped_devices() if name not in {"ideal", "pcm-nandakumar2018"}])
def test_epsilon_is_what_a_pulse_gives_on_average_around_the_common_conductance(name: str) -> None:
    """400,000 devices, one pulse each: five standard errors of their mean step, false-alarm rate below 1e-6 a device.

    Steps far wider than the distance to a bound are clipped there, which moves the mean by 1 % more.
    """
    device, n = make(name), 400_000
    array, index = DeviceArray.blank(n), np.arange(n)
    device.load(array, np.full(n, device.common, np.float32), 0)
    device.set_pulses(array, index, np.ones(n, np.int64), n, 0, normals())
    change = array.conductance.astype(float) - np.float32(device.common)
    error = 5 * change.std() / np.sqrt(n)
    assert change.mean() == pytest.approx(device.epsilon, abs=error + 0.01 * device.epsilon)


@every_device
def test_with_all_switches_off_every_pulse_adds_epsilon_and_nothing_else_happens(name: str) -> None:
    device, array = make(name, **dict.fromkeys(SWITCHES, False)), DeviceArray.blank(3)
    start = between(device, 0.2)[0]
    device.load(array, np.full(3, start, np.float32), 0)
    device.set_pulses(array, np.arange(3), np.array([1, 2, 7]), 10, 0, normals())
    assert array.conductance == pytest.approx(start + device.epsilon * np.array([1, 2, 7]), rel=1e-6)
    if device.bidirectional:
        device.down_pulses(array, np.arange(3), np.array([1, 1, 8]), 10, 0, normals())
        assert array.conductance == pytest.approx(start + device.epsilon * np.array([0, 1, -1]), rel=1e-6)
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


# --- Down pulses


def test_only_devices_with_gradual_reset_are_bidirectional() -> None:
    assert "pcm-nandakumar2018" not in BIDIRECTIONAL
    assert {"ideal", "linear", "ecram-soft-bounds", "table-example"} <= set(BIDIRECTIONAL)


@pytest.mark.parametrize("name", [name for name in shipped_devices() if name not in BIDIRECTIONAL])
def test_a_device_without_down_pulses_refuses_them_and_stays_as_it_was(name: str) -> None:
    device, array = make(name), DeviceArray.blank(2)
    device.load(array, between(device, 0.5, 2), 0)
    before = state(array)
    with pytest.raises(ModelError, match=f"{name} has no"):
        device.down_pulses(array, np.arange(2), np.ones(2, np.int64), 2, 5, normals())
    assert state(array) == before


@every_bidirectional_device
def test_down_pulses_lower_and_up_pulses_raise(name: str) -> None:
    """10,000 devices from the middle of the range, 20 pulses: the mean moves by over 10 standard errors, below 1e-20."""
    device, n = make(name), 10_000
    for way, sign in ((device.set_pulses, 1), (device.down_pulses, -1)):
        array = DeviceArray.blank(n)
        device.load(array, between(device, 0.5, n), 0)
        way(array, np.arange(n), np.full(n, 20), 20 * n, 3, normals())
        moved = array.conductance.astype(float) - float(between(device, 0.5)[0])
        assert sign * moved.mean() > 10 * moved.std() / np.sqrt(n)
        assert (array.programmed_ps == 3).all()
    assert (array.down_pulses == 20).all()
    assert not array.set_pulses.any()


@every_bidirectional_device
def test_without_programming_noise_up_and_down_pulses_are_the_same_for_every_device(name: str) -> None:
    device, array = make(name, programming_noise=False), DeviceArray.blank(50)
    device.load(array, between(device, 0.5, 50), 0)
    device.set_pulses(array, np.arange(50), np.full(50, 3), 150, 0, normals())
    device.down_pulses(array, np.arange(50), np.full(50, 2), 100, 0, normals())
    assert array.conductance.std() <= 1e-6 * array.conductance.mean()

"""PCM: the kernel against plain Python, each switch, the pulse memory, RESET."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.base.streams import Normals
from archsim.devices import _kernels
from archsim.devices.base import DeviceArray, Switches
from archsim.devices.library import build, device_file
from archsim.devices.pcm import Pcm, mean_step

US = 1e-6


def pcm(**switches: bool) -> Pcm:
    device = build(device_file("pcm-nandakumar2018"), Switches(**switches))
    assert isinstance(device, Pcm)
    return device


def normals(seed: int = 0) -> Normals:
    return Normals(np.random.default_rng(seed))


def one(g: float, memory: float, devices: int = 1) -> DeviceArray:
    array = DeviceArray.blank(devices)
    array.conductance[:], array.memory[:] = g, memory
    return array


def pulse(device: Pcm, array: DeviceArray, pulses: int = 1, seed: int = 0) -> np.ndarray:
    """Give every device `pulses` and return how much each grew."""
    n, before = array.conductance.size, array.conductance.astype(float)
    device.set_pulses(array, np.arange(n), np.full(n, pulses), n * pulses, 0, normals(seed))
    return array.conductance - before


def reference(g, memory, programmed, count, index, pulses, now, draws, mean, std, decay, low, high):  # type: ignore[no-untyped-def]
    """Do what `_kernels.pcm_set_pulses` does, in NumPy scalars."""
    g, memory, programmed, count = g.copy(), memory.copy(), programmed.copy(), count.copy()
    source = iter(draws)
    for i, n in zip(index, pulses, strict=True):
        G, P = np.float64(g[i]), np.float64(memory[i])
        for _ in range(n):
            P = P * decay
            G = min(
                max(G + (mean[0] * G + mean[1] + mean[2] * P) + (std[0] * G + std[1] + std[2] * P) * next(source), low),
                high,
            )
        g[i], memory[i], programmed[i] = np.float32(G), np.float32(P), now
        count[i] += n
    return g, memory, programmed, count


@given(
    counts=st.dictionaries(st.integers(0, 9), st.integers(1, 12), min_size=1),
    seed=st.integers(0, 2**31), now=st.integers(0, 10**15),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_the_kernel_equals_plain_python_on_the_same_normals(counts: dict[int, int], seed: int, now: int) -> None:
    rng = np.random.default_rng(seed)
    index, pulses = np.array(list(counts)), np.array(list(counts.values()))
    draws = rng.standard_normal(pulses.sum())
    start = (
        rng.uniform(0.1 * US, 12 * US, 10).astype(np.float32), rng.uniform(0, 1, 10).astype(np.float32),
        np.zeros(10, np.int64), rng.integers(0, 5, 10),
    )  # fmt: skip
    mean, std = np.array([-0.084, 0.880 * US, 1.40 * US]), np.array([0.091, 0.260 * US, 2.15 * US])
    rest = (index, pulses, now, draws, mean, std, math.exp(-1 / 2.6), 0.1 * US, 12 * US)
    expected = reference(*start, *rest)
    _kernels.pcm_set_pulses(*start, *rest)
    for found, due in zip(start, expected, strict=True):
        assert np.asarray(found) == pytest.approx(due, rel=2e-7)  # the last bit of float32, where the compiler fuses
        assert found.dtype == due.dtype


def test_the_device_gives_the_kernel_the_published_constants() -> None:
    device = pcm()
    assert device._mean == pytest.approx([-0.084, 0.880 * US, 1.40 * US])
    assert device._std == pytest.approx([0.091, 0.260 * US, 2.15 * US])
    assert device._decay == pytest.approx(math.exp(-1 / 2.6))
    assert (device.low, device.high, device.common) == pytest.approx((0.1 * US, 12 * US, 1.6 * US))
    reading = device.reading
    assert (reading.exponent, reading.reference_s, reading.noise_slope) == pytest.approx((0.04, 38.6, 0.03))
    assert reading.noise_offset == pytest.approx(0.13 * US)


@pytest.mark.parametrize("off", Switches.__slots__)
def test_epsilon_is_what_the_digital_unit_believes_whatever_the_switches(off: str) -> None:
    assert pcm(**{off: False}).epsilon == pcm().epsilon == mean_step(pcm().file)


@given(pulses=st.integers(1, 30), g=st.floats(0.1, 12), memory=st.floats(0, 1))
@settings(max_examples=30, deadline=None)
def test_pulse_memory_falls_by_a_constant_factor_a_pulse(pulses: int, g: float, memory: float) -> None:
    array = one(g * US, memory)
    pulse(pcm(), array, pulses)
    assert array.memory[0] == pytest.approx(memory * math.exp(-pulses / 2.6), rel=1e-5, abs=1e-38)


def test_a_loaded_device_has_one_pulse_behind_it() -> None:
    array = DeviceArray.blank(2)
    pcm().load(array, np.full(2, 1.6 * US, np.float32), 0)
    assert array.memory == pytest.approx(np.full(2, math.exp(-1 / 2.6)))


def test_a_pulse_adds_less_to_a_device_that_conducts_more_and_less_with_more_pulses_behind_it() -> None:
    device = pcm(programming_noise=False)
    by_conductance = [pulse(device, one(g * US, 0.5))[0] for g in (0.1, 1, 4, 9)]
    by_memory = [pulse(device, one(2 * US, memory))[0] for memory in (1.0, 0.6, 0.2, 0.0)]
    assert (np.diff(by_conductance) < 0).all()
    assert (np.diff(by_memory) < 0).all()


def test_reset_leaves_a_device_near_the_floor_with_its_memory_full() -> None:
    """RESET is Normal(0.1, 0.01) uS clipped at 0.1 uS: half the devices on the floor, the mean at 0.1 + 0.01/sqrt(2 pi).

    100,000 devices; both bands are five standard errors: false-alarm rate below 2e-6.
    """
    array = one(7 * US, 0.2, 100_000)
    pcm().reset(array, np.arange(100_000), 5, normals())
    g = array.conductance / US
    assert (array.memory == 1).all()
    assert np.mean(g <= 0.1 + 1e-7) == pytest.approx(0.5, abs=5 * 0.5 / math.sqrt(1e5))
    assert g.mean() == pytest.approx(0.1 + 0.01 / math.sqrt(2 * math.pi), abs=5 * 0.0059 / math.sqrt(1e5))


# --- Each switch takes its effect away, and only that


def test_with_programming_noise_pulses_and_resets_scatter_and_without_they_do_not() -> None:
    for noisy in (True, False):
        device = pcm(programming_noise=noisy)
        array = one(3 * US, 0.5, 50)
        assert (pulse(device, array).std() > 0.1 * US) == noisy
        device.reset(array, np.arange(50), 0, normals())
        assert (array.conductance.std() > 1e-10) == noisy


def test_without_programming_noise_a_pulse_adds_the_published_mean() -> None:
    step = pulse(pcm(programming_noise=False), one(3 * US, 0.5))[0]
    assert step / US == pytest.approx(-0.084 * 3 + 0.880 + 1.40 * 0.5 * math.exp(-1 / 2.6), rel=1e-5)


def test_without_state_dependence_the_mean_step_is_epsilon_in_every_state() -> None:
    device = pcm(state_dependence=False, programming_noise=False)
    for g, memory in ((0.1, 1.0), (5, 0.5), (9, 0.0)):
        assert pulse(device, one(g * US, memory))[0] == pytest.approx(device.epsilon, rel=1e-5)


def test_without_state_dependence_the_noise_of_a_step_stays() -> None:
    """20,000 devices: the spread is known to 0.5 % (standard error); a band of 3 % fails by chance below 1e-8."""
    array = one(6 * US, 0.3, 20_000)
    device = pcm(state_dependence=False)
    device.high = 1.0
    spread = 0.091 * 6 + 0.260 + 2.15 * 0.3 * math.exp(-1 / 2.6)
    assert pulse(device, array).std() / US == pytest.approx(spread, rel=0.03)


def test_without_pulse_memory_neither_step_nor_noise_knows_the_past() -> None:
    for memory_on in (True, False):
        device = pcm(pulse_memory=memory_on)
        steps = [pulse(device, one(3 * US, memory), seed=2)[0] for memory in (1.0, 0.4, 0.0)]
        assert (len(set(steps)) > 1) == memory_on


def test_without_pulse_memory_ten_pulses_have_the_mean_memory_of_ten() -> None:
    device = pcm(pulse_memory=False)
    typical = np.mean(np.exp(-np.arange(1, 11) / 2.6))
    assert device._mean == pytest.approx([-0.084, (0.880 + 1.40 * typical) * US, 0])
    assert device._std == pytest.approx([0.091, (0.260 + 2.15 * typical) * US, 0])


def test_read_noise_and_drift_have_a_switch_each() -> None:
    silent, still = pcm(read_noise=False).reading, pcm(drift=False).reading
    assert (silent.noisy, silent.exponent) == (False, 0.04)
    assert (still.noisy, still.exponent) == (True, 0.0)
    assert still.window_s(0.01) == math.inf

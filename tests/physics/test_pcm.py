"""The device and the cells against published statistics and against sampling device by device.

Statistical tests use fixed seeds; where a test compares random samples, its chance to fail a correct program under another
seed is stated as the false-alarm rate.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from archsim.analog import _kernels
from archsim.analog.cells import PairedCells, normal_table
from archsim.base.streams import Normals, Streams
from archsim.devices.base import Device, DeviceArray, Switches
from archsim.devices.library import build, device_file
from archsim.devices.pcm import Pcm

US = 1e-6
SCALE = 8 * US
IDEAL = (0, 0, 1.0, False)
S = 10**12

# Mean and standard deviation [uS] after n SET pulses from RESET, bound 20 uS, of 400,000 devices: computed from the
# published model by others than this program (facts of the paper, device_model.mean_and_std_uS_after_pulses).
PUBLISHED = {
    1: (2.05, 1.52), 2: (3.43, 1.97), 3: (4.47, 2.20), 4: (5.27, 2.32), 5: (5.92, 2.38), 6: (6.44, 2.41),
    8: (7.24, 2.44), 10: (7.83, 2.47), 12: (8.29, 2.50), 15: (8.81, 2.55), 20: (9.41, 2.67),
}  # fmt: skip


def pcm(**off: bool) -> Pcm:
    device = build(device_file("pcm-nandakumar2018"), replace(Switches(), **off))
    assert isinstance(device, Pcm)
    return device


def pulsed(device: Device, devices: int, pulses: int, seed: int = 0) -> DeviceArray:
    array, normals = DeviceArray.blank(devices), Normals(np.random.default_rng(seed))
    index = np.arange(devices)
    device.reset(array, index, 0, normals)
    if pulses:
        device.set_pulses(array, index, np.full(devices, pulses), devices * pulses, 0, normals)
    return array


def cells(device: Device, shape: tuple[int, int], seed: int = 1) -> PairedCells:
    return PairedCells(device, shape, scale=SCALE, streams=Streams(seed), name="fc1/0,0")


@pytest.mark.parametrize("pulses", PUBLISHED)
def test_mean_and_spread_after_pulses_are_the_published_ones(pulses: int) -> None:
    """100,000 devices: the standard error of the mean is below 0.01 uS; a band of 0.03 uS fails by chance below 1 in 100."""
    device = pcm()
    device.high = 20 * US
    g = pulsed(device, 100_000, pulses).conductance / US
    mean, std = PUBLISHED[pulses]
    assert g.mean() == pytest.approx(mean, abs=0.03)
    assert g.std() == pytest.approx(std, abs=0.03)


def test_epsilon_is_the_papers() -> None:
    assert pcm().epsilon / US == pytest.approx(0.766, abs=0.0005)
    assert pcm().epsilon / SCALE == pytest.approx(0.096, abs=0.0005)


def test_second_pulse_adds_less_than_the_first() -> None:
    means = [pulsed(pcm(), 20_000, n).conductance.mean() for n in range(6)]
    steps = np.diff(means)
    assert (np.diff(steps) < 0).all()


def test_reset_forgets_earlier_pulses() -> None:
    device, normals = pcm(), Normals(np.random.default_rng(3))
    array = pulsed(device, 50_000, 8)
    device.reset(array, np.arange(50_000), 0, normals)
    assert array.conductance.mean() / US == pytest.approx(0.1, abs=0.01)
    assert (array.memory == 1).all()
    device.set_pulses(array, np.arange(50_000), np.ones(50_000, np.int64), 50_000, 0, normals)
    assert array.conductance.mean() / US == pytest.approx(PUBLISHED[1][0], abs=0.03)
    assert (array.reset_pulses == 2).all()
    assert (array.set_pulses == 9).all()


def test_one_long_train_is_the_same_as_single_pulses() -> None:
    """Two samples of one distribution, Kolmogorov-Smirnov at 1e-4: the false-alarm rate."""
    together = pulsed(pcm(), 20_000, 5, seed=1).conductance
    device, normals = pcm(), Normals(np.random.default_rng(2))
    array = pulsed(device, 20_000, 0, seed=2)
    for _ in range(5):
        device.set_pulses(array, np.arange(20_000), np.ones(20_000, np.int64), 20_000, 0, normals)
    assert stats.ks_2samp(together, array.conductance).pvalue > 1e-4


def test_without_programming_noise_every_device_follows_the_mean() -> None:
    g = pulsed(pcm(programming_noise=False), 100, 10).conductance / US
    assert g.std() == 0
    assert g[0] == pytest.approx(0.1 + 10 * 0.766, rel=1e-3)


def test_without_state_dependence_every_pulse_adds_epsilon() -> None:
    device = pcm(state_dependence=False, programming_noise=False)
    steps = np.diff([pulsed(device, 1, n).conductance[0] for n in range(8)])
    assert steps == pytest.approx(np.full(7, device.epsilon), rel=1e-4)


def test_without_pulse_memory_the_past_of_a_device_does_not_matter() -> None:
    device = pcm(pulse_memory=False, programming_noise=False)
    array = DeviceArray.blank(2)
    array.conductance[:] = 3 * US
    array.memory[:] = (1.0, 0.1)
    device.set_pulses(array, np.arange(2), np.ones(2, np.int64), 2, 0, Normals(np.random.default_rng(0)))
    assert array.conductance[0] == array.conductance[1]


def test_drift_follows_the_power_law_on_the_clock() -> None:
    """Weights read at 10 s to 1e6 s after loading fall as (t/T0)^-0.04."""
    array = cells(pcm(), (10, 10))
    array.load(np.full((10, 10), 0.3, np.float32), 0)
    times = np.logspace(1, 6, 11)
    read = []
    for t in times:
        array.renew(int(t * S))
        read.append(float(array.weight.mean()))
    slope = np.polyfit(np.log(times), np.log(read), 1)[0]
    assert slope == pytest.approx(-0.04, abs=1e-4)
    array.renew(int(38.6 * S))
    assert array.weight == pytest.approx(np.full((10, 10), 0.3), rel=1e-5)


def test_drift_is_held_below_the_shortest_time() -> None:
    array = cells(pcm(), (2, 2))
    array.load(np.full((2, 2), 0.3, np.float32), 0)
    early = array.weight.copy()
    array.renew(S // 2)
    assert (array.weight == early).all()
    assert early[0, 0] / 0.3 == pytest.approx((1 / 38.6) ** -0.04, rel=1e-5)


@pytest.mark.parametrize("age_s", [0.0, 0.5, 1.0, 3.0, 38.6, 1e4])
@pytest.mark.parametrize("tolerance", [0.001, 0.01, 0.05])
def test_cached_drift_stays_within_its_tolerance(age_s: float, tolerance: float) -> None:
    """Whatever the age at the last renewal, the factor after the longest allowed wait is off by the tolerance at most."""
    reading = pcm().reading

    def factor(age: float) -> float:
        return (max(age, reading.shortest_s) / reading.reference_s) ** -reading.exponent

    wait = reading.window_s(tolerance)
    assert abs(factor(age_s + wait) / factor(age_s) - 1) <= tolerance * (1 + 1e-9)


def test_cells_renew_by_themselves_when_drift_has_moved() -> None:
    array = cells(pcm(), (3, 3))
    array.load(np.full((3, 3), 0.3, np.float32), 0)
    for t in np.linspace(0, 200, 2001):
        array.age(int(t * S))
        exact = 0.3 * (max(t, 1.0) / 38.6) ** -0.04
        assert array.weight == pytest.approx(np.full((3, 3), exact), rel=0.0101)


def test_read_noise_grows_with_conductance_as_published() -> None:
    """200,000 reads a level: the relative error of the spread is 0.16 %; a band of 1 % fails by chance below 1e-6."""
    levels = np.array([0.1, 1, 3, 6, 9, 12]) * US
    repeats = 200_000
    array = cells(pcm(drift=False), (1, levels.size))
    array.devices.conductance[: levels.size] = levels
    index = np.repeat(np.arange(levels.size), repeats)
    reads = array._read_devices(index, 0).reshape(levels.size, repeats)
    assert reads.std(axis=1) == pytest.approx(0.03 * levels + 0.13 * US, rel=0.01)
    assert reads.mean(axis=1) == pytest.approx(levels, abs=0.005 * US)


@pytest.mark.parametrize("transposed", [False, True])
def test_noise_by_column_has_the_distribution_of_noise_by_device(transposed: bool) -> None:
    """Kolmogorov-Smirnov of 4,000 products each way, at 1e-4: the false-alarm rate for each direction."""
    rows, columns = (24, 6) if not transposed else (6, 24)
    rng = np.random.default_rng(5)
    array = cells(pcm(drift=False), (rows, columns))
    weight = rng.normal(0, 0.2, (rows, columns)).astype(np.float32)
    array.load(weight, 0)
    x = rng.uniform(-1, 1, (1, columns if transposed else rows)).astype(np.float32)
    product = array.multiply_transposed if transposed else array.multiply
    ours = np.array([product(x, "forward", IDEAL)[0][0, 0] for _ in range(4000)])
    plus, minus = (side.conductance.reshape(rows, columns).astype(float) for side in array.pairs)
    vector = x[0].astype(float)
    theirs = np.empty(4000)
    for k in range(4000):
        noisy = [g + (0.03 * g + 0.13 * US) * rng.standard_normal(g.shape) for g in (plus, minus)]
        w = (noisy[0] - noisy[1]) / SCALE
        theirs[k] = (w[0] @ vector) if transposed else (vector @ w[:, 0])
    assert stats.ks_2samp(ours, theirs).pvalue > 1e-4
    assert ours.std() == pytest.approx(theirs.std(), rel=0.06)


def test_the_quantile_table_is_a_standard_normal() -> None:
    table = normal_table().astype(float)
    assert table.size == 16384
    assert table.mean() == pytest.approx(0, abs=1e-6)
    assert table.std() == pytest.approx(1, abs=1e-6)
    assert stats.kurtosis(table) == pytest.approx(0, abs=0.01)
    assert 4.0 < table.max() < 4.3
    assert stats.kstest(table, "norm").statistic < 1e-3


def test_draws_from_the_table_pass_for_normal_and_independent() -> None:
    """1,000,000 draws: Kolmogorov-Smirnov and lag correlations at 1e-4 each, six in all: false alarm below 1e-3."""
    draws = np.zeros(1_000_000, np.float32)
    state = np.array([Streams(3).word("noise")[0]], np.uint64)
    _kernels.add_noise(draws, np.ones_like(draws), state, normal_table())
    assert stats.kstest(draws, "norm").pvalue > 1e-4
    centred = draws.astype(float)
    for lag in (1, 2, 3, 4, 5):
        correlation = float(np.mean(centred[lag:] * centred[:-lag]))
        assert abs(correlation) * np.sqrt(draws.size) < stats.norm.ppf(1 - 0.5e-4)


def test_kernel_and_plain_python_give_the_same_devices() -> None:
    device = pcm()
    index, pulses = np.array([4, 1, 7]), np.array([3, 1, 2])
    array = DeviceArray.blank(10)
    array.conductance[:], array.memory[:] = 2 * US, 0.6
    expected = array.conductance.astype(float)
    draws = iter(np.random.default_rng(9).standard_normal(6))
    for i, n in zip(index, pulses, strict=True):
        g, memory = float(array.conductance[i]), float(array.memory[i])
        for _ in range(n):
            memory *= np.exp(-1 / 2.6)
            mean = -0.084 * g + 0.880 * US + 1.40 * US * memory
            std = 0.091 * g + 0.260 * US + 2.15 * US * memory
            g = min(max(g + mean + std * next(draws), 0.1 * US), 12 * US)
        expected[i] = g
    device.set_pulses(array, index, pulses, 6, 5, Normals(np.random.default_rng(9)))
    assert array.conductance == pytest.approx(expected, rel=1e-6)
    assert array.programmed_ps[index].tolist() == [5, 5, 5]
    assert array.set_pulses.sum() == 6

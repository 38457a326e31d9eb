"""The PCM model against its published form by statistical tests, each sharp enough to see a constant off by 5 %.

The constants below are the published ones, written out again; neither the device file nor the package's constants enter.
Seeds are fixed; the false-alarm rate is the chance that another seed fails a correct program. All tests of this file
together: below 3e-4.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from scipy import stats

from archsim.analog.paired import PairedCells
from archsim.base.streams import Normals, Streams
from archsim.devices.base import DeviceArray, Switches
from archsim.devices.library import build, device_file
from archsim.devices.pcm import Pcm

US = 1e-6
S = 10**12
SCALE = 8 * US
DECAY = math.exp(-1 / 2.6)
MEAN, STD = (-0.084, 0.880, 1.40), (0.091, 0.260, 2.15)
LOW, HIGH = 0.1, 12.0
EXPONENT, T0_S = 0.04, 38.6
NOISE_SLOPE, NOISE_OFFSET = 0.03, 0.13


def pcm(**off: bool) -> Pcm:
    device = build(device_file("pcm-nandakumar2018"), Switches(**off))
    assert isinstance(device, Pcm)
    return device


def affine(row: tuple[float, float, float], g: object, memory: object) -> np.ndarray:
    return row[0] * np.asarray(g) + row[1] + row[2] * np.asarray(memory)


def standing(g_us: np.ndarray, memory: np.ndarray) -> DeviceArray:
    array = DeviceArray.blank(g_us.size)
    array.conductance[:], array.memory[:] = g_us * US, memory
    return array


def pulse(device: Pcm, array: DeviceArray, seed: int, pulses: int = 1) -> np.ndarray:
    """Give every device `pulses`; return the conductances [uS]."""
    n = array.conductance.size
    device.set_pulses(array, np.arange(n), np.full(n, pulses), n * pulses, 0, Normals(np.random.default_rng(seed)))
    return array.conductance.astype(float) / US


# --- One SET pulse: mean and spread over state


STATES = [(g, memory) for g in (4.0, 6.0, 9.0) for memory in (0.0, 0.1, 0.25)] + [(6.0, 0.4), (8.0, 0.6), (9.0, 0.8)]
"""Conductance [uS] and pulse memory before the pulse, from which neither bound (0.1, 20 uS) is within 4.2 sigma."""


@cache
def single_steps() -> np.ndarray:
    """Return changes [uS] by one pulse, (states, 400,000), bound 20 uS."""
    device, found = pcm(), []
    device.high = 20 * US
    for k, (g, memory) in enumerate(STATES):
        start = standing(np.full(400_000, g), np.full(400_000, memory))
        found.append(pulse(device, start, seed=100 + k) - g)
    return np.array(found)


@pytest.mark.parametrize("k", range(len(STATES)))
def test_mean_and_variance_of_a_pulse_are_the_published_ones_in_every_state(k: int) -> None:
    """Mean by the normal, variance by chi-square, two-sided at 1e-6 each; clipping costs both less than 1e-4.

    False-alarm rate 2e-6 a state, 2.4e-5 over all.
    """
    g, memory = STATES[k]
    mean, std = affine(MEAN, g, memory * DECAY), affine(STD, g, memory * DECAY)
    steps = single_steps()[k]
    z = (steps.mean() - mean) / (std / math.sqrt(steps.size))
    assert abs(z) < stats.norm.ppf(1 - 0.5e-6)
    p = stats.chi2.cdf(((steps - mean) ** 2).sum() / std**2, steps.size)
    assert 0.5e-6 < p < 1 - 0.5e-6


def test_regression_over_states_finds_the_six_published_constants() -> None:
    """Weighted least squares of means and of spreads on (G, 1, P); each constant within 5 of its standard errors.

    The errors are 0.4 to 2.5 % of the constants. False-alarm rate 6 x 6e-7, below 4e-6.
    """
    steps = single_steps()
    n = steps.shape[1]
    design = np.array([(g, 1, memory * DECAY) for g, memory in STATES])
    spread = steps.std(axis=1, ddof=1)
    for found, error, published in (
        (steps.mean(axis=1), spread / math.sqrt(n), MEAN), (spread, spread / math.sqrt(2 * n), STD),
    ):  # fmt: skip
        weighted = design / error[:, None]
        covariance = np.linalg.inv(weighted.T @ weighted)
        constants = covariance @ weighted.T @ (found / error)
        assert (np.abs(constants - published) < 5 * np.sqrt(np.diag(covariance))).all()
        assert (np.sqrt(np.diag(covariance)) < 0.025 * np.abs(published)).all()  # or the test would see nothing


# --- Distributions


def clipped_normal(mean: float, std: float, g: np.ndarray) -> None:
    """Hold conductances [uS] against a normal clipped to the bounds: mass at both by the binomial, KS and CvM between.

    Two-sided at 1e-6 each: false-alarm rate below 4e-6.
    """
    assert g.min() >= LOW - 1e-7
    assert g.max() <= HIGH + 1e-5
    at_low, at_high = int((g <= LOW + 1e-6).sum()), int((g >= HIGH - 1e-5).sum())
    for count, p in ((at_low, stats.norm.cdf((LOW - mean) / std)), (at_high, stats.norm.sf((HIGH - mean) / std))):
        assert stats.binomtest(count, g.size, p).pvalue > 1e-6
    inside = g[(g > LOW + 1e-6) & (g < HIGH - 1e-5)]
    law = stats.truncnorm((LOW - mean) / std, (HIGH - mean) / std, mean, std)
    assert stats.kstest(inside, law.cdf).pvalue > 1e-6
    assert stats.cramervonmises(inside, law.cdf).pvalue > 1e-6


@pytest.mark.parametrize(("g", "memory"), [(0.1, 1.0), (3.0, 0.68), (9.0, 0.1)])
def test_conductance_after_one_pulse_is_a_clipped_normal(g: float, memory: float) -> None:
    """300,000 devices in one state, the first that after RESET; false-alarm rate below 4e-6 a state."""
    after = pulse(pcm(), standing(np.full(300_000, g), np.full(300_000, memory)), seed=7)
    clipped_normal(
        g + float(affine(MEAN, g, memory * DECAY)), float(affine(STD, g, memory * DECAY)), after
    )  # fmt: skip


def test_conductance_after_reset_is_a_clipped_normal() -> None:
    """Normal(0.1, 0.01) uS clipped at its mean, 300,000 devices; false-alarm rate below 4e-6."""
    array = standing(np.full(300_000, 7.0), np.zeros(300_000))
    pcm().reset(array, np.arange(300_000), 0, Normals(np.random.default_rng(8)))
    clipped_normal(0.1, 0.01, array.conductance.astype(float) / US)
    assert (array.memory == 1).all()


@cache
def by_hand(high: float, n: int = 300_000) -> dict[int, np.ndarray]:
    """Return conductances [uS] after 1, 2, 5, 10 and 20 pulses, by the published recursion in NumPy."""
    rng, found = np.random.default_rng(77), {}
    g, memory = np.clip(0.1 + 0.01 * rng.standard_normal(n), LOW, high), 1.0
    for k in range(1, 21):
        memory *= DECAY
        g = np.clip(g + affine(MEAN, g, memory) + affine(STD, g, memory) * rng.standard_normal(n), LOW, high)
        if k in {1, 2, 5, 10, 20}:
            found[k] = g
    return found


@pytest.mark.parametrize("high", [12.0, 20.0])
def test_the_distribution_after_pulses_is_that_of_the_published_recursion(high: float) -> None:
    """Two samples of 300,000 after 1, 2, 5, 10, 20 pulses by Kolmogorov-Smirnov and, of variance, by the normal, at 1e-6.

    Devices at a bound are the same for both. False-alarm rate 1e-5 a bound.
    """
    device, n = pcm(), 300_000
    if high != HIGH:
        device.high = high * US
    array = standing(np.full(n, 5.0), np.zeros(n))
    device.reset(array, np.arange(n), 0, Normals(np.random.default_rng(9)))
    given = 0
    for k, due in by_hand(high).items():
        found = pulse(device, array, seed=200 + k, pulses=k - given)
        given = k
        assert stats.ks_2samp(np.round(found, 5), np.round(due, 5)).pvalue > 1e-6
        fourth = [((x - x.mean()) ** 4).mean() / x.var() ** 2 for x in (found, due)]
        error = math.sqrt((sum(fourth) - 2) / n)  # of the difference of the logarithms of two variances
        assert abs(math.log(found.var() / due.var())) < stats.norm.ppf(1 - 0.5e-6) * error


# --- Drift


@cache
def drifted() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return times [s] from 1 to 1e6, noisy reads [uS] of 40,000 devices at each, and their conductances at T0 [uS]."""
    array = PairedCells(pcm(), (200, 100), scale=SCALE, streams=Streams(3), name="fc1/0,0")
    array.load(np.random.default_rng(4).normal(0, 0.3, (200, 100)).astype(np.float32), 0)
    times = np.logspace(0, 6, 25)
    index = np.arange(40_000)
    reads = np.array([array._read_devices(index, round(t * S)).astype(float) / US for t in times])
    return times, reads, array.devices.conductance.astype(float) / US


def test_regression_over_1_to_1e6_s_finds_the_drift_exponent() -> None:
    """Slope of log mean read on log time, Student's t at 1e-6, two-sided: the false-alarm rate; its error is below 0.5 %."""
    times, reads, _ = drifted()
    line = stats.linregress(np.log(times), np.log(reads.mean(axis=1)))
    assert line.stderr < 0.005 * EXPONENT
    assert abs(line.slope + EXPONENT) < line.stderr * stats.t.ppf(1 - 0.5e-6, times.size - 2)


def test_reads_over_time_are_the_conductance_at_t0_times_the_power_law() -> None:
    """Mean read at each of 25 times over the mean at T0, by the normal at 1e-6 with the published noise: rate 2.5e-5.

    All times together fix T0: chi-square of 25 terms at 1e-6 to the upper side.
    """
    times, reads, at_t0 = drifted()
    factor = (times / T0_S) ** -EXPONENT
    true = at_t0[None] * factor[:, None]
    error = np.sqrt(((NOISE_SLOPE * true + NOISE_OFFSET) ** 2).sum(axis=1)) / at_t0.size
    z = (reads.mean(axis=1) - true.mean(axis=1)) / error
    assert np.abs(z).max() < stats.norm.ppf(1 - 0.5e-6)
    assert stats.chi2.sf((z**2).sum(), times.size) > 1e-6
    assert abs(z.sum()) / math.sqrt(times.size) < stats.norm.ppf(1 - 0.5e-6)


@pytest.mark.parametrize("tolerance", [0.01, 0.002])
def test_cached_drift_stays_within_its_tolerance_along_random_times(tolerance: float) -> None:
    """2,000 random times up to 1e5 s, pairs pulsed now and then; no device's cached factor is off by more.

    Both devices of a pair are cached too high or exact, never too low, so that a weight is off by less than the tolerance
    of the larger one. No chance: no rate. The bound is used: some weight is off by more than half of it.
    """
    rng = np.random.default_rng(11)
    array = PairedCells(pcm(), (8, 8), scale=SCALE, streams=Streams(5), name="a", drift_tolerance=tolerance)
    array.load(rng.normal(0, 0.3, (8, 8)).astype(np.float32), 0)
    worst = 0.0
    for t in np.sort(10 ** rng.uniform(-2, 5, 2000)):
        now = round(t * S)
        array.age(now)
        if rng.random() < 0.2:
            array.set_pulses(rng.choice(64, 3, replace=False), rng.choice([-2, -1, 1], 3), now)
        sides = []
        for side in array.pairs:
            age = np.maximum((now - side.programmed_ps) / S, 1.0)
            sides.append(side.conductance.astype(float) * (age / T0_S) ** -EXPONENT)
        exact = ((sides[0] - sides[1]) / SCALE).reshape(8, 8)
        allowed = tolerance / (1 - tolerance) * np.maximum(*sides).reshape(8, 8) / SCALE + 1e-6
        used = np.abs(array.weight - exact) / allowed
        assert used.max() <= 1
        worst = max(worst, float(used.max()))
    assert worst > 0.5


# --- Read noise


def test_spread_of_reads_follows_the_published_line_over_conductance() -> None:
    """25 levels, 40,000 reads each: chi-square a level, two-sided at 1e-6; slope and offset by regression within 5 errors.

    False-alarm rate below 3e-5; the errors are below 1 % of the constants.
    """
    levels, repeats = np.linspace(LOW, HIGH, 25), 40_000
    array = PairedCells(pcm(drift=False), (1, levels.size), scale=SCALE, streams=Streams(6), name="a")
    array.devices.conductance[: levels.size] = levels * US
    reads = array._read_devices(np.repeat(np.arange(levels.size), repeats), 0).reshape(levels.size, repeats) / US
    due = NOISE_SLOPE * levels + NOISE_OFFSET
    deviation = reads.astype(float) - levels[:, None]
    p = stats.chi2.cdf((deviation**2).sum(axis=1) / due**2, repeats)
    assert ((p > 0.5e-6) & (p < 1 - 0.5e-6)).all()
    assert stats.kstest((deviation / due[:, None]).ravel(), "norm").pvalue > 1e-6
    spread = deviation.std(axis=1, ddof=1)
    error = spread / math.sqrt(2 * repeats)
    weighted = np.stack([levels, np.ones_like(levels)], axis=1) / error[:, None]
    covariance = np.linalg.inv(weighted.T @ weighted)
    constants, errors = covariance @ weighted.T @ (spread / error), np.sqrt(np.diag(covariance))
    assert (np.abs(constants - (NOISE_SLOPE, NOISE_OFFSET)) < 5 * errors).all()
    assert (errors < 0.01 * np.array([NOISE_SLOPE, NOISE_OFFSET])).all()


@pytest.mark.parametrize("back", [False, True], ids=["forward", "backward"])
def test_a_column_read_at_once_has_the_distribution_of_its_devices_read_one_by_one(back: bool) -> None:
    """Aged and drifted cells; 20,000 products of 4 outputs against sums of as many reads of every device.

    Two samples by Kolmogorov-Smirnov and Cramer-von Mises, the variance by F and by chi-square against the law, two-sided
    at 1e-6 each: false-alarm rate 2e-5 a direction.
    """
    lines, outputs, n = 16, 4, 20_000
    shape = (outputs, lines) if back else (lines, outputs)
    rng, now = np.random.default_rng(12), 5000 * S
    cells = PairedCells(pcm(), shape, scale=SCALE, streams=Streams(7), name="fc1/0,0")
    cells.load(rng.normal(0, 0.2, shape).astype(np.float32), 0)
    cells.set_pulses(np.arange(0, 64, 3), np.full(22, 2), 4000 * S)
    cells.renew(now)
    x = rng.uniform(-1, 1, lines).astype(np.float32)
    product = cells.multiply_transposed if back else cells.multiply
    at_once = product(np.repeat(x[None], n, axis=0), "forward", (0, 0, 1.0, False))[0].astype(float)
    reads = np.array([cells._read_devices(np.arange(128), now) for _ in range(n)]).astype(float)
    weights = ((reads[:, :64] - reads[:, 64:]) / SCALE).reshape(n, *shape)
    one_by_one = weights @ x if back else np.einsum("nij,i->nj", weights, x)
    age = np.maximum((now - cells.devices.programmed_ps) / S, 1.0)
    true = cells.devices.conductance.astype(float) / US * (age / T0_S) ** -EXPONENT
    law = (NOISE_SLOPE * true + NOISE_OFFSET) ** 2 * (US / SCALE) ** 2
    both = (law[:64] + law[64:]).reshape(shape)
    due = both @ x.astype(float) ** 2 if back else x.astype(float) ** 2 @ both
    for k in range(outputs):
        a, b = at_once[:, k], one_by_one[:, k]
        assert stats.ks_2samp(a, b).pvalue > 1e-6
        assert stats.cramervonmises_2samp(a, b, method="asymptotic").pvalue > 1e-6
        assert 0.5e-6 < stats.f.cdf(a.var(ddof=1) / b.var(ddof=1), n - 1, n - 1) < 1 - 0.5e-6
        for sample in (a, b):
            assert 0.5e-6 < stats.chi2.cdf(sample.var(ddof=1) * (n - 1) / due[k], n - 1) < 1 - 0.5e-6

"""Linear and soft-bounds devices: the kernel against plain Python, the formulas, the spreads, the files."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from archsim.base.errors import InputError
from archsim.base.streams import Normals
from archsim.devices import _kernels
from archsim.devices.base import DeviceArray, Switches
from archsim.devices.library import build, device_file

US, NS = 1e-6, 1e-9


def make(name: str, **switches: bool) -> Any:
    return build(device_file(name), Switches(**switches))


def normals(seed: int = 0) -> Normals:
    return Normals(np.random.default_rng(seed))


def edited(folder: Path, name: str, old: str, new: str) -> Path:
    text = device_file(name).read_text()
    assert old in text
    path = folder / "mine.yaml"
    path.write_text(text.replace(old, new, 1))
    return path


def standing(device: Any, conductance: float, devices: int) -> DeviceArray:
    array = DeviceArray.blank(devices)
    device.load(array, np.full(devices, conductance, np.float32), 0)
    return array


def give(way: Any, array: DeviceArray, pulses: int, seed: int = 0) -> np.ndarray:
    n, before = array.conductance.size, array.conductance.astype(float)
    way(array, np.arange(n), np.full(n, pulses), n * pulses, 0, normals(seed))
    return array.conductance - before


# --- The kernel


def reference(g, factor, index, pulses, draws, step, far, span, left, exponent, of_step, absolute, devices, low, high):  # type: ignore[no-untyped-def]
    """Do what `_kernels.bounded_pulses` does, in plain Python."""
    g, factor, source = g.copy(), factor.copy(), iter(draws)
    for i, n in zip(index, pulses, strict=True):
        own = 1.0
        if devices > 0:
            if factor[i] == 0:
                factor[i] = np.float32(max(1 + devices * next(source), 0.05))
            own = float(factor[i])
        G = float(g[i])
        for _ in range(n):
            mean = own * step * (left + (1 - left) * min(max((far - G) / span, 0), 1) ** exponent)
            G = min(max(G + mean + (of_step * abs(mean) + absolute) * next(source), low), high)
        g[i] = np.float32(G)
    return g, factor


@given(
    counts=st.dictionaries(st.integers(0, 9), st.integers(1, 12), min_size=1), seed=st.integers(0, 2**31),
    up=st.booleans(), left=st.floats(0, 1), exponent=st.floats(0.3, 3), devices=st.sampled_from([0.0, 0.3]),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_the_kernel_equals_plain_python_on_the_same_normals(
    counts: dict[int, int], seed: int, up: bool, left: float, exponent: float, devices: float
) -> None:
    rng = np.random.default_rng(seed)
    index, pulses = np.array(list(counts)), np.array(list(counts.values()))
    draws = rng.standard_normal(pulses.sum() + index.size)
    g = rng.uniform(0.1 * US, 12 * US, 10).astype(np.float32)
    factor = rng.choice([0, 0.8, 1.3], 10).astype(np.float32)
    sign, far = (1, 12 * US) if up else (-1, 0.1 * US)
    rest = (sign * US, far, sign * 11.9 * US, left, exponent, 0.3, 0.1 * US, devices, 0.1 * US, 12 * US)
    expected = reference(g, factor, index, pulses, draws, *rest)
    programmed, count = np.zeros(10, np.int64), np.zeros(10, np.int64)
    _kernels.bounded_pulses(g, factor, programmed, count, index, pulses, 7, draws, *rest)
    assert g == pytest.approx(expected[0], rel=1e-6)
    assert factor.tolist() == expected[1].tolist()
    assert count.tolist() == [counts.get(i, 0) for i in range(10)]
    assert (programmed == 7 * (count > 0)).all()


# --- Linear


def test_linear_steps_are_the_same_everywhere_and_stop_at_the_bounds() -> None:
    device = make("linear", programming_noise=False)
    for part in (0.2, 0.5, 0.8):
        start = device.low + part * (device.high - device.low)
        assert give(device.set_pulses, standing(device, start, 3), 1) == pytest.approx([0.766 * US] * 3, rel=1e-5)
        assert give(device.down_pulses, standing(device, start, 3), 1) == pytest.approx([-0.766 * US] * 3, rel=1e-5)
    array = standing(device, 6 * US, 2)
    give(device.set_pulses, array, 99)
    assert (array.conductance == np.float32(device.high)).all()
    give(device.down_pulses, array, 99)
    assert (array.conductance == np.float32(device.low)).all()


def test_linear_spread_between_pulses_is_the_stated_fraction_of_the_step(tmp_path: Path) -> None:
    """Without differing devices: 100,000 single steps, chi-square of the variance at 1e-5 to either side."""
    device = build(edited(tmp_path, "linear", "of_range: 0, devices: 0.3", "of_range: 0, devices: 0"), Switches())
    step = give(device.set_pulses, standing(device, 6 * US, 100_000), 1)
    statistic = step.var() * 100_000 / (0.3 * 0.766 * US) ** 2
    assert 1e-5 < stats.chi2.cdf(statistic, 100_000 - 1) < 1 - 1e-5


def test_devices_differ_by_a_factor_that_stays_with_them_up_and_down() -> None:
    """20,000 devices, whose factor is Normal(1, 0.3), not below 0.05: Kolmogorov-Smirnov at 1e-5, the false-alarm rate.

    The floor touches 8e-4 of them, within what the test can see.
    """
    device = make("linear")
    array = standing(device, 6 * US, 20_000)
    give(device.set_pulses, array, 1, seed=1)
    factor = array.memory.copy()
    assert stats.kstest(factor, stats.norm(1, 0.3).cdf).pvalue > 1e-5
    assert factor.min() >= np.float32(0.05)
    give(device.down_pulses, array, 1, seed=2)
    device.reset(array, np.arange(20_000), 0, normals(3))
    assert (array.memory == factor).all()
    array.conductance[:] = 3 * US
    moved = give(device.set_pulses, array, 5, seed=4)
    assert np.corrcoef(moved, factor)[0, 1] > 0.8


def test_without_programming_noise_devices_do_not_differ() -> None:
    device = make("linear", programming_noise=False)
    array = standing(device, 6 * US, 10)
    give(device.set_pulses, array, 3)
    assert len(set(array.conductance.tolist())) == 1
    assert not array.memory.any()


# --- Soft bounds


def test_soft_steps_shrink_towards_the_bound_ahead_and_die_out_there() -> None:
    device = make("reram-soft-bounds", programming_noise=False)
    span = device.high - device.low
    for part in (0.1, 0.4, 0.7):
        start = device.low + part * span
        assert give(device.set_pulses, standing(device, start, 1), 1)[0] == pytest.approx(
            4.8 * NS * (1 - part), rel=0.02
        )
        assert give(device.down_pulses, standing(device, start, 1), 1)[0] == pytest.approx(-8 * NS * part, rel=0.02)
    assert give(device.set_pulses, standing(device, device.high, 1), 9)[0] == 0
    assert give(device.down_pulses, standing(device, device.low, 1), 9)[0] == 0


def test_up_and_down_steps_of_the_reram_are_equal_at_aihwkits_symmetry_point() -> None:
    """Its weights run from -0.75 to 1.25 and are symmetric at 0, three eighths of the way up; dw_min is 0.002 of 2."""
    device = make("reram-soft-bounds", programming_noise=False)
    start = device.low + 0.375 * (device.high - device.low)
    up = give(device.set_pulses, standing(device, start, 1), 1)[0]
    down = give(device.down_pulses, standing(device, start, 1), 1)[0]
    assert (up, -down) == pytest.approx((0.001 * 3 * US, 0.001 * 3 * US), rel=0.02)


def test_steps_of_the_ecram_are_aihwkits() -> None:
    """dw_min (1 - gamma w/w_bound) in weight, over the range 2, of the range in siemens; w from -0.8276 to 1.1724."""
    device = make("ecram-soft-bounds", programming_noise=False)
    span = device.high - device.low
    for w in (-0.6, 0.0, 0.9):
        start = device.low + (w + 0.8276) / 2 * span
        up = 0.002 * (1 - 0.1153 * w / 1.1724) / 2 * span
        down = 0.002 * (1 - 0.5085 * w / -0.8276) / 2 * span
        assert give(device.set_pulses, standing(device, start, 1), 100)[0] == pytest.approx(100 * up, rel=0.02)
        assert give(device.down_pulses, standing(device, start, 1), 100)[0] == pytest.approx(-100 * down, rel=0.06)


def test_an_exponent_bends_the_fall_of_the_step(tmp_path: Path) -> None:
    path = edited(tmp_path, "reram-soft-bounds", "step: 4.8 nS", "step: 4.8 nS\n  exponent: 2\n  left: 0.1")
    device = build(path, Switches(programming_noise=False))
    step = give(device.set_pulses, standing(device, 2.5 * US, 1), 1)[0]
    assert step == pytest.approx(4.8 * NS * (0.1 + 0.9 * 0.25), rel=1e-3)


# --- NeuroSim's curve


@pytest.mark.parametrize(
    ("name", "up", "down"),
    [("epiram-neurosim", (64, 2.519877), (64, 2.519877)), ("agasi-neurosim", (97, 0.499181), (100, 0.200303))],
)
def test_trains_follow_neurosims_curve_from_bound_to_bound(
    name: str, up: tuple[int, float], down: tuple[int, float]
) -> None:
    """G(P) = B (1 - exp(-P/A)) + low upwards, and its mirror image downwards."""
    device = make(name, programming_noise=False)
    span = device.high - device.low
    array = standing(device, device.low, 1)
    for way, (levels, curvature), sign, begin in (
        (device.set_pulses, up, 1, device.low), (device.down_pulses, down, -1, device.high),
    ):  # fmt: skip
        array.conductance[:] = begin
        B, A = span / (1 - math.exp(-1 / curvature)), curvature * levels
        for pulse in range(1, levels + 1):
            give(way, array, 1)
            expected = begin + sign * B * (1 - math.exp(-pulse / A))
            assert array.conductance[0] == pytest.approx(expected, abs=2e-4 * span)
    assert array.conductance[0] == pytest.approx(device.low, abs=2e-4 * span)


@pytest.mark.parametrize(("label", "curvature"), [(0.5, 2.519877), (2.4, 0.499181), (4.88, 0.200303)])
def test_the_label_of_nonlinearity_is_ten_times_the_largest_deviation_from_a_line(
    label: float, curvature: float
) -> None:
    """Holds the three values of NeuroSim's table that are used against one law: NL = 10.1 max |f(x) - x|, to 1 %."""
    x = np.linspace(0, 1, 100_001)
    deviation = np.abs((1 - np.exp(-x / curvature)) / (1 - math.exp(-1 / curvature)) - x).max()
    assert label / deviation == pytest.approx(10.1, rel=0.01)


def test_noise_of_a_pulse_is_neurosims_part_of_the_range() -> None:
    """EpiRAM, 100,000 pulses from the middle: variance within chi-square at 1e-5 to either side, 2 % of the range."""
    device = make("epiram-neurosim")
    step = give(device.set_pulses, standing(device, 6 * US, 100_000), 1)
    statistic = step.var() * 100_000 / (0.02 * (device.high - device.low)) ** 2
    assert 1e-5 < stats.chi2.cdf(statistic, 100_000 - 1) < 1 - 1e-5


# --- Files


@pytest.mark.parametrize(
    ("name", "old", "new", "words"),
    [
        ("linear", "common: 1.6 uS", "common: 13 uS", "start.common is 1.3e-05 S; expected it within the bounds"),
        ("linear", "common: 1.6 uS", "common: 0.1 uS", "start.common is 1e-07 S; expected it within the bounds"),
        ("linear", "mean: 0.1 uS", "mean: 50 nS", "after_reset.mean is 5e-08 S; expected it within the bounds"),
        ("linear", "of_step: 0.3", "of_step: -0.3", "spread.of_step: got -0.3; expected greater than or equal to 0"),
        ("linear", "step: 0.766 uS", "step: -1 uS", "up.step: got -1e-06; expected a positive quantity"),
        ("epiram-neurosim", "levels: 64", "step: 1 uS\n  levels: 64", "up: gives no step; expected `step`"),
        ("epiram-neurosim", "  curvature: 2.519877\n", "", "up: gives no step; expected `step`"),
        ("epiram-neurosim", "  curvature: 2.519877\n", "  curvature: 0\n", "up.curvature: got 0; expected greater than 0"),
        ("ecram-soft-bounds", "left: 0.8181", "left: 1.2", "up.left: got 1.2; expected less than or equal to 1"),
        ("reram-soft-bounds", "step: 4.8 nS", "step: 4.8", "up.step: got 4.8, a number without a unit"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_file_is_named(tmp_path: Path, name: str, old: str, new: str, words: str) -> None:
    with pytest.raises(InputError, match=r"mine\.yaml:\d+: ") as caught:
        build(edited(tmp_path, name, old, new), Switches())
    assert words in str(caught.value)


def test_drift_and_read_noise_can_be_added_with_the_records_of_pcm(tmp_path: Path) -> None:
    records = (
        'drift: {exponent: 0.01, reference: 10 s, shortest: 2 s, basis: assumed, why: "a test"}\n'
        'read_noise: {slope: 0.02, offset: 5 nS, basis: assumed, why: "a test"}\nstart:'
    )
    path = edited(tmp_path, "linear", "start:", records)
    reading = build(path, Switches()).reading
    assert (reading.exponent, reading.reference_s, reading.shortest_s) == (0.01, 10, 2)
    assert (reading.noise_slope, reading.noise_offset) == pytest.approx((0.02, 5e-9))
    quiet = build(path, Switches(read_noise=False, drift=False)).reading
    assert (quiet.exponent, quiet.noisy) == (0, False)

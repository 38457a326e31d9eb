"""Devices after aihwkit's presets: steps in weight, symmetry points and spreads, worked out from the presets' numbers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from test_stepped import US, give, make, standing

from archsim.devices.base import Switches
from archsim.devices.library import build, device_file
from archsim.devices.symmetry import symmetry

# name: dw_min, w_max, w_min, gamma_up, gamma_down (1: soft bounds), noise of a pulse over dw_min
PRESETS = {
    "reram-soft-bounds": (0.002, 1.25, -0.75, 1.0, 1.0, 3.75),
    "reram-array": (
        0.0949 * 1.3586,
        1.0,
        -1.0,
        1.0,
        1.0,
        0.4158 / 1.3586,
    ),  # the mean of its lognormal factors is 1.3586
    "ecram-soft-bounds": (0.002, 1.1724, -0.8276, 0.1153, 0.5085, 0.3),
    "ecram-metal-oxide": (2.8214e-4, 1.1714, -0.8286, 0.4152, 0.7342, 2.0),
    "capacitor": (0.005, 1.0, -1.0, 0.05, 0.05, 0.3),
    "idealised": (0.0002, 1.0, -1.0, 0.0, 0.0, 0.3),
    "gokmen-vlasov": (0.0016, 1.0, -1.0, 0.0, 0.0, 0.3),
}


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("weight", [-0.6, 0.0, 0.7])
def test_a_step_is_the_presets_in_weight(name: str, weight: float) -> None:
    """One pulse of a device without noise against dw_min (1 - gamma w/bound), over the range of weights."""
    dw, high, low, up, down, _ = PRESETS[name]
    device = make(name, programming_noise=False)
    span = device.high - device.low
    start = device.low + (weight - low) / (high - low) * span
    for give_one, expected in (
        (device.set_pulses, dw * (1 - up * weight / high)), (device.down_pulses, -dw * (1 - down * weight / low)),
    ):  # fmt: skip
        moved = give(give_one, standing(device, start, 1), 1)[0] / span * (high - low)
        assert moved == pytest.approx(expected, rel=0.005)


@pytest.mark.parametrize("name", PRESETS)
def test_noise_of_a_pulse_at_the_presets_zero_is_its_part_of_dw_min(name: str) -> None:
    """20,000 pulses of equal devices: their standard deviation is known to 0.5 %; 3 % fails by chance below 1e-8."""
    dw, high, low, _, _, noise = PRESETS[name]
    device = make(name)
    device._devices = 0.0
    span = device.high - device.low
    moved = give(device.set_pulses, standing(device, device.low - low / (high - low) * span, 20_000), 1)
    assert moved.std() / span * (high - low) == pytest.approx(noise * dw, rel=0.03)


@pytest.mark.parametrize("name", PRESETS)
def test_the_symmetry_point_is_the_weight_zero_of_the_preset(name: str) -> None:
    dw, high, low, _, _, _ = PRESETS[name]
    device = build(device_file(name), Switches(programming_noise=False))
    span = device.high - device.low
    conductance, step = symmetry(device)
    assert low + (conductance - device.low) / span * (high - low) == pytest.approx(0, abs=0.01)
    assert step / span * (high - low) == pytest.approx(dw, rel=0.01)


def test_devices_of_the_reram_array_differ_lognormally_with_the_mean_one() -> None:
    """20,000 devices: Kolmogorov-Smirnov at 1e-5, the false-alarm rate."""
    device = make("reram-array")
    array = standing(device, 2.5 * US, 20_000)
    give(device.set_pulses, array, 1)
    assert stats.kstest(np.log(array.memory), stats.norm(-(0.7829**2) / 2, 0.7829).cdf).pvalue > 1e-5
    before = array.memory.copy()
    give(device.down_pulses, array, 1, seed=2)
    assert (array.memory == before).all()

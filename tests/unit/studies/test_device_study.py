"""What sampling a device gives: lengths, switches, agreement with the model's own numbers."""

from __future__ import annotations

import numpy as np
import pytest

from archsim.base.errors import InputError
from archsim.devices.library import device_file, find_device, shipped_devices
from archsim.studies.device import PULSES, SHOWN, DeviceStudy, study

US = 1e-6


@pytest.fixture(scope="module")
def pcm() -> DeviceStudy:
    return study(device_file("pcm-nandakumar2018"), devices=20_000)


@pytest.mark.parametrize("name", shipped_devices())
def test_every_shipped_device_can_be_studied(name: str) -> None:
    done = study(device_file(name), devices=200)
    assert done.name == name
    assert done.course.pulses.tolist() == list(range(PULSES + 1))
    for array in (done.course.mean, done.course.std, *done.samples.values()):
        assert np.isfinite(array).all()
    assert done.course.mean[-1] > done.course.mean[0]
    assert set(done.samples) == set(SHOWN)


def test_samples_are_the_course_seen_by_device(pcm: DeviceStudy) -> None:
    for n, g in pcm.samples.items():
        assert g.size == pcm.devices == 20_000
        assert (g.mean(), g.std()) == pytest.approx((pcm.course.mean[n], pcm.course.std[n]))


def test_published_points_stand_beside_the_model_at_their_own_bound(pcm: DeviceStudy) -> None:
    """20,000 devices: standard errors below 0.02 uS; the band of 0.1 uS is wider than five: false-alarm below 1e-5."""
    assert pcm.published is not None
    assert pcm.at_published is not None
    assert pcm.course.high == pytest.approx(12 * US)
    assert pcm.published.high == pcm.at_published.high == pytest.approx(20 * US)
    assert pcm.at_published.mean[pcm.published.pulses] == pytest.approx(pcm.published.mean, abs=0.1 * US)
    assert pcm.at_published.std[pcm.published.pulses] == pytest.approx(pcm.published.std, abs=0.1 * US)
    assert pcm.course.mean[20] < pcm.at_published.mean[20] - 0.2 * US


def test_drift_and_noise_are_sampled_where_the_device_has_them(pcm: DeviceStudy) -> None:
    """The fitted exponent is within 8 of its standard errors, of 11 degrees of freedom: false-alarm rate below 1e-5."""
    assert pcm.drift is not None
    assert pcm.drift.times_s[[0, -1]] == pytest.approx([1, 1e6])
    assert abs(pcm.drift.fitted - 0.04) < 8 * pcm.drift.error
    assert pcm.noise is not None
    assert pcm.noise.law == pytest.approx(0.03 * pcm.noise.levels + 0.13 * US)
    assert pcm.staircase is None
    ideal = study(device_file("ideal"), devices=200)
    assert ideal.drift is ideal.noise is ideal.published is None


def test_a_staircase_goes_up_by_as_many_pulses_as_down() -> None:
    stairs = study(device_file("ideal"), devices=200).staircase
    assert stairs is not None
    assert stairs.pulses[-1] == 2 * stairs.turn
    top = int(np.flatnonzero(stairs.pulses == stairs.turn)[0])
    assert (np.diff(stairs.mean[: top + 1]) >= 0).all()
    assert (np.diff(stairs.mean[top:]) <= 0).all()
    assert stairs.mean[top] == pytest.approx(12 * US)
    assert stairs.mean[-1] == pytest.approx(0.1 * US)


def test_the_same_seed_gives_the_same_study() -> None:
    first, second, other = (study(device_file("linear"), devices=200, seed=seed) for seed in (3, 3, 4))
    assert (first.course.mean == second.course.mean).all()
    assert (first.course.mean[1:] != other.course.mean[1:]).all()


def test_too_few_devices_are_bad_input() -> None:
    with pytest.raises(InputError, match="--devices: got 99; expected at least 100"):
        study(device_file("ideal"), devices=99)


def test_a_device_is_found_by_the_name_of_its_model() -> None:
    assert find_device("pcm") == device_file("pcm-nandakumar2018")
    assert find_device("table") == device_file("table-example")
    assert find_device("linear") == device_file("linear")
    with pytest.raises(InputError, match=r"device: got 'pcmm'; .*Did you mean 'pcm'\?"):
        find_device("pcmm")

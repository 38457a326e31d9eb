"""How long cached drift factors may be kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.devices.base import Reading

exponents = st.floats(0.001, 0.2)
tolerances = st.floats(1e-4, 0.2)
shortest = st.floats(1e-3, 100)


def factor(reading: Reading, age_s: float) -> float:
    return (max(age_s, reading.shortest_s) / reading.reference_s) ** -reading.exponent


@given(nu=exponents, tolerance=tolerances, shortest_s=shortest, age_s=st.floats(0, 1e7), part=st.floats(0, 1))
def test_a_cached_factor_is_never_off_by_more_than_the_tolerance(
    nu: float, tolerance: float, shortest_s: float, age_s: float, part: float
) -> None:
    """Relative to the cached factor, whatever its age and however much of the window has passed."""
    reading = Reading(exponent=nu, reference_s=38.6, shortest_s=shortest_s)
    wait = part * min(reading.window_s(tolerance), 1e12)
    true = factor(reading, age_s + wait)
    cached = factor(reading, age_s)
    assert abs(cached - true) <= tolerance * cached * (1 + 1e-6)


def test_the_window_is_used_to_the_full() -> None:
    """A device just programmed is off by the tolerance at the end of the window: no renewal is wasted."""
    reading = Reading(exponent=0.04, reference_s=38.6, shortest_s=1.0)
    cached, true = factor(reading, 1.0), factor(reading, 1.0 + reading.window_s(0.01))
    assert 1 - true / cached == pytest.approx(0.01, rel=1e-6)


@given(nu=exponents, tolerance=tolerances, shortest_s=shortest)
def test_a_tighter_tolerance_a_faster_drift_or_a_shorter_time_narrows_the_window(
    nu: float, tolerance: float, shortest_s: float
) -> None:
    window = Reading(exponent=nu, shortest_s=shortest_s).window_s(tolerance)
    assert 0 < Reading(exponent=nu, shortest_s=shortest_s).window_s(tolerance / 2) < window
    assert Reading(exponent=nu * 2, shortest_s=shortest_s).window_s(tolerance) < window
    assert Reading(exponent=nu, shortest_s=shortest_s / 2).window_s(tolerance) < window


def test_a_read_takes_a_random_number_only_if_it_is_noisy() -> None:
    assert not Reading().noisy
    assert Reading(noise_slope=0.03).noisy
    assert Reading(noise_offset=1e-9).noisy

"""`pytest.approx` compares as `conftest.py` lets it: a test of a picojoule fails where it is another picojoule."""

from __future__ import annotations

import numpy as np
import pytest


def test_what_is_small_in_si_is_compared_in_relation_to_itself() -> None:
    for small in (1e-9, 1e-12, 3e-15, 1e-18):
        assert small * (1 + 1e-7) == pytest.approx(small)
        assert small * (1 + 1e-5) != pytest.approx(small)
        assert small * 1.02 == pytest.approx(small, rel=0.03)
        assert small * 1.04 != pytest.approx(small, rel=0.03)
        assert np.array([small, 2 * small]) != pytest.approx(np.array([small, small]))
        assert small != pytest.approx(0)


def test_a_tolerance_that_is_given_holds_alone() -> None:
    near = 1.05
    assert near == pytest.approx(1.0, abs=0.1)
    assert near != pytest.approx(1.0, abs=0.01)

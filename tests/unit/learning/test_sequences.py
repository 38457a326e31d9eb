"""Functions of sequences of codes: values beside plain NumPy, and what they cost."""

from __future__ import annotations

import numpy as np
import pytest

from archsim.base.errors import ModelError
from archsim.learning.functions import Cost
from archsim.learning.sequences.codes import LookUp, Offset, OneHot

CODES = np.array([[2.0], [0.0], [2.0], [1.0]], np.float32)
"""Two samples of two codes below 4."""


def test_a_code_is_a_one_at_its_place() -> None:
    one_hot = OneHot((2, 1), 4)
    np.testing.assert_array_equal(one_hot(CODES), np.eye(4)[[2, 0, 2, 1]])
    assert one_hot.cost == Cost(reads=2, writes=8)
    assert one_hot.adjoint(0) is None


def test_a_look_up_returns_the_rows_and_its_adjoint_adds_up_what_is_said_of_each() -> None:
    table = np.arange(12, dtype=np.float32).reshape(4, 3)
    look_up = LookUp((2, 1), (4, 3))
    np.testing.assert_array_equal(look_up(CODES, table), table[[2, 0, 2, 1]])
    assert look_up.cost == Cost(reads=2 * 3 + 2, writes=6)
    sums = look_up.adjoint(1)
    assert look_up.adjoint(0) is None
    assert sums is not None
    d = np.array([[1, 2, 3], [4, 5, 6], [10, 20, 30], [7, 8, 9]], np.float32)
    expected = [[4, 5, 6], [7, 8, 9], [11, 22, 33], [0, 0, 0]]
    np.testing.assert_array_equal(sums.function(d, CODES), expected)
    assert sums.needs == (0,)
    assert sums.function.summed
    assert sums.function.cost == Cost(adds=6, reads=14, writes=6), "of one sample, and of named rows alone"


@pytest.mark.parametrize("code", [-1.0, 4.0])
def test_a_code_outside_the_vocabulary_is_refused(code: float) -> None:
    codes = np.array([[0.0], [code]], np.float32)
    with pytest.raises(ModelError, match="expected codes from 0 to 3"):
        OneHot((2, 1), 4)(codes)
    with pytest.raises(ModelError, match="expected codes from 0 to 3"):
        LookUp((2, 1), (4, 3))(codes, np.zeros((4, 3), np.float32))


def test_an_offset_is_the_same_for_every_sample_and_learns_from_their_sum() -> None:
    x, p = np.arange(12, dtype=np.float32).reshape(4, 3), np.array([[1, 2, 3], [4, 5, 6]], np.float32)
    offset = Offset((2, 3))
    np.testing.assert_array_equal(offset(x, p), x + np.tile(p, (2, 1)))
    sums = offset.adjoint(1)
    assert sums is not None
    np.testing.assert_array_equal(sums.function(x), x[:2] + x[2:])
    assert offset.cost == sums.function.cost == Cost(adds=6, reads=12, writes=6)

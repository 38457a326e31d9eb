"""Whose turn it is among the devices of a weight: by weight, by write, with updates that are not let through."""

from __future__ import annotations

import numpy as np
import pytest
from cells_kit import QUIET, SCALE, device

from archsim.analog.paired import PairedCells
from archsim.analog.selection import Selection, Turns
from archsim.analog.single import SingleCells
from archsim.base.streams import Streams


def chosen(made: Selection, *pulses: int) -> list[tuple[int, int]]:
    given, copy = made.choose(np.array(pulses, np.int64))
    return list(zip(given.tolist(), copy.tolist(), strict=True))


def test_each_weight_that_is_written_moves_the_counter_by_its_stride() -> None:
    made = Selection(5, Turns("weight", stride=2))
    assert chosen(made, 1, -3, 1, 1) == [(0, 0), (1, 2), (2, 4), (3, 1)]
    assert chosen(made, 7) == [(0, 3)], "the next write goes on where the last one stopped"


def test_all_weights_of_one_write_have_the_same_turn() -> None:
    made = Selection(3, Turns("write"))
    assert [chosen(made, 1, -1)[0][1] for _ in range(4)] == [0, 1, 2, 0]
    assert chosen(made) == []
    assert chosen(made, 1) == [(0, 2)], "a write in which nothing meets is a turn, too"


def test_one_depression_in_three_is_let_through_and_the_others_move_nothing() -> None:
    made = Selection(4, Turns("weight", down_every=3))
    assert chosen(made, -1, 1, -1, -1, -1, 1) == [(0, 0), (1, 1), (4, 2), (5, 3)]
    assert chosen(made, -1, -1) == []
    assert chosen(made, -1) == [(0, 0)]


def test_counters_of_writes_let_all_of_a_write_through_or_none() -> None:
    made = Selection(2, Turns("write", up_every=2))
    assert chosen(made, 1, -1, 1) == [(0, 0), (1, 0), (2, 0)]
    assert chosen(made, 1, -1, 1) == [(1, 1)]
    assert chosen(made, -1) == [(0, 0)]
    assert chosen(made, 1) == [(0, 1)]


def test_a_pair_written_in_turn_moves_its_weight_by_its_share_of_a_step() -> None:
    made = PairedCells(device(QUIET, "ideal"), (2, 2), scale=SCALE, streams=Streams(1), name="a/0,0", copies=3,
                       turns=Turns())  # fmt: skip
    made.load(np.zeros((2, 2), np.float32), 0)
    assert made.set_pulses(np.array([1, 3]), np.array([2, -1]), 0) == 3
    plus, minus = (side.set_pulses.reshape(3, 4) for side in made.pairs)
    assert plus.tolist() == [[0, 2, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert minus.tolist() == [[0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]]
    step = made.device.epsilon / SCALE / 3
    assert made.weight.reshape(-1) == pytest.approx(np.array([0, 2, 0, -1]) * step, rel=1e-4)


@pytest.mark.parametrize(("turns", "up", "share"), [(None, 3 * 5, 1.0), (Turns("write"), 5, 1 / 3)])
def test_single_devices_side_by_side_hold_the_weight_and_conduct_together(
    turns: Turns | None, up: int, share: float
) -> None:
    made = SingleCells(device(QUIET, "ideal"), (2, 3), scale=SCALE, streams=Streams(1), name="a/0,0", copies=3,
                       turns=turns)  # fmt: skip
    weight = np.linspace(-0.2, 0.3, 6, dtype=np.float32).reshape(2, 3)
    made.load(weight, 0)
    assert made.weight == pytest.approx(weight, abs=1e-6)
    _, _, _, moment = made.multiply(np.ones((1, 2), np.float32), "forward", (0, 0, 1.0, False))
    middle = (made.device.low + made.device.high) / 2
    assert moment == pytest.approx(float(made.devices.conductance.sum()) + 2 * 3 * middle, rel=1e-5)
    done = made.pulse(np.array([4]), np.array([5]), 0)
    assert (done.up, done.down) == (up, 0)
    assert made.devices.set_pulses.sum() == up
    assert made.weight[1, 1] - weight[1, 1] == pytest.approx(5 * share * made.device.epsilon / SCALE, rel=1e-4)
    rows, columns = np.array([2, 0]), np.array([0, 0, 7])
    held = made.devices.conductance.reshape(3, 2, 3)
    expected = 2 * held[:, 0].sum() + 7 * held[:, :, 2].sum() * share
    assert made.on_lines(rows, columns) == pytest.approx(float(expected), rel=1e-5)


def test_counters_are_kept_with_the_cells() -> None:
    def cells() -> SingleCells:
        return SingleCells(device(QUIET, "ideal"), (1, 2), scale=SCALE, streams=Streams(1), name="a", copies=3,
                           turns=Turns())  # fmt: skip

    first, other = cells(), cells()
    first.load(np.zeros((1, 2), np.float32), 0)
    first.pulse(np.array([0]), np.array([1]), 0)
    other.restore({name: array.copy() for name, array in first.arrays().items()})
    other.pulse(np.array([0]), np.array([1]), 0)
    assert other.devices.set_pulses.reshape(3, 2)[:, 0].tolist() == [1, 1, 0]

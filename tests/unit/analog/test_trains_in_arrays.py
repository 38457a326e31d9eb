"""Arrays that trains write: many vectors in one kernel do what they do one by one, to the bit."""

from __future__ import annotations

import numpy as np
import pytest

from archsim.analog.hybrid import HybridCells
from archsim.analog.selection import Turns
from archsim.analog.singles import single
from archsim.analog.singles.single import SingleCells
from archsim.base.streams import Streams
from archsim.devices import library
from archsim.devices.base import Switches
from archsim.learning.trains.sending import PulseTrains, Sent

ROWS, COLUMNS, VECTORS = 9, 7, 12
HERE = slice(2, 8), slice(1, 6)
"""Of a matrix, the part that is in the array."""


def trains(length: int = 5) -> Sent:
    """Return trains of vectors of which half the lines are zero, as are one vector's errors."""
    random = np.random.default_rng(3)
    x, d = (
        (random.standard_normal((VECTORS, n)) * random.integers(0, 2, (VECTORS, n))).astype(np.float32)
        for n in (ROWS, COLUMNS)
    )
    x, d = (each / np.maximum(abs(each).max(axis=1, keepdims=True), 1e-9) for each in (x, d))
    d[4] = 0
    sender = PulseTrains((ROWS, COLUMNS), length=length, managed=True, random=random)
    return sender.send(x, d, np.linspace(0.3, 1.5 * length, VECTORS))


def built(name: str):  # type: ignore[no-untyped-def]
    return library.build(library.device_file(name), Switches())


def cells(device: str, kernel: bool, copies: int = 1, turns: Turns | None = None) -> SingleCells:
    made = built(device)
    if not kernel:
        made.law = None
    found = SingleCells(made, (6, 5), scale=(made.high - made.low) / 2, streams=Streams(4), name="a/0,0",
                        copies=copies, turns=turns)  # fmt: skip
    found.load(np.linspace(-0.5, 0.5, 30, dtype=np.float32).reshape(6, 5), 0)
    return found


def same(one: SingleCells | HybridCells, other: SingleCells | HybridCells) -> None:
    for name, array in {**one.arrays(), **one.cached()}.items():
        assert np.array_equal(array, {**other.arrays(), **other.cached()}[name]), name


@pytest.mark.parametrize("device", [name for name in library.shipped_devices() if built(name).bidirectional])
def test_a_kernel_pulses_devices_as_their_models_do(device: str) -> None:
    quick, slow = cells(device, kernel=True), cells(device, kernel=False)
    part = trains().to(*HERE)
    for now in (10, 10_000):
        done, told = quick.send(part, now, 7), slow.send(part, now, 7)
        assert (done.up, done.down, done.on_rows, done.on_columns) == (
            told.up,
            told.down,
            told.on_rows,
            told.on_columns,
        )
        assert [done.up_moment, done.down_moment] == pytest.approx([told.up_moment, told.down_moment], rel=1e-6)
        assert [done.up_half, done.down_half] == pytest.approx([told.up_half, told.down_half], rel=1e-6)
        assert done.up > 20 < done.down
    same(quick, slow)
    assert np.array_equal(quick._programming.ahead(5), slow._programming.ahead(5))


@pytest.mark.parametrize("turns", [None, Turns("write"), Turns("write", stride=2, up_every=2, down_every=3)])
def test_a_kernel_goes_round_several_devices_a_weight_as_counters_say(turns: Turns | None) -> None:
    quick, slow = (cells("reram-array", kernel=k, copies=3, turns=turns) for k in (True, False))
    part = trains().to(*HERE)
    for now in (10, 10_000):
        done, told = quick.send(part, now, 7), slow.send(part, now, 7)
        assert (done.up, done.down) == (told.up, told.down)
        assert [done.up_half, done.down_half] == pytest.approx([told.up_half, told.down_half], rel=1e-6)
    same(quick, slow)


def test_a_hybrid_cell_s_volatile_devices_are_pulsed_under_their_sign() -> None:
    def hybrid(kernel: bool) -> HybridCells:
        device = built("capacitor")
        if not kernel:
            device.law = None
        found = HybridCells(device, (6, 5), scale=1e-5, streams=Streams(4), name="a/0,0",
                            pairs=built("pcm-nandakumar2018"), gain=3.0)  # fmt: skip
        found.load(np.linspace(-0.5, 0.5, 30, dtype=np.float32).reshape(6, 5), 0)
        found.sign[:] = -1
        return found

    part = trains().to(*HERE)
    quick, slow = hybrid(kernel=True), hybrid(kernel=False)
    before = slow.volatile.devices.conductance.copy()
    assert quick.send(part, 5, 7).up == slow.send(part, 5, 7).up > 0
    same(quick, slow)
    plain = cells("capacitor", kernel=True)
    plain.devices.conductance[:] = before
    assert plain.send(part, 5, 7).up == slow.volatile.devices.down_pulses.sum()


def test_bits_do_not_hang_on_how_many_pulses_are_drawn_for_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, cut = cells("reram-array", kernel=True), cells("reram-array", kernel=True)
    part = trains().to(*HERE)
    told = whole.send(part, 10, 7)
    monkeypatch.setattr(single, "PULSES", 5)
    done = cut.send(part, 10, 7)
    assert (done.up, done.down) == (told.up, told.down)
    same(whole, cut)


def test_a_vector_s_pulses_are_given_when_its_trains_begin() -> None:
    """Where nothing is asked for, no time goes by; a weight is as old as the last vector that reached it."""
    made, sent = cells("ideal", kernel=True), trains()
    part = sent.to(*HERE)
    made.send(part, 1000, 7)
    begins, last = 1000 + 7 * (np.cumsum(sent.slots) - sent.slots), np.zeros(30, np.int64)
    for vector in np.flatnonzero(sent.slots).tolist():
        last[part.met(vector)[0]] = begins[vector]
    assert sent.slots[4] == 0
    assert np.array_equal(made.devices.programmed_ps, last)

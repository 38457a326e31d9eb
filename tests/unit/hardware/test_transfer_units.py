"""Writing by trains and the buffer of transfers: time and counts, held against what published analyses say of them."""

from __future__ import annotations

import numpy as np
import pytest
from hardware_kit import TAG, counted, elapsed

from archsim.accounting.ledger import Ledger
from archsim.analog.single import SingleCells
from archsim.base.streams import Streams
from archsim.devices import library
from archsim.devices.base import Switches
from archsim.hardware.clock import Clock
from archsim.hardware.sram import Sram
from archsim.hardware.updating.train_writer import TrainWriter
from archsim.hardware.updating.transfer_unit import TransferUnit
from archsim.learning.transfer import Buffered, Chopped, Dynamic, Follow

UP, DOWN = 700, 300
GIVEN = {
    "follow": Follow(every=1, share=1.0, gamma=1.0),
    "steps": (0.01, 0.01),
    "length": 5,
    "keep": 0.1,
    "forgets": True,
}


def send(pulses: list[list[int]], slots: int, *, phases: int = 4, up: int = UP, down: int = DOWN, eager: bool = True):  # type: ignore[no-untyped-def]
    """Give coincidences to ideal devices, each row and column pulsed three times; return time, counts, cells."""
    clock, ledger = Clock(eager=eager), Ledger()
    flat, shape = np.array(pulses).reshape(-1), (len(pulses), len(pulses[0]))
    device = library.build(library.device_file("ideal"), Switches())
    cells = SingleCells(device, shape, scale=6e-6, streams=Streams(1), name="fc1/0,0")
    cells.load(np.zeros(shape, np.float32), 0)
    writer = TrainWriter(clock, ledger, "trains", shape=shape, phases=phases, up_ps=up, down_ps=down)
    index = np.flatnonzero(flat)
    lines = np.full(shape[0], 3), np.full(shape[1], 3)
    _, took = elapsed(clock, writer.send(cells, index, flat[index], lines, slots, TAG))
    return took, counted(ledger, "train_writer"), cells


@pytest.mark.parametrize("eager", [True, False])
@pytest.mark.parametrize("pulse_ps", [1000, 50_000])
@pytest.mark.parametrize("slots", [1, 10, 31])
def test_an_update_takes_four_times_the_train_whatever_meets_and_however_large_the_array(
    slots: int, pulse_ps: int, eager: bool
) -> None:
    """t_update = 4 L t_pulse, Haensch et al. 2018; the formula is a check, the unit knows phases and widths alone."""
    for pulses in ([[1]], [[1, -2, 0], [0, 0, 3]], [[0] * 40] * 30):
        took, _, _ = send(pulses, slots, up=pulse_ps, down=pulse_ps, eager=eager)
        assert took == 4 * slots * pulse_ps


def test_two_phases_take_half_the_time_of_four_and_send_the_same() -> None:
    (four, counts, _), (two, same, _) = (send([[1, -2], [0, 3]], 5, phases=n) for n in (4, 2))
    assert four == 2 * two == 2 * 5 * (UP + DOWN)
    assert {**counts, "control.cycle": 0} == {**same, "control.cycle": 0}


def test_trains_count_pulses_lines_random_numbers_and_what_devices_conduct() -> None:
    """Two rows and three columns, each pulsed 3 times for either sign of its partners, 6 devices of the reference's G."""
    _, found, cells = send([[1, -2, 0], [0, 0, 3]], 7)
    g, step = cells.reference, cells.device.epsilon
    assert (found["up.pulse"], found["down.pulse"]) == (4, 2)
    assert found["up.half"] == found["down.half"] == (2 + 3) * 3
    assert found["random.bit"] == (2 + 3) * 7
    assert found["control.cycle"] == 4 * 7
    up = (g + step / 2) + 3 * (g + 1.5 * step)
    assert found["up.conduct"] == pytest.approx(up * UP * 1e-12, rel=1e-5)
    on_lines = 2 * 3 * 3 * g + 3 * 3 * 2 * g
    assert found["up.half.conduct"] == pytest.approx((on_lines - 2 * up) * UP * 1e-12, rel=1e-5)
    down = 2 * (g - step)
    assert found["down.conduct"] == pytest.approx(down * DOWN * 1e-12, rel=1e-5)
    assert found["down.half.conduct"] == pytest.approx((on_lines - 2 * down) * DOWN * 1e-12, rel=1e-5)


def taken(kind: type, lanes: int = 1, **more):  # type: ignore[no-untyped-def]
    """Transfer one line of 16 that crosses nowhere; return its time and counts."""
    clock, ledger = Clock(), Ledger()
    unit = TransferUnit(clock, ledger, lanes=lanes, cycle_ps=1000, buffer=Sram(8 * 2**20, 32, 1, 2000))
    rule = kind((16, 16), **GIVEN, **more)
    rule.see(1.0, 1.0)
    _, took = elapsed(clock, unit.take(rule, 3, np.full(16, 1e-6, np.float32), 0.01, TAG))
    return took, counted(ledger, "transfer_unit")


RULES = {
    "TTv2": (Buffered, {}, 2, 16, 1),
    "c-TTv2": (Chopped, {"flip": 0.0, "random": np.random.default_rng(0)}, 2, 16, 1),
    "AGAD": (Dynamic, {"period": 1, "tail": 5.0}, 6, 48, 3),
}


@pytest.mark.parametrize("name", RULES)
def test_a_transfer_takes_the_operations_and_the_traffic_of_the_published_table(name: str) -> None:
    """Rasch et al. 2024, Table 1, of one line of N weights: 2N, 2N, 6N operations; 16N, 18N, 50N bits in bytes.

    The table's 2N bits more for choppers are not words of a memory here: a sign a line is kept beside the drivers. Of AGAD
    the reference is written when a sign flips, here after every transfer. Words here have 32 bits, there 8.
    """
    kind, more, operations, bits, words = RULES[name]
    _, found = taken(kind, **more)
    assert found["multiply"] + found["add"] == operations * 16
    assert 8 * (found["buffer.read"] + found["buffer.write"]) == bits * 16
    assert words == kind.WORDS
    assert found["compare"] == 16
    assert found.get("random.bit", 0) == (1 if name == "c-TTv2" else 0)


def test_a_transfer_takes_the_longer_of_arithmetic_and_memory() -> None:
    assert taken(Buffered)[0] == max(2 * 16 * 1000, 2 * 16 * 2000)
    took, found = taken(Dynamic, period=2, tail=5.0)
    assert took == max(6 * 16 * 1000, 5 * 16 * 2000)
    assert found["control.cycle"] == took / 1000


def test_an_element_that_crosses_costs_one_operation_more_and_gives_its_pulses() -> None:
    rule = Buffered((4, 3), **GIVEN)
    rule.see(1.0, 1.0)
    scale = 0.01 * 1 * 4 / (1.0 * 0.01 * 5 * 0.01)  # rate n_s n/(gamma dw_C lambda_A)
    done = rule.take(0, np.array([1.5, -2.5, 0.5], np.float32) / np.float32(scale), 0.01)
    assert done.pulses.tolist() == [1, -2, 0]
    assert (done.multiplies, done.adds) == (3 + 2, 3)
    assert rule.buffer[0] == pytest.approx([0.15, -0.25, 0.5], rel=1e-5)


def test_never_more_pulses_than_the_longest_train() -> None:
    rule = Buffered((4, 1), **GIVEN)
    rule.see(1.0, 1.0)
    assert rule.take(0, np.array([1e3], np.float32), 0.01).pulses.tolist() == [5]

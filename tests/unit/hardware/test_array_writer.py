"""Writing in the array: time of a write, what it counts, and the unit that finds the pulses."""

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
from archsim.hardware.updating.array_writer import ArrayWriter
from archsim.hardware.updating.pulse_unit import PulseUnit
from archsim.learning.pulses import PulseRule

UP, DOWN = 700, 300


def write(pulses: list[list[int]], *, eager: bool = True, per_driver: int = 1, serial: bool = True):  # type: ignore[no-untyped-def]
    """Give signed pulses to ideal devices; return the picoseconds, what was counted, and the cells."""
    clock, ledger = Clock(eager=eager), Ledger()
    flat = np.array(pulses).reshape(-1)
    shape = (len(pulses), len(pulses[0]))
    device = library.build(library.device_file("ideal"), Switches())
    cells = SingleCells(device, shape, scale=6e-6, streams=Streams(1), name="fc1/0,0")
    cells.load(np.zeros(shape, np.float32), 0)
    writer = ArrayWriter(
        clock, ledger, "writer", columns=shape[1], columns_per_driver=per_driver, serial=serial, up_ps=UP, down_ps=DOWN
    )
    index = np.flatnonzero(flat)
    _, took = elapsed(clock, writer.write(cells, index, flat[index], TAG))
    return took, counted(ledger, "writer"), cells


@pytest.mark.parametrize("eager", [True, False])
@pytest.mark.parametrize(
    ("per_driver", "serial", "up", "down"),
    [(1, True, 2 + 1, 1 + 3), (3, True, 2 + 1 + 1, 1 + 3), (1, False, 2, 3), (3, False, 2 + 1, 3)],
)
def test_a_write_takes_the_longest_trains_one_after_the_other(
    eager: bool, per_driver: int, serial: bool, up: int, down: int
) -> None:
    took, _, _ = write([[2, -1, 1], [0, -3, 1]], eager=eager, per_driver=per_driver, serial=serial)
    assert took == up * UP + down * DOWN


def test_pulses_and_what_their_devices_conduct_are_counted_by_direction() -> None:
    _, found, cells = write([[2, -1, 1], [0, -3, 1]])
    g, step = cells.reference, cells.device.epsilon
    assert (found["up.pulse"], found["down.pulse"]) == (4, 4)
    assert found["up.conduct"] == pytest.approx((2 * (g + step) + 2 * (g + step / 2)) * UP * 1e-12, rel=1e-6)
    assert found["down.conduct"] == pytest.approx((g - step / 2 + 3 * (g - 1.5 * step)) * DOWN * 1e-12, rel=1e-6)


def test_row_by_row_the_row_and_the_columns_that_are_held_are_charged_upwards() -> None:
    _, found, _ = write([[2, -1, 1], [0, -3, 1]])
    assert found["up.charge"] == 4 + 2 + (3 - 2) + (3 - 1)  # pulses, rows, held columns
    assert found["down.charge"] == 4
    _, at_once, _ = write([[2, -1, 1], [0, -3, 1]], serial=False)
    assert at_once["up.charge"] == 4 + 2


def test_a_slot_begins_with_a_cycle_of_control() -> None:
    _, found, _ = write([[2, -1, 1], [0, -3, 1]])
    assert found["control.cycle"] == 3 + 4


def test_drivers_are_shared_by_so_many_columns() -> None:
    made = ArrayWriter(Clock(), Ledger(), "w", columns=100, columns_per_driver=16, serial=True, up_ps=1, down_ps=1)
    assert made.parts() == {"driver": 7}


@pytest.mark.parametrize(("lanes", "cycles"), [(1, 6), (4, 2)])
def test_the_pulse_unit_takes_a_cycle_for_each_product_of_a_lane(lanes: int, cycles: int) -> None:
    clock, ledger = Clock(), Ledger()
    unit = PulseUnit(clock, ledger, lanes=lanes, cycle_ps=900)
    x, d = np.array([[1, 0, 0.5]], np.float32), np.array([[0.2, -1, 1, 0]], np.float32)
    due, took = elapsed(clock, unit.find(PulseRule((3, 4), up=0.5, down=0.5), x, d, TAG))
    assert took == cycles * 900
    assert counted(ledger, "pulse_unit") == {"multiply": 6, "round": 6, "control.cycle": cycles}
    assert due.pulses.tolist() == [-2, 2, -1, 1]

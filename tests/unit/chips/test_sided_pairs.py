"""Pairs that trains write upwards only, against plain NumPy on devices without any flaw, and what that books."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from digits_kit import started as digits_chip
from digits_kit import taught
from exact_kit import COLUMNS, DW, RATE, ROWS, coincidences, operands, started, whole

from archsim.base.errors import InputError
from archsim.base.signal import Signal, Tag
from archsim.base.streams import Streams
from archsim.chips import architecture as architectures

UNIT, STEP, LOW, COMMON = 6.0, 0.012, 1.0, 20.0
"""Siemens of a weight of 1, of a step, of the lower bound and of the state to begin with, all times 10^-6."""
FULL, CLOSE = 20.4, 3.0
"""Of a refresh, likewise."""
TIGHT = {"sides.saturated": f"{FULL} uS", "sides.difference": f"{CLOSE} uS", "sides.most_pulses": "2000"}


def driven(made: Any, data: list[tuple[np.ndarray, np.ndarray]]) -> None:
    """Let the chip learn from outer products, one by one, and look after its pairs."""

    def work() -> Any:
        for x, d in data:
            yield from made.accumulate("fc1", Signal(x[None]), Signal(d[None]), RATE, Tag("update", "fc1"))
            yield from made.apply("fc1", 1, RATE, Tag("update", "fc1"))
            yield from made.maintain("fc1", Tag("refresh", "fc1"))

    made.run(work())


def reference(start: np.ndarray, data: list[tuple[np.ndarray, np.ndarray]], every: int) -> dict[str, Any]:
    """Return the devices after trains and refreshes, as the formulas have them."""
    rng, found = Streams(7).generator("update/fc1"), {"pulses": 0, "resets": 0, "reads": 0, "sets": 0}
    half = start * UNIT / 2
    base = np.maximum(COMMON, LOW + abs(half))
    g = np.stack([base + half, base - half])
    for step, (x, d) in enumerate(data, 1):
        n = coincidences(x, d, RATE * abs(x).max() * abs(d).max() / DW, 31, rng)
        g[0] += STEP * np.maximum(n, 0)
        g[1] += STEP * np.maximum(-n, 0)
        found["pulses"] += int(abs(n).sum())
        if step % every:
            continue
        found["reads"] += 2 * ROWS * COLUMNS
        for i in range(ROWS):
            for j in range(COLUMNS):
                wanted = g[0, i, j] - g[1, i, j]
                if g[:, i, j].max() > FULL and abs(wanted) < CLOSE:
                    g[:, i, j] = LOW
                    far = (
                        abs(wanted) - STEP / 2
                    )  # what the device is to read: pairs whose difference is small begin at 0
                    sets = max(int(np.ceil((far - LOW) / STEP)), 1) if far >= 0 else 0
                    g[int(wanted < 0), i, j] += STEP * sets
                    found["resets"], found["sets"] = found["resets"] + 2, found["sets"] + sets
    return {"w": (g[0] - g[1]) / UNIT, "g": g, **found}


def amounts(made: Any, component: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for row in made.ledger.rows():
        if row.component == component:
            found[row.action] = found.get(row.action, 0.0) + row.amount
    return found


def test_trains_go_to_either_side_and_saturated_pairs_start_anew_as_the_formulas_say(tmp_path: Path) -> None:
    """300 vectors, three refreshes, four tiles. A SET of a refresh may be on the other side of a half."""
    made, data = started(tmp_path, "in-array-pcm", **{"sides.every": "100", **TIGHT}), operands(300)
    before = whole(made.state["fc1"].cells)
    driven(made, data)
    theirs, cells = reference(before, data, 100), made.state["fc1"].cells
    after = whole(cells)
    assert np.rint(abs(after - theirs["w"]) / DW).sum() <= theirs["resets"] / 2
    assert abs(after - before).max() > 50 * DW
    writer, programmer = amounts(made, "train_writer"), amounts(made, "programmer")
    assert writer["up.pulse"] == theirs["pulses"] > 1000
    assert writer.get("down.pulse", 0.0) == writer.get("down.half", 0.0) == 0
    assert programmer["reset.pulse"] == theirs["resets"] > 4
    assert programmer["set.pulse"] == pytest.approx(theirs["sets"], abs=theirs["resets"] / 2)
    assert programmer["device.read"] == theirs["reads"] + programmer["set.pulse"]
    given = sum(int(one.devices.set_pulses.sum()) for row in cells for one in row)
    assert given == theirs["pulses"] + programmer["set.pulse"]


def test_a_device_only_ever_goes_up_until_it_is_reset(tmp_path: Path) -> None:
    made, data = started(tmp_path, "in-array-pcm", **{"sides.every": "100000"}), operands(60)
    [first, *_] = made.state["fc1"].cells[0]
    before = first.devices.conductance.copy()
    driven(made, data)
    moved = first.devices.conductance - before
    assert moved.min() >= 0
    plus, minus = moved.reshape(2, -1).sum(axis=1)
    assert min(plus, minus) > 0


def test_lines_of_both_devices_are_charged_in_every_phase_and_the_refresh_takes_time(tmp_path: Path) -> None:
    x, d = np.zeros(ROWS, np.float32), np.zeros(COLUMNS, np.float32)
    x[0], d[0] = 1.0, 1.0  # one row, one column, in every slot: the one tile at the corner
    made = started(tmp_path, "in-array-pcm", **{"sides.every": "2", "sides.saturated": "100 uS"})
    asked = int(np.ceil(RATE / DW))
    driven(made, [(x, d)])
    writer, tiles_beside, tiles_below = amounts(made, "train_writer"), 2, 2
    assert writer["up.pulse"] == asked
    assert writer["up.half"] == 2 * asked * (2 * tiles_beside + tiles_below)
    then = made.clock.now
    driven(made, [(0 * x, 0 * d)])
    read = 2 * ROWS * COLUMNS
    assert amounts(made, "programmer")["device.read"] == read
    assert made.clock.now - then >= read * made.ps("programmer.read")


def test_a_chip_that_was_stopped_goes_on_with_the_same_bits(tmp_path: Path) -> None:
    settings, data = {"sides.every": "7", **TIGHT}, operands(20)
    one, two = (started(tmp_path, "in-array-pcm", **settings) for _ in range(2))
    driven(one, data)
    driven(two, data)
    kept = {name: array.copy() for name, array in two.arrays().items()}
    assert kept["transfer/fc1/since"] == 20 % 7
    again = started(tmp_path, "in-array-pcm", **settings)
    again.restore(kept)
    assert {name: array.tobytes() for name, array in again.arrays().items()} == {
        name: array.tobytes() for name, array in one.arrays().items()
    }
    again.restore(one.arrays())


@pytest.mark.parametrize(
    ("name", "settings", "expected"),
    [
        ("in-array-pcm", {("update", "rounding"): "nearest", ("update", "trains"): "null"}, "sides: expected none, or"),
        ("in-array-pcm", {("weight", "copies"): "2"}, "weight.copies: got 2; expected 1"),
        ("in-array-pcm", {("sides", "every"): "0"}, "sides.every: got 0; expected greater than or equal to 1"),
    ],
)
def test_what_does_not_go_with_sides_is_refused(name: str, settings: dict[tuple[str, ...], str], expected: str) -> None:
    with pytest.raises(InputError) as caught:
        architectures.parse(architectures.document(name, settings))
    assert expected in str(caught.value)


def test_pairs_of_fine_steps_learn_digits_by_trains() -> None:
    """Measured 0.58, 0.68 by devices that go both ways; chance is 0.1."""
    settings = {
        "weight.device": "gokmen-vlasov",
        "weight.unit": "6 uS",
        "sides.every": "300",
        "sides.most_pulses": "2000",
    }
    assert taught(digits_chip("in-array-pcm", **settings), 2000, rate=0.1) > 0.45

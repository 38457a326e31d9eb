"""Several chips hold one network: each matrix somewhere, and each signal crosses once to where it is needed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from network_kit import Times, chain, dense

from archsim.accounting.ledger import Row
from archsim.base import registry
from archsim.base.expected import ALL
from archsim.chips import architecture as architectures
from archsim.chips.estimate import expected_step
from archsim.chips.fitting.links import crossing, held
from archsim.networks.program import Moved

NETWORK = chain(30, dense("fc1", 40, "sigmoid"), dense("fc2", 20, "sigmoid"), dense("fc3", 10, "sigmoid"), std=0.1)
PROGRAM = NETWORK.training[0]


@given(counts=st.lists(st.integers(1, 40), min_size=1, max_size=12), each=st.integers(1, 20))
def test_chips_hold_every_matrix_and_no_more_tiles_than_they_have(counts: list[int], each: int) -> None:
    tiles = {f"m{k}": count for k, count in enumerate(counts)}
    found = held(tiles, each)
    assert list(found) == list(tiles)
    last = max(several[-1] for several in found.values())
    for chip in range(last + 1):
        whole = [name for name, several in found.items() if list(several) == [chip]]
        assert sum(tiles[name] for name in whole) <= each
    assert all(len(several) >= -(-tiles[name] // each) for name, several in found.items())
    assert last + 1 >= -(-sum(counts) // each)


def test_on_one_chip_nothing_crosses() -> None:
    assert crossing(PROGRAM, dict.fromkeys(("fc1", "fc2", "fc3"), range(1))).calls == PROGRAM.calls


def test_what_the_next_chip_reads_crosses_forward_and_what_it_sends_back_crosses_back() -> None:
    found = crossing(PROGRAM, {"fc1": range(1), "fc2": range(1, 2), "fc3": range(1, 2)})
    crossed = [
        (phase, call.target.words) for phase, calls in found.phases for call in calls if isinstance(call.target, Moved)
    ]
    assert crossed == [("forward", 40), ("update", 40)]  # what fc2 reads, and the error at the end of fc1


def estimated(**tile: int) -> Any:
    """Return a step of the network on chips of so many tiles."""
    told: Any = {("tile", key): str(value) for key, value in tile.items()}
    parsed = architectures.parse(architectures.document("mixed-precision-large", told))
    chip = registry.load("chip", parsed.chip).expected(
        parsed, NETWORK, Times(), samples=2, optimiser=None, writing={}
    )  # fmt: skip
    expected_step(chip, NETWORK, 2, lambda _: ALL)
    return chip


def sums(rows: list[Row]) -> dict[tuple[str, str], float]:
    """Return what was done forward, over all layers."""
    found: dict[tuple[str, str], float] = {}
    for row in rows:
        if row.phase == "forward":
            found[row.component, row.action] = found.get((row.component, row.action), 0.0) + row.amount
    return found


def test_several_chips_cost_the_link_and_the_units_of_each() -> None:
    one, three = estimated(count=8), estimated(count=1)
    assert (one.beyond.chips, three.beyond.chips) == (1, 3)
    amounts = [sums(chip.ledger.rows()) for chip in (one, three)]
    assert ("link", "transfer") not in amounts[0]
    assert amounts[1]["link", "transfer"] == 2 * 32 * (40 + 20)
    assert amounts[1]["tile", "dac.convert"] == amounts[0]["tile", "dac.convert"]
    powered = [row["digital_unit", "logic.powered"] for row in amounts]
    seconds = [chip.ledger.time_ps["forward"] * 1e-12 for chip in (one, three)]
    assert powered == pytest.approx([seconds[0], 3 * seconds[1]])
    areas = [{part.key: part.amount for part in chip.parts()} for chip in (one, three)]
    assert areas[1]["digital_unit.logic"] == 3 * areas[0]["digital_unit.logic"]
    assert areas[0]["tile.cells"] / 8 == areas[1]["tile.cells"] / 3

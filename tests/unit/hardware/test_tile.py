"""Tiles: closed-form time, converters shared in and between tiles, counts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hardware_kit import TAG, counted, elapsed, ideal_cells, tile, vectors
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.accounting.ledger import Ledger
from archsim.analog.cells import BURST
from archsim.base.rounding import Quantiser
from archsim.hardware.clock import Clock, Slot
from archsim.hardware.tile import TileGroup

IDEAL: dict[str, Any] = {"dac": Quantiser(8, ideal=True), "adc": Quantiser(8, ideal=True), "clips": False}


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    count=st.integers(1, 5), adcs=st.integers(1, 16), settle=st.integers(0, 3000), period=st.integers(1, 50),
    conversion=st.integers(1, 3000), transposed=st.booleans(),
)  # fmt: skip
def test_an_uncontended_read_takes_its_closed_form(
    count: int, adcs: int, settle: int, period: int, conversion: int, transposed: bool
) -> None:
    clock = Clock(eager=False)
    unit = tile(clock, Ledger(), adcs=adcs, settle_ps=settle, period_ps=period, conversion_ps=conversion)
    product, lines, outputs = (unit.multiply_transposed, 10, 6) if transposed else (unit.multiply, 6, 10)
    _, ps = elapsed(clock, unit.read(product, vectors(count, lines), outputs, TAG))
    integrate, convert = settle + 127 * period, -(-outputs // adcs) * conversion
    assert ps == integrate + convert + (count - 1) * max(integrate, convert)
    assert ps == unit.read_ps(count, outputs)


@pytest.mark.parametrize("eager", [False, True])
def test_a_group_of_tiles_takes_the_time_of_its_slowest(eager: bool) -> None:
    clock, ledger = Clock(eager=eager), Ledger()
    wide = tile(clock, ledger, columns=32, label="wide")
    narrow = tile(clock, ledger, columns=3, label="narrow")
    lanes = [(wide, wide.multiply, slice(0, 6), 32), (narrow, narrow.multiply, slice(0, 6), 3)]
    group = TileGroup(clock, lanes, 2)
    codes, ps = elapsed(clock, group.read(vectors(3, 6), TAG))
    assert ps == wide.read_ps(3, 32) == group.hold_ps(3)
    assert [part.shape for part in codes] == [(3, 32), (3, 3)]
    assert group.join(codes)[0].shape == (3, 35)


def test_a_group_waits_for_a_tile_that_is_taken() -> None:
    clock = Clock()
    unit = tile(clock, Ledger())
    group = TileGroup(clock, [(unit, unit.multiply, slice(0, 6), 10)], 1)

    def other() -> Any:
        assert unit.slot.take()
        yield clock.timeout(1_000_000)
        unit.slot.give()

    clock.process(other())
    _, ps = elapsed(clock, group.read(vectors(1, 6), TAG))
    assert ps == 1_000_000 + unit.read_ps(1, 10)
    assert unit.slot.waited_ps == 1_000_000


def test_halving_the_adcs_doubles_the_conversion_time_and_leaves_the_counts() -> None:
    seen = {}
    for adcs in (8, 4):
        clock, ledger = Clock(), Ledger()
        unit = tile(clock, ledger, columns=16, adcs=adcs)
        codes, ps = elapsed(clock, unit.read(unit.multiply, vectors(1, 6), 16, TAG))
        seen[adcs] = (unit.convert_ps(16), ps, counted(ledger, "tile"), codes.tobytes())
    assert seen[4][0] == 2 * seen[8][0]
    assert seen[4][1] - seen[8][1] == seen[8][0]
    assert seen[4][2:] == seen[8][2:]


def test_lines_driven_are_the_non_zero_codes_and_every_output_is_converted() -> None:
    ledger = Ledger()
    unit = tile(Clock(), ledger)
    x = np.array([[1, 0, 0.5, 0.003, 0.004, 0], [0, 0, 0, 0, 0, 0]], np.float32)  # 0.003 is below half a code
    unit.multiply(x, TAG)
    found = counted(ledger, "tile")
    assert found["dac.convert"] == found["line.charge"] == 3
    assert found["adc.convert"] == 2 * 10


def test_the_moment_is_conductance_times_the_time_each_line_is_driven() -> None:
    ledger = Ledger()
    unit = tile(Clock(), ledger, **IDEAL)
    plus, minus = (pair.conductance.reshape(6, 10) for pair in unit.cells.pairs)
    x = vectors(2, 6)
    unit.multiply(x, TAG)
    expected = float(np.sum(x.sum(axis=0)[:, None] * (plus + minus))) * 127 * 97e-12
    assert counted(ledger, "tile")["cells.conduct"] == pytest.approx(expected, rel=1e-5)


def test_both_directions_use_the_same_weights() -> None:
    unit = tile(Clock(), Ledger(), **IDEAL)
    x, d = vectors(3, 6), vectors(3, 10, seed=2)
    np.testing.assert_allclose(unit.multiply(x, TAG), x @ unit.cells.weight, rtol=1e-5)
    np.testing.assert_allclose(unit.multiply_transposed(d, TAG), d @ unit.cells.weight.T, rtol=1e-5)


def test_codes_are_whole_steps_within_the_full_scale_and_clipping_is_counted() -> None:
    unit = tile(Clock(), Ledger(), forward_scale=0.2)
    codes = unit.multiply(vectors(4, 6), TAG)
    steps = codes * 127 / 0.2
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-3)
    assert np.max(np.abs(codes)) <= np.float32(0.2) * (1 + 1e-6)
    assert unit.clipped > 0


def test_two_tiles_on_one_bank_take_longer_and_convert_as_much() -> None:
    def read(*, shared: bool) -> tuple[int, dict[str, float], bytes]:
        clock, ledger = Clock(), Ledger()
        bank = Slot(clock, "converter bank 0") if shared else None
        units = [tile(clock, ledger, bank=bank, label=f"tile {k}") for k in range(2)]
        group = TileGroup(clock, [(unit, unit.multiply, slice(0, 6), 10) for unit in units], 1)
        codes, ps = elapsed(clock, group.read(vectors(1, 6), TAG))
        assert not bank or bank.state is None
        return ps, counted(ledger, "tile"), b"".join(part.tobytes() for part in codes)

    own, shared = read(shared=False), read(shared=True)
    convert = tile(Clock(), Ledger()).convert_ps(10)
    assert shared[0] == own[0] + convert  # both integrate side by side, then one waits for the other
    assert shared[1:] == own[1:]


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("count", [1, 15, 16, 60])
def test_a_groups_codes_stand_beside_each_other_however_they_are_read(count: int, apart: bool) -> None:
    """Two tiles of one input band: same codes and counts, whether the time is held or passed."""
    found = []
    for eager in (True, False):
        clock, ledger = Clock(eager=eager), Ledger()
        tiles = [tile(clock, ledger, label=f"tile {k}") for k in range(2)]
        group = TileGroup(clock, [(unit, unit.multiply, slice(2, 8), 10) for unit in tiles], 2)
        codes, ps = elapsed(clock, group.read(vectors(count, 9), TAG, apart=apart))
        assert ps == group.hold_ps(count)
        [whole] = group.join(codes)
        assert (whole is codes[0].base) == (count >= BURST[0] and not apart), "without a copy where it can be"
        found.append((whole.tobytes(), counted(ledger, "tile")))
        x = np.rint(vectors(count, 9)[:, 2:8] * 127) / 127
        for part, unit in zip(np.split(whole, 2, axis=1), tiles, strict=True):
            np.testing.assert_allclose(part, x @ unit.cells.weight, atol=0.51 * 4 / 127)
    assert found[0] == found[1]
    assert found[0][1]["dac.convert"] == 2 * 6 * count


@settings(max_examples=20, deadline=None, derandomize=True)
@given(units=st.integers(2, 4), count=st.integers(1, 4))
def test_a_contended_bank_works_without_a_pause_once_it_has_begun(units: int, count: int) -> None:
    """Conversions longer than integrations keep the bank busy: total = one integration + all conversions."""
    clock, ledger = Clock(), Ledger()
    bank = Slot(clock, "bank")
    tiles = [tile(clock, ledger, bank=bank, label=f"{k}", conversion_ps=20_011) for k in range(units)]
    group = TileGroup(clock, [(unit, unit.multiply, slice(0, 6), 10) for unit in tiles], 1)
    _, ps = elapsed(clock, group.read(vectors(count, 6), TAG))
    assert ps == 1999 + 127 * 97 + units * count * tiles[0].convert_ps(10)
    assert counted(ledger, "tile")["adc.convert"] == units * count * 10


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("conversion_ps", [101, 1013, 20_011])
def test_a_bank_that_nobody_contends_for_costs_no_time(count: int, conversion_ps: int) -> None:
    clock = Clock()
    unit = tile(clock, Ledger(), bank=Slot(clock, "bank"), conversion_ps=conversion_ps)
    _, ps = elapsed(clock, unit.read(unit.multiply, vectors(count, 6), 10, TAG))
    assert ps == unit.read_ps(count, 10)


def test_the_tile_gives_its_bits_to_the_cost_laws() -> None:
    unit = tile(Clock(), Ledger(), dac=Quantiser(6), adc=Quantiser(9))
    assert unit.sizes("dac.convert") == {"bits": 6}
    assert unit.sizes("adc.convert") == {"bits": 9}
    assert unit.sizes("line.charge") == {}


def test_cells_keep_the_weights_they_are_loaded_with() -> None:
    weight = np.random.default_rng(0).uniform(-1, 1, (5, 4)).astype(np.float32)
    np.testing.assert_allclose(ideal_cells(weight).weight, weight, atol=1e-6)

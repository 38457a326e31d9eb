"""The mixed-precision chip: times of update and refresh from what was counted, converters, tiles, switches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from network_kit import chain, dense
from test_execute import NETWORK, QUIET, TIMES_S, chip, samples, state, train

from archsim.base.errors import DoesNotFitError
from archsim.base.signal import STEP_PHASES, Signal, Tag
from archsim.networks.network import Network

BUSY = {"refresh.every": "7", "refresh.saturated": "1.2 uS", "refresh.difference": "7 uS"}


def amounts(made: Any, component: str, *phases: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for row in made.ledger.rows():
        if row.component == component and row.phase in (phases or STEP_PHASES):
            found[row.action] = found.get(row.action, 0) + row.amount
    return found


@pytest.mark.parametrize("eager", [True, False])
def test_the_whole_step_takes_its_closed_form_if_nothing_is_skipped_or_programmed(eager: bool) -> None:
    settings = {"outer_product.skip_zeros": "false"}
    made = train(chip("mixed-precision-one-bank", eager=eager, **settings), samples(1), rate=1e-6)
    second = max((8 + 8 * 3) * 1000, 2 * 8 * 3 * 2000)
    first = 2 * 7 * 1000 + max((13 + 13 * 7) * 1000, 2 * 13 * 7 * 2000)  # the errors are normalised here first
    assert made.ledger.time_ps["update"] == second + first
    assert made.ledger.time_ps["refresh"] == 0
    assert made.clock.now == sum(made.ledger.time_ps[phase] for phase in STEP_PHASES)


@pytest.mark.parametrize("eager", [True, False])
def test_update_and_refresh_take_what_their_counts_take(eager: bool) -> None:
    """A memory of one bank, devices one by one: each element 4 ns, each pulse 100 ns, RESET 50 ns, read 130 ns."""
    steps = 120
    made = train(chip("mixed-precision-one-bank", eager=eager, **BUSY), samples(steps))
    outer, update = amounts(made, "outer_product_unit", "update"), amounts(made, "programmer", "update")
    refresh = amounts(made, "programmer", "refresh")
    assert min(update["set.pulse"], refresh["set.pulse"], refresh["reset.pulse"]) > 0
    assert made.ledger.time_ps["update"] == (
        steps * 2 * 7 * 1000 + outer["chi.write"] * 2 * 2000 + update["set.pulse"] * 100_000
    )
    assert made.ledger.time_ps["refresh"] == (
        refresh["set.pulse"] * 100_000 + refresh["reset.pulse"] * 50_000 + refresh["device.read"] * 130_000
    )


AT_TILES = {"outer_product.at": "tiles", "tile.rows": "5", "tile.columns": "4"}
"""On NETWORK: fc1, 13x7, in 3x2 tiles of bands of 4, 4, 5 and 3, 4; fc2, 8x3, in 2x1 of 4, 4 and 3."""


@pytest.mark.parametrize("eager", [True, False])
@pytest.mark.parametrize("lanes", [1, 4])
def test_units_at_the_tiles_work_side_by_side_and_take_what_the_largest_band_takes(eager: bool, lanes: int) -> None:
    settings = AT_TILES | {"outer_product.skip_zeros": "false", "outer_product.lanes": str(lanes)}
    made = train(chip("mixed-precision", eager=eager, **settings), samples(1), rate=1e-6)

    def hold(rows: int, columns: int) -> int:
        cycles = -(-rows // lanes) - (-rows * columns // lanes)
        return max(cycles * 1000, 2 * rows * columns * 2000)

    def sent(x: int, d: int) -> int:  # codes of 8 and 3 bits over a bus of 32, a cycle of arbitration before them
        return (1 - (-(x * 8 + d * 3) // 32)) * 1000

    second, first = sent(8 * 1, 3 * 2) + hold(4, 3), 2 * 7 * 1000 + sent(13 * 2, 7 * 3) + hold(5, 4)
    assert made.ledger.time_ps["update"] == second + first


def test_units_at_the_tiles_change_nothing_that_is_computed_and_count_the_same_elements() -> None:
    still = {name: value for name, value in QUIET.items() if name != "nonidealities.state_dependence"}
    one, many = (
        train(chip("mixed-precision", **{**still, **AT_TILES, "outer_product.at": at}), samples(60))
        for at in ("digital-unit", "tiles")
    )
    for a, b in zip(state(one), state(many), strict=True):
        assert (a == b).all()
    counted, apart = amounts(one, "outer_product_unit", "update"), amounts(many, "outer_product_unit", "update")
    for action in ("chi.read", "chi.write", "compare", "add"):
        assert counted[action] == apart[action] > 0
    assert apart["multiply"] > counted["multiply"], "each band of columns scales its own rows"
    sent = amounts(many, "bus", "update")["transfer"] - amounts(one, "bus", "update").get("transfer", 0)
    assert sent == 60 * ((13 * 2 + 8) * 8 + (7 * 3 + 3 * 2) * 3)


def test_a_unit_at_a_tile_has_a_word_for_every_pair_of_it_and_stands_at_every_tile() -> None:
    large = {"outer_product.chi.bits": "16", "tile.rows": "64", "tile.columns": "32", "tile.count": "9"}
    made: Any = chip("mixed-precision", **AT_TILES | large)
    assert made.outer_product_units["fc1"].chi.capacity_bit == 64 * 32 * 16
    areas = {part.key: part.amount for part in made.parts()}
    assert areas["outer_product_unit.chi"] == 9 * 64 * 32 * 16
    assert areas["outer_product_unit.logic"] == 9
    powered = sum(unit.powered()["chi.powered"] for unit in made.outer_product_units.values())
    assert powered == 2 * 64 * 32 * 16, "those of tiles that no layer takes are off"


@pytest.mark.parametrize("vectors", [2, 6])
def test_the_refresh_counts_samples_however_many_vectors_they_have(vectors: int) -> None:
    """Two samples of one or three vectors: due after two samples, not after as many vectors."""
    made: Any = chip("mixed-precision", **{"refresh.every": "3"})
    x, d = Signal(np.ones((vectors, 13), np.float32)), Signal(np.full((vectors, 7), 1e-9, np.float32))
    made.run(made.accumulate("fc1", x, d, 1e-6, Tag("update", "fc1")))
    made.run(made.apply("fc1", 2, 1e-6, Tag("update", "fc1")))
    assert made.state["fc1"].since_refresh == 2


def test_devices_have_received_as_many_pulses_as_were_counted() -> None:
    made: Any = train(chip("mixed-precision", **BUSY), samples(120))
    programmer = amounts(made, "programmer")
    cells = [c for layer in made.state.values() for row in layer.cells for c in row]
    assert programmer["set.pulse"] == sum(int(c.devices.set_pulses.sum()) for c in cells)
    assert programmer["reset.pulse"] == sum(int(c.devices.reset_pulses.sum()) for c in cells)


def test_of_several_pairs_a_weight_each_pulse_is_counted_once_each_line_for_every_pair() -> None:
    made: Any = train(chip("mixed-precision", **BUSY, **{"weight.copies": "3"}), samples(120))
    programmer, tile = amounts(made, "programmer"), amounts(made, "tile")
    cells = [c for layer in made.state.values() for row in layer.cells for c in row]
    assert [c.devices.conductance.size for c in cells] == [6 * 13 * 7, 6 * 8 * 3]
    assert programmer["set.pulse"] == sum(int(c.devices.set_pulses.sum()) for c in cells) > 0
    assert programmer["reset.pulse"] == sum(int(c.devices.reset_pulses.sum()) for c in cells) > 0
    update = amounts(made, "programmer", "update")
    assert update["set.pulse"] >= 3 * update["log.write"], "a word of the log for each weight, a pulse for each pair"
    assert tile["line.charge"] == 3 * tile["dac.convert"]
    area = {part.key: part.amount for part in made.parts()}
    file = made.architecture.tile
    assert area["tile.cells"] == 6 * file.count * file.rows * file.columns


def test_nobody_waits_for_anybody_on_a_chip_of_its_own_converters() -> None:
    made = train(chip("mixed-precision", eager=False, **BUSY), samples(50))
    assert made.diagnostics()["waited_ps"] == 0


def test_halving_the_adcs_doubles_conversion_time_and_leaves_bits_and_counts() -> None:
    still = {"nonidealities.drift": "false"}
    four, two = (
        train(chip("mixed-precision", **still, **{"tile.adc.count": count}), samples(30)) for count in ("4", "2")
    )
    convert = int(TIMES_S["tile.adc.conversion"] * 1e12)
    longer = {"forward": (4 - 2) + (2 - 1), "backward": (4 - 2)}  # conversions of 7 and 3 columns, and of 8 rows
    for phase, conversions in longer.items():
        assert two.ledger.time_ps[phase] - four.ledger.time_ps[phase] == 30 * conversions * convert
    assert all((a == b).all() for a, b in zip(state(four), state(two), strict=True))
    assert four.ledger.rows() == two.ledger.rows()


WIDE = chain(12, dense("fc1", 150, "sigmoid"), dense("fc2", 3, "sigmoid"), std=0.3)


@pytest.mark.parametrize(
    ("network", "side", "tiles", "rate"), [(WIDE, ("64", "64"), (3, 3), 4.0), (NETWORK, ("5", "3"), (9, 2), 2.0)]
)
def test_small_tiles_learn_as_large_ones_if_nothing_is_imperfect(
    network: Network, side: tuple[str, str], tiles: tuple[int, int], rate: float
) -> None:
    """Partial sums add up to the products, and a pulse reaches the pair whose chi crossed, whatever tile it is on."""
    perfect = {**QUIET, "weight.device": "ideal", "outer_product.error_bits": "8", "refresh.every": "1000000"}
    data = samples(150)
    large: Any = train(chip("mixed-precision", network=network, **perfect), data, rate)
    cut = {"tile.rows": side[0], "tile.columns": side[1]}
    small: Any = train(chip("mixed-precision", network=network, **perfect, **cut), data, rate)
    for (name, layer), expected in zip(large.state.items(), tiles, strict=True):
        grid = small.state[name].cells
        assert len(grid) * len(grid[0]) == expected
        whole = np.block([[cells.weight for cells in row] for row in grid])
        np.testing.assert_allclose(whole, layer.cells[0][0].weight, atol=1e-6)
        np.testing.assert_allclose(small.state[name].accumulator.chi, layer.accumulator.chi, atol=1e-3)
        assert layer.cells[0][0].devices.set_pulses.sum() > 10


STRESS = {
    "tile.adc.forward_full_scale": "0.5", "tile.adc.backward_full_scale": "0.5", "refresh.every": "1000000",
    "weight.unit": "20 uS",
}  # fmt: skip


@pytest.fixture(scope="module")
def stressed() -> list[np.ndarray]:
    return state(train(chip("mixed-precision", **STRESS), samples(400), rate=2.0))


@pytest.mark.parametrize("name", sorted(key.partition(".")[2] for key in QUIET))
def test_each_switch_switches_something(name: str, stressed: list[np.ndarray]) -> None:
    off = chip("mixed-precision", **STRESS, **{f"nonidealities.{name}": "false"})
    assert off.architecture.switched_off() == [name]
    assert name not in off.architecture.switched_on()
    train(off, samples(400), rate=2.0)
    assert not all((a == b).all() for a, b in zip(state(off), stressed, strict=True))


def test_a_full_scale_of_the_dacs_other_than_one_changes_range_not_meaning() -> None:
    twice = {"tile.dac.full_scale": "2.0", "tile.adc.forward_full_scale": "4.0", "tile.adc.backward_full_scale": "6.0"}
    one = chip("mixed-precision", **QUIET)
    two = chip("mixed-precision", **QUIET, **twice)
    for made in (one, two):
        train(made, samples(1), rate=1e-6)
    # one more product an output: the sum is relative to the full scale
    assert two.ledger.time_ps["forward"] - one.ledger.time_ps["forward"] == (7 + 3) * 1000
    chis = [made.state["fc1"].accumulator.chi for made in (one, two)]  # type: ignore[attr-defined]
    np.testing.assert_allclose(chis[0], chis[1], atol=np.max(np.abs(chis[0])) * 0.02)


@pytest.mark.parametrize("name", ["mixed-precision", "digital32"])
def test_a_signal_buffer_smaller_than_one_sample_does_not_fit(name: str) -> None:
    network = chain(784, dense("fc1", 10, "sigmoid"), std=0.3)
    with pytest.raises(DoesNotFitError, match="buffer"):
        chip(name, network=network, **{"digital_unit.buffer_words": "256"})


def test_the_initial_weights_are_the_same_on_both_chips() -> None:
    mixed: Any = chip("mixed-precision")
    digital: Any = chip("digital32")
    for name, shape in NETWORK.shapes.items():
        cells = mixed.state[name].cells[0][0]
        plus, minus = (pair.conductance for pair in cells.pairs)
        stored = ((plus - minus) / cells.scale).reshape(shape)
        np.testing.assert_allclose(stored, digital.weights[name], atol=1e-5)


def test_the_share_of_clipped_conversions_is_told_by_matrix() -> None:
    """Full scales of nothing clip all that is not zero; wide ones clip nothing."""
    tiny = train(chip("mixed-precision", **{"tile.adc.forward_full_scale": "0.001"}), samples(5)).clipped_shares()
    wide = train(chip("mixed-precision"), samples(5)).clipped_shares()
    assert set(tiny) == set(wide) == {"fc1", "fc2"}
    assert min(tiny.values()) > 0.2
    assert max(wide.values()) == 0
    assert train(chip("digital32"), samples(1)).clipped_shares() == {}

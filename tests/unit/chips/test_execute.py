"""The training step on both chips: what it computes, how long it takes, what it books."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from network_kit import chain, dense

from archsim.accounting.bill import price
from archsim.accounting.technology import list_technologies, read_technology
from archsim.base import registry
from archsim.base.errors import DoesNotFitError, ModelError
from archsim.base.files import shipped_names
from archsim.base.signal import STEP_PHASES, Signal, Tag
from archsim.base.streams import Streams
from archsim.chips import architecture as architectures
from archsim.chips.chip import Chip
from archsim.chips.execute import inference, training_step
from archsim.chips.fitting.placement import bands, place
from archsim.networks.network import Network

TIMES_S = {
    "digital.cycle": 1e-9, "sram.access": 2e-9, "tile.dac.period": 1e-9, "tile.settle": 2e-9,
    "tile.adc.conversion": 0.7e-9, "bus.cycle": 1e-9, "host.cycle": 1e-9, "hbm2e.latency": 60e-9, "hbm2e.burst": 1.25e-9, "programmer.set_pulse": 100e-9,
    "programmer.reset_pulse": 50e-9, "programmer.read": 130e-9, "writer.up_pulse": 300e-9, "writer.down_pulse": 200e-9,
}  # fmt: skip
NETWORK = chain(12, dense("fc1", 7, "sigmoid"), dense("fc2", 3, "sigmoid"), std=0.3)
CHIPS = ("mixed-precision", "digital32")
QUIET = {f"nonidealities.{name}": "false" for name in (
    "state_dependence", "programming_noise", "pulse_memory", "read_noise", "drift", "dac_quantisation",
    "adc_quantisation", "adc_clipping", "device_saturation",
)}  # fmt: skip


class Times:
    def time_s(self, key: str, capacity_bit: float | None = None) -> float:
        del capacity_bit
        return TIMES_S[key]


def chip(name: str, *, eager: bool = True, network: Network = NETWORK, seed: int = 1, **settings: str) -> Chip:
    keys = {tuple(key.replace("__", ".").split(".")): value for key, value in settings.items()}
    parsed = architectures.parse(architectures.document(name, keys))
    made: Chip = registry.load("chip", parsed.chip).start(parsed, network, Times(), Streams(seed))
    made.clock.eager = eager
    return made


def samples(n: int, vectors: int = 1, seed: int = 3) -> list[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(n):
        x = (rng.uniform(0, 1, (vectors, 12)) * (rng.random((vectors, 12)) < 0.5)).astype(np.float32)
        found.append((x, np.eye(3, dtype=np.float32)[rng.integers(0, 3, vectors)]))
    return found


def train(made: Chip, data: list[tuple[np.ndarray, np.ndarray]], rate: float = 0.5) -> Chip:
    def work() -> Any:
        for x, target in data:
            yield from training_step(made, made.network, {"x": x, "target": target}, rate)

    made.run(work())
    return made


def state(made: Any) -> list[np.ndarray]:
    if hasattr(made, "weights"):
        return [made.weights[name] for name in sorted(made.weights)]
    cells = [c for layer in made.state.values() for row in layer.cells for c in row]
    return [*(layer.accumulator.chi for layer in made.state.values()), *(c.devices.conductance for c in cells)]


def closed_form_ps(name: str) -> dict[str, int]:
    """Forward and backward time of one step of NETWORK, worked out by hand from the architecture files and TIMES_S."""
    bus = lambda bits: (1 + -(-bits // 32)) * 1000  # noqa: E731
    host = -(-12 * 8 // 32) * 1000
    if name == "mixed-precision":
        read = lambda outputs: 2000 + 127_000 + -(-outputs // 8) * 700  # noqa: E731
        product = lambda inputs, outputs: bus(inputs * 8) + read(outputs) + bus(outputs * 8)  # noqa: E731
        forward = host + product(13, 7) + 7000 + product(8, 3) + 3000
        normalise, rescale = 2 * 3 * 1000, 8 * 1000
        backward = 4 * 3 * 1000 + normalise + product(3, 8) + rescale + 3 * 7 * 1000
        return {"forward": forward, "backward": backward}
    product = lambda inputs, outputs: bus(inputs * 32) + inputs * outputs * 2000 + bus(outputs * 32)  # noqa: E731
    return {
        "forward": host + product(13, 7) + 7000 + product(8, 3) + 3000,
        "backward": 4 * 3 * 1000 + product(3, 8) + 3 * 7 * 1000,
        "update": (3000 + bus(11 * 32) + 24 * 4000) + (7000 + bus(20 * 32) + 91 * 4000),
    }


@pytest.mark.parametrize("eager", [True, False])
@pytest.mark.parametrize("name", CHIPS)
def test_an_uncontended_step_takes_its_closed_form_to_the_picosecond(name: str, eager: bool) -> None:
    made = train(chip(name, eager=eager), samples(1))
    for phase, time_ps in closed_form_ps(name).items():
        assert made.ledger.time_ps[phase] == time_ps, phase
    assert sum(made.ledger.time_ps[phase] for phase in STEP_PHASES) == made.clock.now


@pytest.mark.parametrize("name", CHIPS)
def test_events_and_passing_time_give_the_same_bits_books_and_clock(name: str) -> None:
    eager, evented = (train(chip(name, eager=on, **{"host.input_bits": "8"}), samples(150)) for on in (True, False))
    assert all((a == b).all() for a, b in zip(state(eager), state(evented), strict=True))
    assert eager.ledger.rows() == evented.ledger.rows()
    assert eager.ledger.time_ps == evented.ledger.time_ps
    assert eager.clock.events < 10 < evented.clock.events


def test_layers_cut_into_many_tiles_are_read_side_by_side() -> None:
    small = {"tile.rows": "5", "tile.columns": "3"}
    for eager in (True, False):
        made = train(chip("mixed-precision", eager=eager, **small), samples(1))
        read = 2000 + 127_000 + 700
        first = (1 + -(-13 * 3 * 8 // 32)) * 1000 + read + (1 + -(-7 * 3 * 8 // 32)) * 1000 + 2 * 7 * 1000
        second = (1 + -(-8 * 8 // 32)) * 1000 + read + (1 + -(-3 * 2 * 8 // 32)) * 1000 + 3000
        assert made.ledger.time_ps["forward"] == 3000 + first + 7000 + second + 3000


def test_a_perfect_chip_computes_the_same_whatever_its_tiles() -> None:
    whole = chip("mixed-precision", **QUIET)
    cut = chip("mixed-precision", **QUIET, **{"tile.rows": "5", "tile.columns": "3"})
    x = samples(1, vectors=4)[0][0]
    for made in (whole, cut):
        made.y = made.run(inference(made, NETWORK, x))  # type: ignore[attr-defined]
    assert whole.y == pytest.approx(cut.y, abs=1e-5)  # type: ignore[attr-defined]


def numpy_sgd(data: list[tuple[np.ndarray, np.ndarray]], rate: float) -> list[np.ndarray]:
    weights = NETWORK.initial_weights(Streams(1))
    w1, w2 = weights["fc1"].astype(float), weights["fc2"].astype(float)
    for x, target in data:
        n = x.shape[0]
        xb = np.hstack([x, np.ones((n, 1))])
        h = 1 / (1 + np.exp(-xb @ w1))
        hb = np.hstack([h, np.ones((n, 1))])
        y = 1 / (1 + np.exp(-hb @ w2))
        d2 = (target - y) * y * (1 - y)
        d1 = (d2 @ w2.T)[:, :-1] * h * (1 - h)
        w2 += rate / n * hb.T @ d2
        w1 += rate / n * xb.T @ d1
    return [w1, w2]


@pytest.mark.parametrize("vectors", [1, 3])
def test_the_baseline_is_plain_gradient_descent(vectors: int) -> None:
    data = samples(200, vectors)
    made = train(chip("digital32"), data)
    for ours, theirs in zip(state(made), numpy_sgd(data, 0.5), strict=True):
        assert ours == pytest.approx(theirs, abs=2e-4)


@pytest.mark.parametrize("vectors", [1, 3])
def test_a_perfect_mixed_precision_chip_follows_gradient_descent(vectors: int) -> None:
    """With a fine pulse (0.001 in weight), cells and what is still in chi are together those of plain SGD."""
    data = samples(60, vectors)
    fine = {"outer_product.x_bits": "16", "outer_product.error_bits": "16", "refresh.every": "1000000"}
    made: Any = train(
        chip(
            "mixed-precision",
            **QUIET,
            **fine,
            **{"weight.device": "ideal", "weight.unit": "800 uS", "outer_product.chi.limit": "1024"},
        ),
        data,
    )
    for name, theirs in zip(("fc1", "fc2"), numpy_sgd(data, 0.5), strict=True):
        layer = made.state[name]
        ours = layer.cells[0][0].weight + layer.accumulator.chi.T * layer.accumulator.epsilon
        assert ours == pytest.approx(theirs, abs=0.002)


class Spy:
    """Notes which verbs a network asks for."""

    def __init__(self, made: Chip) -> None:
        self.asked: list[tuple[str, ...]] = []
        for verb in ("receive", "multiply", "multiply_transposed", "compute", "accumulate", "apply", "maintain"):
            setattr(made, verb, self._noting(verb, getattr(made, verb)))

    def _noting(self, verb: str, original: Any) -> Any:
        def ask(*args: Any) -> Any:
            words = tuple(arg for arg in args if isinstance(arg, str))
            self.asked.append((verb, *words, args[-1].phase, args[-1].layer))
            return original(*args)

        return ask


def test_both_chips_are_asked_for_the_same_verbs_in_the_same_order() -> None:
    asked = []
    for name in CHIPS:
        made = chip(name)
        spy = Spy(made)
        train(made, samples(2))
        asked.append(spy.asked)
    assert asked[0] == asked[1]
    assert [verb for verb, *_ in asked[0][:15]] == [
        "receive", "multiply", "compute", "multiply", "compute", "compute", "multiply_transposed", "compute",
        "accumulate", "apply", "accumulate", "apply", "maintain", "maintain", "receive",
    ]  # fmt: skip


@pytest.mark.parametrize("name", CHIPS)
def test_evaluation_changes_no_training(name: str) -> None:
    data = samples(60)
    plain, tested = chip(name), chip(name)
    train(plain, data)
    for pair in data:
        train(tested, [pair])
        twin = tested.twin()
        twin.run(inference(twin, NETWORK, pair[0]))
        assert set(twin.ledger.time_ps) >= {"evaluation"}
    assert all((a == b).all() for a, b in zip(state(plain), state(tested), strict=True))
    assert plain.clock.now == tested.clock.now
    assert plain.ledger.rows() == tested.ledger.rows()


def test_tiles_that_share_a_bank_take_longer_and_compute_the_same() -> None:
    small = {"tile.rows": "5", "nonidealities.drift": "false"}
    own = train(chip("mixed-precision", **small), samples(40))
    shared = train(chip("mixed-precision", **small, **{"tile.adc.tiles_per_bank": "2"}), samples(40))
    assert all((a == b).all() for a, b in zip(state(own), state(shared), strict=True))
    assert shared.ledger.time_ps["forward"] > own.ledger.time_ps["forward"]
    assert shared.ledger.rows() == own.ledger.rows()


@cache
def settled(name: str) -> Chip:
    """Return a chip that was trained and settled, for whoever only reads its books."""
    made = train(chip(name), samples(120))
    made.settle()
    return made


@pytest.mark.parametrize("technology", list_technologies())
@pytest.mark.parametrize("name", shipped_names("architectures"))
def test_components_phases_and_total_agree_to_the_last_digits(name: str, technology: str) -> None:
    made = settled(name)
    inside = made.architecture.boundary.inside
    bill = price(made.ledger.rows(), made.entries(), read_technology(technology), inside)
    total = bill.total()
    assert total > 0
    for column in ("component", "phase", "layer", "function", "figure"):
        assert sum(bill.by(column).values()) == pytest.approx(total, rel=1e-12), column
    assert {line.function for line in bill.lines if not line.inside} == {"host link"}


def test_the_rate_of_an_update_is_complete() -> None:
    """The sum over vectors times the rate, in the weights themselves: nothing is divided again."""
    made: Any = chip("digital32")
    x, d = (Signal(np.full((4, size), value, np.float32)) for size, value in ((13, 0.5), (7, 1.0)))
    before = made.weights["fc1"].copy()
    made.run(made.accumulate("fc1", x, d, 0.25, Tag("update", "fc1")))
    np.testing.assert_allclose(made.weights["fc1"] - before, 4 * 0.5 * 0.25, rtol=1e-5)


def test_what_does_not_fit_says_demand_bound_gap_and_the_way_out() -> None:
    with pytest.raises(DoesNotFitError) as caught:
        chip("mixed-precision", **{"tile.rows": "5", "tile.columns": "3", "tile.count": "4"})
    text = str(caught.value)
    assert "needs 11 tiles of 5x3 (fc1 13x7: 9, fc2 8x3: 2), the chip has 4: 7 short" in text
    assert "--set tile.count=11" in text
    chip("mixed-precision", **{"tile.rows": "5", "tile.columns": "3", "tile.count": "11"})


@pytest.mark.parametrize(("lines", "most"), [(1, 1), (785, 256), (256, 256), (257, 256), (7, 3)])
def test_bands_cover_every_line_once_and_are_about_equal(lines: int, most: int) -> None:
    found = bands(lines, most)
    assert [i for band in found for i in range(band.start, band.stop)] == list(range(lines))
    sizes = [band.size for band in found]
    assert max(sizes) <= most
    assert max(sizes) - min(sizes) <= 1
    assert len(found) == -(-lines // most)
    assert place({"a": (lines, 1)}, rows=most, columns=1)["a"].tiles == len(found)


@pytest.mark.parametrize("eager", [True, False])
@pytest.mark.parametrize(
    ("name", "unit", "method"),
    [
        ("mixed-precision", "archsim.analog.cells.Cells", "multiply"),
        ("mixed-precision", "archsim.learning.chi.accumulate.Accumulator", "accumulate"),
        ("mixed-precision", "archsim.analog.paired.PairedCells", "set_pulses"),
        ("in-array", "archsim.analog.cells.Cells", "multiply_transposed"),
        ("in-array", "archsim.analog.single.SingleCells", "pulse"),
        ("digital32", "archsim.hardware.mac_array.MacArray", "hold_ps"),
    ],
)
def test_a_step_that_fails_half_way_leaves_nothing_held_and_the_chip_can_go_on(
    name: str, unit: str, method: str, eager: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = chip(name, eager=eager, **{"tile.rows": "5", "tile.columns": "3"} if name != "digital32" else {})

    def broken(*_: object, **__: object) -> None:
        raise ModelError("broken")

    with monkeypatch.context() as patch:
        patch.setattr(f"{unit}.{method}", broken)
        with pytest.raises(ModelError, match="broken"):
            train(made, samples(40), rate=5)
    assert [slot.state for slot in made.slots() if slot.state] == []
    train(made, samples(2))
    assert made.clock.passes(1) == eager


def test_a_deadlock_says_who_is_held_and_what_waits() -> None:
    made = chip("digital32")
    made.bus.slot.take()
    with pytest.raises(ModelError, match=r"deadlock at \d+ ps: bus is held, 1 waiting"):
        made.run(made.multiply("fc1", Signal(np.ones((1, 13), np.float32)), Tag("forward", "fc1")))


def test_what_is_left_held_after_a_run_is_an_error() -> None:
    made = chip("digital32")

    def forgetful() -> Any:
        made.bus.slot.take()
        yield from ()

    with pytest.raises(ModelError, match="not at rest after a run, at 0 ps: bus is held"):
        made.run(forgetful())


def test_a_full_log_brings_the_refresh_forward() -> None:
    often = train(chip("mixed-precision", **{"programmer.log_words": "2"}), samples(30))
    seldom = train(chip("mixed-precision"), samples(30))
    looked_up = [
        sum(r.amount for r in made.ledger.rows() if (r.phase, r.action) == ("refresh", "log.read"))
        for made in (often, seldom)
    ]
    assert looked_up[0] > 0 == looked_up[1]

"""Update rules in arrays against references in plain NumPy, written from the formulas, on a device without any flaw."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from exact_kit import COLUMNS, DW, RATE, ROWS, coincidences, driven, operands, started, whole

from archsim.base.arrays import F32, F64
from archsim.base.streams import Streams
from archsim.learning.trains.sending import Part

# --- References: floating point, loops, nothing of the package ---------------------------------------------------------


def stochastic_descent(start: np.ndarray, data: list[tuple[np.ndarray, np.ndarray]], longest: int) -> np.ndarray:
    rng, w = Streams(7).generator("update/fc1"), start.astype(float)
    for x, d in data:
        w += DW * coincidences(x, d, RATE * abs(x).max() * abs(d).max() / DW, longest, rng)
    return w


def tiki_taka(
    start: np.ndarray, data: list[tuple[np.ndarray, np.ndarray]], *, rule: str, longest: int, every: int, gamma: float,
    keep: float, forgets: bool, flip: float = 0.0, period: int = 1, tail: float = 5.0,
) -> dict[str, np.ndarray]:  # fmt: skip
    """Return W, A and H after Tiki-Taka v2, c-TTv2 or AGAD as rules of the papers and the toolkit have them."""
    rng, choice = Streams(7).generator("update/fc1"), Streams(7).generator("chopper/fc1")
    w, a, h = start.astype(float), np.zeros((ROWS, COLUMNS)), np.zeros((ROWS, COLUMNS))
    past, reference, sign = np.zeros((ROWS, COLUMNS)), np.zeros((ROWS, COLUMNS)), np.ones(ROWS)
    reads, mu_x, mu_d, line = np.zeros(ROWS, int), 0.0, 0.0, 0
    for step, (x, d) in enumerate(data, 1):
        mu_x, mu_d = (
            value if mu == 0 else 0.99 * mu + 0.01 * value if value > 0 else mu
            for mu, value in ((mu_x, abs(x).max()), (mu_d, abs(d).max()))
        )
        fast = longest * DW / (mu_x * mu_d) if mu_x * mu_d else 0.0
        a += DW * coincidences(x * sign, d, fast * abs(x).max() * abs(d).max() / DW, longest, rng)
        if step % every:
            continue
        i, line = line, (line + 1) % ROWS
        scale = RATE * every * ROWS / (gamma * DW * fast)
        h[i] += scale * sign[i] * (a[i] - reference[i])
        n = np.clip(np.trunc(h[i]), -longest, longest)
        w[i] += DW * n
        for j in range(COLUMNS):
            if n[j]:
                h[i, j] = keep * h[i, j] if forgets else h[i, j] - (1 - keep) * n[j]
        if rule == "chopped" and choice.random() < flip:
            sign[i] = -sign[i]
        if rule == "dynamic":
            b = min(1.0, tail / period)
            past[i] = (1 - b) * past[i] + b * a[i]
            reads[i] += 1
            if reads[i] % period == 0:
                sign[i], reference[i] = -sign[i], past[i]
    return {"w": w, "a": a, "h": h, "sign": sign, "reference": reference}


# --- The chip equals them ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("longest", [31, 3])
def test_trains_on_an_exact_device_are_the_formulas_trains(tmp_path: Path, longest: int) -> None:
    """300 vectors, four tiles; of 3 slots most trains are clipped. A pulse is 0.002, the sum of float32 within 1e-4."""
    made, data = started(tmp_path, "in-array-sgd", **{"update.trains.length": str(longest)}), operands(300)
    before = whole(made.state["fc1"].cells)
    driven(made, data)
    assert len(made.cells()) == 4
    after = whole(made.state["fc1"].cells)
    assert after == pytest.approx(stochastic_descent(before, data, longest), abs=1e-4)
    assert abs(after - before).max() > 20 * DW


def test_the_mean_of_many_trains_is_plain_descent(tmp_path: Path) -> None:
    """4,000 times the same vector: each weight's sum of coincidences within five standard errors of rate x d/dw."""
    (x, d), n = operands(1)[0], 4000
    trains = started(tmp_path, "in-array-sgd").state["fc1"].rule
    x_max, d_max = abs(x).max(), abs(d).max()
    k = RATE * x_max * d_max / DW
    total = np.zeros(ROWS * COLUMNS)
    part = sent(trains, x / x_max, d / d_max, np.full(n, k))
    for vector in range(n):
        index, pulses = part.met(vector)
        total[index] += pulses
    asked = RATE * np.outer(x, d).reshape(-1) / DW
    assert abs(asked).max() > 0.3
    assert total / n == pytest.approx(asked, abs=5 * math.sqrt(abs(asked).max() / n))


def sent(trains: Any, x: F32, d: F32, k: F64) -> Part:
    """Send the same vector as often as k has elements."""
    x, d = (np.repeat(each[None], k.size, 0) for each in (x, d))
    return trains.send(x, d, k).to(slice(0, x.shape[1]), slice(0, d.shape[1]))


def test_fixed_trains_have_all_slots_and_the_rates_of_their_formula(tmp_path: Path) -> None:
    """A = B = sqrt(rate/(dw L)): of 2,000 sendings, the mean pulses of each line within five standard errors."""
    fixed = {"update.trains.managed": "false", "update.trains.length": "10"}
    trains, (x, d) = started(tmp_path, "in-array-sgd", **fixed).state["fc1"].rule, operands(1)[0]
    part = sent(trains, x, d, np.full(2000, RATE / DW))
    assert set(part.sent.slots.tolist()) == {10}
    gain, on = math.sqrt(RATE / (DW * 10)), [part.on(vector) for vector in range(2000)]
    for side, values in enumerate((x, d)):
        p = np.minimum(gain * abs(values), 1)
        mean = np.mean([each[side] for each in on], axis=0)
        assert mean == pytest.approx(10 * p, abs=5 * math.sqrt(10 / 4 / 2000))


RULES = {
    "tiki-taka": {"rule": "buffered"},
    "chopped-tiki-taka": {"rule": "chopped", "flip": 0.3},
    "agad": {"rule": "dynamic", "period": 11, "tail": 3.0},
}


@pytest.mark.parametrize("forgets", [True, False])
@pytest.mark.parametrize("name", RULES)
def test_a_transfer_rule_on_an_exact_device_is_its_formulas(tmp_path: Path, name: str, forgets: bool) -> None:
    """400 vectors, a line read after every second: weights, fast array, buffer, signs and references are the reference's.

    The fast array's float32 and the buffer's may put a number of pulses on the other side of a whole number: of 24
    weights one may be off by a pulse.
    """
    own = {key: str(value) for key, value in RULES[name].items() if key != "rule"}
    made = started(
        tmp_path, name, **{f"transfer.{key}": value for key, value in own.items()},
        **{"transfer.every": "2", "transfer.gamma": "30", "transfer.forgets": str(forgets).lower(), "transfer.keep": "0.2",
           "transfer.reference_error": "0", "update.trains.length": "5"},
    )  # fmt: skip
    data = operands(400)
    before = whole(made.state["fc1"].cells)
    driven(made, data)
    theirs = tiki_taka(before, data, longest=5, every=2, gamma=30, keep=0.2, forgets=forgets, **RULES[name])  # type: ignore[arg-type]
    layer = made.state["fc1"]
    assert whole(layer.fast.cells) == pytest.approx(theirs["a"], abs=1e-4)
    assert abs(theirs["a"]).max() > 20 * DW
    off = np.rint(abs(whole(layer.cells) - theirs["w"]) / DW)
    assert off.sum() <= 1
    assert abs(theirs["w"] - before).max() > 20 * DW
    if off.sum() == 0:
        assert layer.fast.rule.buffer == pytest.approx(theirs["h"], rel=1e-3, abs=0.1)
    if name != "tiki-taka":
        assert layer.fast.rule.choppers.tolist() == theirs["sign"].tolist()
        assert -1 in theirs["sign"]
    if name == "agad":
        assert layer.fast.rule.reference == pytest.approx(theirs["reference"], abs=1e-4)


# --- What passes the bus ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "arrays"), [("in-array-sgd", 0), ("agad", 1), ("tiki-taka", 2)])
def test_the_bus_takes_operands_to_every_tile_of_every_array_and_brings_back_the_codes_of_a_line(
    tmp_path: Path, name: str, arrays: int
) -> None:
    """Two by two tiles: each input goes to both bands of columns, each error to both of rows, in 8 bits; a line that is
    read, of the fast array and of its reference, comes back from both tiles of its band, a code a column."""
    every = {"transfer.every": "1"} if arrays else {}
    made = started(tmp_path, name, **every)
    driven(made, operands(1))
    sent = sum(row.amount for row in made.ledger.rows() if (row.component, row.action) == ("bus", "transfer"))
    assert sent == (2 * ROWS + 2 * COLUMNS) * 8 + arrays * COLUMNS * made.architecture.tile.adc.bits
    assert made.tile_counts() == {"fc1": 4 * (1 + arrays)}

from __future__ import annotations

import numpy as np
import pytest
from hardware_kit import TAG, counted, elapsed, vectors

from archsim.accounting.ledger import Ledger
from archsim.base.errors import InputError
from archsim.hardware.clock import Clock
from archsim.hardware.mac_array import MacArray
from archsim.hardware.sram import Sram
from archsim.runs.run import train_all
from archsim.runs.spec import resolve

CYCLE, ACCESS = 1009, 2003


def mac_array(clock: Clock, ledger: Ledger, together: int, banks: int = 1) -> MacArray:
    return MacArray(
        clock, ledger, lanes=4, cycle_ps=CYCLE, weights=Sram(65536 * banks, 32 * together, banks, ACCESS),
        operands=Sram(65536, 32, 1, ACCESS), skip_zero_inputs=False,
    )  # fmt: skip


@pytest.mark.parametrize(("together", "accesses"), [(1, 15), (2, 8), (4, 4)])
def test_an_access_brings_as_many_weights_as_the_word_holds(together: int, accesses: int) -> None:
    clock, ledger = Clock(), Ledger()
    unit = mac_array(clock, ledger, together)
    weight = np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32)
    x = vectors(1, 3)
    y, ps = elapsed(clock, unit.multiply(weight, x, TAG))
    np.testing.assert_allclose(y, x @ weight, rtol=1e-5)
    assert counted(ledger, "mac_array")["weights.read"] == accesses  # the last word is part full
    assert counted(ledger, "mac_array")["multiply"] == 15
    assert ps == max(4 * CYCLE, accesses * ACCESS)


@pytest.mark.parametrize(("together", "accesses"), [(1, 15), (2, 8), (4, 4)])
def test_an_update_writes_whole_words_back(together: int, accesses: int) -> None:
    clock, ledger = Clock(), Ledger()
    unit = mac_array(clock, ledger, together, banks=2)
    _, ps = elapsed(clock, unit.add_outer(np.zeros((3, 5), np.float32), vectors(1, 3), vectors(1, 5), TAG))
    found = counted(ledger, "mac_array")
    assert (found["weights.read"], found["weights.write"]) == (accesses, accesses)
    assert ps == max(4 * CYCLE, -(-2 * accesses // 2) * ACCESS)


def test_a_wide_word_learns_the_same_bits_in_a_memory_of_the_same_size_and_price_a_weight() -> None:
    options = {"archs": ("digital32",), "techs": ("bottom-up-14nm",), "steps": 20}
    narrow, wide = (
        train_all(resolve("mlp-mnist", settings=(f"mac_array.weights_per_access={n}",), **options))[0] for n in (1, 4)
    )
    assert wide.test == narrow.test
    reads = [
        sum(row.amount for row in one.rows if row.action == "weights.read" and row.phase == "update")
        for one in (narrow, wide)
    ]
    assert reads == [20 * (785 * 250 + 251 * 10), 20 * (-(-785 * 250 // 4) + -(-251 * 10 // 4))]
    sizes = [
        next(entry.sizes for entry in one.entries if entry.key == "mac_array.weights.read") for one in (narrow, wide)
    ]
    assert sizes[0]["capacity_bit"] == sizes[1]["capacity_bit"]
    assert (sizes[0]["word_bit"], sizes[1]["word_bit"]) == (32, 128)
    assert wide.time_ps["update"] < narrow.time_ps["update"]


def test_a_word_beyond_the_law_is_refused_before_training() -> None:
    spec = resolve("mlp-mnist", archs=("digital32",), steps=1, settings=("mac_array.weights_per_access=8",))
    with pytest.raises(InputError, match="word_bit from 8 to 128"):
        train_all(spec)

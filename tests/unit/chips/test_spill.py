"""What does not fit the signal buffer goes below and comes back: nothing is read that is not there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from network_kit import Times, chain, conv, dense

from archsim.base import registry
from archsim.base.streams import Streams
from archsim.chips import architecture as architectures
from archsim.chips.chip import Chip
from archsim.chips.execute import execute, training_step
from archsim.chips.fitting.spill import spilled
from archsim.networks.network import Network
from archsim.networks.program import Call, Moved, Program, homes

NETWORK = chain(
    [8, 8, 1], conv("conv1", 4, 3, "relu", padding=1), {"name": "pool", "kind": "max-pool", "window": 2},
    conv("conv2", 6, 3, "relu"), {"name": "flat", "kind": "flatten"}, dense("fc1", 20, "relu"),
    dense("fc2", 5, "softmax"), std=0.1, loss="cross-entropy",
)  # fmt: skip
PROGRAM = NETWORK.training[0]
MOST = PROGRAM.words_alive()


def moves(program: Program, verb: str) -> list[Moved]:
    """Return what a program writes below, or reads back."""
    return [call.target for call in program.calls if call.verb == verb and isinstance(call.target, Moved)]


def test_a_buffer_that_holds_all_leaves_the_program_as_it_is() -> None:
    assert spilled(PROGRAM, MOST) is PROGRAM
    assert spilled(PROGRAM, MOST - 1) is not PROGRAM


@given(words=st.integers(1, MOST))
@settings(max_examples=60)
def test_the_other_calls_stay_as_they_are_and_what_comes_back_was_written(words: int) -> None:
    found = spilled(PROGRAM, words)
    others: list[Call] = [call for call in found.calls if not isinstance(call.target, Moved)]
    assert others == PROGRAM.calls
    written: set[str] = set()
    for call in found.calls:
        if isinstance(call.target, Moved):
            assert call.verb == "spill" or call.target.name in written
            written.add(call.target.name)
    assert len(moves(found, "spill")) == len(written)  # each once: what is below never changes


@given(words=st.integers(1, MOST))
@settings(max_examples=60)
def test_what_a_call_touches_is_in_the_buffer_or_has_just_come(words: int) -> None:
    found = spilled(PROGRAM, words)
    lies = homes(PROGRAM)
    outside = {number for call in PROGRAM.calls if call.verb == "receive" for number in call.inputs}
    names = {tensor.name: number for number, tensor in enumerate(PROGRAM.tensors)}
    here = {number for _, number in PROGRAM.feeds if number not in outside}
    for call in found.calls:
        if isinstance(call.target, Moved):
            here.add(names[call.target.name])  # whatever leaves is touched for the last time
            continue
        needs = {home for number in call.inputs for home in lies[number]} - outside
        if call.free is None:
            assert needs <= here
        if call.output >= 0:
            here |= {call.output}


def test_less_room_moves_more() -> None:
    moved = [
        sum(each.words for verb in ("spill", "fill") for each in moves(spilled(PROGRAM, MOST * part), verb))
        for part in (1.0, 0.7, 0.4, 0.1)
    ]
    assert moved == sorted(moved)
    assert moved[0] == 0 < moved[1]


def chip(words: int, network: Network, name: str, **dram: str) -> Chip:
    """Return a chip with a buffer of so many words, and memory below it if that is named."""
    told: Any = {("digital_unit", "buffer_words"): str(words), **{("dram", key): value for key, value in dram.items()}}
    document = architectures.document(name)
    document.data.setdefault("dram", None)
    parsed = architectures.parse(
        document.with_settings({("dram",): "{kind: hbm2e, pins: 64}", **told} if dram else told)
    )
    made: Chip = registry.load("chip", parsed.chip).start(parsed, network, Times(), Streams(3), samples=2)
    return made


@pytest.mark.parametrize("name", ["digital32-deep", "mixed-precision-deep"])
def test_spilling_changes_time_and_traffic_and_no_number(name: str) -> None:
    feeds = {
        "x": np.random.default_rng(1).random((2, 64), np.float32),
        "target": np.eye(5, dtype=np.float32)[[1, 3]],
    }
    outputs, times, ledgers = [], [], []
    for words in (1_000_000, 600):
        made = chip(words, NETWORK, name, kind="hbm2e", pins="64")
        made.run(training_step(made, NETWORK, feeds, 0.1))
        outputs.append({key: array.copy() for key, array in made.arrays().items()})
        times.append(made.clock.now)
        ledgers.append(made.ledger)
    for key, array in outputs[0].items():
        if "programmed" not in key and "renewed" not in key and "cache" not in key:  # written later, by the clock
            assert np.array_equal(array, outputs[1][key]), key
    bits = [sum(row.amount for row in ledger.rows() if row.component == "dram") for ledger in ledgers]
    assert bits[0] == 0
    moved = sum(each.words for verb in ("spill", "fill") for each in moves(spilled(PROGRAM, 300), verb))
    assert bits[1] == 2 * 32 * moved
    assert times[1] > times[0]


# --- moves beside computation -----------------------------------------------------------------------------------------
@given(words=st.integers(1, MOST - 1))
@settings(max_examples=60)
def test_moves_that_overlap_are_the_same_ones_and_the_buffer_holds_what_lies_in_it(words: int) -> None:
    apart, beside = spilled(PROGRAM, words), spilled(PROGRAM, words, overlap=True)

    def told(program: Program) -> list[tuple[str, str, int]]:
        return sorted((call.verb, call.target.name, call.target.words) for call in program.calls
                      if isinstance(call.target, Moved))  # fmt: skip

    assert told(apart) == told(beside)
    assert [call for call in beside.calls if not isinstance(call.target, Moved)] == PROGRAM.calls
    written: set[str] = set()
    for call in beside.calls:
        if isinstance(call.target, Moved):
            assert call.verb == "spill" or call.target.name in written
            written.add(call.target.name)


@given(words=st.integers(60, MOST - 1))
@settings(max_examples=60)
def test_what_comes_ahead_lies_beside_what_a_call_touches(words: int) -> None:
    """Followed call by call: what a call touches, and what has come for the next one, fit the buffer together."""
    found, lies = spilled(PROGRAM, words, overlap=True), homes(PROGRAM)
    names = {tensor.name: number for number, tensor in enumerate(PROGRAM.tensors)}
    outside = {number for call in PROGRAM.calls if call.verb == "receive" for number in call.inputs}
    kept = {number for _, number in PROGRAM.parameters} | outside
    ahead: set[int] = set()
    for call in found.calls:
        if isinstance(call.target, Moved):
            ahead |= {names[call.target.name]} if call.beside and call.verb == "fill" else set()
            continue
        if call.free is not None:
            continue
        touched = {home for number in call.inputs for home in lies[number]} - kept
        touched |= {call.output} if lies.get(call.output) == {call.output} else set()
        size = sum(PROGRAM.tensors[home].words for home in touched)
        if size <= words:
            assert sum(PROGRAM.tensors[home].words for home in touched | ahead) <= words
        ahead = set()


class Watched:
    """A chip's verbs, which note how long each call takes."""

    def __init__(self, made: Chip) -> None:
        self.made, self.took = made, list[int]()

    def __getattr__(self, verb: str) -> Any:
        def ask(*told: Any) -> Any:
            begin = self.made.clock.now
            found = yield from getattr(self.made, verb)(*told)
            self.took.append(self.made.clock.now - begin)
            return found

        return ask


@pytest.mark.parametrize("name", ["digital32-deep", "mixed-precision-deep"])
def test_a_step_whose_moves_overlap_takes_the_longer_of_a_call_and_what_moves_beside_it(name: str) -> None:
    """To the picosecond, from calls that were timed one after the other."""
    feeds = {"x": np.random.default_rng(1).random((2, 64), np.float32), "target": np.eye(5, dtype=np.float32)[[1, 3]]}
    words = 700
    apart = chip(words, NETWORK, name, pins="1")
    watched = Watched(apart)
    apart.run(execute(apart, PROGRAM, feeds, rate=0.1, through=watched))
    calls = [call for call in spilled(PROGRAM, words / 2).calls if call.free is None]
    took = [ps for call, ps in zip(calls, watched.took, strict=True) if not isinstance(call.target, Moved)]
    assert sum(watched.took) == apart.clock.now
    dram = apart.beyond.dram
    assert dram is not None
    expected = moving = 0
    for call in spilled(PROGRAM, words / 2, overlap=True).calls:
        if isinstance(call.target, Moved):
            alone = dram.move_ps(call.target.words * 2 * 32)
            moving, expected = (moving + alone, expected) if call.beside else (moving, expected + alone)
        elif call.free is None:
            expected, moving = expected + max(took.pop(0), moving), 0
    beside = chip(words, NETWORK, name, pins="1", overlap="true")
    beside.run(execute(beside, PROGRAM, feeds, rate=0.1))
    assert beside.clock.now == expected < apart.clock.now
    for key, array in apart.arrays().items():
        if "programmed" not in key and "renewed" not in key and "cache" not in key:
            assert np.array_equal(array, beside.arrays()[key]), key

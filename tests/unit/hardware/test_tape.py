"""Work ahead of its time: the clock stands still, and parts of its time add up to the whole when they are played."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.base.errors import ModelError
from archsim.hardware.clock import Clock, Slot
from archsim.hardware.room import Room
from archsim.hardware.tape import WHOLE, Hold, Part, play, taped


def work(clock: Clock, outer: Slot, inner: Slot) -> Any:
    """Hold 30 ps of which 6 pass once, then 8 in another slot, then two strands of 10 and 4."""
    if not outer.take():
        yield from outer.wait()
    try:
        yield clock.pause(30, 6)
        yield from inner.during(passing(clock, 8))
    finally:
        outer.give()
    yield from clock.together([passing(clock, 10), passing(clock, 4)])
    return "done"


def passing(clock: Clock, ps: int) -> Any:
    if not clock.passes(ps):
        yield clock.timeout(ps)


def test_what_is_taped_takes_no_time_no_slot_and_no_event() -> None:
    clock = Clock(5)
    outer, inner = Slot(clock, "outer"), Slot(clock, "inner")
    outer.take()  # by somebody else: the tape does not wait for it
    result, tape = taped(clock, work(clock, outer, inner))
    assert (result, clock.now, clock.events, outer.taken, inner.taken) == ("done", 5, 0, True, False)
    assert tape.nodes
    assert clock.tape is None
    assert clock.eager


def test_a_tape_that_is_played_takes_what_the_work_would_have_taken() -> None:
    for eager in (True, False):
        clock = Clock(eager=eager)
        outer, inner = Slot(clock, "outer"), Slot(clock, "inner")
        _, tape = taped(clock, work(clock, outer, inner))
        clock.process(play(clock, tape.nodes, WHOLE))
        clock.run()
        assert clock.now == 30 + 8 + 10


def test_a_part_takes_its_share_and_all_that_passes_once() -> None:
    clock = Clock()
    outer, inner = Slot(clock, "outer"), Slot(clock, "inner")
    _, tape = taped(clock, work(clock, outer, inner))
    clock.process(play(clock, tape.nodes, Part(0, 1, 2)))
    clock.run()
    assert clock.now == (6 + 12) + 4 + 5


def test_parts_contend_for_the_slots_of_the_tape() -> None:
    clock = Clock()
    outer, inner = Slot(clock, "outer"), Slot(clock, "inner")
    _, tape = taped(clock, work(clock, outer, inner))
    for part in (Part(0, 1, 2), Part(1, 2, 2)):
        clock.process(play(clock, tape.nodes, part))
    clock.run()
    assert clock.now == 2 * (6 + 12 + 4) + 5


@settings(deadline=None, derandomize=True)
@given(st.integers(0, 10**9), st.integers(1, 40), st.integers(1, 9), st.data())
def test_parts_of_a_time_add_up_to_it(ps: int, whole: int, burst: int, data: Any) -> None:
    once = data.draw(st.integers(0, ps))
    parts = [Part(k, min(k + burst, whole), whole) for k in range(0, whole, burst)]
    assert sum(part.of(Hold(ps, once)) for part in parts) == ps + (len(parts) - 1) * once
    assert sum(part.share for part in parts) == pytest.approx(1)


def test_work_that_waits_for_anything_but_time_and_slots_is_refused_ahead_of_its_time() -> None:
    clock = Clock()

    def waits() -> Any:
        yield clock.event()

    with pytest.raises(ModelError, match="ahead of its time waits for"):
        taped(clock, waits())
    assert clock.tape is None


def test_slots_are_given_back_in_the_reverse_order_ahead_of_their_time() -> None:
    clock = Clock()
    first, second = Slot(clock, "first"), Slot(clock, "second")

    def crossed() -> Any:
        first.take()
        second.take()
        first.give()
        yield from ()

    with pytest.raises(ModelError, match="first: given back"):
        taped(clock, crossed())


# --- room -------------------------------------------------------------------------------------------------------------
def test_words_are_granted_first_come_first_served() -> None:
    clock = Clock()
    room = Room(clock, 10)
    got: list[tuple[str, int]] = []

    def user(name: str, words: int, ps: int) -> Any:
        if (granted := room.ask(words)) is not None:
            yield granted
        got.append((name, clock.now))
        yield clock.timeout(ps)
        room.give(words)

    for name, words, ps in (("a", 6, 5), ("b", 6, 5), ("c", 1, 1)):  # c has room at once, but b is ahead of it
        clock.process(user(name, words, ps))
    clock.run()
    assert got == [("a", 0), ("b", 5), ("c", 5)]
    assert (room.free, room.least, room.state) == (10, 3, None)


def test_more_words_than_there_are_in_all_are_refused_at_once() -> None:
    clock = Clock()
    with pytest.raises(ModelError, match="11 words are asked of a room of 10"):
        Room(clock, 10).ask(11)


def test_a_room_says_what_is_taken_and_who_waits() -> None:
    clock = Clock()
    room = Room(clock, 10)
    assert room.ask(7) is None
    assert room.ask(7) is not None
    assert room.state == "7 of 10 words are taken, 1 waiting for some"

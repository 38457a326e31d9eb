"""The clock moves itself only where nobody can notice; slots serve first come, first served."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest
import simpy
from hardware_kit import elapsed
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.base.errors import ModelError
from archsim.hardware.clock import Clock, Slot

Program = list[Any]
Trace = list[tuple[str, int]]
SLOTS = 3

holds = st.tuples(st.just("hold"), st.integers(0, 40))
uses = st.tuples(st.just("use"), st.integers(0, SLOTS - 1), st.integers(0, 40))
flat = st.lists(holds | uses, max_size=6)
programs = st.recursive(
    flat,
    lambda inner: st.lists(
        holds | uses | st.tuples(st.just("fork"), st.lists(inner, min_size=1, max_size=3)), max_size=5
    ),
    max_leaves=8,
)
exact = settings(max_examples=80, deadline=None, derandomize=True)


def hold(clock: Clock, ps: int) -> Generator[Any, Any, None]:
    if not clock.passes(ps):
        yield clock.timeout(ps)


def play(clock: Clock, slots: list[Slot], program: Program, name: str, trace: Trace, *, native: bool = False) -> Any:
    """Do a program, noting when each of its parts is done; `native` forks with SimPy's own processes."""
    for index, (kind, *values) in enumerate(program):
        if kind == "hold":
            yield from hold(clock, values[0])
        elif kind == "use":
            slot = slots[values[0]]
            yield from slot.during(hold(clock, values[1]))
        else:
            work = [play(clock, slots, part, f"{name}/{index}.{k}", trace) for k, part in enumerate(values[0])]
            if native:
                yield clock.all_of([clock.process(each) for each in work])
            else:
                yield from clock.together(work)
        trace.append((f"{name}/{index}", clock.now))
    return name


def schedule(roots: list[Program], *, eager: bool, native: bool = False) -> tuple[Trace, int, int, int]:
    """Return the trace, the end, the waiting times, and the number of events of some processes."""
    clock = Clock(eager=eager)
    slots = [Slot(clock, f"slot {k}") for k in range(SLOTS)]
    trace: Trace = []
    for k, program in enumerate(roots):
        clock.process(play(clock, slots, program, str(k), trace, native=native))
    clock.run()
    assert not [slot.state for slot in slots if slot.state]
    return trace, clock.now, sum(slot.waited_ps for slot in slots), clock.events


@exact
@given(st.lists(programs, min_size=1, max_size=4))
def test_a_clock_that_moves_itself_keeps_the_schedule_to_the_picosecond(roots: list[Program]) -> None:
    lazy, eager = schedule(roots, eager=False), schedule(roots, eager=True)
    assert eager[:3] == lazy[:3]
    assert eager[3] <= lazy[3]


@exact
@given(st.lists(flat, min_size=1, max_size=4), st.integers(0, 30), st.lists(flat, min_size=1, max_size=4))
def test_together_is_simpys_all_of_of_processes(first: list[Program], pause: int, second: list[Program]) -> None:
    root = [[("fork", first), ("hold", pause), ("fork", second)]]
    assert schedule(root, eager=False)[:3] == schedule(root, eager=False, native=True)[:3]


no_slots = st.recursive(
    st.lists(holds, max_size=3),
    lambda inner: st.lists(holds | st.tuples(st.just("fork"), st.lists(inner, min_size=1, max_size=3)), max_size=3),
    max_leaves=8,
)


@exact
@given(no_slots)
def test_nested_forks_take_the_time_of_their_longest_branch(program: Program) -> None:
    def longest(parts: Program) -> int:
        return sum(part[1] if part[0] == "hold" else max(longest(each) for each in part[1]) for part in parts)

    for eager in (True, False):
        assert schedule([program], eager=eager)[1] == longest(program)


def test_together_returns_results_in_the_order_of_the_work_not_of_its_end() -> None:
    clock = Clock()

    def strand(ps: int) -> Any:
        yield clock.timeout(ps)
        return ps

    assert elapsed(clock, clock.together([strand(30), strand(10), strand(20)])) == ([30, 10, 20], 30)


def test_together_ends_at_once_if_no_strand_waits() -> None:
    clock = Clock()

    def strand(value: str) -> Any:
        yield from ()
        return value

    assert elapsed(clock, clock.together([strand("a"), strand("b")])) == (["a", "b"], 0)


def test_a_lone_process_makes_no_event_of_a_hold() -> None:
    clock = Clock()
    _, ps = elapsed(clock, play(clock, [], [("hold", 7)] * 1000, "0", []))
    assert ps == 7000
    assert clock.holds == 1000
    assert clock.events == 2  # the process begins and ends


def test_a_clock_that_is_not_eager_makes_one_event_of_each_hold() -> None:
    clock = Clock(eager=False)
    elapsed(clock, play(clock, [], [("hold", 7)] * 1000, "0", []))
    assert clock.events == 2 + 1000


def test_the_clock_does_not_pass_an_event_that_is_due_before_or_at_the_same_time() -> None:
    clock = Clock()
    clock.timeout(10)
    assert not clock.passes(10)
    assert not clock.passes(11)
    assert clock.now == 0
    assert clock.passes(9)
    assert clock.now == 9


def test_the_clock_does_not_move_itself_beyond_the_end_of_a_run() -> None:
    clock = Clock()
    clock.process(play(clock, [], [("hold", 60)] * 3, "0", []))
    clock.run(until=100)
    assert clock.now == 100


@pytest.mark.parametrize("eager", [False, True])
def test_two_processes_woken_by_one_event_both_see_its_time(eager: bool) -> None:
    clock = Clock(eager=eager)
    bell = clock.event()
    seen = []

    def sleeper(ps: int) -> Any:
        yield bell
        seen.append(clock.now)
        yield from hold(clock, ps)

    clock.process(sleeper(5))
    clock.process(sleeper(5))
    bell.succeed()
    clock.run()
    assert seen == [0, 0]
    assert clock.now == 5


# --- slots ------------------------------------------------------------------------------------------------------------
@exact
@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 60)), min_size=1, max_size=12))
def test_a_slot_serves_in_the_order_of_arrival_without_a_pause(jobs: list[tuple[int, int]]) -> None:
    """Jobs (time after the one before, service): start = max(arrival, end of the one before), as a queue has it."""
    clock = Clock()
    slot = Slot(clock, "server")
    started: list[tuple[int, int]] = []

    def customer(number: int, arrival: int, service: int) -> Any:
        yield clock.timeout(arrival)
        if not slot.take():
            yield from slot.wait()
        started.append((number, clock.now))
        yield from hold(clock, service)
        slot.give()

    expected, arrival, free, waited = [], 0, 0, 0
    for number, (after, service) in enumerate(jobs):
        arrival += after
        begin = max(arrival, free)
        free, waited = begin + service, waited + begin - arrival
        expected.append((number, begin))
        clock.process(customer(number, arrival, service))
    clock.run()
    assert started == expected
    assert clock.now == max(free, arrival)
    assert slot.waited_ps == waited
    assert slot.state is None


def test_a_slot_given_back_goes_to_the_first_that_waits_and_to_nobody_else() -> None:
    clock = Clock()
    slot = Slot(clock, "server")
    assert slot.take()
    served: list[str] = []

    def customer(name: str) -> Any:
        yield from slot.wait()
        served.append(name)

    for name in ("first", "second"):
        clock.process(customer(name))
    clock.run()
    slot.give()
    assert not slot.take()  # nobody overtakes
    clock.run()
    assert served == ["first"]


def test_a_slot_given_back_without_having_been_taken_is_an_error() -> None:
    slot = Slot(Clock(), "tile 3")
    with pytest.raises(ModelError, match="tile 3: given back but not taken"):
        slot.give()


def test_a_slot_says_that_it_is_held_and_how_many_wait() -> None:
    slot = Slot(Clock(), "bus")
    assert slot.state is None
    slot.take()
    assert slot.state == "bus is held, 0 waiting"
    queue = [slot.wait(), slot.wait()]
    for waiting in queue:
        next(waiting)
    assert slot.state == "bus is held, 2 waiting"
    queue.pop().close()
    assert slot.state == "bus is held, 1 waiting"


@pytest.mark.parametrize("when", [5, 15])
def test_who_fails_while_it_waits_leaves_the_queue_and_who_fails_while_served_gives_back(when: int) -> None:
    """One process is interrupted in the queue or while it is served; the next is served as if it had never come."""
    clock = Clock()
    slot = Slot(clock, "bus")
    ends = []

    def work(ps: int) -> Any:
        yield clock.timeout(ps)

    def customer(ps: int) -> Any:
        yield from slot.during(work(ps))
        ends.append(clock.now)

    def stopped() -> Any:
        with pytest.raises(simpy.Interrupt):
            yield from slot.during(work(100))

    def breaker(victim: simpy.Process) -> Any:
        yield clock.timeout(when)
        victim.interrupt()

    clock.process(customer(10))
    victim = clock.process(stopped())
    clock.process(customer(20))
    clock.process(breaker(victim))
    clock.run()
    assert ends == [10, max(10, when) + 20]
    assert slot.state is None


def test_a_turn_that_nobody_takes_up_goes_to_the_next() -> None:
    """The server is given to a process that is stopped at that very picosecond, before it could go on."""
    clock = Clock()
    slot = Slot(clock, "bus")
    assert slot.take()
    waiting = slot.wait()
    next(waiting)
    slot.give()
    waiting.close()
    assert slot.state is None
    assert slot.take()


# --- failures ---------------------------------------------------------------------------------------------------------
class BrokenError(Exception):
    """What a strand of a test raises."""


@pytest.mark.parametrize("at", [0, 7])
def test_what_a_strand_raises_reaches_whoever_waits_for_it_and_leaves_nothing_taken(at: int) -> None:
    """At once or later; the other strand holds a slot meanwhile, and the clock can move itself again afterwards."""
    clock = Clock()
    slot = Slot(clock, "tile")

    def breaks() -> Any:
        if at:
            yield clock.timeout(at)
        raise BrokenError

    def parent() -> Any:
        with pytest.raises(BrokenError):
            yield from clock.together([slot.during(hold(clock, 20)), breaks()])
        return clock.now, slot.state, clock.passes(1)

    assert elapsed(clock, parent())[0] == (at, None, True)
    clock.run()
    assert clock.passes(1)


def test_a_failure_goes_up_through_nested_strands_as_it_is() -> None:
    clock = Clock()

    def breaks() -> Any:
        yield clock.timeout(3)
        raise BrokenError("as it is")

    def other(ps: int) -> Any:
        yield clock.timeout(ps)

    def nested() -> Any:
        yield from clock.together([breaks(), other(10)])

    with pytest.raises(BrokenError, match="as it is"):
        elapsed(clock, clock.together([nested(), other(20)]))
    clock.run()
    assert clock.passes(1)


def test_a_strand_gets_the_exception_of_an_event_that_failed_and_no_value() -> None:
    clock = Clock()
    event = clock.event()

    def waits() -> Any:
        try:
            yield event
        except BrokenError:
            return "raised"
        return "a value"

    def breaks() -> Any:
        yield clock.timeout(1)
        event.fail(BrokenError())

    assert elapsed(clock, clock.together([waits(), breaks()]))[0] == ["raised", None]

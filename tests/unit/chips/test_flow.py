"""Vectors that pass steps: the latency is their sum, the pace that of the slowest."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.base.verbs import Work
from archsim.chips.published.flow import Step, pass_through
from archsim.hardware.clock import Clock
from archsim.hardware.published.streaming import Emit


def taken(holds: list[int], vectors: int) -> int:
    clock = Clock()

    def step(ps: int) -> Step:
        def work(_: Emit) -> Work[None]:
            yield clock.timeout(ps)

        return Step(work)

    process = clock.process(pass_through(clock, [step(ps) for ps in holds], vectors))
    clock.run()
    assert process.processed, "deadlock"
    return clock.now


@settings(max_examples=80, deadline=None, derandomize=True)
@given(holds=st.lists(st.integers(0, 1000), min_size=1, max_size=6), vectors=st.integers(1, 30))
def test_a_vector_takes_the_sum_and_the_next_ones_the_slowest_step_each(holds: list[int], vectors: int) -> None:
    assert taken(holds, vectors) == sum(holds) + (vectors - 1) * max(holds)


@pytest.mark.parametrize(("early", "expected"), [(True, 130), (False, 200)])
def test_a_step_that_streams_begins_with_the_first_result(early: bool, expected: int) -> None:
    clock = Clock()

    def source(emit: Emit) -> Work[None]:
        yield clock.timeout(30)
        emit()
        yield clock.timeout(70)

    def sink(_: Emit) -> Work[None]:
        yield clock.timeout(100)

    process = clock.process(pass_through(clock, [Step(source), Step(sink, streams=early)], 1))
    clock.run()
    assert process.processed
    assert clock.now == expected


def test_a_step_that_never_says_when_its_first_result_is_out_holds_the_next_until_its_end() -> None:
    clock = Clock()

    def silent(_: Emit) -> Work[None]:
        yield clock.timeout(50)

    process = clock.process(pass_through(clock, [Step(silent), Step(silent, streams=True)], 3))
    clock.run()
    assert process.processed
    assert clock.now == 200

"""Vectors that pass units one after the other, each unit busy with one vector while the next has the one before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import simpy

from archsim.base.verbs import Work
from archsim.hardware.clock import Clock
from archsim.hardware.published.streaming import Emit

BUFFERS = 2
"""Vectors that may wait between two units, the one in work included: double buffers."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one unit does for one vector.

    Parameters
    ----------
    work : callable
        Returns the work for one vector; it may call what it is given once its first result is out.
    streams : bool
        Whether it may begin with the first result of the step before; else it waits for all of them.
    """

    work: Callable[[Emit], Work[None]]
    streams: bool = False


def pass_through(clock: Clock, steps: Sequence[Step], vectors: int) -> Work[None]:
    """Bring vectors through all steps, one behind the other, with double buffers between two steps."""
    ready = [simpy.Store(clock) for _ in steps]
    room = [simpy.Store(clock) for _ in steps]
    for store in room:
        for _ in range(BUFFERS):
            store.put(None)

    def run(number: int, step: Step) -> Work[None]:
        after = number + 1
        streaming = after < len(steps) and steps[after].streams
        for _ in range(vectors):
            told = False

            def tell() -> None:
                nonlocal told
                if not told and after < len(steps):
                    told = True
                    ready[after].put(None)

            if number:
                yield ready[number].get()
            if after < len(steps):
                yield room[number].get()
            yield from step.work(tell if streaming else _ignore)
            tell()
            if number:
                room[number - 1].put(None)

    yield clock.all_of([clock.process(run(number, step)) for number, step in enumerate(steps)])


def _ignore() -> None:
    """Leave the next unit waiting for all results."""

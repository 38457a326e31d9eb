"""What of a program each sample does by itself, what a batch does once, and what waits for what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate

from archsim.networks.program import Call, Moved, Program, homes

Gathers = Callable[[Call], bool]
"""Whether a call needs something of all samples of a batch, such as the largest of their elements."""


@dataclass(frozen=True, slots=True)
class Task:
    """A call that takes time.

    Parameters
    ----------
    position : int
        Of the call among those of the program.
    waits : tuple of int
        Positions of calls that have to be done for the whole batch before.
    names : tuple of str
        Matrices and parameters of which it takes what earlier batches wrote.
    """

    position: int
    waits: tuple[int, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Plan:
    """A program cut in tasks.

    Parameters
    ----------
    walk : tuple of Task
        What is done for every sample, in this order.
    sums : position of a task of the walk -> tasks that come free with it
        Outer products, which nothing else of the sample waits for.
    once : tuple of Task
        What is done once a batch.
    written : name -> position of the last task that writes it
    needs : tuple of int
        Words of one sample that are still needed, before each task of the walk and after the last.
    read : position of a sum -> tensors that it reads, by the words in which they lie
    words : tensor -> words
    late : positions of tasks of `once` that are done when the next batch has passed what they write forward
    """

    program: Program
    walk: tuple[Task, ...]
    sums: Mapping[int, tuple[Task, ...]]
    once: tuple[Task, ...]
    written: Mapping[str, int]
    needs: tuple[int, ...]
    read: Mapping[int, frozenset[int]]
    words: Mapping[int, int]
    late: frozenset[int] = frozenset()

    @cached_property
    def coupled(self) -> bool:
        """Whether a sample has to wait for the others of its batch on its way: then all are under way at once.

        Where something is late, the first waits on its way back for what the last has passed on its way forward.
        """
        return bool(self.late) or any(task.waits for tasks in (self.walk, *self.sums.values()) for task in tasks)

    def together(self, samples: int, burst: int) -> int:
        """Return how many samples of a batch are under way at once at least, in micro-bursts of so many."""
        return samples if self.coupled else min(burst, samples)

    @cached_property
    def by_each(self) -> frozenset[int]:
        """Positions of all that is done sample by sample."""
        return frozenset(task.position for tasks in (self.walk, *self.sums.values()) for task in tasks)


def plan(program: Program, *, gathers: Gathers, apart: bool, staleness: int = 0) -> Plan:
    """Cut a program.

    A function whose result is summed over the batch is done part by part; who reads the sum waits for all of them.

    Parameters
    ----------
    gathers : function of a call
    apart : bool
        Whether gradients are summed apart from the weights, which move with `apply` alone; if not, nothing is summed
        before the batch has read them for the last time.
    staleness : int
        Batches by which weights are older on the way forward.
    """
    found = _Planner(program, gathers, apart).plan()
    if not staleness:
        return found
    calls = program.calls
    late = (task.position for task in found.once if calls[task.position].verb in {"apply", "adjust", "maintain"})
    return replace(found, late=frozenset(late))


class _Planner:
    """Goes through a program once."""

    def __init__(self, program: Program, gathers: Gathers, apart: bool) -> None:
        self._program, self._calls, self._gathers, self._apart = program, program.calls, gathers, apart
        self._homes = homes(program)
        self._parameters = {number: name for name, number in program.parameters}
        self._makers = {call.output: k for k, call in enumerate(self._calls) if call.output >= 0}
        self._readers: dict[str, list[int]] = {}
        self._sums: dict[str, list[int]] = {}
        self._written: dict[str, int] = {}
        self._of_batch = self._batch_tensors()

    def plan(self) -> Plan:
        """Return the plan."""
        walk: list[Task] = []
        once: list[Task] = []
        sums: dict[int, list[Task]] = {}
        places: dict[int, int] = {}
        moved = 0
        for k, call in enumerate(self._calls):
            if call.free is not None:
                continue
            if call.verb == "accumulate":
                after = max([moved, *(places[maker] for maker in self._sources(call) if maker in places)])
                sums.setdefault(walk[after].position, []).append(Task(k, self._sum_waits(call), self._names(call)))
                self._sums.setdefault(str(call.target), []).append(k)
            elif self._once(call):
                once.append(Task(k, self._once_waits(call), self._names(call)))
                if call.verb != "compute":
                    self._written[str(call.target)] = k
            else:
                places[k] = len(walk)
                if isinstance(call.target, Moved):
                    moved = len(walk)  # it may bring what the sums after it read
                walk.append(Task(k, self._waits(call), self._names(call)))
            for name in self._names(call):
                self._readers.setdefault(name, []).append(k)
        lives = self._program.lives()
        return Plan(
            self._program, tuple(walk), {place: tuple(tasks) for place, tasks in sums.items()}, tuple(once),
            self._written, self._needs(walk), {k: self._read(k, lives) for ks in self._sums.values() for k in ks},
            {home: self._program.tensors[home].words for home in lives},
        )  # fmt: skip

    def _batch_tensors(self) -> set[int]:
        """Return the tensors that a batch has one of: sums over it, and what is computed from them alone."""
        found: set[int] = set()
        for call in self._calls:
            if call.output < 0 or isinstance(call.target, str | Moved):
                continue
            mine = [number for number in call.inputs if number not in self._parameters]
            if call.target.summed or (mine and found.issuperset(mine)):
                found.add(call.output)
        return found

    def _once(self, call: Call) -> bool:
        if call.verb in {"apply", "adjust", "maintain"}:
            return True
        mine = [number for number in call.inputs if number not in self._parameters]
        return call.verb == "compute" and bool(mine) and self._of_batch.issuperset(mine)

    def _sources(self, call: Call, *, of_batch: bool | None = None) -> list[int]:
        """Return the calls that made what a call reads; only of what a batch has one of, or each sample, if said so."""
        found: dict[int, None] = {}
        for number in call.inputs:
            for home in sorted(self._homes[number]):
                if home in self._makers and of_batch in {None, home in self._of_batch}:
                    found[self._makers[home]] = None
        return list(found)

    def _names(self, call: Call) -> tuple[str, ...]:
        """Return the matrices and parameters that a call takes as it finds them."""
        own = [call.target] if isinstance(call.target, str) and call.verb != "receive" else []
        read = [self._parameters[home] for n in call.inputs for home in self._homes[n] if home in self._parameters]
        return tuple(dict.fromkeys([*own, *read]))

    def _waits(self, call: Call) -> tuple[int, ...]:
        return tuple(self._sources(call, of_batch=None if self._gathers(call) else True))

    def _sum_waits(self, call: Call) -> tuple[int, ...]:
        if self._apart:
            return self._waits(call)
        readers = [k for k in self._readers[str(call.target)] if self._calls[k].verb != "accumulate"]
        return tuple(dict.fromkeys([*self._waits(call), *readers]))

    def _once_waits(self, call: Call) -> tuple[int, ...]:
        """Return what is before a call of the batch: what it reads, and who reads or writes what it writes."""
        found = self._sources(call)
        if isinstance(call.target, str):
            found += self._readers.get(call.target, [])
        for name in self._names(call):
            if name in self._written:
                found.append(self._written[name])
        return tuple(dict.fromkeys(found))

    def _needs(self, walk: list[Task]) -> tuple[int, ...]:
        """Return the most words from each task of the walk on, all sums being late."""
        during = self._program.words_by_call()
        after = walk[-1].position + 1
        most = list(accumulate(reversed(during), max))[::-1]
        return (*(most[task.position] for task in walk), during[after])

    def _read(self, position: int, lives: Mapping[int, tuple[int, int]]) -> frozenset[int]:
        call = self._calls[position]
        return frozenset(home for number in call.inputs for home in self._homes[number] if home in lives)

"""The digital unit: arithmetic and activation between products, and the buffer that holds signals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from archsim.accounting.circuits import PartKind
from archsim.accounting.ledger import Action, Job, Ledger
from archsim.base.arrays import F32, F64
from archsim.base.signal import Scale, Signal, Tag
from archsim.base.verbs import Work
from archsim.hardware.clock import Clock
from archsim.hardware.component import CONTROL, Component, fp32, memory
from archsim.hardware.sram import Sram
from archsim.learning.functions import Function, words
from archsim.learning.maths import normalised, normalised_by_vector
from archsim.learning.optimisers.rules import Learnt, Optimiser


class DigitalUnit(Component):
    """Lanes of 32-bit arithmetic with an activation table and a signal buffer.

    What it computes follows from its operands alone, so it is computed when asked for; time and counts are the work's.

    Parameters
    ----------
    lanes : int
        Elementary operations a cycle; buffer accesses overlap with them.
    cycle_ps : int
    buffer : Sram
    """

    kind = "digital_unit"
    ACTIONS: ClassVar = {
        **fp32("arithmetic"),
        "compare": Action("one comparison", "arithmetic", part="arithmetic", circuit="logic"),
        "lookup": Action("one look-up of the activation table", "activation", part="arithmetic", circuit="logic"),
        **memory("buffer", "activation", "signal memory", of="the buffer", one="one word of the signal buffer"),
        **CONTROL,
    }
    PARTS: ClassVar = {
        "logic": PartKind(part="arithmetic", circuit="logic"),
        "buffer": PartKind("bit", part="signal memory", circuit="memory"),
    }
    TIMES: ClassVar = {"digital.cycle": "logic", "sram.access": "memory"}

    def __init__(
        self, clock: Clock, ledger: Ledger, name: str = "digital_unit", *, lanes: int, cycle_ps: int,
        buffer: Sram,
    ) -> None:  # fmt: skip
        super().__init__(clock, ledger, name)
        self.lanes, self.cycle_ps, self.buffer = lanes, cycle_ps, buffer
        self._banks = buffer.banks

    def fill(self, words: int) -> None:
        """Switch off the banks of the buffer that so many words do not need."""
        self._banks = min(
            max(-(-words * self.buffer.word_bit * self.buffer.banks // self.buffer.capacity_bit), 1), self.buffer.banks
        )

    def cycles(self, operations: int) -> int:
        """Return the cycles of so many elementary operations: ceil(operations/lanes)."""
        return -(-operations // self.lanes)

    def compute(self, function: Function, operands: Sequence[Signal], tag: Tag) -> Work[Signal]:
        """Return a function of operands, the first with words of its shape a sample; each a bound function's job."""
        values = [operand.values for operand in operands]
        key = function, values[0].size
        return self.perform(self._jobs.get(key) or self._function_job(key), tag, Signal(function(*values)))

    def _function_job(self, key: tuple[Function, int]) -> Job:
        function, elements = key
        samples = elements // words(function.shapes[0])
        cost = function.cost
        cycles = self.cycles(cost.operations * samples)
        amounts = {
            "add": cost.adds * samples,
            "multiply": cost.multiplies * samples,
            "compare": cost.compares * samples,
            "lookup": cost.lookups * samples,
            "buffer.read": cost.reads * samples,
            "buffer.write": cost.writes * samples,
            "control.cycle": cycles,
        }
        return self.job(key, cycles * self.cycle_ps, amounts, name=function.name)

    def adjust(self, parameter: F32, d: F32, rate: float, tag: Tag) -> Work[None]:
        """Add the rate times d to a parameter, (rows, size), in place: a product and an addition an element.

        Rows of d that are all zero are those that no sample named (of a table of embeddings), and are passed over.
        """
        parameter += np.float32(rate) * d
        n = int(d.any(axis=1).sum()) * d.shape[1]
        cycles = self.cycles(2 * n)
        amounts = {"multiply": n, "add": n, "buffer.read": 2 * n, "buffer.write": n, "control.cycle": cycles}
        key = ("adjust", n)
        return self.perform(self._jobs.get(key) or self.job(key, cycles * self.cycle_ps, amounts), tag, None)

    def learn(self, parameter: F32, d: F32, learnt: Learnt, tag: Tag, *, share: float, rate: float) -> Work[None]:
        """Move a parameter in place by an optimiser's step; all of it, whether or not a sample named it.

        An element costs what the optimiser's step does (`learning.optimisers.rules`), a product with the share, an
        addition, and another product where weights decay; gradient, states and the parameter lie in the buffer.

        Parameters
        ----------
        parameter, d : float32 arrays of one shape
            `d` is a descent direction, the sum over samples.
        share : float
            Of a sample in the mean.
        rate : float
            Learning rate.
        """
        optimiser = learnt.optimiser
        np.multiply(d, np.float32(share), out=learnt.gradient)
        if optimiser.decay:
            parameter *= np.float32(1 - rate * optimiser.decay)
        parameter += learnt.step(rate)
        learnt.clear()
        key = ("learn", d.size, optimiser)
        return self.perform(self._jobs.get(key) or self._learn_job(key), tag, None)

    def _learn_job(self, key: tuple[str, int, Optimiser]) -> Job:
        _, n, optimiser = key
        cost = optimiser.cost
        adds, multiplies = (cost.adds + 1) * n, (cost.multiplies + 1 + bool(optimiser.decay)) * n
        cycles = self.cycles(adds + multiplies + cost.lookups * n)
        amounts = {
            "add": adds,
            "multiply": multiplies,
            "lookup": cost.lookups * n,
            "buffer.read": (2 + optimiser.states) * n,
            "buffer.write": (1 + optimiser.states) * n,
            "control.cycle": cycles,
        }
        return self.job(key, cycles * self.cycle_ps, amounts)

    def collect(self, parts: Sequence[F32], tag: Tag, *, scale: Scale = 1.0, own: bool = False) -> Work[F32]:
        """Return the sum of partial sums of one shape times `scale` (free if it is 1), kept in the buffer.

        What nobody else looks at, its `own`, is added up in place.
        """
        result = parts[0]
        for part in parts[1:]:
            result = np.add(result, part, out=result if own else None)
            own = True
        scaled = not isinstance(scale, float) or scale != 1
        if scaled:  # a Python float leaves float32 what it is
            factor = scale if isinstance(scale, float) else scale.astype(np.float32)
            result = np.multiply(result, factor, out=result if own else None)
        key = ("collect", len(parts), scaled, result.size)
        return self.perform(self._jobs.get(key) or self._collect_job(key), tag, result)

    def _collect_job(self, key: tuple[str, int, bool, int]) -> Job:
        _, parts, scaled, n = key
        adds, multiplies = (parts - 1) * n, n if scaled else 0
        cycles = self.cycles(adds + multiplies)
        amounts = {"add": adds, "multiply": multiplies, "buffer.write": n, "control.cycle": cycles}
        return self.job(key, cycles * self.cycle_ps, amounts)

    def normalise(self, d: F32, tag: Tag) -> Work[tuple[F32, float]]:
        """Return d over its largest magnitude, and that magnitude: a comparison and a product an element."""
        key = ("normalise", d.size)
        return self.perform(self._jobs.get(key) or self._normalise_job(key), tag, normalised(d))

    def _normalise_job(self, key: tuple[str, int]) -> Job:
        n = key[1]
        cycles = self.cycles(2 * n)
        amounts = {"compare": n, "multiply": n, "buffer.read": 2 * n, "buffer.write": n, "control.cycle": cycles}
        return self.job(key, cycles * self.cycle_ps, amounts)

    def normalise_vectors(self, d: F32, tag: Tag) -> Work[tuple[F32, F64]]:
        """Return each vector of d over its largest magnitude, and these, (vectors, 1).

        An element costs what it does in `normalise`; a vector takes the look-up of a reciprocal beside it.
        """
        vectors, n = d.shape[0], d.size
        cycles = self.cycles(2 * n + vectors)
        amounts = {
            "compare": n, "multiply": n, "lookup": vectors, "buffer.read": 2 * n, "buffer.write": n,
            "control.cycle": cycles,
        }  # fmt: skip
        key = ("normalise vectors", vectors, n)
        job = self._jobs.get(key) or self.job(key, cycles * self.cycle_ps, amounts)
        return self.perform(job, tag, normalised_by_vector(d))

    def spread(self, parts: Sequence[F32], tag: Tag) -> Work[float]:
        """Return the root mean square of results on their way in: a product and an addition an element."""
        n = sum(part.size for part in parts)
        cycles = self.cycles(2 * n)
        key = ("spread", n)
        job = self._jobs.get(key) or self.job(
            key, cycles * self.cycle_ps, {"multiply": n, "add": n, "control.cycle": cycles}
        )
        squares = sum(float(np.vdot(part, part)) for part in parts)
        return self.perform(job, tag, math.sqrt(squares / n))

    def magnitude(self, d: F32, tag: Tag) -> Work[float]:
        """Return the sum of the magnitudes of d: a comparison and an addition an element."""
        n = d.size
        cycles = self.cycles(2 * n)
        amounts = {"compare": n, "add": n, "buffer.read": n, "control.cycle": cycles}
        key = ("magnitude", n)
        job = self._jobs.get(key) or self.job(key, cycles * self.cycle_ps, amounts)
        return self.perform(job, tag, float(np.abs(d).sum(dtype=np.float64)))

    def draw(self, numbers: int, tag: Tag) -> None:
        """Book random numbers of a generator that keeps pace with their user: each counted as a look-up (assumed)."""
        key = ("draw", numbers)
        self._account.jobs[tag, self._jobs.get(key) or self.job(key, 0, {"lookup": numbers})] += 1

    def store(self, words: int, tag: Tag) -> None:
        """Book words written to the buffer behind a transfer; they take no time of their own."""
        key = ("store", words)
        self._account.jobs[tag, self._jobs.get(key) or self.job(key, 0, {"buffer.write": words})] += 1

    def fetch(self, words: int, tag: Tag) -> None:
        """Book words read from the buffer ahead of a transfer or for another unit; they take no time of their own."""
        key = ("fetch", words)
        self._account.jobs[tag, self._jobs.get(key) or self.job(key, 0, {"buffer.read": words})] += 1

    def sizes(self, action: str) -> dict[str, float]:
        """Return the buffer's sizes for its actions, or the lanes that control and clock serve."""
        if action == "control.cycle":
            return {"lanes": self.lanes}
        return self.buffer.sizes() if action.startswith("buffer.") else {}

    def powered(self) -> dict[str, float]:
        """Return the bits of the buffer's banks that are on, and one unit of logic."""
        on = self.buffer.capacity_bit * self._banks / self.buffer.banks
        return {"buffer.powered": on, "logic.powered": 1.0}

    def parts(self) -> dict[str, float]:
        """Return the lanes and the buffer's bits."""
        return {"logic": self.lanes, "buffer": self.buffer.capacity_bit}

"""What one outer product written into an array, or the transfer of one line, comes to on a chip that updates so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import numpy as np

from archsim.accounting.technology import read_technology
from archsim.base import registry
from archsim.base.signal import Signal, Tag
from archsim.base.streams import Streams
from archsim.base.verbs import Work
from archsim.base.yamlfile import Key
from archsim.chips import architecture as architectures
from archsim.chips.crossbars.in_array import InArrayChip
from archsim.chips.crossbars.weights.transfer import Transferred
from archsim.networks.file import NetworkFile
from archsim.studies.validation.case_file import CaseUpdate, Check
from archsim.studies.validation.cases import Case

_RATE = 1e-9
"""Learning rate: so small that no line that is read takes a pulse, which would cost a product more."""
_ARITHMETIC = ("add", "multiply", "compare")
_ACCESSES = ("buffer.read", "buffer.write")


@dataclass(frozen=True, slots=True)
class _Done:
    """Time [s], and amounts by component and action."""

    seconds: float
    amounts: dict[tuple[str, str], float]

    def sum(self, component: str, actions: tuple[str, ...]) -> float:
        """Return the sum over some actions of a component."""
        return sum(self.amounts.get((component, action), 0.0) for action in actions)


class Updates:
    """The updates of one case, each done once, with all operands at their largest, so that trains are longest."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._done: dict[str, tuple[InArrayChip, _Done]] = {}

    def value(self, check: Check) -> float:
        """Return the value of a check of an update [unit]: a time, or a number of operations or of words."""
        name = check.of[0]
        if name not in self._done:
            self._done[name] = self._do(self._case.file.updates[name])
        chip, done = self._done[name]
        transfer = self._case.file.updates[name].work == "transfer"
        if check.quantity == "latency":
            return done.seconds
        if check.quantity == "operations":  # of a write, the search for the largest operands
            return done.sum("transfer_unit", _ARITHMETIC[:2]) if transfer else done.sum("digital_unit", _ARITHMETIC[2:])
        if check.quantity == "traffic":
            return done.sum("transfer_unit", _ACCESSES)
        return cast("Transferred", chip.writing).unit.buffer.capacity_bit / 32

    def _do(self, file: CaseUpdate) -> tuple[InArrayChip, _Done]:
        case = self._case
        settings: dict[Key, str] = {tuple(key.split(".")): str(value) for key, value in file.set.items()}
        parsed = architectures.parse(architectures.document(case.near(file.architecture), settings))
        layer = {"name": "fc", "kind": "dense", "units": file.columns, "activation": "sigmoid"}
        network = NetworkFile.model_validate({"inputs": file.rows - 1, "initial_std": 0.1, "layers": [layer]}).build()
        technology = read_technology(file.technology, near=case.folder)
        chip: InArrayChip = registry.load("chip", parsed.chip).start(parsed, network, technology, Streams(0))
        x, d = (np.ones((1, lines), np.float32) for lines in (file.rows, file.columns))
        tag = Tag("update", "fc")
        rate = _RATE if file.work == "transfer" else 1.0
        written = _measured(chip, lambda: chip.accumulate("fc", Signal(x), Signal(d), rate, tag))
        if file.work == "write":
            return chip, written
        return chip, _measured(chip, lambda: chip.apply("fc", 1, rate, tag))


def _measured(chip: InArrayChip, work: Callable[[], Work[None]]) -> _Done:
    """Do some work; return what it took."""

    def amounts() -> dict[tuple[str, str], float]:
        found: dict[tuple[str, str], float] = {}
        for row in chip.ledger.rows():
            key = row.component, row.action
            found[key] = found.get(key, 0.0) + row.amount
        return found

    before, begin = amounts(), chip.clock.now
    chip.run(work())
    after = {key: amount - before.get(key, 0.0) for key, amount in amounts().items()}
    return _Done((chip.clock.now - begin) * 1e-12, after)

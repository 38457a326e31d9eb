"""What the operations of a published design come to: energy, time and area, and of which figures they are made."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from archsim.accounting.area import area
from archsim.accounting.bill import price
from archsim.accounting.technology import Technology
from archsim.base.yamlfile import Key
from archsim.chips.published.published import PublishedBoard, parse
from archsim.chips.published.published_file import PublishedArchitecture
from archsim.studies.validation.case_file import Operation
from archsim.studies.validation.cases import Case


@dataclass(frozen=True, slots=True)
class Measured:
    """What operations came to, a vector or all of them: energy [J] by figure, time [s], elementary operations.

    `areas` [m^2] are the design's, by figure; `unpriced` says that a part has no area figure, so that the area
    is a lower bound.
    """

    energies: Mapping[str, float]
    seconds: float
    operations: float
    areas: Mapping[str, float]
    unpriced: bool

    def energy(self, parts: Collection[str] = ()) -> float:
        """Return the energy [J] of some figures, or of all."""
        return math.fsum(value for name, value in self.energies.items() if not parts or name in parts)

    def area(self, parts: Collection[str] = ()) -> float:
        """Return the area [m^2] of some area figures, or of all."""
        return math.fsum(value for name, value in self.areas.items() if not parts or name in parts)

    def value(self, quantity: str, parts: Collection[str] = ()) -> float:
        """Return a quantity of `cases.QUANTITIES` in its SI unit; an energy or an area of some figures alone."""
        energy, space = self.energy(parts), self.area(parts)
        return {
            "energy": energy, "latency": self.seconds, "power": energy / self.seconds,
            "throughput": self.operations / self.seconds, "efficiency": self.operations / (energy or math.inf),
            "density": self.operations / self.seconds / (space or math.inf), "area": space,
            "energy_per_mac": 2 * energy / self.operations,
        }[quantity]  # fmt: skip


class Bench:
    """The designs of one case, each read once, on which operations are run, each once with the same times."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self._technologies: dict[str, Technology] = {}
        self._measured: dict[tuple[str, tuple[tuple[str, float], ...]], Measured] = {}

    def technology(self, design: str) -> Technology:
        """Return the technology of a design."""
        if design not in self._technologies:
            self._technologies[design] = self.case.technology(design)
        return self._technologies[design]

    def architecture(self, operation: Operation) -> PublishedArchitecture:
        """Return the structure that an operation runs on, its settings in it."""
        settings: dict[Key, str] = {tuple(key.split(".")): str(value) for key, value in operation.set.items()}
        return parse(self.case.architecture(operation.design).with_settings(settings, option="set"))

    def run(self, names: Iterable[str], times: Mapping[str, float] | None = None) -> Measured:
        """Run operations of the case one after the other and return what they came to together.

        Parameters
        ----------
        names : of operations, all of one design where their area is asked for
        times : name of a time -> factor on it; 1 where not given
        """
        found = [self._once(name, times or {}) for name in names]
        figures = dict.fromkeys(figure for each in found for figure in each.energies)
        return Measured(
            {figure: math.fsum(each.energies.get(figure, 0.0) for each in found) for figure in figures},
            math.fsum(each.seconds for each in found), math.fsum(each.operations for each in found),
            found[0].areas, found[0].unpriced,
        )  # fmt: skip

    def _once(self, name: str, factors: Mapping[str, float]) -> Measured:
        """Return what an operation came to: to class the checks of a case asks for the same ones over and over."""
        key = name, tuple(sorted(factors.items()))
        if key not in self._measured:
            self._measured[key] = self._one(self.case.file.kernels[name], factors)
        return self._measured[key]

    def _one(self, operation: Operation, factors: Mapping[str, float]) -> Measured:
        architecture, technology = self.architecture(operation), self.technology(operation.design)
        times = {name: replace(time, value=time.value * factors.get(name, 1.0))
                 for name, time in technology.times.items()}  # fmt: skip
        board = PublishedBoard(architecture, replace(technology, times=times))
        time_ps = board.run_operation(operation.kernel, operation.vectors, operation.density)
        bill = price(board.ledger.rows(), board.entries(), technology, architecture.boundary.inside)
        space = area(board.parts(), technology)
        share = operation.vectors if operation.per == "vector" else 1
        return Measured(
            energies={name: energy / share for name, energy in bill.by("figure").items()},
            seconds=time_ps * 1e-12 / share,
            operations=2.0 * architecture.weights * operation.vectors / share,
            areas={name: value for name, value in space.by("figure").items() if name is not None},
            unpriced=space.is_lower_bound,
        )

"""What units cost, each read and priced once, however many points share it and however often a table is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from archsim.accounting.technology import Technology
from archsim.base.errors import ArchsimError
from archsim.studies.sweeps.counts import Counts
from archsim.studies.sweeps.plan import Unit
from archsim.studies.sweeps.pricing import F64, Priced, Pricer
from archsim.studies.sweeps.tariffs import Place

Outcome = Counts | str | None
"""What came of a unit: counts, the reason why there are none, or nothing yet."""
_PRICERS = 64
"""Pricers that are kept: the next values of the same chip ask for one again."""


@dataclass(frozen=True, eq=False)
class Cost:
    """What a chip reached with one seed, and what that takes.

    Parameters
    ----------
    test : float or None
        The metric at the end; None of an estimate.
    latency_s : float
        Simulated time of a sample [s].
    run : str
        The run's directory, if it was kept.
    priced : Priced
        In as many points as it was asked for, or in one that stands for all.
    """

    test: float | None
    latency_s: float
    run: str
    priced: Priced


class Costs:
    """Prices what units did. Sole owner of what it found: counts of a unit do not change any more.

    Parameters
    ----------
    outcome : callable
        Says what came of a unit; asked again as long as that is no counts.
    """

    def __init__(self, outcome: Callable[[Unit], Outcome]) -> None:
        self._outcome = outcome
        self._pricers: dict[tuple[str, str], Pricer] = {}
        self._moved: dict[tuple[str, str], list[Place]] = {}
        self._found: dict[tuple[str, str, bytes], Cost] = {}

    def of(self, unit: Unit, technology: Technology, values: Mapping[Place, F64]) -> Cost | str | None:
        """Return what a unit costs, the reason why there is nothing, or None as long as it is not done.

        Parameters
        ----------
        unit : Unit
        technology : Technology
            Its times are those of the unit.
        values : (section, name) of figures and areas -> value in each of n points, (n,) [SI]
        """
        place = unit.key, technology.sha256
        if place not in self._moved:
            try:
                made = self._pricer(place, unit, technology)
            except ArchsimError as error:  # it has no figure for something that this chip does
                return str(error)
            if not isinstance(made, Pricer):
                return made
            self._moved[place] = made.moved_by(list(values))
        key = (*place, b"".join(values[each].tobytes() for each in self._moved[place]))
        if key not in self._found:
            pricer = self._pricer(place, unit, technology)
            if not isinstance(pricer, Pricer):
                return pricer
            did = pricer.counts
            self._found[key] = Cost(did.test, Pricer.latency(did), did.run, pricer.price(values))
        return self._found[key]

    def _pricer(self, place: tuple[str, str], unit: Unit, technology: Technology) -> Pricer | str | None:
        if place not in self._pricers:
            did = self._outcome(unit)
            if not isinstance(did, Counts):
                return did
            while len(self._pricers) >= _PRICERS:
                del self._pricers[next(iter(self._pricers))]
            self._pricers[place] = Pricer(did, technology)
        return self._pricers[place]

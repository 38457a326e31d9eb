"""Networks that checks ask for: estimated, without data, each once."""

from __future__ import annotations

import math
from dataclasses import dataclass

from archsim.base.errors import InputError
from archsim.base.files import display
from archsim.studies.estimate.assumed import assumed
from archsim.studies.estimate.books import Books, estimate_chip, tiles
from archsim.studies.estimate.content import Priced, priced
from archsim.studies.estimate.reference import macs
from archsim.studies.estimate.spec import EstimateSpec, resolve
from archsim.studies.validation.case_file import COUNTS, CaseNetwork, Check
from archsim.studies.validation.cases import Case
from archsim.technologies.overlay import SCALING


@dataclass(frozen=True, slots=True)
class _Found:
    """A network of a case: what it is, and what it comes to if anything asks for it."""

    file: CaseNetwork
    spec: EstimateSpec


class Networks:
    """The networks of one case; values are of a sample."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._found: dict[str, _Found] = {}
        self._priced: dict[str, Priced] = {}

    def value(self, check: Check) -> float:
        """Return the value of a check of a network [unit].

        Raises
        ------
        InputError
            If a file, a setting or the copies of the network cannot be; names the case, or the file.
        """
        name = check.of[0]
        try:
            network = self._network(name)
            if check.quantity in COUNTS:
                return self._count(network, check.quantity)
            if name not in self._priced:
                spec = network.spec
                [architecture] = spec.architectures
                [self._priced[name]] = priced(spec, [estimate_chip(spec, architecture, assumed(spec, architecture))])
        except InputError as error:
            key = f"networks.{name}" + (f".{error.key}" if error.key else "")
            raise (error if error.file else error.of(file=display(self._case.document.path), key=key)) from error
        return _value(network, self._priced[name], check)

    def _network(self, name: str) -> _Found:
        if name not in self._found:
            file, case = self._case.file.networks[name], self._case
            figures = (f"{SCALING}={case.rule}",) if case.rule else ()
            spec = resolve(
                case.near(file.workload), batch=file.batch, archs=[case.near(file.architecture)],
                tech=case.near(file.technology), settings=file.set,
                figures=figures, copies=file.copies,
            )  # fmt: skip
            self._found[name] = _Found(file, spec)
        return self._found[name]

    @staticmethod
    def _count(network: _Found, quantity: str) -> float:
        spec = network.spec
        if quantity == "tiles":
            return float(sum(tiles(spec, spec.architectures[0]).values()))
        if quantity == "weights":
            return float(spec.network.weights)
        return float(sum(spec.network.graph.macs().values()) * network.file.samples)


def _value(network: _Found, found: Priced, check: Check) -> float:
    """Return an energy, a time, an area or what follows from them [SI], of a sample."""
    training = network.file.work == "training"
    bill, books = (found.training, found.chip.training) if training else (found.inference, found.chip.inference)
    samples = network.file.batch
    energies = bill.by("part", "phase")
    energy = math.fsum(
        joules / samples
        for (part, phase), joules in energies.items()
        if check.phase in (None, phase) and (not check.parts or part in check.parts)
    )
    seconds = _seconds(books, check.phase) / samples
    space = found.area.total
    operations = 2.0 * macs(network.spec.network, training=training)
    return {
        "energy": energy, "latency": seconds, "power": energy / seconds, "throughput": operations / seconds,
        "efficiency": operations / (energy or math.inf), "density": operations / seconds / space, "area": space,
        "energy_per_mac": 2 * energy / operations,
    }[check.quantity]  # fmt: skip


def _seconds(books: Books, phase: str | None) -> float:
    return math.fsum(ps for name, ps in books.time_ps.items() if phase in (None, name)) * 1e-12

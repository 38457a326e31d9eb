"""The actions and the parts of an architecture, without running it: what a technology has to price."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module

from archsim.accounting.area import Part
from archsim.accounting.ledger import Entry
from archsim.base import registry
from archsim.base.streams import Streams
from archsim.chips import architecture as architectures
from archsim.chips.architecture import Architecture
from archsim.chips.board import Times
from archsim.chips.chip import Chip
from archsim.hardware.component import Component
from archsim.networks.file import NetworkFile
from archsim.technologies.declared import Declared

_SMALL = NetworkFile.model_validate({
    "inputs": 4, "initial_std": 0.1, "layers": [{"name": "fc1", "kind": "dense", "units": 3, "activation": "sigmoid"}],
}).build()  # fmt: skip


class AskedTimes:
    """Times that note what they are asked for and answer with a nanosecond: for a chip that is looked at, not run."""

    def __init__(self) -> None:
        self.keys: dict[str, None] = {}

    def time_s(self, key: str, capacity_bit: float | None = None) -> float:
        """Return a nanosecond and note the key."""
        del capacity_bit
        self.keys[key] = None
        return 1e-9


def entries(architecture: str, times: Times) -> list[Entry]:
    """Return every action of an architecture, by name or file, built with a small network."""
    return small_chip(architecture, times).entries()


def parts(architecture: str, times: Times) -> list[Part]:
    """Return every part that takes area, likewise; memories are sized for the small network."""
    return small_chip(architecture, times).parts()


def small_entries_and_parts(architecture: Architecture, times: Times) -> tuple[list[Entry], list[Part]]:
    """Return the actions and the parts of an architecture that has been read, likewise."""
    chip = small(architecture, times)
    return chip.entries(), chip.parts()


def small_chip(architecture: str, times: Times) -> Chip:
    """Return a chip of an architecture, by name or file, with a small network on it."""
    return small(architectures.parse(architectures.document(architecture)), times)


def small(parsed: Architecture, times: Times) -> Chip:
    """Return a chip of an architecture that has been read, likewise."""
    chip: Chip = registry.load("chip", parsed.chip).start(parsed, _SMALL, times, Streams(0))
    return chip


def declared() -> Declared:
    """Return what all units say of themselves: those of archsim, and those of the chips that plug-ins bring."""
    units = list(_units())
    named = [(unit.kind, unit) for unit in units if hasattr(unit, "kind")]
    actions = {f"{kind}.{name}": action for kind, unit in named for name, action in unit.ACTIONS.items()}
    return Declared(
        actions={key: action.circuit for key, action in actions.items()},
        parts={f"{kind}.{name}": part.circuit for kind, unit in named for name, part in unit.PARTS.items()},
        times={key: kind for unit in units for key, kind in unit.TIMES.items()},
        rows={key: action.row for key, action in actions.items() if action.row},
    )


def _units() -> Iterator[type[Component]]:
    """Yield every class of unit that archsim and the registered chips define."""
    for module in pkgutil.walk_packages(import_module("archsim.hardware").__path__, "archsim.hardware."):
        import_module(module.name)
    for name in registry.names("chip"):
        registry.load("chip", name)
    waiting = Component.__subclasses__()
    while waiting:
        unit = waiting.pop()
        waiting += unit.__subclasses__()
        yield unit

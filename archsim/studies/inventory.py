"""The actions and the parts of an architecture, without running it: what a technology has to price."""

from __future__ import annotations

from archsim.accounting.area import Part
from archsim.accounting.ledger import Entry
from archsim.base import registry
from archsim.base.streams import Streams
from archsim.chips import architecture as architectures
from archsim.chips.architecture import Architecture
from archsim.chips.board import Times
from archsim.chips.chip import Chip
from archsim.learning.network import Dense, Network

_SMALL = Network((Dense("fc1", 4, 3, "sigmoid"),), 0.1)


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

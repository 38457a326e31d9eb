"""The actions of an architecture, without running it: what a technology has to price."""

from __future__ import annotations

from archsim.accounting.ledger import Entry
from archsim.accounting.technology import Technology
from archsim.base import registry
from archsim.base.streams import Streams
from archsim.chips import architecture as architectures
from archsim.learning.network import Dense, Network

_SMALL = Network((Dense("fc1", 4, 3, "sigmoid"),), 0.1)


def entries(architecture: str, technology: Technology) -> list[Entry]:
    """Return every action of an architecture, by name or file, built with a small network."""
    parsed = architectures.parse(architectures.document(architecture))
    chip = registry.load("chip", parsed.chip).start(parsed, _SMALL, technology, Streams(0))
    found: list[Entry] = chip.entries()
    return found

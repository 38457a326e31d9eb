"""Which technology has the pulses of a device: figures of pulses are those of one kind of memory.

A device's file says in `memory` what kind it is, and so does a figure of whose pulses it is the price. Where either
says nothing, nothing is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from archsim.accounting.technology import Technology, list_technologies, read_technology

DEFAULT = "bottom-up-14nm"
"""What is taken where the kind of memory tells nothing, as of idealised devices."""
Pulses = tuple[tuple[str, tuple[str, ...]], ...]
"""Kind of component that gives pulses, and kinds of memory that get them, for every action that has such a price."""
Memories = Mapping[str, str | None]
"""Kind of component that writes devices ("programmer") -> what kind of memory they are; None if nobody says."""


def is_foreign(technology: Technology, written: Memories) -> bool:
    """Return whether a technology prices pulses that a chip gives as those of another kind of memory."""
    return any(
        (memory := written.get(component)) is not None and memory not in memories
        for component, memories in _pulses(technology)
    )


def of_shipped(written: Memories) -> str | None:
    """Return the name of a shipped technology that has figures for all pulses that a chip gives; None if none has.

    One whose every pulse is of such memory is taken before one that has some other memory's beside them: reading, too,
    is that memory's there.
    """
    known = {component: memory for component, memory in written.items() if memory is not None}
    found = None
    for name, pulses in _shipped() if known else ():
        if not _has_all(known, pulses):
            continue
        if all(known.get(component, next(iter(known.values()))) in memories for component, memories in pulses):
            return name
        found = found or name
    return found


def technology_of(written: Memories) -> str:
    """Return the shipped technology that goes with the devices of a chip, the default one where none has their pulses.

    That is a choice of this program, `--tech` makes another.
    """
    return of_shipped(written) or DEFAULT


@cache
def _shipped() -> tuple[tuple[str, Pulses], ...]:
    """Return the shipped technologies with their pulses, the default one first."""
    names = sorted(list_technologies(), key=lambda name: name != DEFAULT)
    return tuple((name, tuple(_pulses(read_technology(name)))) for name in names)


def _has_all(known: Mapping[str, str], pulses: Pulses) -> bool:
    """Return whether there are pulses of every component, each of its devices' memory."""
    of = {component: [memories for each, memories in pulses if each == component] for component in known}
    return all(each and all(known[component] in memories for memories in each) for component, each in of.items())


def _pulses(technology: Technology) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield component and kinds of memory for every action that a figure of known pulses prices."""
    for action, name in technology.pricing.items():
        if memories := technology.figures[name].memories:
            yield action.partition(".")[0], memories

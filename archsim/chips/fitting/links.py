"""Several chips joined by links: which holds which matrix, and what has to cross between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from archsim.networks.program import Call, Moved, Program, homes

Held = Mapping[str, range]
"""Matrix -> the chips that hold it, in the order of the network."""


def held(tiles: Mapping[str, int], each: int) -> dict[str, range]:
    """Return the chips of so many tiles `each` that hold matrices of so many tiles, filled in their order.

    A matrix goes to the next chip if the rest of one is too small for it, and over several if one is.
    """
    found: dict[str, range] = {}
    chip, free = 0, each
    for name, count in tiles.items():
        if count > free and free < each:
            chip, free = chip + 1, each
        more = -(-max(count - free, 0) // each)
        found[name] = range(chip, chip + more + 1)
        chip, free = chip + more, free + more * each - count
    return found


def crossing(program: Program, chips: Held) -> Program:
    """Return the program with a call for each signal that a chip needs and another one has.

    A product and what learns from it is done where its matrix lies, a function where the product before it was. What
    has crossed once is there for later; the host feeds whichever chip, and parameters lie where they are read. Calls of
    another kind of move stay as they are.
    """
    lies = homes(program)
    every = {chip for several in chips.values() for chip in several}
    at: dict[int, set[int]] = {number: set(every) for _, number in (*program.feeds, *program.parameters)}
    here = range(1)
    phases = []
    for phase, calls in program.phases:
        found: list[Call] = []
        for call in calls:
            if isinstance(call.target, str) and call.target in chips:
                here = chips[call.target]
            if call.free is None and not isinstance(call.target, Moved):
                for home in sorted({home for number in call.inputs for home in lies[number]}):
                    tensor = program.tensors[home]
                    others = len(set(here) - at.setdefault(home, {here[0]}))
                    found += [Call("cross", Moved(tensor.name, tensor.words), (), -1, call.layer)] * others
                    at[home] |= set(here)
            if call.output >= 0:
                at[call.output] = {here[-1]}
            found.append(call)
        phases.append((phase, tuple(found)))
    return replace(program, phases=tuple(phases))

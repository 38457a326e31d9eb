"""What a chip in training did of the most that it could have done: measured from its books, or assumed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields

from archsim.accounting.ledger import Row
from archsim.analog.expected import InPairs
from archsim.analog.in_place import NEVER as UNPULSED
from archsim.analog.in_place import ONCE, InPlace
from archsim.base.expected import ALL, NOTHING, Shares
from archsim.base.signal import Tag

WATCHED: Mapping[str, tuple[tuple[str, str], ...]] = {
    "driven": (("tile", "dac.convert"),),
    "conducted": (("tile", "cells.conduct"),),
    "nonzero": (("mac_array", "multiply"),),
    "swept": (("mac_array", "weights.read"), ("optimiser_unit", "gradient.read")),
    "products": (("outer_product_unit", "add"), ("pulse_unit", "multiply")),
    "rows": (("outer_product_unit", "multiply"),),
    "updates": (("outer_product_unit", "chi.read"), ("optimiser_unit", "gradient.read")),
    "adjusted": (("digital_unit", "multiply"),),
}
"""Share -> the actions, component and name, in whose amounts it shows: the first that the chip has."""
WRITTEN = tuple(
    ("programmer", action) for action in ("log.write", "log.read", "set.pulse", "reset.pulse", "device.read")
)
"""Actions in whose amounts it shows how devices are written."""
PULSED: Mapping[str, tuple[tuple[str, str], ...]] = {
    "slots": (("train_writer", "control.cycle"),),
    "pulsed": (("train_writer", "up.half"),),
    "met_up": (("train_writer", "up.pulse"),),
    "met_down": (("train_writer", "down.pulse"),),
    "line": (("train_writer", "up.half.conduct"), ("train_writer", "up.conduct"), ("train_writer", "up.conduct")),
    "up": (("writer", "up.pulse"),),
    "down": (("writer", "down.pulse"),),
    "turns": (("writer", "control.cycle"),),
    "charges": (("writer", "up.charge"),),
    "reads": (("programmer", "device.read"),),
    "sets": (("programmer", "set.pulse"),),
    "resets": (("programmer", "reset.pulse"),),
    "moved": (("writer", "up.conduct"),),
    "crossed": (("transfer_unit", "multiply"), ("transfer_unit", "add")),
}
"""What `InPlace` has -> the actions in whose sum it shows: a device that is pulsed conducts twice what its lines do."""
_SHOWING = (*WATCHED.values(), *PULSED.values(), WRITTEN)
KEPT = frozenset(pair for pairs in _SHOWING for pair in pairs)
"""All that an activity is measured from."""

IN_PLACE = frozenset({"writer", "train_writer"})
"""Units of chips that write their weights in place."""
NEVER = InPairs()
Step = Callable[[Callable[[Tag], Shares], InPlace], Iterable[Row]]
"""Does a training step on a new chip whose arrays are pulsed so, and to whose pairs nothing is written: its rows."""
Writes = InPairs | InPlace
Amounts = dict[tuple[str, str], dict[Tag, float]]


@dataclass(frozen=True, slots=True)
class Activity:
    """What a training does with what its units are given.

    Parameters
    ----------
    by_layer : phase and layer -> shares
    by_phase : phase -> shares of all its layers together, for layers that are not known
    writing : layer -> how often its devices are written
    written : InPairs or InPlace
        The same of all layers together.
    samples : int
        Of the batch of a step that this was measured in.
    origin : str
        Where it is from, in words.
    """

    by_layer: Mapping[Tag, Shares] = field(default_factory=dict)
    by_phase: Mapping[str, Shares] = field(default_factory=dict)
    writing: Mapping[str, Writes] = field(default_factory=dict)
    written: Writes = NEVER
    samples: int = 1
    origin: str = ""

    def shares(self, tag: Tag) -> Shares:
        """Return what is known of the operands of work booked under a phase and a layer."""
        return self.by_layer.get(tag) or self.by_phase.get(tag.phase) or ALL

    def written_to(self, layer: str, samples: int) -> Writes:
        """Return how a layer's devices are written in a step of so many samples: as often a sample as was measured."""
        return self.writing.get(layer, self.written).of(samples / self.samples)


def measured(
    rows: Iterable[Row], steps: int, step: Step, weights: Mapping[str, int], *, samples: int, origin: str
) -> Activity:  # fmt: skip
    """Return the activity that the books of so many training steps show.

    Parameters
    ----------
    rows : of the ledger
    step : of the same chip, network and batch
    weights : layer -> pairs of devices
    """
    did = _amounts(rows, steps)
    full = _amounts(step(lambda _: ALL, ONCE), 1)
    none = _amounts(step(lambda _: NOTHING, UNPULSED), 1)
    written = _in_place if any(component in IN_PLACE for component, _ in full) else _writing
    tags = {tag for found in full.values() for tag in found}
    for tag, pairs in did.get(("programmer", "log.write"), {}).items():
        if pair := did.get(("outer_product_unit", "add"), {}).get(tag):
            did["outer_product_unit", "add"][tag] = pair - pairs  # an epsilon taken out of chi is an addition, too
    for found in (did, full, none):
        products, rows_ = (found.get(("outer_product_unit", action), {}) for action in ("add", "multiply"))
        for tag in rows_:
            rows_[tag] -= products.get(tag, 0.0)  # a product each, and one a row
    return Activity(
        {tag: _shares([tag], did, full, none) for tag in tags},
        {
            phase: _shares([tag for tag in tags if tag.phase == phase], did, full, none)
            for phase in {tag.phase for tag in tags}
        },
        {layer: written((did, full, none), [layer], count) for layer, count in weights.items()},
        written((did, full, none), list(weights), sum(weights.values())),
        samples,
        origin,
    )  # fmt: skip


def _amounts(rows: Iterable[Row], steps: int) -> Amounts:
    """Return what is watched, (component, action) -> tag -> amount of a step."""
    found: Amounts = {}
    for row in rows:
        if (key := (row.component, row.action)) in KEPT:
            by_tag = found.setdefault(key, {})
            tag = Tag(row.phase, row.layer)
            by_tag[tag] = by_tag.get(tag, 0.0) + row.amount / steps
    return found


def _shares(tags: Iterable[Tag], did: Amounts, full: Amounts, none: Amounts) -> Shares:
    """Return the shares that some tags' amounts show: 1 where nothing depends on one."""
    tags, found = list(tags), {}
    for each in fields(Shares):
        key = next((key for key in WATCHED.get(each.name, ()) if _range(key, tags, full, none) > 0), None)
        if key is not None:
            least = _sum(none, key, tags)
            found[each.name] = max((_sum(did, key, tags) - least) / _range(key, tags, full, none), 0.0)
    return Shares(**found)


def _range(key: tuple[str, str], tags: Iterable[Tag], full: Amounts, none: Amounts) -> float:
    return _sum(full, key, tags) - _sum(none, key, tags)


def _sum(found: Amounts, key: tuple[str, str], tags: Iterable[Tag]) -> float:
    return math.fsum(found.get(key, {}).get(tag, 0.0) for tag in tags)


def _in_place(amounts: tuple[Amounts, Amounts, Amounts], layers: list[str], weights: int) -> InPlace:
    """Return how devices of some layers were pulsed; `amounts`: what was done, with all counts one, and with none."""
    del weights
    tags, found = [Tag(phase, layer) for layer in layers for phase in ("update", "refresh")], {}
    for name, actions in PULSED.items():
        of_did, most, least = (math.fsum(_sum(each, action, tags) for action in actions) for each in amounts)
        if most > least:
            found[name] = max((of_did - least) / (most - least), 0.0)
    found.setdefault("met_down", found.get("met_up", 0.0))  # of pairs all are pulses up, to either side
    conducted = found.pop("moved", 0.0)
    if "sets" in found and "up" in found:  # full, two pulses up a weight: one conducts, the other is its discharge
        found["moved"] = max(2 * found["up"] - conducted, 0.0)
        found["up"] = conducted
    if found.get("pulsed"):
        found["line"] /= found["pulsed"]  # of lines that were pulsed
    return InPlace(**found)


def _writing(amounts: tuple[Amounts, Amounts, Amounts], layers: list[str], weights: int) -> InPairs:
    """Return how pairs of some layers were written."""
    did = amounts[0]

    def of(action: str, phase: str) -> float:
        return _sum(did, ("programmer", action), [Tag(phase, layer) for layer in layers])

    pairs, looked = of("log.write", "update"), of("log.read", "refresh")
    each = 1 / looked if looked else 0.0
    return InPairs(
        pairs=pairs / weights if weights else 0.0,
        pulses=of("set.pulse", "update") / pairs if pairs else 1.0,
        looked=looked / pairs if pairs else 1.0,
        reads=of("device.read", "refresh") * each if looked else 2.0,
        resets=of("reset.pulse", "refresh") * each,
        repeats=of("set.pulse", "refresh") * each,
    )

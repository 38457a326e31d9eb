"""What a figure stands for when a technology moves to another node: a closed mapping by action, by part and by time.

A key that is not listed is an error where the class is needed, never a guess: whoever adds an action to a component
says here what kind of circuit does it. A name that may mean several circuits (the weight memory of an engine, which is
SRAM in one design and ReRAM in another) is left out on purpose.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from archsim.base.errors import InputError, nearest


class Circuit(StrEnum):
    """Kinds of circuit, by how they change from node to node."""

    LOGIC = "logic"
    MEMORY = "memory"
    WIRE = "wire"
    LEAKAGE = "leakage"
    ANALOG = "analog"
    DEVICE = "device"
    OFF_CHIP = "off-chip"


WHY_NOT = {
    Circuit.LEAKAGE: "leakage has no published table over nodes; the choice of cell and threshold decides",
    Circuit.ANALOG: "an analog block follows noise, matching and the pitch of the cells, not the node of the logic",
    Circuit.DEVICE: "a memory device follows its own material and pulses, not the node of the logic",
    Circuit.OFF_CHIP: "a link at the pins follows its standard, not the node of the logic",
}
"""Why a kind of circuit is not scaled; those that are scaled are not named."""

_MEMORIES = (
    "digital_unit.buffer",
    "outer_product_unit.chi",
    "programmer.log",
    "mac_array.weights",
    "mac_array.operand",
)
_UNITS = ("digital_unit", "outer_product_unit", "programmer", "mac_array", "pulse_unit", "writer")
_SMALLEST = "int32.add"
_ROWS = {
    "digital_unit.add": "fp32.add", "mac_array.add": "fp32.add",
    "digital_unit.multiply": "fp32.multiply", "mac_array.multiply": "fp32.multiply",
    "pulse_unit.round": "fp32.add", "pulse_unit.multiply": "fp32.multiply",
    "outer_product_unit.add": "int32.add", "outer_product_unit.multiply": "int8.multiply",
    "engine.mac": "int8.multiply",
}  # fmt: skip
_LIKE_ADDER = (
    "digital_unit.compare", "outer_product_unit.compare", "digital_unit.lookup", "tile.product", "engine.gated",
    *(f"{unit}.control.cycle" for unit in _UNITS),
)  # fmt: skip

ACTIONS: dict[str, Circuit] = {
    **dict.fromkeys((*_ROWS, *_LIKE_ADDER), Circuit.LOGIC),
    **{f"{memory}.{verb}": Circuit.MEMORY for memory in _MEMORIES for verb in ("read", "write")},
    **{f"{memory}.powered": Circuit.LEAKAGE for memory in _MEMORIES},
    **{f"{unit}.logic.powered": Circuit.LEAKAGE for unit in _UNITS},
    "tile.periphery.powered": Circuit.LEAKAGE,
    "bus.transfer": Circuit.WIRE, "engine.wire": Circuit.WIRE,
    "host.transfer": Circuit.OFF_CHIP,
    **{f"tile.{action}": Circuit.ANALOG for action in (
        "dac.convert", "line.charge", "adc.convert", "integrate.on", "adc.on", "write.charge")},
    "programmer.device.read": Circuit.ANALOG,
    "tile.cells.conduct": Circuit.DEVICE, "tile.write.conduct": Circuit.DEVICE,
    "programmer.set.pulse": Circuit.DEVICE, "programmer.reset.pulse": Circuit.DEVICE,
    **{f"writer.{way}.{what}": Circuit.DEVICE for way in ("up", "down") for what in ("pulse", "conduct")},
    **{f"writer.{way}.charge": Circuit.ANALOG for way in ("up", "down")},
}  # fmt: skip
"""Action key -> kind of circuit."""

PARTS: dict[str, Circuit] = {
    **{f"{unit}.logic": Circuit.LOGIC for unit in (*_UNITS, "tile.row.driver", "tile.column.driver")},
    "engine.mac": Circuit.LOGIC,
    **dict.fromkeys(_MEMORIES, Circuit.MEMORY),
    **{f"tile.{part}": Circuit.ANALOG for part in ("dac", "adc", "integrator", "row.driver", "column.driver", "tile")},
    "programmer.driver": Circuit.ANALOG, "writer.driver": Circuit.ANALOG, "tile.cells": Circuit.DEVICE,
}  # fmt: skip
"""Part key -> kind of circuit."""

TIMES: dict[str, Circuit] = {
    "digital.cycle": Circuit.LOGIC, "bus.cycle": Circuit.LOGIC, "engine.cycle": Circuit.LOGIC,
    "sram.access": Circuit.MEMORY,
    **{f"tile.{name}": Circuit.ANALOG for name in ("dac.period", "settle", "adc.conversion", "adc.level")},
    "programmer.read": Circuit.ANALOG,
    "programmer.set_pulse": Circuit.DEVICE, "programmer.reset_pulse": Circuit.DEVICE,
    "writer.up_pulse": Circuit.DEVICE, "writer.down_pulse": Circuit.DEVICE,
    "host.cycle": Circuit.OFF_CHIP,
}  # fmt: skip
"""Time key -> kind of circuit."""


def circuit(keys: Iterable[str], known: dict[str, Circuit], what: str) -> Circuit:
    """Return the kind of circuit that all of the keys have.

    Raises
    ------
    InputError
        If a key is not known, if they differ, or if there is none.
    """
    found: dict[Circuit, str] = {}
    for key in keys:
        if key not in known:
            raise InputError(
                f"nothing says what kind of circuit {key!r} is", key=what,
                expected="a key of archsim/technologies/classes.py, or --keep " + what.rpartition(" ")[2],
                hint=nearest(key, known),
            )  # fmt: skip
        found.setdefault(known[key], key)
    if len(found) != 1:
        kinds = ", ".join(f"{key} ({kind})" for kind, key in found.items()) or "no key at all"
        raise InputError(f"stands for {kinds}", key=what, expected="one kind of circuit a figure")
    return next(iter(found))


def row(actions: Iterable[str]) -> tuple[str, bool]:
    """Return the row of the published tables that logic actions follow, and whether it is their own.

    Logic without a row follows that of the 32-bit integer addition, the smallest datapath, as the comparator of
    bottom-up-14nm does.
    """
    rows = {_ROWS.get(action) for action in actions}
    if len(rows) == 1 and (name := rows.pop()) is not None:
        return name, True
    return _SMALLEST, False

"""What `archsim verify` shows: every item, whether it is equal, by how much it is not, and where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from archsim.records.verify import Verification
from archsim.report.sheet import NONE, Sheet


def sheet(found: Verification) -> Sheet:
    """Return one row an item."""
    rows = tuple(
        (
            item.item, "yes" if item.equal else "NO",
            NONE if item.difference is None else f"{item.difference:.2g}", item.where or NONE,
        )
        for item in found.items
    )  # fmt: skip
    return Sheet("The run, done again", ("item", "equal?", "largest relative difference", "where"), rows)


MAY_DIFFER = (
    "Kernels are compiled for the processor and sums follow the BLAS: elsewhere last bits may differ, and with them, "
    "as pulses are drawn, counts and accuracies within the spread of seeds."
)


def foreword(differing: Mapping[str, tuple[str, str]]) -> list[str]:
    """Return what stands above the table: how this place differs from that of the run, and what may then differ."""
    lines = [f"{name.replace('_', ' ')}: {was} then, {now} now." for name, (was, now) in differing.items()]
    return [*lines, MAY_DIFFER] if lines else []


def words(found: Verification) -> list[str]:
    """Return what stands below the table: inputs that changed, and the verdict."""
    same = sum(each.state == "equal" for each in found.inputs)
    lines = [f"Inputs: {same} of {len(found.inputs)} files have the bytes they had."]
    for each in found.inputs:
        if each.state == "changed":
            lines.append(f"  {each.name} has changed since; the run was done again with the values in run.yaml.")
        elif each.state == "stored":
            lines.append(f"  {each.name} is not among the shipped files; its values are in run.yaml.")
    unequal = sum(not item.equal for item in found.items)
    if not unequal:
        lines.append(f"Equal, bit for bit ({found.wall_s:.0f} s).")
    else:
        why = f" {MAY_DIFFER}" if found.surroundings else ""
        lines.append(f"NOT equal: {unequal} of {len(found.items)} items differ.{why}")
    return lines


def content(found: Verification) -> dict[str, Any]:
    """Return the result for JSON."""
    return {
        "directory": str(found.path), "equal": found.equal, "items": [asdict(item) for item in found.items],
        "inputs": [asdict(each) for each in found.inputs],
        "surroundings": {name: {"then": was, "now": now} for name, (was, now) in found.surroundings.items()},
        "wall_time_s": found.wall_s,
    }  # fmt: skip

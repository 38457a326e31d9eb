"""What runs of earlier versions say, in the words of this one.

They knew images and their accuracy alone, and gave the buffer of a transfer to the memory of chi.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from archsim.base.metrics import ACCURACY, IMAGE
from archsim.runs.layout import SCHEMA

SCHEMAS = (2, SCHEMA)
"""Of run.yaml, that are read."""
NAMES = {"running_accuracy": "running", "test_accuracy": "test"}
"""Columns and keys as they were -> as they are."""
_SUMMARY = 2
_BUFFER = ("transfer_unit.buffer", "transfer buffer")
"""Begin of the key of what was given to another part of the chip, and the part that it is."""


def columns(schema: Any, wanted: set[str]) -> set[str]:
    """Return the columns that training.csv has in a run of some schema, for those that this version writes."""
    if schema == SCHEMA:
        return wanted
    was = {now: before for before, now in NAMES.items()}
    return {was.get(name, name) for name in wanted}


def renamed(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of training.csv, or what a summary says of a chip, under the names of this version."""
    return {NAMES.get(key, key): value for key, value in content.items()}


def part(key: str, told: str) -> str:
    """Return the part of the chip that an action or a part with a key belongs to, where the run told another."""
    begin, own = _BUFFER
    return own if key.startswith(begin) else told


def summary(content: dict[str, Any], layers: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """Return the content of a summary.json as this version writes it; that of this version as it is.

    Parameters
    ----------
    content : dict
    layers : sequence of mapping
        Those of the run's workload: the last has a unit a class.
    """
    if content.get("schema") != _SUMMARY:
        return content
    classes = layers[-1].get("units") if layers else None
    chips = content.get("architectures")
    found = dict(content)
    if isinstance(chips, dict):
        found["architectures"] = {
            name: renamed(chip) if isinstance(chip, dict) else chip for name, chip in chips.items()
        }
    return found | {
        "schema": 3, "metric": ACCURACY.content(1 / classes if classes else None), "sample": IMAGE.content()
    }  # fmt: skip

"""The names of what lies in a run directory, and the state that its run.yaml tells. Imports no chip."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from archsim.base.errors import InputError
from archsim.base.files import read_text

RUN, SUMMARY, ACTIVITY, ENERGY, TRAINING = "run.yaml", "summary.json", "activity.csv", "energy.csv", "training.csv"
AREA = "area.csv"
COURSE = "activity-course.csv"
"""What decides the activity of a step (`archsim.chips.activity`), summed up to each test of the training."""
RESULTS = (SUMMARY, ACTIVITY, COURSE, ENERGY, AREA, TRAINING)
"""Files of results, of which run.yaml tells the SHA-256."""
SCHEMA = 3
"""Of run.yaml and the tables beside it."""
INPUTS = "inputs"
"""Folder with copies of the files that the run read."""
STATES = "state-*.npz"
"""Files of trained chips (`archsim.runs.state`)."""
SAMPLES = "samples-*.npz"
"""Files of what trained generators made (`archsim.runs.samples`)."""
_QUICK = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the loader in C, where PyYAML has it


def state(path: Path) -> str:
    """Return "running", "partial" or "finished".

    Raises
    ------
    InputError
        If the directory holds no run.
    """
    return str(read_run(path).get("state"))


def read_run(path: Path) -> dict[str, Any]:
    """Return run.yaml as a mapping."""
    file = path / RUN
    if not file.is_file():
        raise InputError(key="DIR", value=str(path), expected=f"a run directory, but it has no {RUN}")
    try:
        content = yaml.load(read_text(file, "yaml", "the YAML that archsim wrote"), Loader=_QUICK)  # noqa: S506  safe
    except (yaml.YAMLError, RecursionError) as error:
        raise InputError("is not readable", file=file, expected="the YAML that archsim wrote") from error
    if not isinstance(content, dict):
        raise InputError("holds no mapping", file=file, expected="the YAML that archsim wrote")
    return content


def refuse_metered(run: dict[str, Any], file: str) -> None:
    """Refuse the run.yaml of a loop that a meter counted: nobody but its owner can do its training again."""
    if "metered" in run:
        raise InputError(
            "is a loop of its owner's own that a meter counted: archsim cannot train it again", file=file,
            expected="a run of archsim; report, its page, compare, and explain with --no-reruns take this one",
        )  # fmt: skip

"""The state of a trained chip in its run directory: arrays in one compressed file a chip, without pickle."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from archsim.base import files
from archsim.base.arrays import Arrays, nested, under, unpacked
from archsim.base.errors import InputError
from archsim.chips.chip import Chip
from archsim.networks.file import network_of
from archsim.runs.identity import identity

SCHEMA = 1


@dataclass(frozen=True)
class State:
    """What stands in a state file.

    Parameters
    ----------
    file : Path
    steps : int
        Training steps behind the state.
    clock_ps : int
        The chip's clock after the last of them.
    arrays : mapping
        Those of the chip (`Chip.arrays`).
    """

    file: Path
    steps: int
    clock_ps: int
    arrays: Arrays


def state_file(folder: Path, architecture: str) -> Path:
    """Return the path of a chip's state in a run directory."""
    return folder / f"state-{architecture}.npz"


def save(folder: Path, run: Mapping[str, Any], chip: Chip) -> Path:
    """Write the state of a trained chip into the directory of its run, whole or not at all; return the file.

    Parameters
    ----------
    run : mapping
        Content of the directory's run.yaml.
    """
    header = {"schema": SCHEMA, "run": identity(run), "steps": chip.ledger.steps, "clock_ps": chip.clock.now}
    content: dict[str, Any] = {**nested("chip", chip.arrays()), **header}
    path = state_file(folder, chip.architecture.name)
    with (
        files.replacing(path) as aside,
        zipfile.ZipFile(aside, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed,  # NumPy's 6 takes thrice the time
    ):
        for name, array in content.items():
            with packed.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)
    return path


def largest(run: Mapping[str, Any]) -> int:
    """Return how many bytes a state of a run may have, by its run.yaml: more than any chip keeps of its weights."""
    network = network_of(run["workload"]["network"])
    return _A_WEIGHT * (network.weights + network.parameter_words) + (1 << 24)


_A_WEIGHT = 256
"""Bytes of a weight, at most: a pair of devices keeps 72, and its copies in tiles."""


def load(folder: Path, run: Mapping[str, Any], architecture: str) -> State:
    """Read the state of a chip from the directory of its run.

    Raises
    ------
    InputError
        If there is none, if it is not readable, of another version, or of another run.
    """
    path = state_file(folder, architecture)
    try:
        if not path.is_file():
            raise FileNotFoundError  # noqa: TRY301  told below
        content = unpacked(path, what="the state that archsim wrote", most=largest(run))
        schema, owner = int(content["schema"]), str(content["run"])
        steps, clock_ps = int(content["steps"]), int(content["clock_ps"])
    except FileNotFoundError as error:
        raise InputError(
            f"holds no trained state of the chip {architecture!r} ({path.name})", file=files.display(folder),
            hint="Runs of earlier versions saved none: do the run again with this version",
        ) from error  # fmt: skip
    except InputError:
        raise
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            "is not readable", file=files.display(path), expected="the state that archsim wrote"
        ) from error
    if schema != SCHEMA:
        raise InputError(file=files.display(path), key="schema", value=schema, expected=str(SCHEMA))
    if owner != identity(run):
        raise InputError(
            "belongs to another run", file=files.display(path), expected="the state of the run that run.yaml describes"
        )
    return State(path, steps, clock_ps, under("chip", content))


def wake(chip: Chip, state: State) -> None:
    """Bring a chip that has just been started to a saved state: its clock, then its arrays.

    Raises
    ------
    InputError
        If the arrays are not those of such a chip.
    """
    chip.run(chip.wait(state.clock_ps - chip.clock.now))
    try:
        chip.restore(state.arrays)
    except InputError as error:
        raise InputError(
            error.message, file=files.display(state.file), key=error.key, expected=error.expected
        ) from error

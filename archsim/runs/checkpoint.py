"""Checkpoints: all that decides how a training goes on, written between two steps, whole or not at all.

What a chip computes with (its arrays and caches), its clock, its ledger, every random stream, the position in the data
and the course of the training: a training that goes on from them gives the bits of one that was never interrupted.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.base import files
from archsim.base.arrays import nested, under, unpacked
from archsim.base.errors import InputError
from archsim.runs.train import Trainer

SCHEMA = 2
EVERY_S = 60.0
"""Seconds on the wall between two checkpoints, if nothing else is said."""
FILES = "checkpoint-*.npz"
_DAMAGE = (
    OSError, ValueError, KeyError, TypeError, AttributeError, MemoryError,
)  # fmt: skip


def file_of(folder: Path, architecture: str) -> Path:
    """Return the path of a chip's checkpoint in a run directory."""
    return folder / f"checkpoint-{architecture}.npz"


class Keeper:
    """Writes the checkpoint of a training now and then, and when it trains no further.

    Parameters
    ----------
    folder : path
        The run directory.
    run : str
        Identity of the run (`archsim.runs.identity`).
    every_s : float or None
        Seconds on the wall between two; None for one at the end alone.
    """

    def __init__(self, folder: Path, run: str, every_s: float | None) -> None:
        self.folder, self.run, self.every_s = folder, run, every_s
        self._last = time.monotonic()

    def __call__(self, trainer: Trainer, ended: bool) -> None:
        """Write the trainer's checkpoint if one is due."""
        due = self.every_s is not None and time.monotonic() - self._last >= self.every_s
        if ended or due:
            save(self.folder, self.run, trainer)
            self._last = time.monotonic()


def save(folder: Path, run: str, trainer: Trainer) -> Path:
    """Write the checkpoint of a training and return its file."""
    chip, (states, streams) = trainer.chip, trainer.streams.positions()
    caches = {f"{name}/{key}": array for name, cells in chip.cells().items() for key, array in cells.cached().items()}
    header = {
        "schema": SCHEMA, "run": run, "clock_ps": chip.clock.now, "events": chip.clock.events,
        "holds": chip.clock.holds, "tallies": chip.tallies(), "ledger": chip.ledger.content(), "streams": states,
        "next": trainer.task.sampler.next, "trainer": trainer.content(),
    }  # fmt: skip
    content: dict[str, NDArray[Any]] = {
        **nested("chip", chip.arrays()), **nested("cache", caches), **nested("stream", streams),
        "order": trainer.task.sampler.order, **nested("state", trainer.states), **nested("samples", trainer.samples),
        "header": np.array(json.dumps(header)),
    }  # fmt: skip
    path = file_of(folder, trainer.architecture.name)
    with files.replacing(path) as aside, aside.open("wb") as stream:
        np.savez(stream, allow_pickle=False, **content)
    return path


def take_up(folder: Path, run: str, trainer: Trainer) -> bool:
    """Bring a trainer that has just been built to its checkpoint; return whether there was one.

    Raises
    ------
    InputError
        If the file is damaged, or of another run.
    """
    path = file_of(folder, trainer.architecture.name)
    if not path.is_file():
        return False
    try:
        own = sum(array.nbytes for array in trainer.chip.arrays().values())
        content = unpacked(path, what="the checkpoint that archsim wrote", most=4 * own + _REST)
        header = json.loads(str(content["header"]))
        owner = header["schema"], header["run"]
        if owner == (SCHEMA, run):
            _take_up(trainer, header, content)
    except _DAMAGE as error:
        raise InputError(
            "is not readable", file=files.display(path), expected="the checkpoint that archsim wrote",
            hint="Remove it, and the training of this chip begins again",
        ) from error  # fmt: skip
    if owner != (SCHEMA, run):
        raise InputError(
            "belongs to another run", file=files.display(path), expected="the checkpoint of the run in run.yaml"
        )
    return True


def _take_up(trainer: Trainer, header: dict[str, Any], content: dict[str, NDArray[Any]]) -> None:
    chip = trainer.chip
    chip.run(chip.wait(header["clock_ps"] - chip.clock.now))
    chip.restore(under("chip", content))
    caches = under("cache", content)
    for name, cells in chip.cells().items():
        for key, array in cells.cached().items():
            array[...] = caches[f"{name}/{key}"]
    chip.clock.events, chip.clock.holds = header["events"], header["holds"]
    chip.go_on(header["tallies"])
    chip.ledger.go_on(header["ledger"])
    trainer.streams.go_on(header["streams"], under("stream", content))
    trainer.task.sampler.order, trainer.task.sampler.next = content["order"], header["next"]
    trainer.states.update(under("state", content))
    trainer.samples.update(under("samples", content))
    trainer.go_on(header["trainer"])


_REST = 1 << 28
"""Bytes of a checkpoint beside four times the chip's own arrays: streams, the order of the samples, books."""


def clear(folder: Path) -> None:
    """Remove the checkpoints of a run that needs them no more."""
    for path in folder.glob(FILES):
        path.unlink(missing_ok=True)

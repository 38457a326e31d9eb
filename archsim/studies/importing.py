"""A network of another tool as a workload: a file that a person reads, and its initial values beside it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from archsim.base.errors import InputError
from archsim.base.files import display, replacing, write_text
from archsim.networks.imports.draft import Draft
from archsim.runs.workload import Workload, document, parse

WIDTH = 118
"""Letters of a line of a comment."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What was written: the workload, its file, that of its initial values if there is one, and notes to the reader."""

    workload: Workload
    file: Path
    initial: Path | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a network is to be trained on and how: batches of (samples, labels) of two loaders, rate and epochs.

    Every batch is taken once: what a loader draws anew each time it is gone through stays as it was drawn.
    """

    train: Iterable[Any]
    test: Iterable[Any]
    learning_rate: float
    epochs: int

    def kept(self, out: Path, inputs: Sequence[int]) -> dict[str, Any]:
        """Write the data into a file beside a workload; return what the workload says of them and of the training.

        `inputs` is the shape of a sample as the workload has it: lines (channels, places) are images of one row there.
        """
        arrays: dict[str, Any] = {}
        batch = 0
        for part, prefix, loader in (("train", "", self.train), ("test", "test_", self.test)):
            pairs = [(_rowed(x, inputs), y) for x, y in _pairs(f"{part} loader", loader)]
            arrays |= {f"{prefix}{key}": np.concatenate([pair[k] for pair in pairs]) for k, key in enumerate("xy")}
            batch = batch or len(pairs[0][0])
        path = data_of(out)
        with replacing(path) as aside, aside.open("wb") as stream:
            np.savez(stream, allow_pickle=False, **arrays)
        training = {"batch": batch, "learning_rate": self.learning_rate, "epochs": self.epochs}
        return {"dataset": {"file": path.name}, "training": training}


def data_of(out: Path) -> Path:
    """Return the file of the data of a workload, beside it."""
    return out.with_name(f"{out.stem}-data.npz")


def _rowed(x: NDArray[Any], inputs: Sequence[int]) -> NDArray[Any]:
    """Return lines (samples, channels, places) as images of one row, if such are a network's; all else as it is."""
    return x[:, :, None] if x.ndim == 3 and [1, x.shape[2], x.shape[1]] == [*inputs] else x


def _pairs(key: str, loader: Any) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    """Return the batches of a loader as arrays.

    Raises
    ------
    InputError
        If it gives none, or others than pairs of samples of one shape and labels.
    """
    expected = "batches of (samples, labels), as a DataLoader gives them, samples all of one shape"
    if not isinstance(loader, Iterable):
        raise InputError(key=key, value=type(loader).__name__, expected=expected)
    found: list[tuple[NDArray[Any], NDArray[Any]]] = []
    for k, batch in enumerate(loader):
        if not isinstance(batch, tuple | list) or len(batch) != 2:
            of = f" of {len(batch)}" if hasattr(batch, "__len__") else ""
            raise InputError(f"batch {k} is a {type(batch).__name__}{of}", key=key, expected=expected)
        x, y = (np.asarray(each.detach().cpu() if hasattr(each, "detach") else each) for each in batch)
        if not x.ndim or not y.ndim or (found and x.shape[1:] != found[0][0].shape[1:]):
            first = f"; the first had {[*found[0][0].shape]}" if found else ""
            raise InputError(f"batch {k} has samples of {[*x.shape]} and labels of {[*y.shape]}{first}", key=key,
                             expected=expected)  # fmt: skip
        found.append((x, y))
    if not found:
        raise InputError("gives no batch", key=key, expected="one at least")
    return found


def write(draft: Draft, out: Path, *, source: str, title: str, lesson: Lesson | None = None) -> Imported:
    """Write a network as a workload, with a file of initial values beside it if the network has any; read it back.

    Parameters
    ----------
    draft : Draft
    out : Path
        The YAML file.
    source, title : str
        What it was read from, and what it is.
    lesson : Lesson, optional
        What it is to be trained on; written beside it.

    Raises
    ------
    InputError
        If the network is none that archsim can build, or the data are none that it can train on.
    """
    initial = out.with_suffix(".npz") if draft.arrays else None
    if draft.missing:
        some = f"{len(draft.missing)} of {len(draft.missing) + len(draft.arrays)} arrays have no values in the model"
        draft.note(f"{some}: they are drawn.")
    if len(draft.inputs) == 3:
        draft.note("Samples are rows x columns x channels: the channels stand last.")
    said = {} if lesson is None else lesson.kept(out, draft.inputs)
    text = _text(draft, out, source=source, title=title, initial=initial, said=said)
    if initial is not None:
        with replacing(initial) as aside, aside.open("wb") as stream:
            np.savez(stream, allow_pickle=False, **draft.arrays)
    write_text(out, text)
    try:
        made = parse(document(str(out)))
        made.build()
        if lesson is not None:
            made.load(None)
    except InputError as error:
        for path in (out, *([initial] if initial else []), *([data_of(out)] if lesson else [])):
            path.unlink()
        raise (error.of(file=source) if error.file == display(out) else error) from error
    return Imported(made, out, initial, tuple(draft.notes))


def _text(
    draft: Draft, out: Path, *, source: str, title: str, initial: Path | None, said: Mapping[str, Any]
) -> str:  # fmt: skip
    """Return the workload as YAML, a line a layer; `said` are its data and training, if there are any."""
    told = [f"Read from {source} by `archsim workloads import`.", *draft.notes]
    if not said:
        told.append("To train it, name data: `dataset: {file: my.npz}`, and training.learning_rate and epochs.")
    comment = [f"# {line}" for each in told for line in textwrap.wrap(each, WIDTH, break_on_hyphens=False)]
    layers, room = draft.content(), "deep" if said else "large"
    rectified = any("relu" in str(layer.get("activation")) for layer in layers)
    lines = [
        *comment, "schema: 1", "kind: workload", f"name: {_flow(out.stem)}", f"title: {_flow(title)}",
        f"architectures: [{', '.join(f'{chip}-{room}' for chip in ('mixed-precision', 'digital32'))}]",
        *(f"{key}: {_flow(said[key])}" for key in ("dataset",) if key in said),
        *([] if initial is None else [f"initial: {_flow(initial.name)}"]),
        "network:", f"  inputs: {_flow(draft.inputs)}", f"  initial_std: {'he' if rectified else 'lecun'}",
        "  layers:", *(f"    - {_flow(layer)}" for layer in layers), f"  loss: {draft.loss}",
        f"training: {_flow(said.get('training', {'batch': 1}))}",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _flow(value: Any) -> str:
    """Return a value as YAML on one line."""
    text: str = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10**6, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")


def default_out(path: Path) -> Path:
    """Return the file that an import writes if none is named: in the current folder, of the model's name."""
    return Path(f"{path.stem}.yaml")

"""A network of another tool as a workload: a file that a person reads, and its initial values beside it."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from archsim.base.errors import InputError
from archsim.base.files import replacing, write_text
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


def write(draft: Draft, out: Path, *, source: str, title: str) -> Imported:
    """Write a network as a workload, with a file of initial values beside it if the network has any; read it back.

    Parameters
    ----------
    draft : Draft
    out : Path
        The YAML file.
    source, title : str
        What it was read from, and what it is.

    Raises
    ------
    InputError
        If the network is none that archsim can build.
    """
    initial = out.with_suffix(".npz") if draft.arrays else None
    if draft.missing:
        some = f"{len(draft.missing)} of {len(draft.missing) + len(draft.arrays)} arrays have no values in the model"
        draft.note(f"{some}: they are drawn.")
    if len(draft.inputs) == 3:
        draft.note("Samples are rows x columns x channels: the channels stand last.")
    text = _text(draft, out, source=source, title=title, initial=initial)
    if initial is not None:
        with replacing(initial) as aside, aside.open("wb") as stream:
            np.savez(stream, allow_pickle=False, **draft.arrays)
    write_text(out, text)
    try:
        made = parse(document(str(out)))
        made.build()
    except InputError:
        for path in (out, *([initial] if initial else [])):
            path.unlink()
        raise
    return Imported(made, out, initial, tuple(draft.notes))


def _text(draft: Draft, out: Path, *, source: str, title: str, initial: Path | None) -> str:
    """Return the workload as YAML, a line a layer."""
    told = [
        f"Read from {source} by `archsim workloads import`.", *draft.notes,
        "To train it, name data: `dataset: {file: my.npz}`, and training.learning_rate and epochs.",
    ]  # fmt: skip
    comment = [f"# {line}" for each in told for line in textwrap.wrap(each, WIDTH, break_on_hyphens=False)]
    layers = draft.content()
    rectified = any("relu" in str(layer.get("activation")) for layer in layers)
    lines = [
        *comment, "schema: 1", "kind: workload", f"name: {_flow(out.stem)}", f"title: {_flow(title)}",
        "architectures: [mixed-precision-deep, digital32-deep]",
        *([] if initial is None else [f"initial: {_flow(initial.name)}"]),
        "network:", f"  inputs: {_flow(draft.inputs)}", f"  initial_std: {'he' if rectified else 'lecun'}",
        "  layers:", *(f"    - {_flow(layer)}" for layer in layers), f"  loss: {draft.loss}", "training: {batch: 1}",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _flow(value: Any) -> str:
    """Return a value as YAML on one line."""
    text: str = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10**6, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")


def default_out(path: Path) -> Path:
    """Return the file that an import writes if none is named: in the current folder, of the model's name."""
    return Path(f"{path.stem}.yaml")

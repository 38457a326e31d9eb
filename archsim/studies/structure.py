"""Architectures and workloads as files: their values and where each stands, short files to begin with, lint, diff."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from archsim.accounting.area import lint_areas
from archsim.accounting.technology import lint, read_technology
from archsim.base.errors import InputError
from archsim.base.files import display, shipped, write_text
from archsim.base.yamlfile import Document, Key, paths
from archsim.chips import architecture as architectures
from archsim.chips.architecture import Architecture
from archsim.chips.crossbars.crossbar_file import CrossbarArchitecture
from archsim.studies.anatomy import Anatomy
from archsim.studies.inventory import small_entries_and_parts
from archsim.technologies.writing import dump

FIXED = ("schema", "kind", "name", "chip", "title", "extends")
"""Keys that say what a file is, not what it describes."""
_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Place:
    """One value that `--set` may change.

    Parameters
    ----------
    path : dotted, as `--set` takes it
    text : the value as the file has it
    where : "FILE:LINE"
    """

    path: str
    text: str
    where: str


def places(document: Document, read: BaseModel) -> list[Place]:
    """Return every value of a file, merged with what it extends, in its order; then those it leaves to their defaults.

    Parameters
    ----------
    document : the file
    read : what was read of it
    """
    given, found = paths(document.data), paths(read.model_dump(by_alias=True))
    rows = [
        Place(path, _text(value), f"{_short(document.home(_key(path)))}:{document.line(_key(path))}")
        for path, value in given.items()
        if _is_value(path, value)
    ]
    blocks = [path for path, value in given.items() if isinstance(value, dict) and path.partition(".")[0] != "presets"]
    return rows + [
        Place(path, _text(value), "by default")
        for path, value in found.items()
        if path not in given and path.rpartition(".")[0] in blocks and _is_value(path, value)
    ]


def _is_value(path: str, value: Any) -> bool:
    whole = isinstance(value, dict) or (isinstance(value, list) and any(isinstance(each, dict) for each in value))
    return path.partition(".")[0] not in FIXED and not whole and not path.rpartition(".")[2].isdecimal()


def _key(path: str) -> Key:
    return tuple(int(part) if part.isdecimal() else part for part in path.split("."))


def _short(path: Path) -> str:
    """Return the path of a file, of a shipped one its name alone."""
    here = path.resolve().parent
    return path.name if here in [shipped(kind).resolve() for kind in ("architectures", "workloads")] else display(path)


def listing(document: Document, read: BaseModel) -> str:
    """Return a file whole, as YAML, and below it as a comment every path that `--set` may change, and where it stands.

    A file that extends others comes merged with them. Parameters as for `places`.
    """
    if document.ancestors:
        head = f"# {document.path.name} with what it extends: {', '.join(map(_short, document.ancestors))}\n"
        body = head + dump(document.data)
    else:
        body = document.path.read_text(encoding="utf-8").rstrip("\n") + "\n"
    rows = places(document, read)
    width = min(60, max((len(f"{row.path}={row.text}") for row in rows), default=0))
    lines = [f"#   {f'{row.path}={row.text}':{width}}  {row.where}" for row in rows]
    return body + "\n# What `--set PATH=VALUE` may change, and where each value stands:\n" + "\n".join(lines) + "\n"


def layer_lines(found: Anatomy) -> list[str]:
    """Return a table of a network's layers, aligned, with the sums below."""
    heads = ("layer", "gives", "multiply-accumulates", "weights", "digital parameters", "tiles")
    rows: list[tuple[str, ...]] = [
        (layer.name, "x".join(map(str, layer.shape)), f"{layer.macs:,}", f"{layer.weights:,}", f"{layer.parameters:,}",
         "" if layer.tiles is None else f"{layer.tiles}")
        for layer in found.layers
    ]  # fmt: skip
    sums = [sum(getattr(layer, name) for layer in found.layers) for name in ("macs", "weights", "parameters")]
    tiles = sum(layer.tiles or 0 for layer in found.layers)
    rows.append(("all", "", *(f"{number:,}" for number in sums), f"{tiles}" if found.architecture else ""))
    cells = [tuple("" if cell == "0" else cell for cell in row) for row in (heads, *rows)]
    widths = [max(len(row[k]) for row in cells) for k in range(len(heads))]
    on = f"; tiles of {found.architecture}" if found.architecture else ""
    return ["", f"The network, of one sample's forward pass{on}:"] + [
        "  "
        + "  ".join(
            c.ljust(w) if k < 2 else c.rjust(w) for k, (c, w) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]


def _text(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(_text, value))}]"
    return str(value)


# --- a file to begin with ---------------------------------------------------------------------------------------------
_HEAD = """\
# {name}: {parent} but for what stands here. Written by `archsim archs new`.
# A value that stands here replaces that of {parent}; all else is taken over.
# To change one, take the "# " away before it and before the blocks that it stands in; all else may stay a comment.
#   archsim archs lint {out}      is it right, and has each action a price?
#   archsim archs show {out}      all values, and where each stands
#   archsim archs diff {parent} {out}
#   archsim run mlp-mnist --steps 3000 --arch {out} --arch digital32
schema: 1
kind: architecture
extends: {extends}

"""


def write_short(parent: str, out: Path) -> Document:
    """Write an architecture that extends another and changes nothing yet, with all its values as comments.

    Raises
    ------
    InputError
        If the other is unknown or wrong, or has the name of the file to be written.
    """
    document = architectures.document(parent)
    architecture = architectures.parse(document)
    if out.stem == architecture.name:
        raise InputError(key="--out", value=str(out), expected=f"another name than that of {architecture.name} itself")
    home = shipped("architectures").resolve()
    path = document.path.resolve()
    extends = architecture.name if path.parent == home else os.path.relpath(path, out.resolve().parent)
    head = _HEAD.format(name=out.stem, parent=parent, out=display(out), extends=extends)
    write_text(out, head + "\n".join(_commented(document)) + "\n")
    return architectures.document(str(out))


def _commented(document: Document) -> Iterator[str]:
    """Yield the content of a file as comments, without the keys that say what it is."""
    if document.ancestors:
        text = dump({key: value for key, value in document.data.items() if key not in FIXED or key == "title"})
    else:
        text = document.path.read_text(encoding="utf-8")
    begun = False
    for line in text.splitlines():
        key = line.partition(":")[0]
        if key in FIXED and key != "title":
            continue
        begun = begun or not line.startswith("#")
        if begun:
            yield f"# {line}".rstrip() if line.strip() else ""


# --- checks -----------------------------------------------------------------------------------------------------------
def lint_architecture(name: str, technologies: Sequence[str]) -> list[str]:
    """Return what is wrong with an architecture, and notes (lines that begin with "note: ").

    The file is read, its device built, a small network put on it; then each action of it is to have a price, with the
    sizes it has, and each part an area.

    Raises
    ------
    InputError
        If the file, or the device it names, breaks its schema.
    """
    document = architectures.document(name)
    architecture = architectures.parse(document)
    lines = [f"note: {line}" for line in (*_changes(document, architecture), *_of_no_memory(architecture))]
    for each in technologies:
        technology = read_technology(each)
        entries, parts = small_entries_and_parts(architecture, technology)
        found = [*lint(technology, entries), *lint_areas(technology, parts)]
        lines += [line for line in found if not line.startswith("note: ") or "no figure gives the area" in line]
    return lines


def _of_no_memory(architecture: Architecture) -> Iterator[str]:
    """Yield that a device does not say what kind of memory it is: of the prices of its pulses nothing is known."""
    if isinstance(architecture, CrossbarArchitecture) and None in architecture.written().values():
        yield (
            f"{display(architecture.device_file())}: says no kind of `memory`, such as pcm or reram, so nothing tells "
            "whether a technology has the prices of its pulses"
        )


def _changes(document: Document, architecture: Architecture) -> Iterator[str]:
    """Yield what a file changes of the one it extends."""
    if not document.ancestors:
        return
    parent = document.ancestors[0]
    changes = diff(str(parent), str(document.path))
    said = ", ".join(f"{each.path} {each.a or 'nothing'} -> {each.b or 'nothing'}" for each in changes) or "nothing"
    yield f"{display(document.path)}: {architecture.name} takes over {_short(parent)} and changes {said}"


@dataclass(frozen=True, slots=True)
class KeyChange:
    """A value that two architectures do not share: its path and what each has, as its file says it; None: not there."""

    path: str
    a: str | None
    b: str | None


def diff(a: str, b: str) -> list[KeyChange]:
    """Return what two architectures, by name or file, differ in, each merged with what it extends; defaults count.

    Raises
    ------
    InputError
        If one is unknown or breaks its schema.
    """
    (first, of_first), (second, of_second) = _values(a), _values(b)
    return [
        KeyChange(path, _said(first, of_first, path), _said(second, of_second, path))
        for path in dict.fromkeys([*of_first, *of_second])
        if of_first.get(path, _ABSENT) != of_second.get(path, _ABSENT)
    ]


def _values(name: str) -> tuple[Document, dict[str, Any]]:
    """Return a document and path -> value, as read, of all that is no block."""
    document = architectures.document(name)
    read = paths(architectures.parse(document).model_dump(by_alias=True))
    fixed = [each for each in FIXED if each != "chip"]
    return document, {
        path: value
        for path, value in read.items()
        if not isinstance(value, dict) and path.partition(".")[0] not in fixed and not path[-1].isdecimal()
    }


def _said(document: Document, values: dict[str, Any], path: str) -> str | None:
    if path not in values:
        return None
    given = paths(document.data)
    return _text(given[path]) if path in given else f"{_text(values[path])} (by default)"


# --- workloads --------------------------------------------------------------------------------------------------------
_WORKLOAD = """\
# {name}: a network, its data set and its training. Written by `archsim workloads new`.
#   archsim run {out} --steps 1000
#   archsim workloads show {out}      all values, and the paths by which --set changes them
schema: 1
kind: workload
title: 784-128-10 perceptron on MNIST

dataset: mnist # `archsim data list` lists what there is

# dataset: {{file: my.npz}} # own data: x, y, test_x, test_y; or {{text: my.txt}}, for a network that reads sequences

# images: {{crop: 20, threshold: 0.5}} # the middle 20 x 20 pixels (inputs is then 400), as 0 and 1
# images: {{normalise: true, augment: [flip, shift]}} # less the mean, over the deviation; changed at random in training

network:
  inputs: 784 # elements of a sample: 28 x 28 pixels
  initial_std: 0.08 # spread of the initial weights; a wider layer wants a smaller one
  # layers from the input on, of sigmoid, relu or linear; bias: false and rate: 0.5 (of the learning rate) may follow
  layers: # the last one has a unit for each class
    - {{name: fc1, kind: dense, units: 128, activation: sigmoid}}
    - {{name: fc2, kind: dense, units: 10, activation: sigmoid}}

training:
  batch: 1 # samples of a step
  learning_rate: 0.3
  decay: 0.9 # of the learning rate, by epoch
  epochs: 5
  evaluations_per_epoch: 2 # tests on the whole test set
  # steps: 20000 # ends the training whatever the epochs

presets: # archsim run {out} --preset quick
  quick: {{steps: 3000, evaluations_per_epoch: 20}}
"""


def write_workload(out: Path) -> None:
    """Write a complete workload to begin with."""
    write_text(out, _WORKLOAD.format(name=out.stem, out=display(out)))

"""Workloads of ZigZag and AccelForge (YAML): products written as sums over indices, where they are plain ones.

ZigZag has a list of layers, each with its equation, loops and sizes; AccelForge einsums between named tensors, as a
template that is filled in with a batch of one. What is no product of a signal with a weight is left out, and said.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from archsim.base.errors import InputError
from archsim.base.files import display, read_bytes
from archsim.networks.imports.channels_first import Steps
from archsim.networks.imports.draft import Draft, UnknownNodeError
from archsim.networks.imports.products import Chain

EXPECTED = "ZigZag's list of layers, each with its equation, or AccelForge's workload of einsums"


@dataclass(frozen=True, slots=True)
class Window:
    """An index of a signal that a window passes over: stride times place plus dilation times element."""

    place: str
    element: str
    stride: int = 1
    dilation: int = 1


@dataclass(frozen=True, slots=True)
class Product:
    """A sum over products of a signal with a weight: the indices of each, and how far each goes."""

    name: str
    output: tuple[str, ...]
    signal: tuple[str, ...]
    windows: tuple[Window, ...]
    weight: tuple[str, ...]
    sizes: Mapping[str, int]

    def size(self, indices: set[str]) -> int:
        """Return over how many values some indices go together.

        Raises
        ------
        UnknownNodeError
            If one has no size.
        """
        if lost := sorted(index for index in indices if index not in self.sizes):
            raise UnknownNodeError(f"says no size of {', '.join(lost)}")
        return math.prod(self.sizes[index] for index in indices)

    def add(self, chain: Chain) -> None:
        """Add the layer that does it.

        Raises
        ------
        UnknownNodeError
            If it is none of dense, convolution and depthwise convolution.
        """
        output, signal, weight = set(self.output), set(self.signal), set(self.weight)
        groups, rows = self.size(output & signal & weight), self.size((signal & weight) - output)
        units, vectors = self.size((output & weight) - signal), self.size((output & signal) - weight)
        if not self.windows:
            if groups > 1:
                raise UnknownNodeError("is a product for each of several groups; expected one with one weight")
            chain.product(self.name, "dense", [vectors, rows], [vectors, units], units=units)
            return
        if vectors > 1 or len(self.windows) > 2:
            raise UnknownNodeError("passes over more than rows and columns; expected an image of a batch of one")
        if groups > 1 and (rows > 1 or units > 1):
            raise UnknownNodeError("has groups of channels; expected one, or one for each channel")
        across = [*self.windows, Window("", "")][:2]
        sizes = {**self.sizes, "": 1}
        window = (sizes[across[0].element], sizes[across[1].element])
        places = (sizes[across[0].place], sizes[across[1].place])
        steps = Steps([w.stride for w in across], dilations=[w.dilation for w in across])
        image = [(p - 1) * w.stride + (k - 1) * w.dilation + 1 for p, k, w in zip(places, window, across, strict=True)]
        if len(self.windows) == 1:
            steps = Steps([across[0].stride] * 2, dilations=[across[0].dilation] * 2)
        chain.image(self.name, (image[0], image[1], rows * groups), None if groups > 1 else units, window, steps)


def read(path: Path) -> Draft:
    """Return the products of a workload.

    Raises
    ------
    InputError
        If it is no such file, or holds no product.
    """
    file, text = display(path), read_bytes(path, "text", "a YAML file").decode("utf-8", "replace")
    try:
        content = yaml.safe_load(_filled(text))
    except Exception as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        raise InputError(
            f"is no YAML file: {getattr(error, 'problem', None) or type(error).__name__}", file=file,
            line=None if line is None else line + 1, expected=EXPECTED,
        ) from error  # fmt: skip
    try:
        found = list(_told(content, file))
    except InputError as error:
        raise error.of(file=file) from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"has another form: {type(error).__name__}: {error}", file=file, expected=EXPECTED) from error
    left = [each for each in found if isinstance(each, str)]
    return _chained([each for each in found if isinstance(each, Product)], left, file)


def _chained(products: Sequence[Product], left: list[str], file: str) -> Draft:
    """Return products one after the other; say what is left out."""
    chain = None
    for product in products:
        try:
            if chain is None:
                chain = Chain(_first(product))
            product.add(chain)
        except UnknownNodeError as error:
            left.append(f"{product.name} {error}")
    if chain is None or not chain.draft.layers:
        why = f": {'; '.join(left)}" if left else ""
        raise InputError(f"holds no product of a signal with a weight{why}", file=file)
    if left:
        chain.draft.note(f"Left out: {'; '.join(left)}.")
    return chain.draft


def _first(product: Product) -> list[int]:
    """Return the shape of a sample: what the first product takes."""
    alone = Chain([1])
    product.add(alone)
    takes = next(layer for layer in alone.draft.layers if layer["kind"] == "fit")
    return list(takes["shape"])


def _told(content: Any, file: str) -> Iterator[Product | str]:
    """Yield the product of each layer of ZigZag or einsum of AccelForge, or why it is none."""
    if isinstance(content, list) and all(isinstance(each, Mapping) and "equation" in each for each in content):
        for each in content:
            name = str(each.get("name") or f"layer-{each.get('id', '')}")
            try:
                yield _zigzag(name, each)
            except UnknownNodeError as error:
                yield f"{name} {error}"
        return
    work = content.get("workload") if isinstance(content, Mapping) else None
    if not isinstance(work, Mapping) or not isinstance(work.get("einsums"), list):
        raise InputError("is no workload of another tool", file=file, expected=EXPECTED)
    yield from _einsums(work)


# --- ZigZag -----------------------------------------------------------------------------------------------------------
_INDEXED = re.compile(r"(\w+)((?:\[\w*\])+)")
_RELATION = re.compile(r"(\w+)\s*=\s*(?:(\d+)\s*\*\s*)?(\w+)\s*\+\s*(?:(\d+)\s*\*\s*)?(\w+)$")


def _zigzag(name: str, told: Mapping[str, Any]) -> Product:
    """Return the product of a layer of ZigZag: O[..] += W[..] * I[..]."""
    equation = "".join(str(told["equation"]).lower().split())
    tensors = [(t, tuple(re.findall(r"\w+", i))) for t, i in _INDEXED.findall(equation)]
    by_name = dict(tensors)
    if len(tensors) != 3 or "*" not in equation or not {"o", "i", "w"} <= by_name.keys():
        raise UnknownNodeError("is no product of I and W")
    if "pool" in str(told.get("operator_type", "")).lower():
        raise UnknownNodeError("is a pool")
    dims, lengths = (told.get(key) for key in ("loop_dims", "loop_sizes"))
    if not isinstance(dims, list) or not isinstance(lengths, list) or len(dims) != len(lengths):
        expected = "a list each, of as many indices as sizes"
        raise InputError("loop_dims and loop_sizes do not fit each other", key=name, expected=expected)
    sizes = {str(d).lower(): _number(n, f"{name}: loop_sizes: {d}") for d, n in zip(dims, lengths, strict=True)}
    windows = []
    for relation in told.get("dimension_relations") or []:
        if (found := _RELATION.match(str(relation).lower().strip())) is None:
            raise UnknownNodeError(f"relates {relation}")
        into, stride, place, dilation, element = found.groups()
        if into in by_name["i"]:
            windows.append(Window(place, element, int(stride or 1), int(dilation or 1)))
    passed = {str(relation).partition("=")[0].strip().lower() for relation in told.get("dimension_relations") or []}
    signal = tuple(index for index in by_name["i"] if index not in passed)
    for window in windows:
        if len({window.place, window.element} & sizes.keys()) == 1:
            raise UnknownNodeError(f"says no size of {', '.join({window.place, window.element} - sizes.keys())}")
    windows = [w for w in windows if w.place in sizes]
    return Product(name, by_name["o"], signal, tuple(windows), by_name["w"], sizes)


# --- AccelForge -------------------------------------------------------------------------------------------------------
_EINSUM = re.compile(r"\s*(\w+)\s*\[(.*?)\]\s*=\s*(\w+)\s*\[(.*?)\](?:\s*\*\s*(\w+)\s*\[(.*?)\])?\s*$")
_RANGE = re.compile(r"\s*0\s*<=\s*(\w+)\s*<\s*(\d+)\s*$")


def _filled(text: str) -> str:
    """Return a template filled in: a batch of one, what else it names by its own defaults."""
    if "{{" not in text and "{%" not in text:
        return text
    from jinja2.sandbox import SandboxedEnvironment

    return SandboxedEnvironment().from_string(text).render(BATCH_SIZE=1, N_EINSUMS=2)


def _einsums(work: Mapping[str, Any]) -> Iterator[Product | str]:
    """Yield each einsum's product, or what it is instead."""
    parsed = [_parts(each) for each in work["einsums"]]
    made = {tensors[0][0] for _, tensors, _ in parsed if tensors}
    for name, tensors, each in parsed:
        if len(tensors) != 3:
            yield f"{name} is no product of two tensors"
            continue
        renames = each.get("renames") or {}
        named = renames.get("weight") if isinstance(renames, Mapping) else None
        weight = next((t for t in tensors[1:] if t[0] == named), None if tensors[2][0] in made else tensors[2])
        if weight is None:
            yield f"{name} is a product of two signals"
            continue
        signal = next(t for t in tensors[1:] if t is not weight)
        ranks = work.get("rank_sizes") or {}
        sizes = {str(rank).lower(): _number(n, f"rank_sizes: {rank}") for rank, n in ranks.items()}
        for told in (*_ranges(work), *_ranges(each)):
            if found := _RANGE.match(told):
                sizes[found.group(1).lower()] = int(found.group(2))
        plain, windows = _split(signal[1])
        yield Product(name, tuple(_split(tensors[0][1])[0]), plain, windows, _split(weight[1])[0], sizes)


def _number(told: object, key: str) -> int:
    """Return a size that is a number or a product of numbers: 96*128.

    Raises
    ------
    InputError
        If it is none, from 1 on.
    """
    parts = [part.strip() for part in str(told).split("*")]
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise InputError(key=key, value=told, expected="a whole number from 1 on, or a product of such")
    return math.prod(map(int, parts))


def _ranges(told: Mapping[str, Any]) -> list[str]:
    """Return "0 <= index < size" of an einsum or of all."""
    given = told.get("iteration_space_shape") or []
    return [str(each) for each in (given.values() if isinstance(given, Mapping) else given)]


def _parts(each: Any) -> tuple[str, list[tuple[str, list[str]]], Mapping[str, Any]]:
    """Return name, tensors with their indices, the output first, and content of an einsum in either of two forms."""
    told: Mapping[str, Any] = {"einsum": each} if isinstance(each, str) else each
    if not isinstance(told, Mapping):
        raise InputError(key="einsums", value=each, expected="einsums, each as text or with its tensor_accesses")
    if "einsum" in told:
        found = _EINSUM.match(str(told["einsum"]))
        if found is None:
            return str(told["einsum"]).partition("[")[0].strip(), [], told
        parts = [part for part in found.groups() if part is not None]
        tensors = [(parts[k], [index.strip() for index in parts[k + 1].split(",")]) for k in range(0, len(parts), 2)]
        return tensors[0][0], tensors, told
    name = str(told.get("name", "einsum"))
    if sum(bool(one.get("output")) for one in told.get("tensor_accesses") or []) != 1:
        raise InputError("has no tensor, or several, with output: true", key=name, expected="one")
    accesses = sorted(told.get("tensor_accesses") or [], key=lambda one: not one.get("output", False))
    tensors = []
    for one in accesses:
        given = one["projection"]
        indices = [f"{rank}: {index}" for rank, index in given.items()] if isinstance(given, Mapping) else given
        tensors.append((str(one["name"]), [str(index) for index in indices]))
    return name, tensors, told


def _split(indices: Sequence[str]) -> tuple[tuple[str, ...], tuple[Window, ...]]:
    """Return the plain indices of a tensor, and those that a window passes over: "H: p * 4 + r"."""
    plain, windows = [], []
    for told in indices:
        text = told.rpartition(":")[2].strip().lower()
        found = re.fullmatch(r"(\w+)(?:\s*\*\s*(\d+))?\s*\+\s*(\w+)(?:\s*\*\s*(\d+))?", text)
        if found:
            place, stride, element, dilation = found.groups()
            windows.append(Window(place, element, int(stride or 1), int(dilation or 1)))
        else:
            plain.append(text)
    return tuple(plain), tuple(windows)

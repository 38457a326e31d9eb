"""ONNX models: constants, shapes and nodes, in order. The package `onnx` reads the file (extra `onnx`).

Weights that the file declares and does not hold are shapes alone. Only what leads to the first output is kept. There is
one input, beside those that say which places of it count and of which kind they are; its first axis is the batch.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from archsim.base.errors import InputError
from archsim.base.files import display
from archsim.networks.imports.channels_first import Sketch, Value
from archsim.networks.imports.draft import WHAT_TO_DO, Draft, UnknownNodeError, Weight, needs, reading
from archsim.networks.imports.formulas import KINDS, Formula
from archsim.networks.imports.moved import Moved, Places, parted, places, whole
from archsim.networks.imports.onnx.constants import computed, known, shapes, weight
from archsim.networks.imports.shapes import scaled, shifted
from archsim.networks.imports.turned import laid

Handler = Callable[["Reader", Any], Any]
HANDLERS: dict[str, Handler] = {}
"""Kind of node -> what returns its result, or a list of its results."""
_CHOSEN = "Cut the model before it: what chooses among results is no layer, and costs no product"
_WHOLE = (
    "Take the model as it was before it was quantised, or quantise it in the form of QuantizeLinear and "
    "DequantizeLinear around float nodes, which is read"
)
INSTEAD: dict[str, str] = {
    **dict.fromkeys(("ArgMax", "ArgMin", "TopK", "NonMaxSuppression", "NonZero", "Equal", "Greater", "Less"), _CHOSEN),
    **dict.fromkeys(("If", "Loop", "Scan"), "Export the model without control flow: traced, with its sizes fixed"),
    **dict.fromkeys(
        ("QLinearConv", "QLinearMatMul", "QGemm", "MatMulInteger", "ConvInteger", "DynamicQuantizeLinear"), _WHOLE
    ),
}  # fmt: skip
"""Kinds of node that no layer does -> what to do."""


def handles(*kinds: str) -> Callable[[Handler], Handler]:
    """Note what reads nodes of some kinds."""

    def note(handler: Handler) -> Handler:
        HANDLERS.update(dict.fromkeys(kinds, handler))
        return handler

    return note


def read(path: Path, *, sample: Sequence[int] | None = None) -> Draft:
    """Return the network of a model.

    Parameters
    ----------
    path : Path
    sample : sequence of int, optional
        Shape of a sample as the model has it, channels first, where the model leaves it open.

    Raises
    ------
    InputError
        If the package or the file is not there, the file is no model, or a node is one that archsim has no layer for.
    """
    try:
        import onnx
    except ImportError:
        raise needs(display(path), "onnx") from None
    try:
        model = onnx.load(str(path), load_external_data=False)
    except Exception as error:
        expected = "a whole file of torch.onnx.export or of another exporter"
        raise InputError(f"is no ONNX model: {type(error).__name__}", file=path, expected=expected) from error
    version = max((one.version for one in model.opset_import if not one.domain), default=1)
    return Reader(model.graph, version, path.parent, sample).read(display(path))


class Reader:
    """Walks through a graph.

    Parameters
    ----------
    graph : onnx.GraphProto
    version : int
        Of the operators.
    base : Path
        Where data outside the file would lie.
    sample : sequence of int, optional
        Shape of a sample, where the model leaves it open.
    """

    def __init__(self, graph: Any, version: int, base: Path, sample: Sequence[int] | None = None) -> None:
        self.graph, self.version, self._sample = graph, version, sample
        self.constants = {one.name: weight(one, base) for one in graph.initializer}
        self.values: dict[str, Any] = {}
        self.batch = 1
        self.uses: Counter[str] = Counter(name for node in graph.node for name in node.input)
        self.uses.update(one.name for one in graph.output)
        self._readers: dict[str, set[str]] = {one.name: {""} for one in graph.output}
        self._makers: dict[str, str] = {name: node.op_type for node in graph.node for name in node.output}
        for node in graph.node:
            for name in node.input:
                self._readers.setdefault(name, set()).add(node.output[0])
        self.inferred = shapes(graph)

    def read(self, file: str) -> Draft:
        """Return what the nodes make."""
        from archsim.networks.imports.onnx import arithmetic, moves, nodes  # noqa: F401  they note handlers

        self.sketch = self._begin(file)
        for node in self.graph.node:
            where = f"node {name_of(node)} ({node.op_type})"
            with reading(file, where):
                if self._constant(node):
                    continue
                if node.op_type not in HANDLERS:
                    expected = f"one of {', '.join(sorted(HANDLERS))}"
                    hint = INSTEAD.get(node.op_type, WHAT_TO_DO)
                    raise InputError("archsim has no layer for it", key=where, file=file, expected=expected, hint=hint)
                found = HANDLERS[node.op_type](self, node)
                self.values.update(zip(node.output, found if isinstance(found, list) else [found], strict=False))
        with reading(file, f"output {self.graph.output[0].name}"):
            last = self._settled(self.graph.output[0].name)
        if last is None or not self.sketch.draft.layers:
            raise InputError("gives nothing that depends on its input", file=file)
        return self.sketch.draft.ended(last.layer)

    # --- what handlers ask -------------------------------------------------------------------------------------------
    def value(self, node: Any, place: int = 0) -> Value:
        """Return the signal that an input of a node is.

        Raises
        ------
        UnknownNodeError
            If it is a constant, or what no layer gives.
        """
        name = node.input[place]
        if (found := self._settled(name)) is None:
            raise UnknownNodeError(f"input {place} is {'a constant' if name in self.constants else 'no signal'}")
        return found

    def _settled(self, name: str) -> Value | None:
        """Return the layer's result that a signal is; what is written out as a formula becomes a layer."""
        found = self.values.get(name)
        if isinstance(found, Formula):
            found = self.values[name] = self._activated(name, found)
        if isinstance(found, Moved) and (of := parted(found, self.batch)) is not None:
            shape = found.places.shape[1:]
            found = self.values[name] = self.sketch.part(_readable(name), found.value, shape, *of)
        elif isinstance(found, Moved) and (made := laid(self.sketch, _readable(name), found, self.batch)) is not None:
            found = self.values[name] = made
        if found is None or isinstance(found, Value):
            return found
        raise UnknownNodeError(f"takes {found.TOLD}, {name}; expected what a layer gives whole")

    def _activated(self, name: str, formula: Formula) -> Value:
        """Return a formula as an activation, of the layer before if nobody else reads what is between; or a scale."""
        known = formula.kind()
        if known is None and (found := formula.affine()) is not None:
            scale, offset = (Weight((1,), np.array([each], np.float32)) for each in found)
            y = scaled(self.sketch, _readable(name), formula.of, scale, alone=False) if found[0] != 1 else formula.of
            return shifted(self.sketch, _readable(name), y, offset, alone=y != formula.of) if found[1] else y
        if known is None:
            raise UnknownNodeError(
                f"takes a function of {formula.base} that is no activation that is known; expected one of {KINDS}"
            )
        if known.note is not None:
            self.sketch.draft.note(known.note)
        alone = all(self._readers.get(one, set()) <= formula.inside for one in {formula.base, *formula.inside} - {name})
        return self.sketch.activation(_readable(name), formula.of, known.kind, alone=alone, slope=known.slope)

    def cut_off(self, name: str) -> bool:
        """Return whether what reads a signal cuts it off on a side, as hard activations do, after a sum at most."""
        kinds = {self._makers.get(one, ""): one for one in self._readers.get(name, {""})}
        if set(kinds) == {"Add"}:
            return self.cut_off(kinds["Add"])
        return kinds.keys() <= {"Clip", "Min", "Max"}

    def formula(self, name: str) -> Formula | None:
        """Return a signal as a formula, of itself if it is none; None for what a layer does not give whole."""
        found = self.values.get(name)
        if isinstance(found, Value):
            return Formula(found, lambda x: x, name)
        return found if isinstance(found, Formula) else None

    def moved(self, node: Any, place: int = 0) -> Moved:
        """Return an input as a signal in any order of its elements.

        Raises
        ------
        UnknownNodeError
            If it is none.
        """
        found, factor = self.values.get(node.input[place]), 1.0
        if isinstance(found, Moved):
            return found
        if isinstance(found, Formula) and (known := found.factor()) is not None:
            found, factor = found.of, known
        elif isinstance(found, Formula):
            found = self.value(node, place)
        if not isinstance(found, Value):
            raise UnknownNodeError(f"input {place} is no signal whose elements are known")
        if found.layout in ("directed", "last"):
            return Moved(replace(found, layout="plain"), _own_places(found, self.batch), factor)
        return replace(whole(found, self.batch), factor=factor)

    def shape_of(self, name: str) -> tuple[int, ...]:
        """Return the shape of a signal, with the batch, as the model has it."""
        found = self.values[name]
        if isinstance(found, Moved):
            return found.places.shape
        found = getattr(found, "of", found)  # of a formula, and of a step of a norm
        if isinstance(found, Value):
            return _own_places(found, self.batch).shape
        shape: tuple[int, ...] | None = getattr(found, "shape", None)
        if shape is None:
            raise UnknownNodeError("asks for the shape of what is no signal")
        return shape

    def weight(self, node: Any, place: int) -> Weight | None:
        """Return the constant that an input of a node is; None where it is left out.

        Raises
        ------
        UnknownNodeError
            If it is a signal.
        """
        if place >= len(node.input) or not node.input[place]:
            return None
        if node.input[place] not in self.constants:
            raise UnknownNodeError(f"input {place} is a signal; expected a constant, such as a weight")
        return self.constants[node.input[place]]

    def needed(self, node: Any, place: int) -> Weight:
        """Return a constant that must be there."""
        if (found := self.weight(node, place)) is None:
            raise UnknownNodeError(f"input {place} is missing")
        return found

    def numbers(self, node: Any, place: int, attribute: str) -> list[float] | None:
        """Return the numbers of a constant input, or of an attribute of earlier versions; None if neither is there."""
        found = self.weight(node, place)
        if found is None:
            told = attributes(node).get(attribute)
            return None if told is None else list(np.ravel(told).tolist())
        if found.values is None:
            raise UnknownNodeError(f"input {place} has no values in the file")
        return list(np.ravel(found.values).tolist())

    def signals(self, node: Any) -> list[Value]:
        """Return all inputs, which must be signals."""
        return [self.value(node, place) for place in range(len(node.input))]

    def alone(self, node: Any, place: int = 0) -> bool:
        """Return whether nobody but a node reads one of its inputs."""
        return self.uses[node.input[place]] == 1

    # --- constants and shapes ----------------------------------------------------------------------------------------
    def _begin(self, file: str) -> Sketch:
        """Return a sketch that begins with the one input."""
        fed = [one for one in self.graph.input if one.name not in self.constants]
        beside = [one for one in fed if _beside(one.name) is not None]
        main = [one for one in fed if one not in beside] if len(fed) > 1 else fed
        if len(main) != 1:
            told = ", ".join(one.name for one in fed) or "none"
            expected = "one, beside those that are named as a mask, token types or positions of it"
            raise InputError(f"has the inputs {told}", file=file, expected=expected)
        [one] = main
        axes = one.type.tensor_type.shape.dim
        shape = tuple(axis.dim_value for axis in axes)[1:]
        if self._sample is not None:
            shape = self._filled(shape, file)
        if not shape or 0 in shape:
            raise InputError(
                f"the input {one.name} has a shape that is not known: {['?', *(n or '?' for n in shape)]}", file=file,
                expected="numbers behind the batch", hint=f"say the shape of a sample: --sample {_example(shape)}",
            )  # fmt: skip
        import onnx

        whole = (onnx.TensorProto.INT64, onnx.TensorProto.INT32)
        self.batch = max(axes[0].dim_value, 1)
        sketch = Sketch(
            shape, codes=one.type.tensor_type.elem_type in whole and len(shape) == 1,
            line=len(shape) == 2 and self._is_line(one.name), last=self._is_turned(one.name),
        )  # fmt: skip
        self.values[one.name] = sketch.input
        for other in beside if len(fed) > 1 else ():
            values, note = _beside(other.name) or ("", "")
            made = {"ones": np.ones, "zeros": np.zeros}.get(values)
            of = np.arange(shape[0])[None] if made is None else made((self.batch, *shape))
            self.constants[other.name] = known(of.astype(np.int64))
            sketch.draft.note(f"The input {other.name} is taken as {values}: {note}.")
        return sketch

    def _filled(self, shape: Sequence[int], file: str) -> tuple[int, ...]:
        """Return the shape of a sample as it was said, if it fits that of the model."""
        said = tuple(self._sample or ())
        if len(said) != len(shape) or any(n > 0 and n != mine for n, mine in zip(shape, said, strict=True)):
            raise InputError(
                file=file, key="--sample", value="x".join(map(str, said)),
                expected=f"the shape {'x'.join(str(n) if n > 0 else '?' for n in shape)}",
            )  # fmt: skip
        return said

    def _is_line(self, name: str) -> bool:
        """Whether a signal of two axes is (channels, places): the first that takes it is a convolution."""
        takes = next((node for node in self.graph.node if name in node.input), None)
        return takes is not None and takes.op_type == "Conv"

    def _is_turned(self, name: str) -> bool:
        """Whether an image is given with its channels last: the first that takes it moves them to the front."""
        takes = next((node for node in self.graph.node if name in node.input), None)
        return takes is not None and takes.op_type == "Transpose" and attributes(takes).get("perm") == [0, 3, 1, 2]

    def _constant(self, node: Any) -> bool:
        """Compute a node of constants; return whether it is one."""
        named = [name for name in node.input if name]
        if node.op_type == "Shape" and named[0] in self.values:
            told = attributes(node)
            shape = self.shape_of(named[0])[told.get("start", 0) : told.get("end")]
            self.constants[node.output[0]] = known(np.array(shape, np.int64))
            return True
        if not all(name in self.constants for name in named):
            return False
        taken = [self.constants[name] for name in named]
        if any(one.values is None for one in taken):
            shape = self.inferred.get(node.output[0], max((one.shape for one in taken), key=math.prod))
            self.constants[node.output[0]] = Weight(shape)
            return True
        made = computed(node, self.version, {name: one.values for name, one in zip(named, taken, strict=True)})
        self.constants.update(zip(node.output, made, strict=False))
        return True


def attributes(node: Any) -> dict[str, Any]:
    """Return the attributes of a node by name; text as text."""
    from onnx import helper

    found = {one.name: helper.get_attribute_value(one) for one in node.attribute}
    return {key: value.decode() if isinstance(value, bytes) else value for key, value in found.items()}


def name_of(node: Any) -> str:
    """Return a readable name of a node: of its path, without what it repeats and its kind at the end."""
    told, kind = node.name or node.output[0], node.op_type
    return _readable(told, kind)


def _readable(told: str, kind: str = "") -> str:
    parts: Sequence[str] = [part for part in told.split("/") if part]
    parts = [part for k, part in enumerate(parts) if k + 1 == len(parts) or not parts[k + 1].startswith(part)]
    if len(parts) > 1 and parts[-1].partition("_")[0] == kind:
        parts = parts[:-1]
    return "-".join(parts) or kind


def _example(shape: Sequence[int]) -> str:
    """Return what a sample's shape may be, with the sizes that are known."""
    usual = (3, 224, 224) if len(shape) == 3 else [128] * max(len(shape), 1)
    return "x".join(str(n or likely) for n, likely in zip(shape or [0], usual, strict=True))


def _own_places(value: Value, batch: int) -> Places:
    """Return the places of a layer's result in the order that the model has them in."""
    own = places(value, batch)
    if value.layout in ("steps", "directed"):
        own = own.swapaxes(0, 1)
        return own[:, None] if value.layout == "directed" else own
    return own[None] if value.layout == "last" else own


def _beside(name: str) -> tuple[str, str] | None:
    """Return what an input is taken as that stands beside the codes of a text, and why; None for any other."""
    kinds = {
        "mask": ("ones", "no place is left out"), "token_type": ("zeros", "all is one piece of text"),
        "segment": ("zeros", "all is one piece of text"), "position": ("places", "each counts from the first"),
    }  # fmt: skip
    return next((said for part, said in kinds.items() if part in name.lower()), None)

"""ONNX models: constants, shapes and nodes, in order. The package `onnx` reads the file (extra `onnx`).

Weights that the file declares and does not hold are shapes alone. Only what leads to the first output is kept. There is
one input; its first axis is the batch.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from archsim.base.errors import InputError
from archsim.base.files import display
from archsim.networks.imports.channels_first import Sketch, Value
from archsim.networks.imports.draft import WHAT_TO_DO, Draft, UnknownNodeError, Values, Weight, needs
from archsim.networks.imports.gelu import gelus


def read(path: Path) -> Draft:
    """Return the network of a model.

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
        raise InputError(f"is no ONNX model: {type(error).__name__}", file=path) from error
    base = path.parent
    return Reader(
        model.graph, max((one.version for one in model.opset_import if not one.domain), default=1), base
    ).read(display(path))


class Reader:
    """Walks through a graph.

    Parameters
    ----------
    graph : onnx.GraphProto
    version : int
        Of the operators.
    base : Path
        Where data outside the file would lie.
    """

    def __init__(self, graph: Any, version: int, base: Path) -> None:
        self.graph, self.version, self._base = graph, version, base
        self.constants = {one.name: self._weight(one) for one in graph.initializer}
        self.values: dict[str, Value] = {}
        self.uses: Counter[str] = Counter(name for node in graph.node for name in node.input)
        self.uses.update(one.name for one in graph.output)
        self.inferred = self._inferred()

    def read(self, file: str) -> Draft:
        """Return what the nodes make."""
        from archsim.networks.imports.onnx_nodes import HANDLERS

        self.sketch, fused = self._begin(file), gelus(self)
        for node in self.graph.node:
            kind = fused.get(node.output[0], node.op_type) if not self._constant(node) else None
            if kind is None:
                continue
            where = f"node {name_of(node)} ({kind})"
            if kind not in HANDLERS:
                raise InputError(
                    "archsim has no layer for it", key=where, file=file,
                    expected=f"one of {', '.join(sorted(HANDLERS))}", hint=WHAT_TO_DO,
                )  # fmt: skip
            try:
                self.values[node.output[0]] = HANDLERS[kind](self, node)
            except UnknownNodeError as error:
                raise InputError(str(error), key=where, file=file) from None
        last = self.values.get(self.graph.output[0].name)
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
        if name not in self.values:
            raise UnknownNodeError(f"input {place} is {'a constant' if name in self.constants else 'no signal'}")
        return self.values[name]

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
        if len(fed) != 1:
            told = ", ".join(one.name for one in fed) or "none"
            raise InputError(f"has the inputs {told}", file=file, expected="one")
        [one] = fed
        shape = tuple(axis.dim_value for axis in one.type.tensor_type.shape.dim)[1:]
        if not shape or 0 in shape:
            raise InputError(
                f"the input {one.name} has a shape that is not known: {['?', *(n or '?' for n in shape)]}", file=file,
                expected="numbers behind the batch",
            )  # fmt: skip
        import onnx

        whole = (onnx.TensorProto.INT64, onnx.TensorProto.INT32)
        sketch = Sketch(
            shape, codes=one.type.tensor_type.elem_type in whole and len(shape) == 1,
            line=len(shape) == 2 and self._is_line(one.name),
        )  # fmt: skip
        self.values[one.name] = sketch.input
        return sketch

    def _is_line(self, name: str) -> bool:
        """Whether a signal of two axes is (channels, places): the first that takes it is a convolution."""
        takes = next((node for node in self.graph.node if name in node.input), None)
        return takes is not None and takes.op_type == "Conv"

    def _weight(self, tensor: Any) -> Weight:
        from onnx import TensorProto, numpy_helper

        if tensor.data_location != TensorProto.EXTERNAL:
            return Weight(tuple(tensor.dims), numpy_helper.to_array(tensor))
        where = next((each.value for each in tensor.external_data if each.key == "location"), "")
        if not (self._base / where).is_file():
            return Weight(tuple(tensor.dims))
        return Weight(tuple(tensor.dims), numpy_helper.to_array(tensor, str(self._base)))

    def _inferred(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes that the file states, by name."""
        found = {}
        for one in (*self.graph.value_info, *self.graph.output):
            axes = one.type.tensor_type.shape.dim
            if axes and all(axis.dim_value for axis in axes[1:]):
                found[one.name] = tuple(axis.dim_value for axis in axes)
        return found

    def _constant(self, node: Any) -> bool:
        """Compute a node of constants; return whether it is one."""
        named = [name for name in node.input if name]
        if node.op_type == "Shape" and named[0] in self.values:
            self.constants[node.output[0]] = _known(np.array([1, *self.values[named[0]].shape], np.int64))
            return True
        if not all(name in self.constants for name in named):
            return False
        taken = [self.constants[name] for name in named]
        if any(one.values is None for one in taken):
            shape = self.inferred.get(node.output[0], max((one.shape for one in taken), key=math.prod))
            self.constants[node.output[0]] = Weight(shape)
            return True
        from onnx.reference import ReferenceEvaluator

        fed = {name: one.values for name, one in zip(named, taken, strict=True)}
        made = ReferenceEvaluator(_alone(node, self.version)).run(None, fed)
        self.constants.update(zip(node.output, map(_known, made), strict=False))
        return True


def _alone(node: Any, version: int) -> Any:
    """Return a model of one node."""
    from onnx import TensorProto, helper

    inputs = [helper.make_tensor_value_info(name, TensorProto.UNDEFINED, None) for name in node.input if name]
    outputs = [helper.make_tensor_value_info(name, TensorProto.UNDEFINED, None) for name in node.output]
    graph = helper.make_graph([node], "constant", inputs, outputs)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", version)])


def _known(values: Any) -> Weight:
    found: Values = np.asarray(values)
    return Weight(found.shape, found)


def attributes(node: Any) -> dict[str, Any]:
    """Return the attributes of a node by name; text as text."""
    from onnx import helper

    found = {one.name: helper.get_attribute_value(one) for one in node.attribute}
    return {key: value.decode() if isinstance(value, bytes) else value for key, value in found.items()}


def name_of(node: Any) -> str:
    """Return a readable name of a node: of its path, without what it repeats and its kind at the end."""
    told = node.name or node.output[0]
    parts: Sequence[str] = [part for part in told.split("/") if part]
    parts = [part for k, part in enumerate(parts) if k + 1 == len(parts) or not parts[k + 1].startswith(part)]
    if len(parts) > 1 and parts[-1].partition("_")[0] == node.op_type:
        parts = parts[:-1]
    return "-".join(parts) or node.op_type

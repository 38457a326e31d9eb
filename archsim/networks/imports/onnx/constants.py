"""Constants of an ONNX file: weights, shapes that it states, and nodes whose inputs are all known."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from archsim.networks.imports.draft import UnknownNodeError, Values, Weight


def weight(tensor: Any, base: Path) -> Weight:
    """Return a constant of the file, or of one beside it in a folder; its shape alone if that is not there."""
    from onnx import TensorProto, numpy_helper

    if tensor.data_location != TensorProto.EXTERNAL:
        return Weight(tuple(tensor.dims), numpy_helper.to_array(tensor))
    where = next((each.value for each in tensor.external_data if each.key == "location"), "")
    if not (base / where).is_file():
        return Weight(tuple(tensor.dims))
    return Weight(tuple(tensor.dims), numpy_helper.to_array(tensor, str(base)))


def shapes(graph: Any) -> dict[str, tuple[int, ...]]:
    """Return the shapes that the file states, by name; 0 for a batch that it leaves open."""
    found = {}
    for one in (*graph.value_info, *graph.output):
        axes = one.type.tensor_type.shape.dim
        if axes and all(axis.dim_value for axis in axes[1:]):
            found[one.name] = tuple(axis.dim_value for axis in axes)
    return found


def computed(node: Any, version: int, given: Mapping[str, Any]) -> list[Weight]:
    """Return the results of a node whose inputs are known, by the reference of ONNX.

    Raises
    ------
    UnknownNodeError
        If the reference cannot.
    """
    from onnx import TensorProto, helper
    from onnx.reference import ReferenceEvaluator

    if node.op_type == "DequantizeLinear" and not any(one.name == "block_size" and one.i for one in node.attribute):
        return [known(_real(node, *(given[name] for name in node.input if name)))]
    inputs = [helper.make_tensor_value_info(name, TensorProto.UNDEFINED, None) for name in node.input if name]
    outputs = [helper.make_tensor_value_info(name, TensorProto.UNDEFINED, None) for name in node.output]
    graph = helper.make_graph([node], "constant", inputs, outputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", version)])
    try:
        return [known(values) for values in ReferenceEvaluator(model).run(None, dict(given))]
    except Exception as error:  # whatever the reference meets in a stranger's constants
        said = str(error).partition("\n")[0]
        raise UnknownNodeError(f"of constants, which ONNX's own reference does not compute: {said}") from error


def _real(node: Any, codes: Values, scale: Values, zero: Values | int = 0) -> Values:
    """Return what codes of 8 bits stand for; the reference of ONNX has this of late versions alone."""
    axis = next((one.i for one in node.attribute if one.name == "axis"), 1)
    if np.ndim(scale):
        along = [-1 if k == axis % codes.ndim else 1 for k in range(codes.ndim)]
        scale, zero = np.reshape(scale, along), np.reshape(zero, along) if np.ndim(zero) else zero
    found: Values = (codes.astype(np.float32) - np.asarray(zero, np.float32)) * scale
    return found


def known(values: Any) -> Weight:
    """Return values as a constant."""
    found: Values = np.asarray(values)
    return Weight(found.shape, found)

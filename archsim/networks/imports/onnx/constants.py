"""Constants of an ONNX file: weights, shapes that it states, and nodes whose inputs are all known."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from archsim.networks.imports.draft import Values, Weight


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
    """Return the results of a node whose inputs are known, by the reference of ONNX."""
    from onnx import TensorProto, helper
    from onnx.reference import ReferenceEvaluator

    inputs = [helper.make_tensor_value_info(name, TensorProto.UNDEFINED, None) for name in node.input if name]
    outputs = [helper.make_tensor_value_info(name, TensorProto.UNDEFINED, None) for name in node.output]
    graph = helper.make_graph([node], "constant", inputs, outputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", version)])
    return [known(values) for values in ReferenceEvaluator(model).run(None, dict(given))]


def known(values: Any) -> Weight:
    """Return values as a constant."""
    found: Values = np.asarray(values)
    return Weight(found.shape, found)

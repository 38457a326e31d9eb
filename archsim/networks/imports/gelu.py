"""GELUs that a graph writes out: x / 2 (1 + erf(x / sqrt 2)), in five nodes."""

from __future__ import annotations

import math
from typing import Any


def gelus(reader: Any) -> dict[str, str | None]:
    """Return by the output of a node: "Gelu" for the last of five, whose one input becomes x; None for the others.

    Parameters
    ----------
    reader : onnx.Reader
        Its constants are those that stand in the file; constants that nodes give are looked up there, too.
    """
    nodes = reader.graph.node
    made = {name: node for node in nodes for name in node.output}
    reads: dict[str, list[Any]] = {}
    for node in nodes:
        for name in node.input:
            reads.setdefault(name, []).append(node)
    found: dict[str, str | None] = {}
    for erf in nodes:
        if erf.op_type != "Erf" or (before := made.get(erf.input[0])) is None or before.op_type not in ("Div", "Mul"):
            continue
        x, root = before.input[0], _number(reader, made, before.input[1])
        if root is None or not any(math.isclose(root, each, rel_tol=1e-3) for each in (math.sqrt(2), math.sqrt(0.5))):
            continue
        chain = _behind(erf, reads)
        if chain is None or x not in {name for node in chain for name in node.input}:
            continue
        found.update({node.output[0]: None for node in (before, erf, *chain[:-1])})
        found[chain[-1].output[0]] = "Gelu"
        for name in [*chain[-1].input]:
            chain[-1].input.remove(name)
        chain[-1].input.extend([x])
        reader.uses[x] -= sum(x in node.input for node in (before, *chain[:-1]))
    return found


def _behind(erf: Any, reads: dict[str, list[Any]]) -> list[Any] | None:
    """Return the addition and the two products behind an error function; None if it is read otherwise."""
    chain, name = [], erf.output[0]
    for kind in ("Add", "Mul", "Mul"):
        following = reads.get(name, [])
        if len(following) != 1 or following[0].op_type != kind:
            return None
        chain.append(following[0])
        name = following[0].output[0]
    return chain


def _number(reader: Any, made: dict[str, Any], name: str) -> float | None:
    """Return a constant of one element, one that a node gives included."""
    from onnx import numpy_helper

    if name in reader.constants:
        values = reader.constants[name].values
    elif (node := made.get(name)) is not None and node.op_type == "Constant" and node.attribute[0].name == "value":
        values = numpy_helper.to_array(node.attribute[0].t)
    else:
        return None
    return float(values.ravel()[0]) if values is not None and values.size == 1 else None

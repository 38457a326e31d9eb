"""What ONNX nodes of sequences become: an LSTM, whose batch is the second axis, and what brings it there and back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from archsim.networks.imports.channels_first import Value
from archsim.networks.imports.draft import UnknownNodeError, Values, Weight
from archsim.networks.imports.onnx.reader import Reader, attributes, name_of

GATES = (0, 2, 1, 3)
"""Where our gates i, f, o, g stand among i, o, f, c of ONNX."""
BATCH_SECOND = (1, 0, 2)


# --- sequences --------------------------------------------------------------------------------------------------------
def turned(x: Value, order: list[int]) -> Value | None:
    """Return a sequence whose batch becomes the second axis, or the first again; None for other transposes."""
    if tuple(order) != BATCH_SECOND:
        return None
    if x.layout == "plain" and len(x.shape) == 2 and x.order is None:
        return replace(x, layout="steps")
    return replace(x, layout="plain") if x.layout == "steps" else None


def squeezed(x: Value, axes: list[int]) -> Value | None:
    """Return results of an LSTM without the axis of its one direction; None where there is none."""
    if x.layout == "directed" and axes == [1]:
        return replace(x, layout="steps")
    if x.layout == "last" and axes == [0]:
        return replace(x, layout="plain")
    return None


def lstm(reader: Reader, node: Any) -> Value:
    """Add an LSTM; note its last state, if that is asked for, as another result.

    Raises
    ------
    UnknownNodeError
        For anything that ours does not do: two directions, states before the first step, peepholes, other activations.
    """
    x, told, name = reader.value(node), attributes(node), name_of(node)
    _check(reader, node, x, told)
    weight, state, bias = reader.needed(node, 1), reader.needed(node, 2), reader.weight(node, 3)
    units = told["hidden_size"]
    all_steps, last = (len(node.output) > k and reader.uses[node.output[k]] > 0 for k in (0, 1))
    if len(node.output) > 2 and reader.uses[node.output[2]]:
        raise UnknownNodeError("gives its cell's state to others; expected the hidden states")
    returns = None if all_steps else "last"
    made = reader.sketch.draft.add(name, "lstm", [x.layer], units=units, returns=returns, bias=_said(bias))
    reader.sketch.draft.keep(made, _matrix(weight, state, bias, units))
    if last:
        layer = reader.sketch.draft.add(f"{name}-last", "take", [made], place=x.shape[0] - 1) if all_steps else made
        reader.values[node.output[1]] = Value(layer, (units,), "last")
    return Value(made, (x.shape[0], units), "directed")


def _check(reader: Reader, node: Any, x: Value, told: dict[str, Any]) -> None:
    if x.layout != "steps" or told.get("layout", 0) != 0:
        raise UnknownNodeError(
            "takes a sequence whose first axis is not that of steps; expected (steps, batch, size), by a Transpose "
            "of the batch"
        )
    usual = {"direction": "forward", "clip": None, "input_forget": 0}
    odd = next((key for key, value in usual.items() if told.get(key, value) != value), None)
    activations = [each.decode() if isinstance(each, bytes) else each for each in told.get("activations", [])]
    if odd is not None or activations not in ([], ["Sigmoid", "Tanh", "Tanh"]):
        raise UnknownNodeError(f"has {odd or 'activations'} of its own; expected a plain LSTM of one direction")
    for place, what in ((4, "lengths of sequences"), (5, "a state"), (6, "a cell's state"), (7, "peepholes")):
        given = reader.weight(node, place)
        zero = given is None or (given.values is not None and not np.any(given.values))
        if not (zero if place in {5, 6, 7} else given is None):
            raise UnknownNodeError(f"is given {what} that are not zero; expected none")


def _matrix(weight: Weight, state: Weight, bias: Weight | None, units: int) -> Values | None:
    """Return the one matrix of (h, x, 1), its columns the gates i, f, o, g."""
    parts = [state, weight] if bias is None else [state, weight, bias]
    if any(part.values is None for part in parts):
        return None
    rows = [np.asarray(part.values)[0].T for part in parts[:2]]
    if bias is not None:
        rows.append(np.asarray(bias.values)[0].reshape(2, -1).sum(axis=0, keepdims=True))
    whole = np.vstack(rows)
    found: Values = np.hstack([whole[:, k * units : (k + 1) * units] for k in GATES])
    return found


def _said(bias: Weight | None) -> bool | None:
    return False if bias is None else None

"""What ONNX nodes of sequences become: recurrent layers, whose batch is the second axis, and what brings it there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from archsim.networks.imports.channels_first import Layout, Value
from archsim.networks.imports.draft import UnknownNodeError, Values
from archsim.networks.imports.moved import Moved, places, settled
from archsim.networks.imports.onnx.reader import Reader, attributes, name_of

GATES = (0, 2, 1, 3)
"""Where our gates i, f, o, g stand among i, o, f, c of ONNX."""
GRU_ORDERS = ((2, 1, 0), (1, 0, 2))
"""Where n, r, z of an input, and r, z, n of a state, stand among z, r, h of ONNX."""
BATCH_SECOND = (1, 0, 2)
BATCH_INSIDE = ("steps", "directed", "last")
"""Layouts whose batch is not the first axis."""


@dataclass(frozen=True, slots=True)
class States:
    """The last states of several layers, one behind the other along the first axis."""

    TOLD: ClassVar[str] = "the last states of several layers as a whole; one of them is read, such as h[-1]"
    values: tuple[Value, ...]


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


def recurrent(reader: Reader, node: Any) -> Value | Moved:
    """Add an LSTM, a GRU or an RNN, a layer for each direction; note the last states, if asked for, as another result.

    Raises
    ------
    UnknownNodeError
        For anything that ours do not do: states before the first step, lengths, peepholes, other activations.
    """
    x, told, name = _steps(reader, node), attributes(node), name_of(node)
    ways = {"forward": (False,), "reverse": (True,), "bidirectional": (False, True)}[told.get("direction", "forward")]
    _check(reader, node, told, len(ways))
    units, matrices = told["hidden_size"], _matrices(reader, node, told["hidden_size"])
    all_steps, last = (len(node.output) > k and reader.uses[node.output[k]] > 0 for k in (0, 1))
    if len(node.output) > 2 and reader.uses[node.output[2]]:
        raise UnknownNodeError("gives its cell's state to others; expected the hidden states")
    kind, bias = node.op_type.lower(), None if reader.weight(node, 3) is not None else False
    activation = "relu" if kind == "rnn" and _activations(told) == ["Relu"] * len(ways) else None
    made, ends = [], []
    for k, reverse in enumerate(ways):
        layer = reader.sketch.draft.add(
            f"{name}-reverse" if len(ways) > 1 and reverse else name, kind, [x.layer], units=units,
            activation=activation, returns=None if all_steps else "last", reverse=reverse or None, bias=bias,
        )  # fmt: skip
        for part, values in matrices.items():
            reader.sketch.draft.keep(layer + part, None if values is None else values[k])
        made.append(layer)
        if last and all_steps:
            place = 0 if reverse else x.shape[0] - 1
            layer = reader.sketch.draft.add(f"{layer}-last", "take", [layer], place=place)
        ends.append(layer)
    if last:
        reader.values[node.output[1]] = _of_both(reader, f"{name}-last-both", ends, (units,), "last")
    return _of_both(reader, f"{name}-both", made, (x.shape[0], units), "directed")


def _of_both(reader: Reader, name: str, layers: list[str], shape: tuple[int, ...], layout: Layout) -> Value | Moved:
    """Return what a layer gives behind an axis of its one direction; of two, set side by side, along that axis."""
    if len(layers) == 1:
        return Value(layers[0], shape, layout)
    *steps, units = shape
    both = Value(reader.sketch.draft.add(name, "concat", layers), (*steps, 2 * units))
    order = (1, 2, 0, 3) if steps else (1, 0, 2)  # steps, directions, batch, units; without steps if there are none
    return Moved(both, places(both, reader.batch).reshape(reader.batch, *steps, 2, units).transpose(order))


def _steps(reader: Reader, node: Any) -> Value:
    """Return the sequence that a node takes, (steps, batch, size), as one of a layer."""
    x = reader.values.get(node.input[0])
    if isinstance(x, Moved) and x.places.ndim == 3:
        x = settled(Moved(x.value, x.places.transpose(1, 0, 2), x.factor), reader.batch)
        if isinstance(x, Value) and x.layout == "plain" and len(x.shape) == 2:
            return x
    x = reader.value(node)
    if x.layout != "steps" or attributes(node).get("layout", 0) != 0:
        raise UnknownNodeError(
            "takes a sequence whose first axis is not that of steps; expected (steps, batch, size), by a Transpose "
            "of the batch"
        )
    return x


_USUAL = {"LSTM": ["Sigmoid", "Tanh", "Tanh"], "GRU": ["Sigmoid", "Tanh"], "RNN": ["Tanh"]}
"""Activations of a direction, if a node says none."""


def _activations(told: dict[str, Any]) -> list[str]:
    return [each.decode() if isinstance(each, bytes) else each for each in told.get("activations", [])]


def _check(reader: Reader, node: Any, told: dict[str, Any], ways: int) -> None:
    kind, given = node.op_type, _activations(told)
    if told.get("clip") is not None or told.get("input_forget", 0):
        raise UnknownNodeError(f"clips, or couples its gates; expected a plain {kind}")
    if given not in ([], _USUAL[kind] * ways) and not (kind == "RNN" and given == ["Relu"] * ways):
        raise UnknownNodeError(f"has activations of its own, {given}; expected a plain {kind}")
    if kind == "GRU" and not told.get("linear_before_reset", 0):
        raise UnknownNodeError("resets its state before the product; expected linear_before_reset 1, as PyTorch has it")
    for place, what in ((4, "lengths of sequences"), (5, "a state"), (6, "a cell's state"), (7, "peepholes")):
        said = reader.weight(node, place)
        zero = said is None or (said.values is not None and not np.any(said.values))
        if not (zero if place in {5, 6, 7} else said is None):
            raise UnknownNodeError(f"is given {what} that are not zero; expected none")


def _matrices(reader: Reader, node: Any, units: int) -> dict[str, list[Values] | None]:
    """Return what follows the layer's name -> the matrix of each direction; None where the file has no values."""
    given = [reader.needed(node, 1), reader.needed(node, 2), reader.weight(node, 3)]
    known = all(each is None or each.values is not None for each in given)
    parts = ("-input", "-state") if node.op_type == "GRU" else ("",)
    if not known:
        return dict.fromkeys(parts)
    weight, state, bias = (None if each is None else np.asarray(each.values) for each in given)
    found: dict[str, list[Values] | None] = {part: [] for part in parts}
    for k in range(len(weight)):  # type: ignore[arg-type]
        rows = [each[k].T for each in (weight, state) if each is not None]
        biases = [] if bias is None else np.split(bias[k][None], 2, axis=1)
        if node.op_type == "GRU":
            wholes = [np.vstack([part, *biases[i : i + 1]]) for i, part in enumerate(rows)]
            orders: tuple[tuple[int, ...], ...] = GRU_ORDERS
        else:
            wholes = [np.vstack([rows[1], rows[0], *([biases[0] + biases[1]] if biases else [])])]
            orders = (GATES,) if node.op_type == "LSTM" else ((0,),)
        for part, whole, order in zip(parts, wholes, orders, strict=True):
            cut = np.hstack([whole[:, gate * units : (gate + 1) * units] for gate in order])
            found[part].append(cut)  # type: ignore[union-attr]
    return found

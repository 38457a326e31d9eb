"""Sums, products and other arithmetic of ONNX: of signals, of a signal and a constant, and what they spell together.

A graph may write out what is one layer here: an activation, the norm of a vector, the scores of attention.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from archsim.networks.imports.attending import Scores, added
from archsim.networks.imports.channels_first import Value
from archsim.networks.imports.draft import INPUT, UnknownNodeError, Weight
from archsim.networks.imports.formulas import BINARY, UNARY, Formula
from archsim.networks.imports.moments import Moment, centred, norm
from archsim.networks.imports.moved import Expanded, Moved, settled
from archsim.networks.imports.onnx.reader import Reader, handles, name_of
from archsim.networks.imports.shapes import by_channel, combined, scaled, shifted, unit_gains
from archsim.networks.imports.turned import alike

_COMBINED = {"Add": "add", "Mul": "multiply"}


@handles("Add", "Sub", "Mul", "Div", "Pow", "Sum", "Min", "Max")
def _binary(reader: Reader, node: Any) -> Any:
    """Return what two operands give; a sum may have more."""
    if len(node.input) != 2 and node.op_type != "Sum":
        raise UnknownNodeError(f"of {len(node.input)} operands; expected two, a signal and a constant")
    if len(node.input) != 2:
        return combined(reader.sketch, name_of(node), "add", alike(reader.sketch, name_of(node), reader.signals(node)))
    kind = "Add" if node.op_type == "Sum" else node.op_type
    constant = next((k for k, name in enumerate(node.input) if name in reader.constants), None)
    if constant is None:
        return _of_signals(reader, node, kind)
    return _with_constant(reader, node, kind, constant)


# --- of two signals ---------------------------------------------------------------------------------------------------
def _of_signals(reader: Reader, node: Any, kind: str) -> Any:
    """Return a step of a norm or of a formula, or the sum or product of two results."""
    a, b = (reader.values.get(name) for name in node.input)
    if isinstance(a, Expanded) or isinstance(b, Expanded):
        return _spread(reader, node, kind, a, b)
    if isinstance(a, Moment) or isinstance(b, Moment):
        return _normed(reader, node, kind, a, b)
    one, other = (reader.formula(name) for name in node.input)
    formulas = isinstance(a, Formula) or isinstance(b, Formula)
    if one is not None and other is not None and one.of == other.of and (formulas or node.input[0] == node.input[1]):
        return one.with_(other, BINARY[kind], node.output[0])
    if kind not in _COMBINED:
        raise UnknownNodeError(
            "of two signals; expected a constant, or what a known activation or norm is written with"
        )
    if isinstance(a, Moved) and isinstance(b, Moved) and np.array_equal(a.places, b.places):
        made = combined(reader.sketch, name_of(node), _COMBINED[kind], [_whole(a), _whole(b)])
        return settled(Moved(made, a.places), reader.batch)
    return combined(
        reader.sketch, name_of(node), _COMBINED[kind], alike(reader.sketch, name_of(node), reader.signals(node))
    )


def _spread(reader: Reader, node: Any, kind: str, a: Any, b: Any) -> Any:
    """Return the sum or product of a signal and of one that was expanded to its shape: layers spread it themselves."""
    whole, other = (b, a) if isinstance(a, Expanded) else (a, b)
    if kind not in _COMBINED or not isinstance(whole, Value) or (reader.batch, *whole.shape) != other.shape:
        raise UnknownNodeError("takes a signal that is expanded; expected its sum or product with one of that shape")
    return combined(reader.sketch, name_of(node), _COMBINED[kind], [whole, other.value])


def _whole(moved: Moved) -> Value:
    if moved.factor != 1:
        raise UnknownNodeError("scales a signal whose elements were moved; expected that before attention alone")
    return moved.value


def _normed(reader: Reader, node: Any, kind: str, a: Any, b: Any) -> Any:
    """Return the next step of a norm that is written out, or the norm."""
    found: Any = None
    if kind == "Sub" and isinstance(b, Moment) and isinstance(a, Value):
        found = centred(a, b)
    elif isinstance(a, Moment) and isinstance(b, Moment):
        if kind == "Mul" and node.input[0] == node.input[1]:
            found = a.squared()
        elif kind in ("Mul", "Div") and (epsilon := norm(a, b, divided=kind == "Div")) is not None:
            return reader.sketch.layer_norm(name_of(node), a.of, unit_gains(a.of), epsilon=float(f"{epsilon:.7g}"))
    if found is None:
        raise UnknownNodeError("is part of no norm that is known; expected (x - mean) / sqrt(variance + epsilon)")
    return found


# --- with a constant --------------------------------------------------------------------------------------------------
def _with_constant(reader: Reader, node: Any, kind: str, place: int) -> Any:
    """Return what a signal and a constant give."""
    x, weight, first = reader.values.get(node.input[1 - place]), reader.needed(node, place), place == 0
    number = _number(weight)
    if isinstance(x, Moment):
        return _step(x, kind, number, first=first)
    told = _as_sum_or_product(kind, weight, first=first)
    if isinstance(x, Scores):
        return _scored(x, told)
    if isinstance(x, Moved):
        return _moved(reader, node, x, told)
    if isinstance(x, Value) and told is not None and (found := _within(reader, node, x, 1 - place, told)) is not None:
        return found
    formula = reader.formula(node.input[1 - place])
    if isinstance(x, Formula) and told is not None and x.kind() is not None:
        formula = None  # an activation that is whole: what follows is a layer of its own
    if formula is not None and number is not None:
        other = formula.always(number)
        one, two = (other, formula) if first else (formula, other)
        return one.with_(two, BINARY[kind], node.output[0])
    if told is None:
        raise UnknownNodeError("with a constant; expected a sum or a product")
    return _applied(reader, node, 1 - place, told)


def _within(reader: Reader, node: Any, x: Value, place: int, told: tuple[str, Weight]) -> Value | None:
    """Return what the layer before, or the data, has within it; None where a formula must tell."""
    number = _number(told[1])
    if number is not None and reader.cut_off(node.output[0]):
        return None
    own = number is None or reader.alone(node, place) or reader.uses[node.output[0]] > 1
    if (found := _of_input(reader, node, x, told[1])) is not None:
        return found
    try:
        return _applied(reader, node, place, told, own=own)
    except UnknownNodeError:
        if number is None:
            raise
    return None


def _of_input(reader: Reader, node: Any, x: Value, constant: Weight) -> Value | None:
    """Return the input as it is where the model scales or shifts it first, by channel or all alike: data have that."""
    alone = all(reader.alone(node, place) for place, name in enumerate(node.input) if name in reader.values)
    if x.layer != INPUT or not alone or not (math.prod(constant.shape) == 1 or by_channel(x, constant)):
        return None
    reader.sketch.draft.note(
        "The model first scales or shifts its input, by constants: left out here; give it data that are so already."
    )
    return x


def _number(weight: Weight) -> float | None:
    return float(np.ravel(weight.values)[0]) if weight.values is not None and weight.values.size == 1 else None


def _as_sum_or_product(kind: str, weight: Weight, *, first: bool) -> tuple[str, Weight] | None:
    """Return "Add" or "Mul" and the constant that says the same; None where neither does."""
    turned: dict[str, Callable[[Any], Any]] = {"Sub": np.negative, "Div": np.reciprocal}
    if kind in _COMBINED:
        return kind, weight
    if first or kind not in turned:
        return None
    values = weight.values if weight.values is None else turned[kind](np.asarray(weight.values, np.float32))
    return ("Add" if kind == "Sub" else "Mul"), Weight(weight.shape, values)


def _applied(reader: Reader, node: Any, place: int, told: tuple[str, Weight], *, own: bool = True) -> Value:
    """Return a layer's result plus a constant, or times one."""
    x, alone = reader.value(node, place), reader.alone(node, place)
    if told[0] == "Mul":
        return scaled(reader.sketch, name_of(node), x, told[1], alone=alone, own=own)
    return shifted(reader.sketch, name_of(node), x, told[1], alone=alone, own=own)


def _moved(reader: Reader, node: Any, x: Moved, told: tuple[str, Weight] | None) -> Any:
    """Return elements in another order times a number, or with a bias of the layer that they come from."""
    if told is None:
        raise UnknownNodeError("with a constant; expected a sum or a product")
    kind, weight = told
    number = _number(weight)
    if kind == "Mul" and number is not None:
        return replace(x, factor=x.factor * number)
    _, begins = x.row
    if x.factor != 1 or begins.any() or x.places.shape[-1] != x.value.shape[-1] or weight.shape != x.value.shape[-1:]:
        raise UnknownNodeError("changes parts of vectors by a constant; expected one number a channel of whole ones")
    if kind == "Mul":
        return replace(x, value=scaled(reader.sketch, name_of(node), x.value, weight, alone=True))
    return replace(x, value=shifted(reader.sketch, name_of(node), x.value, weight, alone=True))


def _scored(x: Scores, told: tuple[str, Weight] | None) -> Scores:
    """Return scores of attention scaled, or with a mask."""
    if told is not None and (number := _number(told[1])) is not None and told[0] == "Mul":
        return x.scaled(number)
    if told is None or told[0] != "Add" or told[1].values is None:
        raise UnknownNodeError("changes the scores of attention; expected a scale and a mask")
    return added(x, told[1].values)


def _step(x: Moment, kind: str, number: float | None, *, first: bool) -> Moment:
    """Return the next step of a norm with a number."""
    found = None
    if number is not None:
        if kind == "Pow" and not first:
            found = x.squared() if number == 2 else x.rooted() if number == 0.5 else None
        elif kind == "Add":
            found = x.raised(number)
        elif kind == "Div" and first and number == 1:
            found = x.inverted()
    if found is None:
        raise UnknownNodeError("is part of no norm that is known; expected (x - mean) / sqrt(variance + epsilon)")
    return found


# --- of one signal ----------------------------------------------------------------------------------------------------
@handles("Erf", "Sqrt", "Neg", "Reciprocal", "Exp", "Softplus", "Abs")
def _unary(reader: Reader, node: Any) -> Any:
    x = reader.values.get(node.input[0])
    if isinstance(x, Moment):
        found = x.rooted() if node.op_type == "Sqrt" else x.inverted() if node.op_type == "Reciprocal" else None
        if found is not None:
            return found
    formula = reader.formula(node.input[0])
    if formula is None:
        raise UnknownNodeError("is part of no activation or norm that is known")
    return formula.then(UNARY[node.op_type], node.output[0])

"""What recurrent operators of ATen become: layers of one direction each, set one after the other and side by side."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from archsim.networks.imports.channels_first import Value
from archsim.networks.imports.draft import UnknownNodeError, Values
from archsim.networks.imports.moved import Moved, settled
from archsim.networks.imports.torch.export import Reader, name_of

GATES = {"lstm": 4, "gru": 3, "rnn_tanh": 1, "rnn_relu": 1}
"""Operator -> products a unit of its state."""
LSTM_ORDER = (0, 1, 3, 2)
"""Where our gates i, f, o, g stand among i, f, g, o of PyTorch."""
GRU_INPUT_ORDER = (2, 0, 1)
"""Where n, r, z of an input stand among r, z, n; those of a state stand as they are."""


@dataclass(frozen=True, slots=True)
class States:
    """The last states of all layers and directions, an axis of its own before the batch."""

    TOLD: ClassVar[str] = "last states"
    values: tuple[Value, ...]

    def moved(self, kind: str, *told: Any) -> Value:
        """Return the one that is picked.

        Raises
        ------
        UnknownNodeError
            If it is anything but one of them.
        """
        if kind == "select" and told[0] in (0, -3):
            return self.values[int(told[1])]
        if kind == "squeeze" and told == (0,) and len(self.values) == 1:
            return self.values[0]
        raise UnknownNodeError("takes the last states as a whole; expected one of them, such as h[-1]")


@dataclass(frozen=True, slots=True)
class Last:
    """A sequence of which nobody reads but the last step."""

    TOLD: ClassVar[str] = "the last step of a sequence"
    value: Value

    def moved(self, kind: str, *told: Any) -> Value:
        """Return that step."""
        del kind, told
        return self.value


@dataclass(frozen=True, slots=True)
class _Cell:
    """Weights of one layer and direction: nodes of them, and the layer's place."""

    kind: str
    nodes: tuple[Any, ...]
    layer: int
    reverse: bool

    @property
    def suffix(self) -> str:
        return "-reverse" if self.reverse else ""


def recurrent(reader: Reader, node: Any) -> list[Any]:
    """Add the layers of an LSTM, a GRU or an RNN; return its sequence, its last states, and nothing of its cells.

    Raises
    ------
    UnknownNodeError
        For sequences of unlike length, states before the first step, and projections.
    """
    if not isinstance(node.args[2], list | tuple):
        raise UnknownNodeError("takes packed sequences; expected all of the same length")
    parameters, biased, layers, dropout, _, both, first = node.args[2:9]
    _check_states(reader, node.args[1])
    x, kind, per = _sequence(reader, node, batch_first=first), name_of(node), 4 if biased else 2
    readers = _readers(node)
    ends = not both and all(_is_end(each, 1 if first else 0, x.shape[0]) for each in readers)
    seen = bool(readers) and not ends
    states: list[Value] = []
    for k in range(layers):
        last, made = k == layers - 1 and not seen, []
        for way in range(1 + both):
            begin = (k * (1 + both) + way) * per
            cell = _Cell(kind, tuple(parameters[begin : begin + per]), k, bool(way))
            name = f"{node.name}-{k}" if layers > 1 else node.name
            made.append(_layer(reader, name + cell.suffix, x, cell, last=last))
            states.append(made[-1] if last else _state(reader, made[-1], cell))
        if not last:
            x = made[0] if len(made) == 1 else _side_by_side(reader, f"{node.name}-{k}-both", made)
            x = x if k == layers - 1 else reader.sketch.dropout(f"{node.name}-{k}-dropout", x, dropout)
    if not seen:
        return [Last(states[-1]), States(tuple(states)), None]
    whole: Any = x
    if not first:
        places = np.arange(reader.batch * x.shape[0] * x.shape[1]).reshape(reader.batch, *x.shape)
        whole = settled(Moved(x, places.transpose(1, 0, 2)), reader.batch)
    return [whole, States(tuple(states)), None]


def _readers(node: Any) -> list[Any]:
    """Return what reads the sequence that a node gives."""
    firsts = [user for user in node.users if user.target is operator.getitem and user.args[1] == 0]
    return [reader for each in firsts for reader in each.users]


def _is_end(node: Any, axis: int, steps: int) -> bool:
    """Return whether a node takes the last step alone."""
    return name_of(node) == "select" and node.args[1] == axis and node.args[2] in (-1, steps - 1)


def _check_states(reader: Reader, given: Any) -> None:
    for each in given if isinstance(given, list | tuple) else [given]:
        if not reader.is_constant(each) or bool((reader.known[each] != 0).any()):
            raise UnknownNodeError("begins with a state that is not zero; expected none")


def _sequence(reader: Reader, node: Any, *, batch_first: bool) -> Value:
    """Return the sequence that a node takes, (steps, size)."""
    x: Value | Moved
    if batch_first:
        x = reader.value(node)
    else:
        moved = reader.moved(node)
        if moved.places.ndim != 3:
            raise UnknownNodeError("takes no batch of sequences; expected (steps, batch, size)")
        x = settled(Moved(moved.value, moved.places.transpose(1, 0, 2), moved.factor), reader.batch)
    if not isinstance(x, Value) or x.layout != "plain" or len(x.shape) != 2 or x.order is not None:
        raise UnknownNodeError("takes no sequence (steps, size) that a layer gives; is batch_first what it should be?")
    return x


def _layer(reader: Reader, name: str, x: Value, cell: _Cell, *, last: bool) -> Value:
    """Add one layer of one direction, with its initial values and whose parameters they are."""
    weights = [np.asarray(reader.known[each].detach()) for each in cell.nodes]
    units, gates = weights[1].shape[1], GATES[cell.kind]
    if weights[1].shape[0] != gates * units:
        raise UnknownNodeError("projects its hidden state; expected proj_size=0")
    kind = "rnn" if gates == 1 else cell.kind
    made = reader.sketch.draft.add(
        name, kind, [x.layer], units=units, activation="relu" if cell.kind == "rnn_relu" else None,
        returns="last" if last else None, reverse=cell.reverse or None, bias=None if len(weights) > 2 else False,
    )  # fmt: skip
    for part, which, values in _matrices(cell.kind, weights):
        reader.sketch.draft.keep(made + part, values)
        reader.house(made + part, cell.nodes[which])
    return Value(made, (units,) if last else (x.shape[0], units))


def _matrices(kind: str, weights: list[Values]) -> list[tuple[str, int, Values]]:
    """Return what follows the layer's name, which of the parameters says whose it is, and the values of each matrix."""
    given, state, *biases = (each.T if each.ndim > 1 else each[None] for each in weights)
    if kind == "gru":
        parts = [(given, biases[:1], GRU_INPUT_ORDER), (state, biases[1:], (0, 1, 2))]
        told = zip(("-input", "-state"), (0, 1), parts, strict=True)
        return [(part, k, _ordered(np.vstack([whole, *bias]), order)) for part, k, (whole, bias, order) in told]
    whole = np.vstack([state, given, *([biases[0] + biases[1]] if biases else [])])
    return [("", 1, _ordered(whole, LSTM_ORDER if kind == "lstm" else (0,)))]


def _ordered(whole: Values, order: tuple[int, ...]) -> Values:
    parts = np.split(whole, len(order), axis=1)
    found: Values = np.hstack([parts[k] for k in order])
    return found


def _state(reader: Reader, x: Value, cell: _Cell) -> Value:
    """Return the state after the last step that was taken."""
    place = 0 if cell.reverse else x.shape[0] - 1
    return Value(reader.sketch.draft.add(f"{x.layer}-last", "take", [x.layer], place=place), x.shape[1:])


def _side_by_side(reader: Reader, name: str, xs: list[Value]) -> Value:
    made = reader.sketch.draft.add(name, "concat", [x.layer for x in xs])
    return Value(made, (xs[0].shape[0], sum(x.shape[1] for x in xs)))

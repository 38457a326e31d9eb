"""Attention of PyTorch: the operator that does it whole, and what it is written out with, which only notes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from archsim.networks.imports.attending import HIDDEN, Scores, added, attended, causal, scores_of
from archsim.networks.imports.channels_first import Value
from archsim.networks.imports.draft import UnknownNodeError, Weight
from archsim.networks.imports.moved import Moved, settled
from archsim.networks.imports.torch.export import Reader, name_of


def whole(reader: Reader, node: Any) -> Value | Moved:
    """Add attention between queries, keys and values of (batch, heads, steps, size of a head)."""
    signals = [reader.moved(node, place) for place in range(3)]
    scale = node.kwargs.get("scale") or (node.args[6] if len(node.args) > 6 else None)
    seen = _masked(reader, node, signals[0].places.shape[-2])
    made = attended(reader.sketch.draft, node.name, signals, reader.batch, causal=seen, scale=scale)
    return settled(made, reader.batch)


def _masked(reader: Reader, node: Any, steps: int) -> bool:
    """Return whether each step sees those up to itself alone."""
    mask = node.kwargs.get("attn_mask") or (node.args[3] if len(node.args) > 3 else None)
    if mask is None:
        return bool(node.kwargs.get("is_causal", node.args[5] if len(node.args) > 5 else False))
    if not reader.is_constant(mask):
        raise UnknownNodeError("has a mask that depends on the input; expected none, or a causal one")
    values = reader.known[mask].numpy()
    return causal(values if values.dtype == bool else values == 0, steps)


def multiplied(reader: Reader, node: Any) -> Scores | Value | Moved:
    """Return scores, of queries and keys; or what attention gives, of a softmax of scores and values."""
    first = reader.values.get(node.args[0])
    if isinstance(first, Scores):
        return settled(
            first.weighted(reader.sketch.draft, node.name, reader.moved(node, 1), reader.batch), reader.batch
        )
    return scores_of(reader.moved(node, 0), reader.moved(node, 1))


def changed(x: Any, constant: Weight, *, product: bool) -> Scores | Moved | None:
    """Return scores, or elements in another order, times a constant, or scores with a mask added; None for others."""
    values = np.asarray(constant.values)
    number = float(values.item()) if values.size == 1 else None
    if isinstance(x, Scores):
        if not product:
            return added(x, values)
        if number is None:
            raise UnknownNodeError("changes the scores of attention; expected a scale and a mask")
        return x.scaled(number)
    return replace(x, factor=x.factor * number) if isinstance(x, Moved) and product and number is not None else None


def filled(reader: Reader, node: Any) -> Scores:
    """Return scores without those that a constant mask hides."""
    x, value = reader.values.get(node.args[0]), node.args[2]
    if not isinstance(x, Scores) or not reader.is_constant(node.args[1]):
        raise UnknownNodeError("fills in what is no scores of attention, or where no constant says")
    if not isinstance(value, int | float) or value >= HIDDEN:
        raise UnknownNodeError(f"fills in {value}; expected minus infinity, or a number far below 0")
    return x.masked(~reader.known[node.args[1]].numpy().astype(bool))


def softened(node: Any, scores: Scores) -> Scores:
    """Return scores after their softmax; its logarithm is none of attention."""
    if "log" in name_of(node):
        raise UnknownNodeError("takes the logarithm of the shares of attention; expected their products with values")
    return scores.softened(node.args[1])

"""Attention of ONNX: products of queries and keys, scaled and masked, their softmax, its products with values.

What stands between is no layer's result; nodes that meet it only note what they do to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from archsim.networks.imports.attending import attended, causal
from archsim.networks.imports.draft import UnknownNodeError, Values
from archsim.networks.imports.moved import Moved, settled
from archsim.networks.imports.onnx.reader import Reader, attributes, handles, name_of

_HIDDEN = -1e3
"""What is added to a score that is not seen is below this: minus infinity, or a large number in its place."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Products of queries and keys; both are (batch, heads, steps, size) or (batch x heads, steps, size).

    `seen` is which of them the mask leaves, `softmax` whether that was taken, `shape` that of the products.
    """

    TOLD: ClassVar[str] = (
        "a product of two signals that is no attention (queries x keys, scale, mask, softmax, x values; a layer of a "
        "workload: `attention`, `encoder-block` or `decoder-block`)"
    )
    queries: Moved
    keys: Moved
    shape: tuple[int, ...]
    scale: float = 1.0
    seen: Values | None = None
    softmax: bool = False

    def scaled(self, factor: float) -> Scores:
        """Return them times a number."""
        if self.softmax:
            raise UnknownNodeError("scales the shares of attention; expected their products with values")
        return replace(self, scale=self.scale * factor)

    def masked(self, seen: Values) -> Scores:
        """Return them without what is not seen."""
        if self.softmax:
            raise UnknownNodeError("changes the shares of attention; expected their products with values")
        spread = np.broadcast_to(seen, np.broadcast_shapes(seen.shape, self.shape))
        if spread.shape != self.shape:
            raise UnknownNodeError(f"has a mask of shape {list(seen.shape)} for scores of {list(self.shape)}")
        return replace(self, seen=spread if self.seen is None else self.seen & spread)


def added(scores: Scores, constant: Values) -> Scores:
    """Return scores with a mask added: 0 where they are seen, far below where they are not.

    Raises
    ------
    UnknownNodeError
        If the mask is none of these, as positions relative to each other are.
    """
    if not ((constant == 0) | (constant < _HIDDEN)).all():
        raise UnknownNodeError("adds something else than a mask to the scores of attention, such as relative positions")
    return scores.masked(constant == 0)


@dataclass(frozen=True, slots=True)
class Nowhere:
    """Whether a step sees nothing at all, so that its shares are no numbers: with a mask of ours none does."""

    TOLD: ClassVar[str] = "a question about the shares of attention"
    scores: Scores


@handles("IsNaN")
def _nowhere(reader: Reader, node: Any) -> Nowhere:
    found = reader.values.get(node.input[0])
    if not isinstance(found, Scores) or not found.softmax:
        raise UnknownNodeError("asks for what is no number; expected that of the shares of attention alone")
    return Nowhere(found)


@handles("Where")
def _chosen(reader: Reader, node: Any) -> Scores:
    """Return scores where a constant says so and a constant elsewhere."""
    asked = reader.values.get(node.input[0])
    if isinstance(asked, Nowhere) and isinstance(kept := reader.values.get(node.input[2]), Scores):
        return kept
    mask = reader.needed(node, 0).values
    for place, seen in ((1, True), (2, False)):
        other = reader.constants.get(node.input[3 - place])
        if isinstance(found := reader.values.get(node.input[place]), Scores) and other is not None:
            if mask is None or other.values is None or (other.values >= _HIDDEN).any():
                raise UnknownNodeError("chooses between scores of attention and numbers; expected a mask")
            return found.masked(np.asarray(mask, bool) == seen)
    raise UnknownNodeError("chooses between signals; expected scores of attention and a mask")


def multiplied(reader: Reader, node: Any) -> Any:
    """Return scores, of queries and keys; or what attention gives, of a softmax of scores and values."""
    first = reader.values.get(node.input[0])
    if isinstance(first, Scores):
        return _weighted(reader, node, first, reader.moved(node, 1))
    queries, keys = reader.moved(node, 0), reader.moved(node, 1)
    if keys.places.ndim < 3 or queries.places.ndim != keys.places.ndim:
        raise UnknownNodeError("is a product of two signals; expected one with a weight, or those of attention")
    keys = replace(keys, places=np.swapaxes(keys.places, -1, -2))
    if queries.places.shape[:-2] != keys.places.shape[:-2] or queries.places.shape[-1] != keys.places.shape[-1]:
        raise UnknownNodeError(
            f"is a product of {list(queries.places.shape)} and {list(keys.places.shape)}, which are no queries and keys"
        )
    shape = (*queries.places.shape[:-1], keys.places.shape[-2])
    return Scores(queries, keys, shape, queries.factor * keys.factor)


def _weighted(reader: Reader, node: Any, scores: Scores, values: Moved) -> Any:
    if not scores.softmax:
        raise UnknownNodeError("is a product of scores without their softmax; expected attention with it")
    if values.factor != 1:
        raise UnknownNodeError("scales the values of attention; expected queries or keys that are")
    given = values.places.shape
    signals = [_by_head(each, reader.batch) for each in (scores.queries, scores.keys, values)]
    steps = scores.shape[-1]
    seen = scores.seen is not None and causal(scores.seen, steps)
    made = attended(
        reader.sketch.draft, name_of(node), signals, reader.batch, causal=seen, scale=scores.scale
    )  # fmt: skip
    return settled(replace(made, places=made.places.reshape(given)), reader.batch)


def _by_head(signal: Moved, batch: int) -> Moved:
    """Return a signal as (batch, heads, steps, size)."""
    shape = signal.places.shape
    if len(shape) == 3 and shape[0] % batch == 0:
        shape = (batch, shape[0] // batch, *shape[1:])
    return Moved(signal.value, signal.places.reshape(shape))


def softened(reader: Reader, node: Any, scores: Scores) -> Scores:
    """Return scores after a softmax over the last axis."""
    axis = attributes(node).get("axis", 1 if reader.version < 13 else -1)
    if axis not in (-1, len(scores.shape) - 1) or scores.softmax:
        raise UnknownNodeError(f"along axis {axis} of scores of attention; expected the last, once")
    return replace(scores, softmax=True)


def reshaped(scores: Scores, shape: Sequence[int]) -> Scores:
    """Return scores whose heads stand beside the samples, or in an axis of their own."""
    found = tuple(shape)
    if found[-2:] != scores.shape[-2:] or np.prod(found) != np.prod(scores.shape):
        raise UnknownNodeError(f"gives scores of attention the shape {list(shape)}; expected steps x steps at the end")
    seen = None if scores.seen is None else scores.seen.reshape(found)
    return replace(scores, shape=found, seen=seen)


@handles("Attention")
def _whole(reader: Reader, node: Any) -> Any:
    """Add the attention that later versions of ONNX have as one node."""
    told = attributes(node)
    odd = [key for key in ("softcap", "qk_matmul_output_mode") if told.get(key)]
    if odd or any(node.input[4:]) or any(name and reader.uses[name] for name in node.output[1:]):
        raise UnknownNodeError("has past keys, a cap or results of its own; expected plain attention")
    signals = [reader.moved(node, place) for place in range(3)]
    beside = signals[0].places.ndim == 3  # heads, in each vector
    if beside:
        heads = [told["q_num_heads"], told["kv_num_heads"], told["kv_num_heads"]]
        signals = [
            replace(each, places=each.places.reshape(*each.places.shape[:2], n, -1).transpose(0, 2, 1, 3))
            for each, n in zip(signals, heads, strict=True)
        ]
    shapes = [each.places.shape for each in signals]
    if len(set(shapes)) > 1:
        raise UnknownNodeError(f"has queries, keys and values of {shapes}; expected all alike")
    steps = shapes[0][-2]
    seen = np.tri(steps, dtype=bool) if told.get("is_causal") else np.ones((steps, steps), bool)
    if (mask := reader.weight(node, 3)) is not None and mask.values is not None:
        seen = seen & (mask.values if mask.values.dtype == bool else mask.values == 0)
    made = attended(
        reader.sketch.draft, name_of(node), signals, reader.batch, causal=causal(seen, steps), scale=told.get("scale")
    )
    if beside:
        made = replace(made, places=made.places.transpose(0, 2, 1, 3).reshape(reader.batch, steps, -1))
    return settled(made, reader.batch)

"""Attention of ONNX: nodes that meet the scores of queries and keys only note what they do to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from archsim.networks.imports.attending import HIDDEN, Scores, attended, causal, scores_of
from archsim.networks.imports.draft import UnknownNodeError
from archsim.networks.imports.moved import settled
from archsim.networks.imports.onnx.reader import Reader, attributes, handles, name_of


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
            if mask is None or other.values is None or (other.values >= HIDDEN).any():
                raise UnknownNodeError("chooses between scores of attention and numbers; expected a mask")
            return found.masked(np.asarray(mask, bool) == seen)
    raise UnknownNodeError("chooses between signals; expected scores of attention and a mask")


def multiplied(reader: Reader, node: Any) -> Any:
    """Return scores, of queries and keys; or what attention gives, of a softmax of scores and values."""
    first = reader.values.get(node.input[0])
    if isinstance(first, Scores):
        made = first.weighted(reader.sketch.draft, name_of(node), reader.moved(node, 1), reader.batch)
        return settled(made, reader.batch)
    return scores_of(reader.moved(node, 0), reader.moved(node, 1))


def softened(reader: Reader, node: Any, scores: Scores) -> Scores:
    """Return scores after a softmax over the last axis."""
    return scores.softened(attributes(node).get("axis", 1 if reader.version < 13 else -1))


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

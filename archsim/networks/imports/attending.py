"""Attention as frameworks write it: queries, keys and values of heads, moved out of the vectors that they come from.

Where it is written out, what stands between products of queries and keys and those with values is no layer's result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from archsim.networks.imports.channels_first import Value
from archsim.networks.imports.draft import Draft, UnknownNodeError, Values
from archsim.networks.imports.moved import Moved, places

Heads = tuple[int, int, int, int]
"""Batch, heads, steps, size of a head."""

HIDDEN = -1e3
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

    def softened(self, axis: int) -> Scores:
        """Return them after a softmax over the last axis."""
        if axis not in (-1, len(self.shape) - 1) or self.softmax:
            raise UnknownNodeError(f"along axis {axis} of scores of attention; expected the last, once")
        return replace(self, softmax=True)

    def weighted(self, draft: Draft, name: str, values: Moved, batch: int) -> Moved:
        """Add the attention that they and values make; return what it gives, as the values stand."""
        if not self.softmax:
            raise UnknownNodeError("is a product of scores without their softmax; expected attention with it")
        if values.factor != 1:
            raise UnknownNodeError("scales the values of attention; expected queries or keys that are")
        signals = [_by_head(each, batch) for each in (self.queries, self.keys, values)]
        seen = self.seen is not None and causal(self.seen, self.shape[-1])
        made = attended(draft, name, signals, batch, causal=seen, scale=self.scale)
        return replace(made, places=made.places.reshape(values.places.shape))


def added(scores: Scores, constant: Values) -> Scores:
    """Return scores with a mask added: 0 where they are seen, far below where they are not.

    Raises
    ------
    UnknownNodeError
        If the mask is none of these, as positions relative to each other are.
    """
    if not ((constant == 0) | (constant < HIDDEN)).all():
        raise UnknownNodeError("adds something else than a mask to the scores of attention, such as relative positions")
    return scores.masked(constant == 0)


def scores_of(queries: Moved, keys: Moved) -> Scores:
    """Return the products of queries (..., steps, size) and keys (..., size, steps).

    Raises
    ------
    UnknownNodeError
        If the two signals are none.
    """
    if keys.places.ndim < 3 or queries.places.ndim != keys.places.ndim:
        raise UnknownNodeError("is a product of two signals; expected one with a weight, or those of attention")
    keys = replace(keys, places=np.swapaxes(keys.places, -1, -2))
    if queries.places.shape[:-2] != keys.places.shape[:-2] or queries.places.shape[-1] != keys.places.shape[-1]:
        raise UnknownNodeError(
            f"is a product of {list(queries.places.shape)} and {list(keys.places.shape)}, which are no queries and keys"
        )
    shape = (*queries.places.shape[:-1], keys.places.shape[-2])
    return Scores(queries, keys, shape, queries.factor * keys.factor)


def _by_head(signal: Moved, batch: int) -> Moved:
    """Return a signal as (batch, heads, steps, size)."""
    shape = signal.places.shape
    if len(shape) == 3 and shape[0] % batch == 0:
        shape = (batch, shape[0] // batch, *shape[1:])
    return Moved(signal.value, signal.places.reshape(shape))


def attended(
    draft: Draft, name: str, signals: Sequence[Moved], batch: int, *, causal: bool, scale: float | None
) -> Moved:  # fmt: skip
    """Add attention between queries, keys and values of (batch, heads, steps, size of a head); return what it gives.

    Parameters
    ----------
    scale : float, optional
        What products of queries and keys are multiplied by; one over the root of a head's size if not given.

    Raises
    ------
    UnknownNodeError
        If heads do not lie side by side in the vectors of a layer, or in a part of them.
    """
    shape = signals[0].places.shape
    if len(shape) != 4:
        raise UnknownNodeError(f"queries of shape {list(shape)}; expected (batch, heads, steps, size)")
    _, heads, steps, wide = shape
    parts = [_queried(draft, signal, shape) for signal in signals]
    usual = scale is None or np.isclose(scale, wide**-0.5, rtol=1e-6)
    made = draft.add(
        name, "attend", parts, heads=heads, causal=causal or None, scale=None if usual else float(scale or 0)
    )
    value = Value(made, (steps, heads * wide))
    own = places(value, batch).reshape(batch, steps, heads, wide).transpose(0, 2, 1, 3)
    return Moved(value, np.ascontiguousarray(own))


def _queried(draft: Draft, signal: Moved, shape: Heads) -> str:
    """Return the layer of queries, keys or values: one whose vectors are the heads' side by side, or a part of one."""
    batch, heads, steps, wide = shape
    size, whole = heads * wide, signal.value.shape[-1]
    if signal.places.shape != shape or (signal.value.layout, len(signal.value.shape)) != ("plain", 2) or whole % size:
        raise UnknownNodeError("queries, keys and values have other shapes; expected all alike")
    vectors, begins = signal.row
    place = int(begins[0])
    sample = np.arange(batch)[:, None, None] * steps + np.arange(steps)
    if (
        (vectors.reshape(shape[:3]) != sample).any() or place % size
        or (begins.reshape(shape[:3]) != place + np.arange(heads)[:, None] * wide).any()
    ):  # fmt: skip
        raise UnknownNodeError("heads do not lie side by side in the vectors that they come from")
    if whole == size:
        return signal.value.layer
    return draft.add(
        f"{signal.value.layer}-part", "part", [signal.value.layer], count=whole // size, place=place // size
    )


def causal(seen: Values, steps: int) -> bool:
    """Return whether each step sees those up to itself alone, by a mask (..., steps, steps) of what is seen.

    Raises
    ------
    UnknownNodeError
        If it sees others than those, or all.
    """
    if seen.all():
        return False
    if seen.shape[-2:] != (steps, steps) or (seen.reshape(-1, steps, steps) != np.tri(steps, dtype=bool)).any():
        raise UnknownNodeError("has a mask of another kind; expected none, or a causal one")
    return True

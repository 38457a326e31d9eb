"""Attention as frameworks write it: queries, keys and values of heads, moved out of the vectors that they come from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from archsim.networks.imports.channels_first import Value
from archsim.networks.imports.draft import Draft, UnknownNodeError, Values
from archsim.networks.imports.moved import Moved, places

Heads = tuple[int, int, int, int]
"""Batch, heads, steps, size of a head."""


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

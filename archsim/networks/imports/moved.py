"""Where the elements of a tensor of a framework stand in a layer's result, while views and transposes move them.

What only moves elements is done to an array of their places, in NumPy's words of the same meaning; a tensor whose
elements stand in the order of the layer's own result is that result again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from archsim.networks.imports.channels_first import Value
from archsim.networks.imports.draft import UnknownNodeError

Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Moved:
    """Elements of a layer's result in another order: `places` holds, for each, its flat place in (batch, *shape).

    All of them are multiplied by `factor`.
    """

    TOLD: ClassVar[str] = "a signal whose elements were moved"
    value: Value
    places: Places
    factor: float = 1.0

    @property
    def row(self) -> tuple[Places, Places]:
        """For each vector of the tensor its position in the batch, flat, and the first place in the layer's vector.

        Raises
        ------
        UnknownNodeError
            If its vectors are not pieces of the layer's.
        """
        size, wide = self.value.shape[-1], self.places.shape[-1]
        flat = self.places.reshape(-1, wide)
        first = flat[:, :1]
        if not (flat == first + np.arange(wide)).all() or not (first % size + wide <= size).all():
            raise UnknownNodeError("its vectors are mixed of several; expected whole ones")
        return (first // size).reshape(-1), (first % size).reshape(-1)


@dataclass(frozen=True, slots=True)
class Expanded:
    """A signal that is repeated to a shape, with the batch; sums and products spread it themselves."""

    TOLD: ClassVar[str] = "a signal that is expanded"
    value: Value
    shape: tuple[int, ...]


def parted(moved: Moved, batch: int) -> tuple[int, int, int] | None:
    """Return (count, place, parts) of a signal that is some neighbouring channels of a layer's, all else as it is.

    The channels are those of `parts` of `count` equal parts, from one on; None for any other order of elements.
    """
    own, axis = places(moved.value, batch), 1 if moved.value.layout == "image" else -1
    given = moved.places
    if moved.value.layout not in ("image", "plain") or moved.value.order is not None or given.ndim != own.ndim:
        return None
    whole, taken = own.shape[axis], given.shape[axis]
    first = int(given.flat[0]) // math.prod(own.shape[2:] if axis == 1 else (1,))
    if given.size == 0 or moved.factor != 1 or first + taken > whole:
        return None
    if not np.array_equal(np.take(own, range(first, first + taken), axis), given):
        return None
    size = math.gcd(whole, first, taken)
    return whole // size, first // size, taken // size


def places(value: Value, batch: int) -> Places:
    """Return the places of a layer's result in its own order."""
    shape = (batch, *value.shape)
    return np.arange(math.prod(shape), dtype=np.int64).reshape(shape)


def whole(value: Value, batch: int) -> Moved:
    """Return a layer's result, in the order that a framework has it in, as elements of what the layer gives."""
    turned = {"steps": (1, 0, 2), "columns": (0, 2, 1)}.get(value.layout)
    if turned is None:
        return Moved(value, places(value, batch))
    shape = value.shape if value.layout == "steps" else value.shape[::-1]
    plain = replace(value, layout="plain", shape=shape)
    return Moved(plain, places(plain, batch).transpose(turned))


def settled(moved: Moved, batch: int) -> Value | Moved:
    """Return the layer's result where the elements stand in its order again, under its shape."""
    own = places(moved.value, batch)
    if moved.factor != 1:
        return moved
    return moved.value if own.shape == moved.places.shape and (own == moved.places).all() else moved


def by_vector(moved: Moved, made: Value) -> Moved:
    """Return what a layer made of each vector of a signal, in the order that the vectors stand in.

    Raises
    ------
    UnknownNodeError
        If they are not whole vectors of the layer before.
    """
    vectors, begins = moved.row
    if moved.places.shape[-1] != moved.value.shape[-1] or begins.any():
        raise UnknownNodeError("works on parts of vectors; expected whole ones")
    units = made.shape[-1]
    found = (vectors[:, None] * units + np.arange(units)).reshape(*moved.places.shape[:-1], units)
    return Moved(made, found)


def _axis(array: Places, axis: int) -> int:
    return axis % array.ndim


def _flatten(a: Places, start: int = 0, stop: int = -1) -> Places:
    start, stop = _axis(a, start), _axis(a, stop)
    return a.reshape(*a.shape[:start], -1, *a.shape[stop + 1 :])


def _unflatten(a: Places, axis: int, sizes: Sequence[int]) -> Places:
    axis = _axis(a, axis)
    return a.reshape(*a.shape[:axis], *sizes, *a.shape[axis + 1 :])


def _squeeze(a: Places, axis: int | Sequence[int]) -> Places:
    axes = [axis] if isinstance(axis, int) else list(axis)
    return np.squeeze(a, tuple(each for each in (_axis(a, each) for each in axes) if a.shape[each] == 1))


def _slice(a: Places, axis: int = 0, start: int | None = None, stop: int | None = None, step: int = 1) -> Places:
    return a[(slice(None),) * _axis(a, axis) + (slice(start, stop, step),)]


def _chunk(a: Places, count: int, axis: int = 0) -> list[Places]:
    return _split(a, -(-a.shape[axis] // count), axis)


def _split(a: Places, size: int | Sequence[int], axis: int = 0) -> list[Places]:
    edges = np.arange(size, a.shape[axis], size) if isinstance(size, int) else np.cumsum(size)[:-1]
    return list(np.split(a, edges, axis))


MOVES: dict[str, Callable[..., Any]] = {
    "view": lambda a, shape: a.reshape(shape), "reshape": lambda a, shape: a.reshape(shape),
    "transpose": np.swapaxes, "permute": np.transpose,
    "t": lambda a: a.T, "contiguous": lambda a, **_: a, "clone": lambda a, **_: a, "detach": lambda a: a,
    "alias": lambda a: a, "flatten": _flatten, "unflatten": _unflatten,
    "unsqueeze": np.expand_dims, "squeeze": _squeeze,
    "select": lambda a, axis, k: np.take(a, k, axis), "slice": _slice, "chunk": _chunk, "split": _split,
    "split_with_sizes": _split, "unbind": lambda a, axis=0: [np.take(a, k, axis) for k in range(a.shape[axis])],
    "getitem": lambda a, k: a[k],
}  # fmt: skip
"""Name of an operator that only moves elements -> the same on an array of places."""

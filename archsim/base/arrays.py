"""Short names for the array types that cross interfaces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.base.errors import InputError

F32 = NDArray[np.float32]
I64 = NDArray[np.int64]
U64 = NDArray[np.uint64]
Arrays = Mapping[str, NDArray[Any]]
"""Arrays by name; parts of a whole are told apart by a path, such as "fc1/0,0/conductance"."""


def nested(prefix: str, arrays: Arrays) -> dict[str, NDArray[Any]]:
    """Return the arrays with `prefix` and a slash before each name."""
    return {f"{prefix}/{name}": array for name, array in arrays.items()}


def under(prefix: str, arrays: Arrays) -> dict[str, NDArray[Any]]:
    """Return the arrays whose names begin with `prefix` and a slash, without these."""
    return {name.removeprefix(f"{prefix}/"): array for name, array in arrays.items() if name.startswith(f"{prefix}/")}


def stored(name: str, like: NDArray[Any], arrays: Arrays, *, any_length: bool = False) -> NDArray[Any]:
    """Return a stored array that has to be of the type and the shape of another, or of its shape but for the length.

    Raises
    ------
    InputError
        If there is none of that name, or it has another shape or type.
    """
    begin = int(any_length)
    expected = f"an array of {like.dtype}, {like.shape}"
    if name not in arrays:
        raise InputError("is missing", key=name, expected=expected)
    found = arrays[name]
    if found.dtype != like.dtype or found.ndim != like.ndim or found.shape[begin:] != like.shape[begin:]:
        raise InputError(f"is an array of {found.dtype}, {found.shape}", key=name, expected=expected)
    return found

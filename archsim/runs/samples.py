"""Files of what generators made at the tests of a training, to be looked at: NumPy's .npz, an array by step."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from archsim.base import files
from archsim.base.arrays import unpacked
from archsim.base.errors import InputError

_MOST = 1 << 28
"""Bytes of such a file, unpacked, at most."""


def file_of(folder: Path, architecture: str) -> Path:
    """Return the path of what a chip's generator made in a run directory."""
    return folder / f"samples-{architecture}.npz"


def save(folder: Path, architecture: str, samples: Mapping[str, NDArray[np.uint8]]) -> None:
    """Write what a chip's tests generated, by step, if they did."""
    if not samples:
        return
    with files.replacing(file_of(folder, architecture)) as aside, aside.open("wb") as stream:
        np.savez_compressed(stream, allow_pickle=False, **samples)


def read(folder: Path, architecture: str) -> dict[int, NDArray[np.uint8]]:
    """Return what a chip's generator made by step: (samples, rows, columns), or with channels last; empty if nothing.

    Raises
    ------
    InputError
        If the file is no such one.
    """
    path = file_of(folder, architecture)
    if not path.is_file():
        return {}
    what = "the samples that archsim wrote"
    try:
        found = {int(step): array for step, array in unpacked(path, what=what, most=_MOST).items()}
    except (OSError, ValueError) as error:
        raise InputError("is not readable", file=files.display(path), expected=what) from error
    if any(array.dtype != np.uint8 or array.ndim not in {3, 4} or not array.size for array in found.values()):
        raise InputError("holds no images", file=files.display(path), expected=what)
    return dict(sorted(found.items()))

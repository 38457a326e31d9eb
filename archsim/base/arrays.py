"""Short names for the array types that cross interfaces, and archives of arrays, checked before they are unpacked."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from archsim.base.errors import InputError
from archsim.base.files import display, regular

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
U64 = NDArray[np.uint64]
Arrays = Mapping[str, NDArray[Any]]
"""Arrays by name; parts of a whole are told apart by a path, such as "fc1/0,0/conductance"."""


_DAMAGE = (
    OSError, EOFError, ValueError, KeyError, NotImplementedError, RuntimeError, MemoryError, zlib.error,
    zipfile.BadZipFile,
)  # fmt: skip
"""What is raised for a file that is no archive of arrays, or half of one."""


def unpacked(path: Path, *, what: str, most: int, names: Sequence[str] | None = None) -> dict[str, NDArray[Any]]:
    """Return the arrays of an .npz file; headers and sizes are checked before an array is unpacked.

    Parameters
    ----------
    path : Path
    what : str
        What it should be, for errors.
    most : int
        Bytes that all arrays together may have.
    names : sequence of str, optional
        Which of them; by default all.

    Raises
    ------
    InputError
        If the file is no such archive, is damaged, lacks an array, holds Python objects, or more bytes than `most`;
        a header that promises another length than stands there is one of these.
    """
    regular(path, what)
    file = display(path)
    try:
        with zipfile.ZipFile(path) as archive:
            members = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
            wanted = members if names is None else names
            _check(archive, wanted, members, (file, most))
            return {name: _array(archive, name) for name in wanted}
    except InputError:
        raise
    except _DAMAGE as error:
        reason = str(error) or type(error).__name__
        raise InputError(f"is not readable ({reason})", file=file, expected=what) from error


def _check(archive: zipfile.ZipFile, wanted: Sequence[str], members: Sequence[str], limit: tuple[str, int]) -> None:
    """Refuse an archive that lacks an array, or whose arrays are too large together."""
    file, most = limit
    if missing := [name for name in wanted if name not in members]:
        found = ", ".join(members[:8]) or "nothing"
        raise InputError(f"lacks {', '.join(missing)}; it holds {found}", file=file, expected=", ".join(wanted))
    if (size := sum(_size(archive, name, file) for name in wanted)) > most:
        raise InputError(f"holds arrays of {size:,} bytes", file=file, expected=f"at most {most:,}")


def _array(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    with archive.open(f"{name}.npy") as stream:
        array: NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
    return array


def _size(archive: zipfile.ZipFile, name: str, file: str) -> int:
    """Return the bytes of an array by its header, which must agree with the archive's own list."""
    with archive.open(f"{name}.npy") as stream:
        shape, dtype = _header(stream)
        begin = stream.tell()
    if dtype.hasobject:
        raise InputError(f"{name} holds Python objects", file=file, expected="numbers")
    size = math.prod(shape) * dtype.itemsize
    if archive.getinfo(f"{name}.npy").file_size != begin + size:
        raise InputError(f"the header of {name} does not fit its length", file=file, expected="what numpy.savez writes")
    return size


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    if np.lib.format.read_magic(stream) != (1, 0):  # others are for headers beyond 64 kB
        raise ValueError("a header of another version")
    shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    return shape, dtype


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

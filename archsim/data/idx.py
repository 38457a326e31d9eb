"""Read IDX files, the format of MNIST, strictly: whatever is wrong with a file is named.

An IDX file is a header of big-endian 32-bit words, the magic number 0x0000TTDD (type of an element, dimensions) and one
word per dimension, then the elements. Only unsigned bytes are read. http://yann.lecun.com/exdb/mnist/ describes it.
"""

from __future__ import annotations

import gzip
import io
import math
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import IO

import numpy as np

from archsim.base.errors import DataError, InputError
from archsim.base.files import display, regular

_UNSIGNED_BYTE = 0x08
_GZIP = b"\x1f\x8b"


LARGEST = 1 << 30
"""Bytes of an unpacked IDX file; EMNIST's largest has 547 million."""
_FOLD, _SMALL = 100, 1 << 24
"""Images pack to a tenth; what promises a hundred times its packed size and more than 16 MB is none."""
_BEYOND = 1 << 10
"""Bytes read beyond the end that a header promises, to see that there are some."""
_BYTES = {0x08: 1, 0x09: 1, 0x0B: 2, 0x0C: 4, 0x0D: 4, 0x0E: 8}


def gunzip(data: bytes, *, file: str, most: int | None = None) -> bytes:
    """Return what gzip-compressed bytes hold: as much as an IDX header there promises, and a little of what is beyond.

    Parameters
    ----------
    data : bytes
        The compressed bytes, whole.
    file : str
        File or address they came from, for the error.
    most : int, optional
        For files without such a header: as much as this, and one byte more if there is one.

    Raises
    ------
    DataError
        If the bytes are not gzip, truncated, or fail gzip's own checksum.
    """
    if data[:2] != _GZIP:
        raise DataError("is not gzip-compressed", file=file, expected="gzip data, which starts with the bytes 1f 8b")
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            return _limited(stream, len(data), file) if most is None else stream.read(most + 1)
    except EOFError as error:
        raise DataError(f"gzip data is truncated after {len(data):,} bytes", file=file) from error
    except (zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"gzip data is damaged ({error})", file=file) from error


def present(folder: Path, names: Iterable[str]) -> dict[str, Path]:
    """Return name -> path of those files that stand in a folder; .gz goes before plain: its digest is published.

    Each may be spelt as it is (train-images-idx3-ubyte) or with a dot (train-images.idx3-ubyte).

    Raises
    ------
    DataError
        If the folder may not be read.
    """
    found = {}
    try:
        for name in names:
            dotted = name.replace("-idx", ".idx")
            spellings = (f"{name}.gz", f"{dotted}.gz", name, dotted)
            if path := next((folder / spelling for spelling in spellings if (folder / spelling).is_file()), None):
                found[name] = path
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror or error}", file=display(folder)) from error
    return found


def content(path: Path) -> bytes:
    """Return the bytes of a file, unpacked if its name ends in .gz.

    Raises
    ------
    DataError
        If the file cannot be read or unpacked.
    """
    try:
        size = regular(path, "an IDX file", LARGEST)
        if path.suffix == ".gz":
            return gunzip(path.read_bytes(), file=display(path))
        with path.open("rb") as stream:
            return _limited(stream, size, display(path))
    except InputError as error:
        raise DataError(error.message, file=error.file, expected=error.expected) from error
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror or error}", file=display(path)) from error


def _limited(stream: IO[bytes] | gzip.GzipFile, size: int, file: str) -> bytes:
    """Return a stream's bytes, no more than its IDX header promises and a little; without such a header, the first."""
    head = stream.read(16)
    due = _promised(head)
    if due > min(LARGEST, _FOLD * size + _SMALL) and isinstance(stream, gzip.GzipFile):
        raise DataError(
            f"promises {due:,} bytes and has {size:,}", file=file,
            expected="an IDX file; images do not pack to a hundredth",
        )  # fmt: skip
    return head + stream.read(min(max(due - len(head), 0), LARGEST) + _BEYOND)


def _promised(head: bytes) -> int:
    """Return the length of an IDX file by its header, 0 if it is none."""
    if len(head) < 8 or head[:2] != b"\0\0" or head[2] not in _BYTES or not 1 <= head[3] <= 3:
        return 0
    dimensions = min(head[3], (len(head) - 4) // 4)
    sizes: tuple[int, ...] = struct.unpack_from(f">{dimensions}I", head, 4)
    return 4 + 4 * head[3] + _BYTES[head[2]] * math.prod(sizes)


def parse(data: bytes, *, dimensions: int, file: str) -> np.ndarray:
    """Return the elements of an IDX file of unsigned bytes.

    Parameters
    ----------
    data : bytes
        The file's content, unpacked.
    dimensions : int
        Dimensions it must have: 3 for images, 1 for labels.
    file : str
        The file's name, for the error.

    Returns
    -------
    uint8 array of `dimensions` dimensions, a read-only view of `data`

    Raises
    ------
    DataError
        If the magic number, the type or the number of dimensions is wrong, nothing is in it, or the length is not
        exactly what the header says.
    """
    header = 4 + 4 * dimensions
    if len(data) < header:
        raise DataError(f"holds {len(data)} bytes", file=file, expected=f"at least an IDX header of {header} bytes")
    _check_magic(data, dimensions=dimensions, file=file)
    shape = struct.unpack_from(f">{dimensions}I", data, 4)
    sizes = " x ".join(f"{size:,}" for size in shape)
    if 0 in shape:
        raise DataError(f"is empty: the header says {sizes}", file=file, expected="at least one element")
    due = header + math.prod(shape)
    if len(data) != due:
        what = "is truncated" if len(data) < due else "has bytes after its end"
        expected = f"{due:,} bytes (header of {header}, then {sizes})"
        raise DataError(f"{what}: found {len(data):,} bytes", file=file, expected=expected)
    return np.frombuffer(data, np.uint8, offset=header).reshape(shape)


def images(data: bytes, *, shape: tuple[int, int], file: str) -> np.ndarray:
    """Return the images of an IDX file, uint8 of shape (images, *shape); see `parse`.

    Raises
    ------
    DataError
        If the file is wrong, or its images have another shape.
    """
    array = parse(data, dimensions=3, file=file)
    if array.shape[1:] != shape:
        size = f"{array.shape[1]:,}x{array.shape[2]:,}"
        raise DataError(f"holds images of {size}", file=file, expected=f"{shape[0]}x{shape[1]}")
    return array


def labels(data: bytes, *, classes: int, file: str) -> np.ndarray:
    """Return the labels of an IDX file, uint8 of shape (labels,); see `parse`.

    Raises
    ------
    DataError
        If the file is wrong, or a label is not below `classes`.
    """
    array = parse(data, dimensions=1, file=file)
    if array.max() >= classes:
        first = int(np.argmax(array >= classes))
        raise DataError(f"label {first:,} is {array[first]}", file=file, expected=f"labels from 0 to {classes - 1}")
    return array


def wide_labels(data: bytes, *, classes: int, file: str) -> np.ndarray:
    """Return the first column of QMNIST's labels, uint8 of shape (labels,): rows of big-endian 32-bit integers.

    Raises
    ------
    DataError
        If the file is no such table, or a label is not below `classes`.
    """
    rows, columns = struct.unpack_from(">2I", data, 4) if len(data) >= 12 else (0, 0)
    if data[:4] != b"\0\0\x0c\x02" or rows * columns == 0 or len(data) != 12 + 4 * rows * columns:
        expected = "32-bit integers in 2 dimensions (magic number 0x00000c02), as many as the header says"
        raise DataError("is no IDX file of QMNIST's labels", file=file, expected=expected)
    array = np.frombuffer(data, ">i4", offset=12).reshape(rows, columns)[:, 0]
    if array.min() < 0 or array.max() >= classes:
        raise DataError("holds labels beyond the classes", file=file, expected=f"labels from 0 to {classes - 1}")
    return array.astype(np.uint8)


def _check_magic(data: bytes, *, dimensions: int, file: str) -> None:
    due = bytes((0, 0, _UNSIGNED_BYTE, dimensions))
    got = data[:4]
    if got == due:
        return
    hint = None
    if got[:2] == _GZIP:
        what, hint = "is gzip-compressed, but its name does not end in .gz", "Rename it, or unpack it."
    elif got[:2] != b"\0\0":
        what = f"is no IDX file: its magic number is 0x{got.hex()}"
    elif got[2] != _UNSIGNED_BYTE:
        what = f"holds elements of type 0x{got[2]:02x} (magic number 0x{got.hex()})"
    else:
        what = f"has {got[3]} dimensions (magic number 0x{got.hex()})"
        hint = {1: "This is a file of labels.", 3: "This is a file of images."}.get(got[3])
    expected = f"unsigned bytes in {dimensions} dimension{'s' if dimensions > 1 else ''} (magic number 0x{due.hex()})"
    raise DataError(what, file=file, expected=expected, hint=hint)

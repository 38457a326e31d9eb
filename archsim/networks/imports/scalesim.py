"""Topologies of SCALE-Sim (CSV): convolutions, a line each, or products of matrices (GEMM).

A line says no padding: by its own count windows stand within the image, their number rounded up. With `same` the image
is taken as it is before padding, and as many zeros stand around it as give a result at every stride-th place.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from archsim.base.csvtext import plain, read_text, split
from archsim.base.errors import InputError
from archsim.base.files import display
from archsim.networks.imports.channels_first import Pads, Shape, Steps
from archsim.networks.imports.channels_first import same as zeros
from archsim.networks.imports.draft import Draft
from archsim.networks.imports.products import Chain

_CONV = ("ifmapheight", "ifmapwidth", "filterheight", "filterwidth", "channels", "numfilter")
_STRIDES = (("strides",), ("stride",), ("strideheight", "stridewidth"))
"""Names of the column of strides, or of those of rows and of columns."""
_GEMM = ("m", "n", "k")


def read(path: Path, *, same: bool = False) -> Draft:
    """Return the products of a topology.

    Parameters
    ----------
    path : Path
    same : bool
        Pad convolutions to the same size; the file's own count is without.

    Raises
    ------
    InputError
        If it is no such table, or a line has no whole numbers.
    """
    rows = _rows(path)
    header = next(rows, (0, []))[1]
    first = [plain(cell) for cell in header]
    strides = next((names for names in _STRIDES if set(names) <= set(first)), ())
    for columns, build in (((*_CONV, *strides), _convolutions), (_GEMM, _products)):
        if not set(columns) <= set(first):
            continue
        others = [
            cell.strip() for cell, name in zip(header[1:], first[1:], strict=True) if name and name not in columns
        ]
        if unknown := [cell for cell in others if build is _convolutions and "stride" in cell.lower()]:
            expected = "one column Strides, or Stride Height and Stride Width"
            raise InputError(f"has the column {unknown[0]!r}", file=display(path), line=1, expected=expected)
        places = [first.index(name) for name in columns]
        table = [(line, row[0].strip(), _numbers(path, line, row, places)) for line, row in rows]
        if not table:
            raise InputError("has no layers", file=display(path))
        draft = build(table, same=same)
        if others:
            draft.note(f"Columns that are not read: {', '.join(others)}.")
        return draft
    told = ", ".join(cell.strip() for cell in header if cell.strip()) or "none"
    raise InputError(
        f"has other columns, {told[:80]}", file=display(path), line=1,
        expected="those of a topology of SCALE-Sim: Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter "
        "Width, Channels, Num Filter, Strides; or Layer, M, N, K",
    )  # fmt: skip


_Table = Sequence[tuple[int, str, list[int]]]


def _convolutions(table: _Table, *, same: bool) -> Draft:
    """Return convolutions, each with the shape of image that its line says."""
    _, _, (rows, columns, _, _, channels, *_) = table[0]
    chain = Chain([rows, columns, channels])
    for k, (_, name, (rows, columns, high, wide, channels, units, *told)) in enumerate(table):
        following = table[k + 1][2][4] if k + 1 < len(table) else None
        deep = units == 1 < channels and (high, wide) != (1, 1) and following == channels
        if deep:
            chain.draft.note("One filter over all channels, of which the next layer takes as many, is a depthwise one.")
        strides = (told * 2)[:2] or [1, 1]
        pads = (
            zeros((rows, columns), (high, wide), strides) if same else _rounded((rows, columns), (high, wide), strides)
        )
        steps = Steps(strides, pads)
        chain.image(name, (rows, columns, channels), None if deep else units, (high, wide), steps)
    chain.draft.note(
        "Padded so that a window stands at every stride-th place of the image."
        if same
        else "Counted as SCALE-Sim does: windows stand in the image that a line says, their number is rounded up."
    )
    return chain.draft


def _rounded(image: Shape, window: Shape, strides: Sequence[int]) -> Pads:
    """Return zeros at the end alone, for the last window that begins in what is left."""
    below, right = ((k - n) % stride for n, k, stride in zip(image, window, strides, strict=True))
    most = max(below, right)  # more than the smaller one of both adds no window, being less than a stride
    return (0, 0, most, most) if strides[0] == strides[1] else (0, 0, below, right)


def _products(table: _Table, *, same: bool) -> Draft:
    """Return products of (M, K) by (K, N), each of M vectors."""
    del same
    _, _, (vectors, _, rows) = table[0]
    chain = Chain([vectors, rows])
    for _, name, (vectors, units, rows) in table:
        chain.product(name, "dense", [vectors, rows], [vectors, units], units=units)
    return chain.draft


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    text = read_text(path)
    head = next((line for line in text.splitlines() if line.strip() and not line.startswith("#")), "")
    delimiter = next((mark for mark in (",", ";", "\t") if mark in head), ",")
    try:
        for _, line, row in split(text, delimiter):
            yield line, row
    except csv.Error as error:
        raise InputError(f"is no CSV table ({error})", file=display(path)) from error


def _numbers(path: Path, line: int, row: Sequence[str], places: Sequence[int]) -> list[int]:
    """Return the whole numbers of a line."""
    found = []
    for place in places:
        cell = row[place].strip() if place < len(row) else ""
        if not cell.isdecimal() or int(cell) < 1:
            raise InputError(
                f"{row[0].strip()}: {cell!r} in column {place + 1}", file=display(path),
                line=line, expected="a whole number from 1 on",
            )  # fmt: skip
        found.append(int(cell))
    return found

"""Which reader reads which file."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from archsim.base.errors import InputError
from archsim.base.files import display, regular
from archsim.networks.imports.draft import Draft

_READERS = {".onnx": "onnx", ".csv": "scalesim"}
"""Suffix -> module of this package with a function `read`."""


def read(path: Path, *, same: bool = False) -> Draft:
    """Return the network that a file of another tool describes.

    Parameters
    ----------
    path : Path
    same : bool
        Pad the convolutions of a file that says no padding (SCALE-Sim) to the same size.

    Raises
    ------
    InputError
        If the file cannot be read, or archsim knows no such kind of file.
    """
    if (name := _READERS.get(path.suffix.lower())) is None:
        raise InputError(
            "archsim workloads import cannot tell what it is", file=display(path),
            expected=f"a file that ends in {', '.join(_READERS)}",
        )  # fmt: skip
    regular(path, f"a file of {path.suffix}")
    reader: Callable[..., Draft] = import_module(f"archsim.networks.imports.{name}").read
    if same and name != "scalesim":
        raise InputError(
            "says its padding itself", file=display(path), key="--same", expected="a topology of SCALE-Sim"
        )
    return reader(path, same=True) if same else reader(path)

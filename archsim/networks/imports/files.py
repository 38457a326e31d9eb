"""Which reader reads which file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from archsim.base.errors import InputError
from archsim.base.files import display, regular
from archsim.networks.imports.draft import Draft

_READERS = {".onnx": "onnx.reader", ".csv": "scalesim", ".pt2": "torch.export", ".yaml": "einsum", ".yml": "einsum"}
"""Suffix -> module of this package with a function `read`."""

_INSTEAD = dict.fromkeys(
    (".pt", ".pth", ".ckpt", ".bin", ".safetensors"),
    "Weights alone say no network: load them into the module and give it to archsim.from_torch, or write "
    "torch.export.save(torch.export.export(module, (example,)), 'mine.pt2')",
)
"""Suffix of files that are often taken for a network -> what to do."""


def read(path: Path, *, same: bool = False, sample: Sequence[int] | None = None) -> Draft:
    """Return the network that a file of another tool describes.

    Parameters
    ----------
    path : Path
    same : bool
        Pad the convolutions of a file that says no padding (SCALE-Sim) to the same size.
    sample : sequence of int, optional
        Shape of a sample, channels first, where a model (ONNX) leaves it open.

    Raises
    ------
    InputError
        If the file cannot be read, or archsim knows no such kind of file.
    """
    if (name := _READERS.get(path.suffix.lower())) is None:
        raise InputError(
            "archsim workloads import cannot tell what it is", file=display(path),
            expected=f"a file that ends in {', '.join(_READERS)}", hint=_INSTEAD.get(path.suffix.lower()),
        )  # fmt: skip
    regular(path, f"a file of {path.suffix}")
    reader: Callable[..., Draft] = import_module(f"archsim.networks.imports.{name}").read
    if same and name != "scalesim":
        expected = "a topology of SCALE-Sim"
        raise InputError("says its padding itself", file=display(path), key="--same", expected=expected)
    if sample is not None and name != "onnx.reader":
        raise InputError("says its shapes itself", file=display(path), key="--sample", expected="an ONNX model")
    told = {"same": True} if same else {} if sample is None else {"sample": sample}
    return reader(path, **told)


def sample_of(text: str) -> tuple[int, ...]:
    """Return the shape that a text such as 3x224x224 says.

    Raises
    ------
    InputError
        If it is none.
    """
    parts = text.lower().split("x")
    if not all(part.strip().isdecimal() and int(part) for part in parts):
        raise InputError(key="--sample", value=text, expected="numbers from 1 on with x between, such as 3x224x224")
    return tuple(map(int, parts))

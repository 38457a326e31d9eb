"""What an import makes: layers as a workload has them, and initial values by matrix and parameter."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.base.arrays import F32
from archsim.base.errors import InputError
from archsim.networks.losses import LossName

RESERVED = {"x", "target", "chip", "seeds"}
"""What no layer is named, in lower case."""
INPUT = "x"
Values = NDArray[Any]
WHAT_TO_DO = "Write the model with these, cut it before this node, or add a layer (CONTRIBUTING.md)"


class UnknownNodeError(Exception):
    """A node that archsim has no layer for: why, and what can be done."""


@contextmanager
def reading(file: str, key: str) -> Iterator[None]:
    """Turn whatever a node could not be read for into one error that names it.

    Raises
    ------
    InputError
        For an UnknownNodeError, and for what a reader of nodes did not expect: too few axes, arguments of another kind.
    """
    try:
        yield
    except InputError:
        raise
    except UnknownNodeError as error:
        raise InputError(str(error), key=key, file=file, hint=WHAT_TO_DO) from None
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        said = f"is written in a way that is not read ({type(error).__name__}: {error})"
        raise InputError(said, key=key, file=file, hint=WHAT_TO_DO) from error


@dataclass(frozen=True, slots=True)
class Weight:
    """A constant of a model.

    Parameters
    ----------
    shape : tuple of int
    values : array, optional
        None where the file says the shape alone.
    """

    shape: tuple[int, ...]
    values: Values | None = None


@dataclass(slots=True)
class Draft:
    """A network as it is being read.

    Parameters
    ----------
    inputs : list of int
        Shape of a sample, channels last.
    layers : list of dict
        As a workload says them, but for `of`.
    takes : name -> names
        Of the layers whose results a layer takes; "x" is the input.
    arrays : name -> array
        Initial values, (rows, columns), of matrices and of parameters.
    missing : list of str
        What has no values in the model.
    notes : list of str
        What a reader of the workload must know.
    """

    inputs: list[int]
    layers: list[dict[str, Any]] = field(default_factory=list)
    takes: dict[str, list[str]] = field(default_factory=dict)
    arrays: dict[str, F32] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    loss: LossName = "squared"
    _names: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, kind: str, takes: Sequence[str], **keys: Any) -> str:
        """Add a layer; return its name: the one that is wanted, or a like one that is free. None: a key left out."""
        free = self._free(name)
        said = {key: value for key, value in keys.items() if value is not None}
        self.layers.append({"name": free, "kind": kind, **said})
        self.takes[free] = list(takes)
        return free

    def of(self, name: str) -> dict[str, Any]:
        """Return the layer of a name, to be changed."""
        return next(layer for layer in reversed(self.layers) if layer["name"] == name)

    def keep(self, name: str, values: Values | None) -> None:
        """Note initial values, or that there are none."""
        if values is None:
            self.missing.append(name)
        else:
            self.arrays[name] = np.ascontiguousarray(values.reshape(-1, values.shape[-1]), np.float32)

    def note(self, text: str) -> None:
        """Note a line for the reader, once."""
        if text not in self.notes:
            self.notes.append(text)

    def ended(self, output: str) -> Draft:
        """Return what leads to a layer's result, and the loss of it."""
        needed, wanted = [], {output}
        for layer in reversed(self.layers):
            if layer["name"] in wanted:
                wanted.update(self.takes[layer["name"]])
                needed.append(layer)
        self.layers = needed[::-1]
        self.loss = self._loss(self.layers[-1])
        return self

    def _loss(self, last: dict[str, Any]) -> LossName:
        """Return the loss that suits the last layer; a dense one without activation gives logits: its softmax."""
        if last.get("activation") == "linear" and last["kind"] == "dense" and last["units"] > 1:
            last["activation"] = "softmax"
            self.note("The model ends in numbers of any size: a softmax was added, for the cross-entropy.")
        suited: dict[object, LossName] = {"softmax": "cross-entropy", "sigmoid": "binary-cross-entropy"}
        return suited.get(last.get("activation"), "squared")

    def content(self) -> list[dict[str, Any]]:
        """Return the layers with `of` where one takes other results than that of the layer before."""
        found, before = [], INPUT
        for layer in self.layers:
            taken = self.takes[layer["name"]]
            said = {} if taken == [before] else {"of": taken}
            found.append({"name": layer["name"], "kind": layer["kind"], **said, **layer})
            before = layer["name"]
        return found

    def _free(self, wanted: str) -> str:
        name = re.sub(r"[^A-Za-z0-9_-]+", "-", wanted).strip("-_")
        name = name if name[:1].isalpha() else f"layer-{name}".rstrip("-")
        count = self._names.get(name, 0)
        self._names[name] = count + 1
        if count or name.lower() in RESERVED:
            return self._free(f"{name}-{count + 1}")
        return name


def needs(file: str, package: str) -> InputError:
    """Return the error for a package that an import needs and that is not installed."""
    return InputError(f"needs {package}, which is not installed", file=file, hint=f'pip install "archsim[{package}]"')

"""Networks of which a file says the products alone: each is given what it takes, whatever stands before it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from archsim.networks.imports.channels_first import Shape, Steps, size
from archsim.networks.imports.draft import INPUT, Draft

NOTE = "The file says products, not how they are joined: each takes the words of the one before as they come."


@dataclass(slots=True)
class Chain:
    """Products one after the other.

    Parameters
    ----------
    inputs : list of int
        Shape of a sample.
    """

    inputs: list[int]
    draft: Draft = field(init=False)
    _last: str = INPUT
    _shape: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.draft, self._shape = Draft(list(self.inputs)), list(self.inputs)

    def product(self, name: str, kind: str, takes: Sequence[int], gives: Sequence[int], **keys: Any) -> None:
        """Add a layer that takes and gives values of some shape, without bias and activation."""
        self._fit(name, list(takes))
        self._last = self.draft.add(name, kind, [self._last], **keys, activation="linear", bias=False)
        self._shape = list(gives)

    def image(self, name: str, takes: Shape, units: int | None, window: Shape, steps: Steps) -> None:
        """Add a convolution of an image (rows, columns, channels), without units a depthwise one.

        One over one place is a dense layer.
        """
        if math.prod(takes[:2]) == math.prod(window) == 1 and units is not None:
            self.product(name, "dense", [takes[2]], [units], units=units)
            return
        places, stride, padding = steps.places(takes[:2], window), size(tuple(steps.strides)), steps.padding()
        if padding is None:
            self._fit(name, list(takes))
            self._last, padding = self.draft.add(f"{name}-pad", "pad", [self._last], amounts=list(steps.pads)), {}
            top, left, bottom, right = steps.pads
            takes = (takes[0] + top + bottom, takes[1] + left + right, takes[2])
            self._shape = list(takes)
        kind, gives = ("depthwise", takes[2]) if units is None else ("conv2d", units)
        self.product(
            name, kind, takes, [*places, gives], units=units, window=size(window), **padding,
            stride=stride if stride != 1 else None, dilation=steps.dilation() if steps.dilation() > 1 else None,
        )  # fmt: skip

    def _fit(self, name: str, takes: list[int]) -> None:
        """Let what stands before be taken as it comes, where it has another shape."""
        if takes != self._shape:
            self.draft.note(NOTE)
            self._last = self.draft.add(f"{name}-in", "fit", [self._last], shape=takes)

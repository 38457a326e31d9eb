"""The kinds of values that files hold: switches, counts, bits, lengths, as types that pydantic checks."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from archsim.base.yamlfile import quantity

MOST = 10**15
"""Of anything that is counted in a file: more is a slip, and more than arrays can have."""
Switch = Annotated[bool, Field(strict=True)]
Count = Annotated[int, Field(ge=1, le=MOST, strict=True)]
Bits = Annotated[int, Field(ge=2, le=16, strict=True)]


def positive(value: float) -> float:
    """Refuse zero and negative quantities."""
    if value <= 0:
        raise ValueError(f"got {value:g}; expected a positive quantity")
    return value


def _one_word(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9-]*", text):
        raise ValueError(f"got {text!r}; expected one word in small letters, such as pcm")
    return text


Memory = Annotated[str, AfterValidator(_one_word)]
"""A kind of memory in a word, such as "pcm": what a device is, and whose pulses a figure prices."""
Length = Annotated[float, quantity("m"), AfterValidator(positive)]
BitWidth = Annotated[int, Field(ge=1), quantity("bit")]

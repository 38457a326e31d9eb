"""The kinds of values that files hold: switches, counts, bits, lengths, as types that pydantic checks."""

from __future__ import annotations

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


Length = Annotated[float, quantity("m"), AfterValidator(positive)]
BitWidth = Annotated[int, Field(ge=1), quantity("bit")]

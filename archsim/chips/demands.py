"""What a network asks of a chip beside what the chip has.

"Does not fit" is a result: every shortage at once, and the settings that end them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from archsim.base.errors import DoesNotFitError


@dataclass(frozen=True, slots=True)
class Demand:
    """One demand of a network on one resource of a chip.

    Parameters
    ----------
    key : str
        Dotted key of the architecture that says how much of it there is.
    needed, available : int
        In the same unit.
    what : str
        The demand in words, with what it is made of.
    expected : str
        What would do.
    """

    key: str
    needed: int
    available: int
    what: str
    expected: str

    @property
    def short(self) -> int:
        """How much is missing; 0 or less if the demand is met."""
        return self.needed - self.available


def require(demands: Sequence[Demand]) -> None:
    """Refuse a network that asks for more than there is.

    Raises
    ------
    DoesNotFitError
        With every demand that is not met, each with demand, bound and gap, and the settings that make them all fit.
    """
    unmet = [demand for demand in demands if demand.short > 0]
    if not unmet:
        return
    remedy = " ".join(f"--set {demand.key}={demand.needed}" for demand in unmet)
    hint = f"{remedy} makes it fit"
    if len(unmet) == 1:
        raise DoesNotFitError(_text(unmet[0]), key=unmet[0].key, expected=unmet[0].expected, hint=hint)
    texts = "; ".join(f"{demand.key}: {_text(demand)}; expected {demand.expected}" for demand in unmet)
    raise DoesNotFitError(texts, hint=hint)


def _text(demand: Demand) -> str:
    return f"{demand.what}, the chip has {demand.available}: {demand.short} short"

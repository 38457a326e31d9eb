"""What a network asks of a chip beside what the chip has.

"Does not fit" is a result: every shortage at once, and the settings that end them all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
    first : str
        The matrix at which the resource runs out, where it is shared out matrix by matrix.
    """

    key: str
    needed: int
    available: int
    what: str
    expected: str
    first: str = ""

    @property
    def short(self) -> int:
        """How much is missing; 0 or less if the demand is met."""
        return self.needed - self.available


def require(
    demands: Mapping[str, Sequence[Demand]], home: Callable[[str], str] = str,
    others: Callable[[], Sequence[str]] = tuple,
) -> None:  # fmt: skip
    """Refuse a network that asks for more than there is.

    Parameters
    ----------
    demands : chip's name -> its demands
        Of all chips that are to hold the network.
    home : callable
        Says of a matrix where in the workload's file its layer stands.
    others : callable
        Returns names of chips that hold the network, to be told of.

    Raises
    ------
    DoesNotFitError
        With every demand that is not met, each with demand, bound and gap, and the settings that make them all fit.
    """
    unmet = _unmet(demands)
    if not unmet:
        return
    remedy = " ".join(f"--set {key}={demand.needed}" for key, demand in unmet.items())
    hint = f"{remedy} {'makes' if len(unmet) == 1 else 'make'} it fit"
    if named := [f"--arch {each}" for each in others()]:
        hint += f"; so {'does' if len(named) == 1 else 'do'} {' '.join(named)}"
    if len(unmet) == 1:
        [(key, demand)] = unmet.items()
        raise DoesNotFitError(_text(demand, home), key=key, expected=demand.expected, hint=hint)
    texts = (f"{key}: {_text(demand, home)}; expected {demand.expected}" for key, demand in unmet.items())
    raise DoesNotFitError("; ".join(texts), hint=hint)


def _unmet(demands: Mapping[str, Sequence[Demand]]) -> dict[str, Demand]:
    """Return what is not met by key; the chip's name leads the key where another chip with it needs something else."""
    holders: dict[str, dict[str, Demand]] = {}
    for chip, asked in demands.items():
        for demand in asked:
            holders.setdefault(demand.key, {})[chip] = demand
    found = {}
    for key, by_chip in holders.items():
        alike = len(set(by_chip.values())) == 1
        for chip, demand in by_chip.items():
            if demand.short > 0:
                found[key if alike else f"{chip}.{key}"] = demand
    return found


def _text(demand: Demand, home: Callable[[str], str]) -> str:
    begin = ""
    if demand.first:
        place = home(demand.first)
        begin = f", from {demand.first}{'' if place == demand.first else f' ({place})'} on"
    return f"{demand.what}, the chip has {demand.available}: {demand.short} short{begin}"

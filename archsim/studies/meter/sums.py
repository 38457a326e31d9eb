"""What was done with operands of the most that could have been, added up over steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from archsim.base.expected import ALL, Shares
from archsim.base.signal import Tag

Done = Mapping[str, tuple[float, float]]
"""Name of a share -> what was done, and the most that could have been."""


@dataclass(slots=True)
class Sums:
    """Sums by phase and layer, of so many steps (or passes) that were looked at."""

    steps: int = 0
    by_tag: dict[Tag, dict[str, list[float]]] = field(default_factory=dict)

    def add(self, tag: Tag, done: Done) -> None:
        """Add what one use of operands did."""
        mine = self.by_tag.setdefault(tag, {})
        for name, (did, most) in done.items():
            both = mine.setdefault(name, [0.0, 0.0])
            both[0] += did
            both[1] += most

    def absorb(self, other: Sums) -> None:
        """Add what another one has."""
        self.steps += other.steps
        for tag, named in other.by_tag.items():
            self.add(tag, {name: (both[0], both[1]) for name, both in named.items()})

    def shares(self) -> dict[Tag, Shares]:
        """Return the shares of each tag; 1 where nothing depends on one."""
        return {tag: _shares(named) for tag, named in self.by_tag.items()}


def _shares(named: Mapping[str, list[float]]) -> Shares:
    return Shares(**{name: did / most if most else 1.0 for name, (did, most) in named.items()}) if named else ALL

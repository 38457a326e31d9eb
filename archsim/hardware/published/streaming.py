"""Units that results stream through one behind the other: the first comes out early, the others follow."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

from archsim.base.signal import Tag
from archsim.base.verbs import Work
from archsim.hardware.component import Component

Emit = Callable[[], None]
"""Called once, when the first result is out, so that the next unit may begin."""


def nobody() -> None:
    """Tell nobody that the first result is out."""


class Streaming(Component, ABC):
    """A unit that passes the results of a vector on: a fill time until the first, then all at its own pace.

    Its results cannot come out faster than they come in, which takes `arrive_ps` from the first to the last.
    """

    @abstractmethod
    def fill_ps(self) -> int:
        """Return the time until the first result is out [ps]."""

    @abstractmethod
    def rest_ps(self, results: int) -> int:
        """Return the time from the first to the last result at the unit's own pace [ps]; `results` are a tile's."""

    @abstractmethod
    def amounts(self, results: int) -> Mapping[str, float]:
        """Return what one vector counts, of so many results of a tile: action -> amount."""

    def span_ps(self, results: int, arrive_ps: int = 0) -> int:
        """Return the time from the first result out to the last [ps]."""
        return max(self.rest_ps(results), arrive_ps)

    def latency_ps(self, results: int, arrive_ps: int = 0) -> int:
        """Return the closed-form time of one vector from its first result in to its last out [ps]."""
        return self.fill_ps() + self.span_ps(results, arrive_ps)

    def stream(self, results: int, tag: Tag, *, arrive_ps: int = 0, emit: Emit = nobody) -> Work[None]:
        """Hold for one vector and count it."""
        if not self.slot.take():
            yield from self.slot.wait()
        try:
            yield self.clock.timeout(self.fill_ps())
            emit()
            yield self.clock.timeout(self.span_ps(results, arrive_ps))
            self.count(tag, self.amounts(results))
        finally:
            self.slot.give()

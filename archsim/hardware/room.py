"""Words of a memory that are granted ahead of their use."""

from __future__ import annotations

from collections import deque

import simpy

from archsim.base.errors import ModelError
from archsim.hardware.clock import Clock


class Room:
    """So many words, granted first come, first served: whoever asks for few waits behind one who asks for many.

    Parameters
    ----------
    clock : Clock
    words : int

    Attributes
    ----------
    free : int
        Words that nobody has.
    least : int
        The fewest that were ever free.
    """

    def __init__(self, clock: Clock, words: int) -> None:
        self._clock, self.words, self.free, self.least = clock, words, words, words
        self._waiting: deque[tuple[int, simpy.Event]] = deque()

    def ask(self, words: int) -> simpy.Event | None:
        """Stand in the queue for so many words; return the event that grants them, None if they are granted at once.

        Raises
        ------
        ModelError
            If there are not so many in all.
        """
        if words > self.words:
            raise ModelError(f"{words} words are asked of a room of {self.words}")
        if not self._waiting and words <= self.free:
            self._grant(words)
            return None
        granted = self._clock.event()
        self._waiting.append((words, granted))
        return granted

    def give(self, words: int) -> None:
        """Give words back; who is next in the queue gets its own at this very picosecond."""
        self.free += words
        while self._waiting and self._waiting[0][0] <= self.free:
            asked, granted = self._waiting.popleft()
            self._grant(asked)
            granted.succeed()

    def _grant(self, words: int) -> None:
        self.free -= words
        self.least = min(self.least, self.free)

    @property
    def state(self) -> str | None:
        """Say how many words are not free and how many wait for some, or None if all are."""
        if self.free == self.words:
            return None
        return f"{self.words - self.free} of {self.words} words are taken, {len(self._waiting)} waiting for some"

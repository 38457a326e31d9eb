"""What a command gives back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Outcome:
    """What a command printed and returned."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line of an error; asserts that it is one line and no traceback."""
        lines = self.err.strip().splitlines()
        assert len(lines) == 1, self.err
        assert "Traceback" not in self.err
        assert lines[0].startswith("archsim: error: ")
        return lines[0].removeprefix("archsim: error: ")


Cli = Callable[..., Outcome]

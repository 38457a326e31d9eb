"""How far a piece of work has come: what all that takes long says, and what a display hears."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from archsim.base.metrics import Metric


@dataclass(frozen=True, slots=True)
class Report:
    """How far something has come.

    Parameters
    ----------
    what : str
        A chip, or a file.
    done, due : float [unit]
        Where it stands, and where it ends; None where that is not known.
    unit : str
        "steps" of a training, "s" of drift, "bytes" of a file.
    running, test : float or None
        Of a training.
    metric : Metric or None
        What both are of.
    judged_by : Metric or None
        What `running` is of, where that is another.
    """

    what: str
    done: float
    due: float | None
    unit: str
    running: float | None = None
    test: float | None = None
    metric: Metric | None = None
    judged_by: Metric | None = None

    @property
    def judged(self) -> str:
        """The metric's running value and its last test, in words; empty for what is no training."""
        if self.metric is None:
            return ""
        test = "" if self.test is None else f", test {self.metric.number(self.test)}"
        own = self.judged_by or self.metric
        if own is not self.metric and test:
            test = f", test {self.metric.text(self.test)}"
        return f"running {own.name} {own.number(self.running, 1 if own.share else 2)}{test}"


Progress = Callable[[Report], None]
"""Called whenever there is something to tell."""

Counted = Callable[[str, int, int], None]
"""Called with the name of what is finished, how many are, and how many there are."""


def unheard(*told: object) -> None:
    """Let nobody hear: what a `Counted` is by default."""
    del told

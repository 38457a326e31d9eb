"""Which learning rate a search takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from archsim.base.metrics import Metric

DIVERGED = "diverged at every learning rate"


@dataclass(frozen=True)
class Found:
    """What a search found.

    Parameters
    ----------
    rate : float or None
        None if there is none.
    scores : rate -> the metric it was judged by; None where the training diverged
    reason : why there is no rate
    """

    rate: float | None
    scores: Mapping[float, float | None]
    reason: str = ""

    @property
    def edge(self) -> str:
        """At which end of the grid the rate lies: "lowest", "highest", or "" inside, or where there is one alone."""
        rates = sorted(self.scores)
        if self.rate is None or len(rates) < 2:
            return ""
        return {rates[0]: "lowest", rates[-1]: "highest"}.get(self.rate, "")


def chosen(scores: Mapping[float, float | None], metric: Metric) -> Found:
    """Return the rate of the best score; of equal ones the lowest."""
    known = {rate: score for rate, score in sorted(scores.items()) if score is not None}
    if not known:
        return Found(None, scores, DIVERGED)
    best = metric.best(known.values())
    return Found(next(rate for rate, score in known.items() if score == best), scores)

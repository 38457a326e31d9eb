"""A run whose training was not archsim's own: a loop of the user's that a meter counted (`archsim.studies.meter`)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from archsim.base.metrics import Metric, Sample


@dataclass(frozen=True, slots=True)
class Metered:
    """What only the loop's owner knows, and what a reader must know of the counts.

    Parameters
    ----------
    metric : Metric
        Of the tests that the owner told.
    chance : float, optional
        What guessing gives; None where nobody said.
    sample : Sample
    told : tuple of str
        What was measured, and what was assumed.
    """

    metric: Metric
    chance: float | None
    sample: Sample
    told: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Given:
    """The samples that a loop's model was given, as a data set: the digest is of their bytes, in order."""

    name: str
    origin: str
    sha256: str
    folder: Path | None = None

"""How far a piece of work has come: what all that takes long says, and what a display hears."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


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
    running_accuracy, test_accuracy : float or None
        Of a training.
    """

    what: str
    done: float
    due: float | None
    unit: str
    running_accuracy: float | None = None
    test_accuracy: float | None = None


Progress = Callable[[Report], None]
"""Called whenever there is something to tell."""

Counted = Callable[[str, int, int], None]
"""Called with the name of what is finished, how many are, and how many there are."""

"""`archsim data` from Python: data sets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archsim.data.datasets import Availability


def list(folder: Path | None = None) -> Sequence[Availability]:  # noqa: A001  the command's name
    """Return the data sets, whether they are there, and where."""
    from archsim.data.datasets import sources

    return sources(folder=folder)


def fetch(name: str = "mnist") -> Path:
    """Fetch a data set from its public addresses into the user's cache, checking its digest; return its folder."""
    from archsim.data.fetch import fetch as get

    return get(name)

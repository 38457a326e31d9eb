"""A small finished run of both chips on mnist-5k, and figures made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archsim.accounting.figure_text import Origin
from archsim.accounting.figures import Figure
from archsim.api import run
from archsim.studies.explain.sensitivity import Spent

STEPS = 120
TECHNOLOGIES = ("bottom-up-14nm", "digital-7nm")


def small_run(out: Path, **options: Any) -> Path:
    """Do the run; no data of the user's is seen, wherever it is called from."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("ARCHSIM_DATA", raising=False)
        patch.setenv("XDG_CACHE_HOME", str(out.parent / "cache"))
        run(out=out, **{"steps": STEPS, "seed": 1, "techs": TECHNOLOGIES, **options})
    return out


def figure(name: str, low: float, high: float, value: float = 1.0, causes: dict[str, float] | None = None) -> Figure:
    return Figure(
        name=name, value=value, low=low, high=high, unit="J", prices=(), covers=(), law="constant", at={}, points=(),
        origin=Origin(basis="assumed", why="made up", causes=causes), file=Path("made-up.yaml"), line=1,
    )  # fmt: skip


def spent(figures: list[Figure], baseline: list[float], chip: list[float]) -> Spent:
    return Spent(("digital32", "mixed-precision"), tuple(figures), np.array([baseline, chip]))

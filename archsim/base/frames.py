"""Tables as pandas reads them, numbers to the last bit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

EXACT = (3, 1)
"""The pandas whose own parser is exact. Before it, the usual one is wrong in the last bit of some numbers."""


def read_csv(path: Path, **options: Any) -> pd.DataFrame:
    """Return the table of a CSV file; options are those of `pandas.read_csv`, whose errors come through."""
    import pandas as pd

    major, minor = (int(each) for each in pd.__version__.split(".")[:2])
    exact: dict[str, Any] = {} if (major, minor) >= EXACT else {"float_precision": "round_trip"}
    found: pd.DataFrame = pd.read_csv(path, **exact, **options)
    return found


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as JSON has them: numbers to the last bit, None for what is missing or not finite."""
    whole = frame.astype(object)
    known = whole.where(frame.notna() & ~frame.isin([math.inf, -math.inf]), None)
    return [{str(name): value for name, value in row.items()} for row in known.to_dict(orient="records")]

"""Results that studies keep in JSON files under the hash of their inputs: read back, or done again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def read(path: Path) -> dict[str, Any] | None:
    """Return what a file keeps; None if it is missing, or cannot be read: cut, emptied, or no mapping at all.

    Who asks does again what is not there, so a damaged file costs time and no result.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None

"""Results that studies keep in JSON files under the hash of their inputs: read back, or done again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from archsim.base import files

_SEAL = "sha256"
"""Last key of a file: over its name and all that stands before."""


def read(path: Path) -> dict[str, Any] | None:
    """Return what a file keeps; None if it is missing, cannot be read, or is not what `write` wrote under that name.

    Who asks does again what is not there, so a damaged file costs time and no result.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or found.pop(_SEAL, None) != _seal(path, found):
        return None
    return found


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Keep a mapping as JSON has it."""
    files.write_text(path, _text({**content, _SEAL: _seal(path, content)}) + "\n")


def _seal(path: Path, content: Mapping[str, Any]) -> str:
    return hashlib.sha256(f"{path.stem}\n{_text(content)}".encode()).hexdigest()


def _text(content: Mapping[str, Any]) -> str:
    return json.dumps(content, separators=(",", ":"))

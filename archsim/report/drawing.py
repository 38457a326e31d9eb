"""Figures as files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from archsim.base.files import replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("png", "svg", "pdf")


def save(figure: Figure, folder: Path, stem: str, suffixes: Sequence[str] = FORMATS) -> list[Path]:
    """Write a figure as FOLDER/STEM.SUFFIX, each aside and then renamed; return the files. Files there are replaced."""
    from archsim.report.rendering import contents  # with matplotlib: 0.4 s

    written = []
    for suffix, content in contents(figure, suffixes).items():
        with replacing(path := folder / f"{stem}.{suffix}") as aside:
            aside.write_bytes(content)
        written.append(path)
    return written

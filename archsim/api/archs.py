"""`archsim archs` from Python: architecture files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archsim.chips.architecture import Architecture


def list() -> Sequence[str]:  # noqa: A001  the command's name
    """Return the names of the shipped architectures."""
    from archsim.base.files import shipped_names

    return shipped_names("architectures")


def show(name: str) -> Architecture:
    """Return an architecture, by name or file, validated."""
    from archsim.chips.architecture import document, parse

    return parse(document(name))

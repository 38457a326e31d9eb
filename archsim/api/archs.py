"""`archsim archs` from Python: architecture files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archsim.chips.architecture import Architecture
    from archsim.studies.structure import KeyChange


def list() -> Sequence[str]:  # noqa: A001  the command's name
    """Return the names of the shipped architectures."""
    from archsim.base.files import shipped_names

    return shipped_names("architectures")


def show(name: str) -> Architecture:
    """Return an architecture, by name or file, validated."""
    from archsim.chips.architecture import document, parse

    return parse(document(name))


def new(parent: str = "mixed-precision", out: str | Path = "my-chip.yaml") -> None:
    """Write an architecture that extends another: what it says replaces, all else is taken over."""
    from archsim.base.files import check_file
    from archsim.studies.structure import write_short

    check_file(Path(out), force=False)
    write_short(parent, Path(out))


def lint(name: str, *, techs: Sequence[str] = ("bottom-up-14nm",)) -> Sequence[str]:
    """Return what is wrong with an architecture: schema, device, actions without a price; notes begin with "note: "."""
    from archsim.studies.structure import lint_architecture

    return lint_architecture(name, techs)


def diff(a: str, b: str) -> Sequence[KeyChange]:
    """Return the values that architecture b has otherwise than a, each with what it extends."""
    from archsim.studies.structure import diff as compare

    return compare(a, b)

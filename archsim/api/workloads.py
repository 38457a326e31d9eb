"""`archsim workloads` from Python: workload files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archsim.runs.workload import Workload


def list() -> Sequence[str]:  # noqa: A001  the command's name
    """Return the names of the shipped workloads."""
    from archsim.base.files import shipped_names

    return shipped_names("workloads")


def show(name: str) -> Workload:
    """Return a workload, by name or file, validated."""
    from archsim.runs.workload import document, parse

    return parse(document(name))

"""`archsim workloads` from Python: workload files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
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


def new(out: str | Path = "my-workload.yaml") -> None:
    """Write a complete workload to begin with: a network, its data set and its training, with comments."""
    from archsim.base.files import check_file
    from archsim.studies.structure import write_workload

    check_file(Path(out), force=False)
    write_workload(Path(out))

"""`archsim workloads` from Python: workload files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archsim.runs.workload import Workload
    from archsim.studies.anatomy import Anatomy
    from archsim.studies.importing import Imported


def list() -> Sequence[str]:  # noqa: A001  the command's name
    """Return the names of the shipped workloads."""
    from archsim.base.files import shipped_names

    return shipped_names("workloads")


def show(name: str) -> Workload:
    """Return a workload, by name or file, validated."""
    from archsim.runs.workload import document, parse

    return parse(document(name))


def network(name: str, *, arch: str | None = None) -> Anatomy:
    """Return what a workload's network is made of: layers and nodes, with the tiles that they take on a chip.

    Parameters
    ----------
    name : str
        Workload, by name or file.
    arch : str, optional
        Architecture, by name or file; by default the first of those on which the workload is trained.
    """
    from archsim.chips import architecture
    from archsim.runs import workload
    from archsim.studies.anatomy import anatomy

    document = workload.document(name)
    chip = architecture.parse(architecture.document(arch or workload.architectures(document)[0]))
    return anatomy(workload.parse(document).network.build(), chip)


def picture(name: str, out: str | Path, *, arch: str | None = None) -> Path:
    """Draw a workload's network into a file, PNG, SVG or PDF by its name; return it."""
    from archsim.report.network import plot

    return plot(network(name, arch=arch), show(name).title, Path(out).expanduser())


def new(out: str | Path = "my-workload.yaml") -> None:
    """Write a complete workload to begin with: a network, its data set and its training, with comments."""
    from archsim.base.files import check_file
    from archsim.studies.structure import write_workload

    check_file(Path(out), force=False)
    write_workload(Path(out))


def import_(
    path: str | Path, out: str | Path | None = None, *, shapes: bool = False, same: bool = False, force: bool = False
) -> Imported:  # fmt: skip
    """Write the network of another tool's file as a workload, its weights beside it; return what was written.

    Parameters
    ----------
    path : str or Path
    out : str or Path, optional
        The workload's file; by default one in the current folder, of the model's name.
    shapes : bool
        Leave the weights out.
    same : bool
        Pad convolutions to the same size where the file says no padding (SCALE-Sim).
    """
    from archsim.base.files import check_file
    from archsim.networks.imports.files import read
    from archsim.studies.importing import default_out, write

    path = Path(path).expanduser()
    to = default_out(path) if out is None else Path(out).expanduser()
    check_file(to, force=force)
    draft = read(path, same=same)
    if shapes:
        draft.arrays.clear()
        draft.missing.clear()
    return write(draft, to, source=path.name, title=f"{path.stem}, imported")

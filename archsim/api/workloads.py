"""`archsim workloads` from Python: workload files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archsim.base.yamlfile import Document
    from archsim.chips.architecture import Architecture
    from archsim.networks.imports.draft import Draft
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
    from archsim.studies.anatomy import anatomy

    _, workload, chip = read(name, arch=arch)
    return anatomy(workload.network.build(), chip)


def read(
    name: str, *, arch: str | None = None, settings: Sequence[str] | Mapping[str, Any] = ()
) -> tuple[Document, Workload, Architecture]:
    """Return a workload's file, read and validated, and a chip: by default the first on which it is trained.

    `settings`, "key=value" or key -> value, change the workload.
    """
    from archsim.chips import architecture
    from archsim.runs import workload
    from archsim.runs.spec import assign, read_settings

    document = workload.document(name)
    for_work, _ = assign(read_settings(settings), document, [])
    document = document.with_settings(for_work)
    chip = architecture.parse(architecture.document(arch or workload.architectures(document)[0]))
    return document, workload.parse(document), chip


def picture(name: str, out: str | Path, *, arch: str | None = None) -> Path:
    """Draw a workload's network into a file, PNG, SVG or PDF by its name; return it."""
    return drawn(network(name, arch=arch), show(name).title, out)


def drawn(found: Anatomy, title: str, out: str | Path) -> Path:
    """Draw what a network is made of under a title into a file; return it."""
    from archsim.report.network import plot

    return plot(found, title, Path(out).expanduser())


def new(out: str | Path = "my-workload.yaml") -> None:
    """Write a complete workload to begin with: a network, its data set and its training, with comments."""
    from archsim.base.files import check_yaml
    from archsim.studies.structure import write_workload

    check_yaml(Path(out), force=False)
    write_workload(Path(out))


def import_(
    path: str | Path, out: str | Path | None = None, *, shapes: bool = False, same: bool = False,
    sample: Sequence[int] | None = None, force: bool = False,
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
    sample : sequence of int, optional
        Shape of a sample, channels first, where the file leaves it open (ONNX).
    """
    from archsim.base.files import check_yaml
    from archsim.networks.imports.files import read
    from archsim.studies.importing import default_out, write

    path = Path(path).expanduser()
    to = default_out(path) if out is None else Path(out).expanduser()
    check_yaml(to, force=force)
    draft = _shapes(read(path, same=same, sample=sample), alone=shapes)
    return write(draft, to, source=path.name, title=f"{path.stem}, imported")


def from_torch(
    module: Any, example: Any, out: str | Path, *, train: Iterable[Any] | None = None,
    test: Iterable[Any] | None = None, learning_rate: float | None = None, epochs: int = 1, shapes: bool = False,
    force: bool = False,
) -> Imported:  # fmt: skip
    """Write a module of PyTorch as a workload, its weights beside it; return what was written.

    With data it can be trained as any other: `archsim.run(out)`.

    Parameters
    ----------
    module : torch.nn.Module
        Traced by torch.export, in the state of evaluation.
    example : torch.Tensor
        An input, samples first; best two samples or more.
    out : str or Path
        The workload's file.
    train, test : iterables of (samples, labels), optional
        Data loaders, or lists of batches. Samples are floats from 0 to 1 or bytes, (batch, elements) or (batch,
        channels, rows, columns); every batch is taken once and kept beside the workload.
    learning_rate : float
        Of the mean gradient over a batch; with data it must be said.
    epochs : int
    shapes : bool
        Leave the weights out.
    """
    from archsim.base.errors import InputError
    from archsim.base.files import check_yaml
    from archsim.networks.imports.torch.export import traced
    from archsim.studies.importing import Lesson, write

    to, name, lesson = Path(out).expanduser(), type(module).__name__, None
    check_yaml(to, force=force)
    if train is not None or test is not None:
        if train is None or test is None or learning_rate is None:
            raise InputError("has data", file=name, expected="all of train, test and learning_rate")
        lesson = Lesson(train, test, learning_rate, epochs)
    draft = _shapes(traced(module, example), alone=shapes)
    return write(draft, to, source=name, title=f"{name}, imported", lesson=lesson)


def _shapes(draft: Draft, *, alone: bool) -> Draft:
    """Return what was read, without weights if shapes alone are wanted."""
    if alone:
        draft.arrays.clear()
        draft.missing.clear()
    return draft

"""`archsim archs` from Python: architecture files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archsim.chips.architecture import Architecture
    from archsim.studies.aihwkit.files import WrittenFiles
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
    from archsim.base.files import check_yaml
    from archsim.studies.structure import write_short

    check_yaml(Path(out), force=False)
    write_short(parent, Path(out))


def lint(name: str, *, techs: Sequence[str] = ("bottom-up-14nm",)) -> Sequence[str]:
    """Return what is wrong with an architecture: schema, device, actions without a price; notes begin with "note: "."""
    from archsim.studies.structure import lint_architecture

    return lint_architecture(name, techs)


def diff(a: str, b: str) -> Sequence[KeyChange]:
    """Return the values that architecture b has otherwise than a, each with what it extends."""
    from archsim.studies.structure import diff as compare

    return compare(a, b)


def from_aihwkit(
    config: Any, out: str | Path = "rpu-config.yaml", *, device: str | None = None, force: bool = False
) -> WrittenFiles:
    """Write an rpu_config of aihwkit as an architecture, its device beside it; return what could not be mapped, too.

    Parameters
    ----------
    config : rpu_config, str or Path
        A configuration; or "FILE.py:NAME", which is run where aihwkit is installed; or "FILE.json", as
        archsim/studies/aihwkit/dump.py writes it.
    out : path
        The architecture's file.
    device : str, optional
        Device of archsim's, by name or file, in place of the configuration's own.
    force : bool
        Write over files that are there.

    Raises
    ------
    InputError
        If the configuration cannot be read, or its update is one that is not mapped.
    """
    from archsim.base.files import check_yaml
    from archsim.studies.aihwkit.dump import whole
    from archsim.studies.aihwkit.files import read, write

    check_yaml(Path(out).expanduser(), force=force)
    told = str(config) if isinstance(config, str | Path) else None
    dump = whole(config) if told is None else read(told)
    return write(dump, Path(out).expanduser(), source=told or "rpu_config", device=device, force=force)

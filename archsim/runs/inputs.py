"""The files that a run read: what they are, their hashes, and the copies of them that its directory keeps.

RUN/inputs/workload holds the workload; architectures/NAME the architecture with what it extends, and below it devices
with their tables; technologies/NAME the technology with what it extends; bibliographies stand beside what cites them.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from archsim.accounting.technology import Technology
from archsim.base import files
from archsim.base.errors import InputError
from archsim.chips.architecture import Architecture

WORKLOAD, ARCHITECTURES, TECHNOLOGIES, DEVICES = "workload", "architectures", "technologies", "devices"
Copies = dict[str, Path]
"""Path below RUN/inputs, with "/" -> the file whose copy stands there."""


def copies(
    workload: Path, architectures: Sequence[tuple[Sequence[Path], Architecture]], technologies: Sequence[Technology]
) -> Copies:
    """Return the copies that a run keeps of its inputs.

    Parameters
    ----------
    workload : the workload's file
    architectures : of each its own file with those it extends, and what was read of them
    technologies : sequence of Technology

    Raises
    ------
    InputError
        If two different files of one technology or architecture have one name.
    """
    found: Copies = {f"{WORKLOAD}/{workload.name}": workload}
    for paths, architecture in architectures:
        folder, devices = f"{ARCHITECTURES}/{architecture.name}", architecture.files()
        _put(found, folder, paths)
        _put(found, f"{folder}/{DEVICES}", devices)
        _shelve(found, f"{folder}/{DEVICES}", files.bibliographies(devices) if devices else ())
    for technology in technologies:
        folder = f"{TECHNOLOGIES}/{technology.name}"
        _put(found, folder, technology.files)
        _shelve(found, folder, files.bibliographies(technology.files))
    return found


def unwritten(technologies: Sequence[Technology]) -> dict[str, str]:
    """Return file name -> sha256 of the technologies that are text alone, as `hashes` does for files."""
    return {f"{each.name}.yaml": hashlib.sha256(each.text.encode()).hexdigest() for each in technologies if each.text}


def write_technologies(folder: Path, technologies: Sequence[Technology]) -> None:
    """Write the technologies that are text alone beside the copies of the files they extend."""
    for each in technologies:
        if each.text:
            files.write_text(folder / TECHNOLOGIES / each.name / f"{each.name}.yaml", each.text)


def _put(found: Copies, folder: str, paths: Iterable[Path]) -> None:
    for path in paths:
        name = f"{folder}/{path.name}"
        if name in found and found[name].resolve() != path.resolve():
            raise InputError(
                f"has the name of {files.display(found[name])}, which it goes with", file=files.display(path),
                expected="files of different names",
            )  # fmt: skip
        found[name] = path


def _shelve(found: Copies, folder: str, shelves: Iterable[Path]) -> None:
    for number, path in enumerate(shelves):
        found[f"{folder}/{files.shelf(number)}"] = path


def hashes(paths: Iterable[Path]) -> dict[str, str]:
    """Return file name -> sha256; the folder's name goes before where two files have one name."""
    found: dict[str, str] = {}
    for path in dict.fromkeys(path.resolve() for path in paths):
        found[path.name if path.name not in found else f"{path.parent.name}/{path.name}"] = files.sha256(path)
    return found


def keep(folder: Path, wanted: Mapping[str, Path]) -> None:
    """Make `folder` hold exactly these copies."""
    shutil.rmtree(folder, ignore_errors=True)
    for name, path in wanted.items():
        with files.replacing(folder / name) as aside:
            shutil.copyfile(path, aside)


def kept(folder: Path) -> Copies:
    """Return the copies that stand in `folder`."""
    found = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []
    return {str(PurePosixPath(path.relative_to(folder))): path for path in found}

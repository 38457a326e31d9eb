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
from archsim.base import files, finding
from archsim.base.errors import InputError
from archsim.base.yamlfile import Document
from archsim.chips.architecture import Architecture

WORKLOAD, ARCHITECTURES, TECHNOLOGIES, DEVICES = "workload", "architectures", "technologies", "devices"
Source = Path | bytes
"""A file, or the bytes that stand in for one."""
Copies = dict[str, Source]
"""Path below RUN/inputs, with "/" -> what stands there."""


def copies(
    workload: Document, data: Sequence[Path],
    architectures: Sequence[tuple[Sequence[tuple[Path, Source]], Architecture]], technologies: Sequence[Technology],
) -> Copies:  # fmt: skip
    """Return the copies that a run keeps of its inputs.

    Parameters
    ----------
    workload : the workload's document
    data : files of a user's own data that it names
    architectures : of each its own file with those it extends, and what was read of them
    technologies : sequence of Technology

    Raises
    ------
    InputError
        If two different files of one technology or architecture, or the workload's and the user's data, have one name.
    """
    found: Copies = {f"{WORKLOAD}/{workload.path.name}": workload.source}
    for path in data:
        _put(found, f"{WORKLOAD}/{path.name}", path)
    for read, architecture in architectures:
        folder, devices = f"{ARCHITECTURES}/{architecture.name}", architecture.files()
        for path, source in read:
            _put(found, f"{folder}/{path.name}", source)
        for path in devices:
            _put(found, f"{folder}/{DEVICES}/{path.name}", path)
        _shelve(found, f"{folder}/{DEVICES}", finding.bibliographies(devices) if devices else ())
    for technology in technologies:
        folder = f"{TECHNOLOGIES}/{technology.name}"
        for path in technology.files:
            _put(found, f"{folder}/{path.name}", path)
        if technology.text:
            _put(found, f"{folder}/{technology.name}.yaml", technology.text.encode())
        _shelve(found, folder, finding.bibliographies(technology.files))
    return found


def read_by(technologies: Sequence[Technology]) -> list[tuple[Path, Source]]:
    """Return the files of technologies, and what stands in for those that are text alone."""
    found: list[tuple[Path, Source]] = [(path, path) for each in technologies for path in each.files]
    return found + [(Path(f"{each.name}.yaml"), each.text.encode()) for each in technologies if each.text]


def _put(found: Copies, name: str, source: Source) -> None:
    other = found.setdefault(name, source)
    if _bytes(other) != _bytes(source):
        raise InputError(
            "two different files of it have this name", key=name.partition("/")[2], expected="files of different names"
        )


def _shelve(found: Copies, folder: str, shelves: Iterable[Path]) -> None:
    for number, path in enumerate(shelves):
        found[f"{folder}/{finding.shelf(number)}"] = path


def hashes(sources: Iterable[tuple[Path, Source]]) -> dict[str, str]:
    """Return file name -> sha256; the folder's name goes before where two files have one name."""
    found: dict[str, str] = {}
    for path, source in {path.resolve(): source for path, source in sources}.items():
        digest = hashlib.sha256(source).hexdigest() if isinstance(source, bytes) else files.sha256(source)
        found[path.name if path.name not in found else f"{path.parent.name}/{path.name}"] = digest
    return found


def _bytes(source: Source) -> bytes:
    return source if isinstance(source, bytes) else source.read_bytes()


def keep(folder: Path, wanted: Mapping[str, Source]) -> None:
    """Make `folder` hold exactly these copies."""
    content = contents(wanted)
    shutil.rmtree(folder, ignore_errors=True)
    for name, each in content.items():
        with files.replacing(folder / name) as aside:
            aside.write_bytes(each)


def contents(wanted: Mapping[str, Source]) -> dict[str, bytes]:
    """Return the bytes of copies, under the same names."""
    return {name: _bytes(source) for name, source in wanted.items()}


def kept(folder: Path) -> Copies:
    """Return the copies that stand in `folder`."""
    found = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []
    return {str(PurePosixPath(path.relative_to(folder))): path for path in found}

"""Find the files that archsim ships, hash files, and write aside before renaming."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from archsim.base.errors import InputError, nearest

_PACKAGE = Path(__file__).resolve().parents[1]


def shipped(kind: str) -> Path:
    """Return the folder of shipped files of a kind ("tech_params", "workloads", "architectures").

    In a checkout they stand at the top of the repository, in an installed package inside it.
    """
    if kind == "architectures":
        return _PACKAGE / "chips" / "architectures"
    inside = _PACKAGE / "_data" / kind
    return inside if inside.is_dir() else _PACKAGE.parent / kind


def shipped_names(kind: str) -> list[str]:
    """Return the names (without .yaml) of the shipped files of a kind, sorted."""
    return sorted(path.stem for path in shipped(kind).glob("*.yaml"))


def find(name: str, kind: str, *, option: str, near: Path | None = None) -> Path:
    """Return the file that `name` means: a path if it looks like one, otherwise a shipped name.

    Raises
    ------
    InputError
        If there is no such file; the error lists the shipped names and the nearest.
    """
    if name.endswith((".yaml", ".yml")) or "/" in name or os.sep in name:
        for path in (Path(name).expanduser(), *([near / name] if near else [])):
            if path.is_file():
                return path
        raise InputError(key=option, value=name, expected="an existing YAML file")
    folders = ([near] if near else []) + [shipped(kind)]
    for folder in folders:
        if (path := folder / f"{name}.yaml").is_file():
            return path
    known = shipped_names(kind)
    raise InputError(
        key=option, value=name, expected=f"a file, or one of {', '.join(known)}", hint=nearest(name, known)
    )


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def display(path: Path) -> str:
    """Return a path as an error should print it: relative to the current folder where that is shorter."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success rename it over `path`, on failure remove it.

    So a reader sees the old file or the new one, never half of it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}.", suffix=path.suffix)
    os.close(handle)
    aside = Path(name)
    try:
        yield aside
        umask = os.umask(0)
        os.umask(umask)
        aside.chmod(0o666 & ~umask)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def check_folder(path: Path, *, option: str = "--out") -> None:
    """Refuse a path that cannot become a folder to write to.

    Raises
    ------
    InputError
        If it is a file; names the option that gave it.
    """
    if path.exists() and not path.is_dir():
        raise InputError(key=option, value=str(path), expected="a directory, but it is a file")


def write_text(path: Path, text: str) -> None:
    """Write text whole or not at all."""
    with replacing(path) as aside:
        aside.write_text(text, encoding="utf-8")

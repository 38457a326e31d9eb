"""Where the files lie that archsim ships; files are read within bounds, hashed, and written aside before renaming."""

from __future__ import annotations

import contextlib
import errno
import glob
import hashlib
import os
import platform
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from archsim.base.errors import InputError, SystemFault

_PACKAGE = Path(__file__).resolve().parents[1]


@cache
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


YAML = (".yaml", ".yml")
"""By what a name says that a file is YAML."""
LONGEST = {"yaml": 1 << 23, "json": 1 << 25, "bib": 1 << 24, "table": 1 << 28, "text": 1 << 25}
"""Bytes that a file of a kind may have: many times what a real one has. What is larger is not read."""


def regular(path: Path, what: str, most: int | None = None) -> int:
    """Return the size of a file that can be read from beginning to end; refuse what has no end, or is too long.

    Parameters
    ----------
    path : Path
    what : str
        What it should be, for the error: "a YAML file".
    most : int, optional
        Bytes that it may have.

    Raises
    ------
    InputError
        If it is missing, a directory, a device, a pipe, may not be read, or is larger.
    """
    try:
        found = path.stat()
    except FileNotFoundError as error:
        raise InputError("no such file", file=shown_path(path)) from error
    except (OSError, ValueError) as error:
        raise _unread(path, what, error) from error
    if stat.S_ISDIR(found.st_mode):
        raise InputError("is a directory", file=display(path), expected=what)
    if not stat.S_ISREG(found.st_mode):
        raise InputError("is a device or a pipe, which may have no end", file=display(path), expected=what)
    if most is not None and found.st_size > most:
        raise InputError(f"holds {found.st_size:,} bytes", file=display(path), expected=f"{what} of at most {most:,}")
    return found.st_size


def read_bytes(path: Path, kind: str, what: str) -> bytes:
    """Return what a file of a kind in `LONGEST` holds.

    Raises
    ------
    InputError
        As `regular`.
    """
    regular(path, what, LONGEST[kind])
    try:
        with path.open("rb") as stream:
            return stream.read(LONGEST[kind])
    except OSError as error:
        raise _unread(path, what, error) from error


def read_text(path: Path, kind: str, what: str) -> str:
    """Return the text of a file of a kind in `LONGEST`, in UTF-8 with or without its mark.

    Raises
    ------
    InputError
        As `regular`, or if it is not UTF-8.
    """
    try:
        text = read_bytes(path, kind, what).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError("is not UTF-8 text", file=display(path), expected=what) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _unread(path: Path, what: str, error: Exception) -> InputError:
    said = (getattr(error, "strerror", None) or str(error)).lower()
    return InputError(f"cannot be read ({said})", file=shown_path(path), expected=what)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def md5(path: Path) -> str:
    """Return the MD5 of a file's bytes, in hex: for files whose publishers list no other digest."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def display(path: Path) -> str:
    """Return a path as an error should print it: relative to the current folder where that is shorter."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except (ValueError, OSError, RuntimeError):  # elsewhere; a current folder that is gone; links in a circle
        return str(path)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success rename it over `path`, on failure remove it.

    So a reader sees the old file or the new one, never half of it. What a process that was killed left beside it is
    removed by the next that writes it.

    Raises
    ------
    InputError
        If `path` is a directory, or nothing can be written there.
    """
    if path.is_dir():
        raise InputError("is a directory", file=display(path), expected="a file to write")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _clear(path.parent, f".{path.stem[:_STEM]}.", path.suffix)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem[:_STEM]}.{_owner()}", suffix=path.suffix)
    except OSError as error:
        raise _unwritten(path, error) from error
    os.close(handle)
    aside = Path(name)
    try:
        yield aside
        umask = os.umask(0)
        os.umask(umask)
        aside.chmod(0o666 & ~umask)
        aside.replace(path)
    except OSError as error:
        raise _unwritten(path, error) from error
    finally:
        aside.unlink(missing_ok=True)


_NODE = re.sub(r"\W", "-", platform.node()) or "here"


def _owner() -> str:
    """Return what stands in the name of a file in the making: its process, so that what a dead one left is known."""
    return f"{os.getpid()}@{_NODE}-"


def _clear(folder: Path, prefix: str, suffix: str) -> None:
    """Remove what processes of this machine that live no more were writing: files, or folders of files."""
    if os.name != "posix":  # elsewhere a process cannot be asked whether it lives
        return
    for left in folder.glob(f"{glob.escape(prefix)}*@{_NODE}-*{glob.escape(suffix)}"):
        process = left.name.removeprefix(prefix).partition("@")[0]
        if not process.isdecimal() or _alive(int(process)):
            continue
        with contextlib.suppress(OSError):
            shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


_STEM = 100
"""Letters of a file's stem in the name of the one beside it, which must not be too long."""
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.ENFILE, errno.EMFILE}
"""What is the system's fault and not that of the path."""


def _unwritten(path: Path, error: OSError) -> Exception:
    said = (error.strerror or str(error)).lower()
    if error.errno in _FULL:
        return SystemFault(f"{display(path)}: cannot be written: {said}")
    where = f"a place that can be written to ({said})"
    return InputError("cannot be written", file=shown_path(path), expected=where)


def shown_path(path: Path) -> str:
    """Return a path for an error, the middle of a very long one left out."""
    text = display(path)
    return text if len(text) <= 2 * _STEM else f"{text[:_STEM]}...{text[-_STEM:]}"


@contextmanager
def scratch() -> Iterator[Path]:
    """Yield a temporary folder, removed at the end; one of a process that was killed is removed by the next."""
    _clear(Path(tempfile.gettempdir()), "archsim-", "")
    with tempfile.TemporaryDirectory(prefix=f"archsim-{_owner()}") as name:
        yield Path(name)


@contextmanager
def together(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder; on success move every file in it to its place in `folder`, on failure remove it.

    So files that belong together are all new or all old, but for an interruption of the moving itself.
    """
    with scratch() as aside:
        yield aside
        for path in sorted(each for each in aside.rglob("*") if each.is_file()):
            with replacing(folder / path.relative_to(aside)) as target:
                shutil.copyfile(path, target)


@contextmanager
def made(path: Path) -> Iterator[None]:
    """Make a folder and those above it; what was made and is empty at the end goes again.

    Raises
    ------
    OSError
        If it cannot be made.
    """
    new = [each for each in (path, *path.parents) if not each.exists()]
    try:
        path.mkdir(parents=True, exist_ok=True)
        yield
    finally:
        with contextlib.suppress(OSError):  # what is not empty, and so what is above it
            for each in new:
                each.rmdir()


def check_folder(path: Path, *, option: str = "--out") -> None:
    """Refuse a path that cannot become a folder to write to.

    Raises
    ------
    InputError
        If it is a file, or lies below one or where nothing can be written; names the option that gave it.
    """
    try:
        there = path.exists()
    except OSError as error:  # a name that no file can have
        said = (error.strerror or str(error)).lower()
        raise InputError(key=option, value=shown_path(path), expected=f"a path that can be ({said})") from error
    if there and not path.is_dir():
        raise InputError(key=option, value=str(path), expected="a directory, but it is a file")
    _check_above(path, option, "a directory")


def check_file(path: Path, *, option: str = "--out", force: bool) -> None:
    """Refuse a path that cannot become a new file, or, without `force`, a file that is there.

    Raises
    ------
    InputError
        If it is one of these; names the option that gave it.
    """
    if path.is_dir():
        raise InputError(key=option, value=str(path), expected="a file, but it is a directory")
    if path.exists() and not force:
        raise InputError(key=option, value=str(path), expected="a file that does not exist, or --force")
    _check_above(path, option, "a file")


def check_yaml(path: Path, *, option: str = "--out", force: bool) -> None:
    """Refuse a path under which no new YAML file of archsim's could be read again, as `check_file`, or by its name.

    Raises
    ------
    InputError
        As `check_file`, or if the name does not end in .yaml.
    """
    if path.suffix.lower() not in YAML:
        raise InputError(
            key=option, value=str(path), expected="a file that ends in .yaml", hint=f"Write {path.stem or 'my'}.yaml"
        )
    check_file(path, option=option, force=force)


def claim(path: Path, *, option: str = "--out", mark: bytes, what: str, force: bool | None = None) -> Path:
    """Return a path that may be written to: a new file, or one that archsim wrote, with `force` any file.

    Parameters
    ----------
    path : Path
    option : str
        What gave it.
    mark : bytes
        By which archsim's own files are known; in their first 4096 bytes.
    what : str
        What these files are.
    force : bool, optional
        None where the command has no such option.

    Raises
    ------
    InputError
        If it is a directory, cannot be written, or is something else, so that nothing is lost.
    """
    own = False
    if path.is_file() and not force:
        with path.open("rb") as stream:
            if not (own := mark in stream.read(4096)):
                raise InputError(
                    key=option, value=str(path), expected=f"a new file, or a {what} that archsim wrote",
                    hint="Remove it, or name another" if force is None else "--force replaces it",
                )  # fmt: skip
    check_file(path, option=option, force=bool(force) or own)
    return path


def _check_above(path: Path, option: str, what: str) -> None:
    """Refuse a path to be made below a file, or where nothing can be written."""
    above = next(each for each in (path, *path.absolute().parents) if each.exists())
    if above != path and not above.is_dir():
        raise InputError(key=option, value=str(path), expected=f"{what}, but {display(above)} is a file")
    if not os.access(above, os.W_OK):
        raise InputError(key=option, value=str(path), expected=f"{what}, but {display(above)} cannot be written to")


def no_formula(cell: object) -> object:
    """Return a cell of a table; one that a spreadsheet would take for a formula has a quote before it."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in _FORMULA else cell


_FORMULA = ("=", "@", "\t", "\r")


def write_text(path: Path, text: str) -> None:
    """Write text whole or not at all."""
    with replacing(path) as aside:
        aside.write_text(text, encoding="utf-8")

"""A run directory belongs to one living process: made, locked while it is written, and told from one that died."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from archsim.base import files
from archsim.base.errors import InputError
from archsim.runs.layout import RUN, state

LOCK = ".lock"
"""Locked by the process that writes the run; the system frees it when that process ends, however it ends."""


def in_use(path: Path) -> bool:
    """Return whether a living process writes the run in a directory."""
    if not (path / LOCK).is_file():
        return False
    try:
        with FileLock(path / LOCK, timeout=0):
            return False
    except Timeout:
        return True
    except OSError:  # a place that cannot be written to has no writer
        return False


def check(path: Path, *, option: str = "--out") -> None:
    """Refuse a directory in which no run can be begun or gone on with; touches nothing.

    Raises
    ------
    InputError
        If it is a file, holds a finished run or something that is no run, or another process writes a run there.
    """
    files.check_folder(path, option=option)
    if in_use(path):
        raise taken(path, "run", option)
    if (path / RUN).is_file():
        if state(path) == "finished":
            raise InputError(key=option, value=str(path), expected="a new directory, but it has a finished run in it")
    elif path.is_dir() and any(each.name != LOCK for each in path.iterdir()):
        raise InputError(key=option, value=str(path), expected="a new or empty directory, but it holds other files")


def taken(path: Path, what: str, option: str) -> InputError:
    """Return the error that another process writes a `what` in a directory."""
    return InputError(
        key=option, value=str(path), expected=f"a directory that no other {what} is being written to",
        hint="Wait for it, or name another",
    )  # fmt: skip


@contextmanager
def owned(path: Path, *, option: str = "--out") -> Iterator[Path]:
    """Make a directory a run's own for as long as the context lasts; an empty one that was made for it goes again.

    Raises
    ------
    InputError
        As `check`.
    """
    check(path, option=option)
    with locked(path, "run", option=option):
        check_again(path, option)
        if (path / RUN).is_file():
            _sweep(path)
        yield path


@contextmanager
def locked(path: Path, what: str, *, option: str = "--out") -> Iterator[None]:
    """Make a directory, and lock it as long as the context lasts; one that was made for it and stayed empty goes again.

    Raises
    ------
    InputError
        If another process holds it, for `what` it may be, or it cannot be made.
    """
    with ExitStack() as held:
        try:
            held.enter_context(files.made(path))
            lock = FileLock(path / LOCK, timeout=0)
            lock.acquire()
        except Timeout as error:
            raise taken(path, what, option) from error
        except OSError as error:
            expected = f"a directory that can be made ({error.strerror})"
            raise InputError(key=option, value=str(path), expected=expected) from error
        try:
            yield
        finally:
            (path / LOCK).unlink(missing_ok=True)
            lock.release()


def _sweep(path: Path) -> None:
    """Remove what a process that was killed had written aside and not yet put in its place."""
    for left in path.rglob(".*"):
        if left.is_file() and left.name != LOCK:
            left.unlink(missing_ok=True)


def check_again(path: Path, option: str) -> None:
    """Refuse a directory that another process has finished a run in while this one waited for nothing."""
    if (path / RUN).is_file() and state(path) == "finished":
        raise InputError(key=option, value=str(path), expected="a new directory, but it has a finished run in it")


@contextmanager
def reserved(folder: Path, stem: str) -> Iterator[Path]:
    """Make a directory under `folder` that nothing had: STEM, or STEM-2, STEM-3 ...; it goes again if it stays empty.

    Two processes that ask at once get two directories.
    """
    path, number = folder / stem, 1
    files.check_folder(path)
    with files.made(folder):
        while True:
            try:
                path.mkdir()
                break
            except FileExistsError:
                number += 1
                path = folder / f"{stem}-{number}"
        try:
            yield path
        finally:
            if path.is_dir() and not any(path.iterdir()):
                path.rmdir()

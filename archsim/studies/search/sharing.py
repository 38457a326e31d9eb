"""Who else works in the store of a search: each process holds a lock of its own there, which its end releases."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from archsim.base.errors import InputError
from archsim.records.sweeps.sweep import DEFINITION
from archsim.studies.sweeps.store import LOCK, owned

_JOIN, _TABLE, _TURN = ".join-", ".table.lock", ".turn.lock"


@dataclass(frozen=True)
class Sharing:
    """The processes of a search.

    Parameters
    ----------
    path : Path
        The store.
    name : str
        The file of this process's lock.
    """

    path: Path
    name: str

    @property
    def shared(self) -> bool:
        """Whether other processes are there, or were."""
        return self.name != LOCK or any(self.path.glob(f"{_JOIN}*"))

    def alive(self, name: str | None) -> bool:
        """Return whether the process of a lock works here; without a name, whether any other does."""
        if name is None:
            return self.others()
        return name != self.name and _held(self.path / name)

    def others(self) -> bool:
        """Return whether any other process works here."""
        locks = [self.path / LOCK, *self.path.glob(f"{_JOIN}*.lock")]
        return any(_held(each) for each in locks if each.name != self.name)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Let one process at a time write the table."""
        with FileLock(self.path / _TABLE):
            yield
        if not self.others():
            for name in (_TABLE, _TURN):
                (self.path / name).unlink(missing_ok=True)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Let one process at a time see what is left and take its part of it."""
        with FileLock(self.path / _TURN):
            yield


def _held(path: Path) -> bool:
    if not path.exists():
        return False
    try:
        with FileLock(path, timeout=0):
            return False
    except Timeout:
        return True


@contextmanager
def alone(path: Path) -> Iterator[Sharing]:
    """Make a directory this search's own, which others may join.

    Raises
    ------
    InputError
        As `store.owned`.
    """
    with owned(path, {"kind": "search"}):
        yield Sharing(path, LOCK)
        for each in path.glob(f"{_JOIN}*.lock"):
            if not _held(each):
                each.unlink(missing_ok=True)


def check_joined(path: Path) -> None:
    """Refuse a directory that has no search to take part in.

    Raises
    ------
    InputError
        If it has none.
    """
    if not (path / DEFINITION).is_file():
        raise InputError(key="--join", value=str(path), expected="the directory of a search that was begun")


@contextmanager
def joined(path: Path) -> Iterator[Sharing]:
    """Take part in the search of a directory.

    Raises
    ------
    InputError
        If there is none.
    """
    check_joined(path)
    host = "".join(letter for letter in socket.gethostname() if letter.isalnum() or letter in "-.")
    name = f"{_JOIN}{host}-{os.getpid()}.lock"
    lock = FileLock(path / name, timeout=0)
    with lock:
        try:
            yield Sharing(path, name)
        finally:
            with suppress(OSError):
                (path / name).unlink()

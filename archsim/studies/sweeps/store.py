"""The directory of a sweep, a search or a study of rules: its definition, counts, and the table made of both.

sweep.json says what the sweep is; counts/AB/ABC....json holds what one chip did with one seed, or why it did not,
written aside and renamed; sweep.csv (with the extra `parquet` also sweep.parquet) is a row a point and chip, made anew
from these.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archsim.base import files, kept
from archsim.base.errors import ArchsimError, InputError
from archsim.records.sweeps.sweep import DEFINITION, SCHEMA, TABLE
from archsim.runs import owner
from archsim.studies.sweeps.chips import digest

if TYPE_CHECKING:
    import pandas as pd

PARQUET, COUNTS, RUNS, LOCK = "sweep.parquet", "counts", "runs", owner.LOCK
_OWN = (COUNTS, RUNS, TABLE, PARQUET, "report", "optuna.log")
"""What a directory of a study holds beside its definition."""
_CALLED = {"search": "search", "rules": "study of rules"}
_CHANGING = ("created", "state", "archsim", "done", "seconds")
"""Keys of a definition that are no part of what a sweep is."""


class Store:
    """A sweep's directory, which this process alone writes. Sole owner of its files.

    Parameters
    ----------
    path : Path
    definition : dict
        What the sweep is, as JSON has it.
    """

    def __init__(self, path: Path, definition: Mapping[str, Any]) -> None:
        self.path = path
        self._definition = {
            "schema": SCHEMA, **definition, "archsim": version("archsim"),
            "created": datetime.now(UTC).isoformat(timespec="seconds"), "state": "running",
        }  # fmt: skip

    # --- definition -----------------------------------------------------------------------------------------------
    @contextmanager
    def begun(self) -> Iterator[Store]:
        """Write the definition, or go on with the same one.

        All of a new study that ends in an error with nothing kept is removed, unless other processes work there.

        Raises
        ------
        InputError
            As `check`.
        """
        told, bare = self.check(), all(each.name == LOCK for each in self.path.iterdir())
        self._definition["created"] = told.get("created", self._definition["created"])
        self.mark("running")
        try:
            yield self
        except ArchsimError:
            others = any(each.name != LOCK for each in self.path.glob(".*.lock"))
            if bare and not (others or any((self.path / COUNTS).rglob("*.json"))):
                self._clear()
            raise

    def _clear(self) -> None:
        for each in [each for each in self.path.iterdir() if each.name != LOCK]:
            if each.is_dir():
                shutil.rmtree(each)
            else:
                each.unlink()

    def check(self) -> dict[str, Any]:
        """Return the definition that the directory has, which is the same; nothing if it has none. Writes nothing.

        Raises
        ------
        InputError
            If it has another one, or one that cannot be read.
        """
        file = self.path / DEFINITION
        if not file.is_file():
            return {}
        told = self._told(file)
        if what(told) != what(self._definition):
            one, same = _called(told), _called(told) == _called(self._definition)
            raise InputError(
                key="--out", value=str(self.path),
                expected=f"a new directory, but it has {'another' if same else 'a'} {one}",
                hint=f"It differs in {', '.join(_differing(told, self._definition))}; name another with --out"
                if same else "Name another with --out",
            )  # fmt: skip
        return told

    def _told(self, file: Path) -> dict[str, Any]:
        try:
            told = json.loads(files.read_text(file, "json", "a sweep's definition"))
        except (ValueError, RecursionError):
            told = None
        if not isinstance(told, dict):
            raise InputError(
                "is not what archsim writes", file=files.display(file), expected="a sweep's definition",
                hint=f"Remove it: the same command writes it anew, and goes on with what {COUNTS} keeps",
            )  # fmt: skip
        return told

    def mark(self, state: str, **more: Any) -> None:
        """Write in which state the sweep is: "running", "partial" or "finished"."""
        self._definition |= {"state": state, **more}
        files.write_text(self.path / DEFINITION, json.dumps(self._definition, indent=1) + "\n")

    # --- counts ---------------------------------------------------------------------------------------------------
    def _file(self, key: str) -> Path:
        return self.path / COUNTS / key[:2] / f"{key}.json"

    def get(self, key: str) -> dict[str, Any] | None:
        """Return what is kept under a key, or None; what cannot be read is as if it were not there."""
        found = kept.read(self._file(key))
        return found if found is not None and found.get("state") in ("done", "failed") else None

    def put(self, key: str, content: Mapping[str, Any]) -> None:
        """Keep something under a key."""
        kept.write(self._file(key), content)

    def run(self, key: str) -> Path:
        """Return where the run directory of a training is kept."""
        return self.path / RUNS / key

    def keep_run(self, key: str, content: Mapping[str, bytes]) -> None:
        """Keep a run directory that a worker elsewhere sent; only when it is whole are its counts kept, too."""
        path = self.run(key)
        shutil.rmtree(path, ignore_errors=True)  # of a sweep that died before it knew of this run
        for name, each in content.items():
            with files.replacing(path / name) as aside:
                aside.write_bytes(each)

    # --- table ----------------------------------------------------------------------------------------------------
    def write(self, frame: pd.DataFrame) -> list[Path]:
        """Write the table and return its files."""
        written = [self.path / TABLE]
        with files.replacing(written[0]) as aside:
            frame.to_csv(aside, index=False, lineterminator="\n")
        if find_spec("pyarrow") is not None:
            written.append(self.path / PARQUET)
            with files.replacing(written[1]) as aside:
                frame.to_parquet(aside, index=False, engine="pyarrow")
        return written


def what(definition: Mapping[str, Any]) -> str:
    """Return the hash of what a sweep is."""
    return digest({key: value for key, value in definition.items() if key not in _CHANGING})


def _called(definition: Mapping[str, Any]) -> str:
    """Return what a study with a directory is called."""
    return _CALLED.get(str(definition.get("kind")), "sweep")


def _differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    keys = [key for key in {**one, **other} if key not in _CHANGING]
    return [key for key in keys if digest(one.get(key)) != digest(other.get(key))]


def check(path: Path, definition: Mapping[str, Any], *, shared: bool = False) -> None:
    """Refuse a directory in which a sweep of a definition could not begin or go on; touches nothing.

    Parameters
    ----------
    path : Path
    definition : as of `Store`
    shared : bool
        Whether another process may write there.

    Raises
    ------
    InputError
        As `owned` and `Store.begun`.
    """
    _check_folder(path, _called(definition))
    if not shared and owner.in_use(path):
        raise owner.taken(path, _called(definition), "--out")
    Store(path, definition).check()


def _check_folder(path: Path, called: str) -> None:
    """Refuse a directory that cannot be made, or holds something else than a study."""
    files.check_folder(path)
    strangers = [each.name for each in path.iterdir() if each.name != LOCK] if path.is_dir() else []
    lost = COUNTS in strangers and {*strangers} <= {*_OWN}  # its definition, and nothing else is there
    odd = sorted(strangers, key=lambda name: name in _OWN)[:1]
    if strangers and DEFINITION not in strangers and not lost:
        raise InputError(
            key="--out",
            value=str(path),
            expected=f"a new or empty directory, or that of a {called}, but it holds {odd[0]}",
        )


@contextmanager
def owned(path: Path, definition: Mapping[str, Any]) -> Iterator[Path]:
    """Make a directory a study's own for as long as the context lasts.

    Raises
    ------
    InputError
        If it cannot be made, holds something else, or another process writes a study there.
    """
    _check_folder(path, _called(definition))
    with owner.locked(path, _called(definition)):
        yield path


class Pace:
    """Says when something that grows with the sweep is worth doing again: never more than a tenth of the time."""

    LEAST_S, SHARE = 10.0, 10.0

    def __init__(self) -> None:
        self._next = time.monotonic() + self.LEAST_S

    def due(self) -> bool:
        """Return whether it is time."""
        return time.monotonic() >= self._next

    def took(self, begin: float) -> None:
        """Note that it was done, from `begin` on."""
        now = time.monotonic()
        self._next = now + max(self.LEAST_S, self.SHARE * (now - begin))

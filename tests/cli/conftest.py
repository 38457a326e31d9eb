"""The command line as a user runs it: arguments in, text and exit code out."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cli_kit import Cli, Outcome


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Cli:
    """Run `archsim ARGS` in an empty folder, in this process."""
    monkeypatch.chdir(tmp_path)

    def run(*args: object) -> Outcome:
        from archsim.cli import main

        monkeypatch.setattr("sys.argv", ["archsim", *map(str, args)])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run


@pytest.fixture
def one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a sweep or a search work in this process: what starting others costs is tested elsewhere."""
    from archsim.studies.search import search
    from archsim.studies.sweeps import sweep
    from archsim.studies.workers.pool import given

    @contextmanager
    def here(on: Any, *, most: int) -> Iterator[Any]:
        if on != "processes":  # a search's own, for its stages
            yield on
            return
        with ThreadPoolExecutor(1) as executor:
            yield given(executor)

    for module in (sweep, search):
        monkeypatch.setattr(module, "pool", here)

"""The command line as a user runs it: arguments in, text and exit code out."""

from __future__ import annotations

from pathlib import Path

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

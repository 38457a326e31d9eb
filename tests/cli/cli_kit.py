"""What a command gives back, and one that is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Outcome:
    """What a command printed and returned."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line of an error; asserts that it is one line and no traceback."""
        lines = self.err.strip().splitlines()
        assert len(lines) == 1, self.err
        assert "Traceback" not in self.err
        assert lines[0].startswith("archsim: error: ")
        return lines[0].removeprefix("archsim: error: ")


Cli = Callable[..., Outcome]


def goes_on_after_a_kill(cli: Cli, words: Sequence[object], folder: Path, *, after: int) -> None:
    """Kill a sweep or a search when it has counted so many chips, and all its processes; the same command goes on.

    Its table is then that of one that was left alone.
    """
    command = [sys.executable, "-m", "archsim", *map(str, words), "--out"]
    killed, whole = folder / "killed", folder / "whole"
    with subprocess.Popen([*command, str(killed)], cwd=folder, start_new_session=True) as process:
        until = time.monotonic() + 200
        while time.monotonic() < until and len(list((killed / "counts").rglob("[!.]*.json"))) < after:
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGKILL)
    assert (killed / "sweep.json").is_file()
    for each in (killed, whole):
        assert cli(*words, "--out", each).code == 0
    assert (killed / "sweep.csv").read_bytes() == (whole / "sweep.csv").read_bytes()

"""A run that is killed at any moment goes on and ends with the bits of one that was not; parents take workers along."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_kit import Cli
from explain_kit import small_run
from workers_kit import below, gone

from archsim.runs import layout, owner
from archsim.runs.spec import DEFAULT_TECHNOLOGIES

TABLES = ("activity.csv", "energy.csv", "area.csv", "training.csv")
STEPS = 3000


def start(*words: object, cwd: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "archsim", *map(str, words)], cwd=cwd, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip


def in_use(out: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until a run is written there, or its process has ended."""
    until = time.monotonic() + 60
    while not owner.in_use(out) and process.poll() is None and time.monotonic() < until:
        time.sleep(0.02)


def words(out: Path, steps: int = STEPS) -> tuple[object, ...]:
    return (
        "run", "mlp-mnist", "--steps", steps, "--arch", "mixed-precision", "--set", "dataset=mnist-5k", "--checkpoint",
        "0.2s", "--out", out, "-q",
    )  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run that nobody stopped."""
    return small_run(
        tmp_path_factory.mktemp("whole") / "run", steps=STEPS, archs=("mixed-precision",), techs=DEFAULT_TECHNOLOGIES,
        settings=("dataset=mnist-5k",),
    )  # fmt: skip


def killed_and_gone_on(whole: Path, folder: Path, rng: random.Random, number: int) -> None:
    """Kill a run again and again at random moments, by the signal given; whatever is left is honest, and goes on.

    The first of all is killed while it trains: its moments are counted from when it has its directory.
    """
    out = folder / "run"
    sent = rng.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP]) if number else signal.SIGKILL
    process = start(*words(out), cwd=folder)
    for _ in range(3 if number else 2):
        if not number:
            in_use(out, process)
        time.sleep(rng.uniform(0.4, 2.5) if number else rng.uniform(0.1, 0.7))
        process.send_signal(sent)
        process.wait()
        assert not owner.in_use(out)
        if (out / layout.RUN).is_file() and layout.state(out) == "finished":
            break
        go_on = ("resume", out, "--checkpoint", "0.2s", "-q") if (out / layout.RUN).is_file() else words(out)
        process = start(*go_on, cwd=folder)
    code = process.wait()
    if layout.state(out) != "finished":
        code = start("resume", out, "-q", cwd=folder).wait()
    assert (layout.state(out), code == 0 or layout.state(out) == "finished") == ("finished", True)
    for name in TABLES:
        assert (out / name).read_bytes() == (whole / name).read_bytes(), name
    assert not [*out.glob("checkpoint-*"), *out.rglob(".*")]


@pytest.mark.parametrize("number", [0, pytest.param(1, marks=pytest.mark.long)])
def test_a_run_killed_at_any_moment_goes_on_to_the_same_bits(whole: Path, tmp_path: Path, number: int) -> None:
    killed_and_gone_on(whole, tmp_path, random.Random(number), number)  # noqa: S311  moments, no secrets


@pytest.mark.long
@pytest.mark.parametrize("number", range(50))
def test_a_run_killed_at_fifty_moments_goes_on_to_the_same_bits(whole: Path, tmp_path: Path, number: int) -> None:
    killed_and_gone_on(whole, tmp_path, random.Random(100 + number), number)  # noqa: S311  likewise


def test_a_second_run_into_a_directory_in_use_is_refused(cli: Cli, tmp_path: Path) -> None:
    first = start(*words(tmp_path / "run", 10 * STEPS), cwd=tmp_path)
    in_use(tmp_path / "run", first)
    second = cli(*words(tmp_path / "run"))
    first.kill()
    first.wait()
    assert second.code == 2
    assert "no other run is being written to" in second.error


def test_a_killed_parent_leaves_no_workers(tmp_path: Path) -> None:
    parent = start("run", "mlp-mnist", "--steps", 200_000, "--seeds", 2, "--out", tmp_path / "s", "-q", cwd=tmp_path)
    until = time.monotonic() + 60
    while len(below(parent.pid)) < 4 and time.monotonic() < until:
        time.sleep(0.1)
    left = below(parent.pid)
    assert len(left) >= 4  # two, the one they are forked from, and Python's own for what is left behind
    parent.kill()
    parent.wait()
    assert gone(left, 10)

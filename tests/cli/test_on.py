"""`--on`: every command that trains many times runs where it says, gives the same there, and goes on elsewhere."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cli_kit import Cli
from explain_kit import small_run
from workers_kit import below, gone

from archsim.base.errors import InputError

ROOT = Path(__file__).parents[2]
TINY = """schema: 1
kind: workload
name: tiny
title: A tiny perceptron
dataset: mnist-5k
network:
  inputs: 784
  initial_std: 0.08
  layers:
    - {name: fc1, kind: dense, units: 12, activation: sigmoid}
    - {name: fc2, kind: dense, units: 10, activation: sigmoid}
training: {batch: 1, learning_rate: 0.3, epochs: 1, test_samples: 50}
presets: {quick: {steps: 12}}
"""


@pytest.fixture(scope="module")
def dask() -> Iterator[str]:
    distributed = pytest.importorskip("distributed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(map(str, (ROOT, ROOT / "tests"))))
        import dask

        with (
            dask.config.set({"distributed.worker.profile.enabled": False}),  # which looks at each worker every 10 ms
            distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster,
        ):
            yield cluster.scheduler_address.replace("tcp://", "dask://")


def tree(folder: Path, *kinds: str) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.suffix in kinds
    }  # fmt: skip


@pytest.mark.usefixtures("undrawn")
def test_seeds_give_on_a_cluster_what_they_give_here(cli: Cli, dask: str, tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(TINY)
    for name, where in (("here", "processes:1"), ("there", dask)):
        done = cli("run", "tiny.yaml", "--steps", 10, "--seeds", 2, "--on", where, "--out", name, "-q")
        assert (done.code, done.err) == (0, "")
    here, there = (tree(tmp_path / name, ".csv", ".npz") for name in ("here", "there"))
    assert here == there
    assert len(here) > 8


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("more", [("--steps", 5), ("--estimate",)], ids=["trained", "estimated"])
def test_a_sweep_on_a_cluster_is_the_sweep_here(cli: Cli, dask: str, tmp_path: Path, more: tuple[Any, ...]) -> None:
    (tmp_path / "tiny.yaml").write_text(TINY)
    for name, where in (("here", "processes:1"), ("there", dask)):
        done = cli("sweep", "tiny.yaml", "--set", "tile.adc.bits=6,8", "--arch", "mixed-precision", "--no-ratio", *more,
                   "--on", where, "--out", name, "-q")  # fmt: skip
        assert (done.code, done.err) == (0, "")
    here, there = ((tmp_path / name / "sweep.csv").read_text() for name in ("here", "there"))
    assert here == there
    assert here.count(",done,") == 2


def test_what_an_estimate_reads_of_own_files_travels_and_workers_look_for_none(
    cli: Cli, dask: str, tmp_path: Path
) -> None:
    (tmp_path / "tiny.yaml").write_text(TINY)
    (tmp_path / "own.yaml").write_text(
        "schema: 1\nkind: technology\nname: own\ntitle: t\nextends: bottom-up-14nm\n"
        "times:\n  digital.cycle: {value: 2 ns, range: [2 ns, 2 ns], basis: assumed, why: to differ}\n"
    )
    (tmp_path / "chip.yaml").write_text(
        "schema: 1\nkind: architecture\nextends: mixed-precision\nname: chip\ntitle: t\nweight: {device: cell.yaml}\n"
    )
    shutil.copy(ROOT / "tech_params/devices/pcm-nandakumar2018.yaml", tmp_path / "cell.yaml")
    grid = ("sweep", "tiny.yaml", "--estimate", "--tech", "own.yaml", "--arch", "chip.yaml", "--no-ratio", "--no-page",
            "--set", "tile.adc.bits=6,8")  # fmt: skip
    for name, where in (("here", "processes:1"), ("there", dask)):
        done = cli(*grid, "--on", where, "--out", tmp_path / name, "-q")
        assert (done.code, done.err) == (0, "")
    here, there = ((tmp_path / name / "sweep.csv").read_text() for name in ("here", "there"))
    assert here == there
    assert here.count(",done,") == 2


def test_the_runs_that_workers_of_a_cluster_do_are_kept_here(cli: Cli, dask: str, tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(TINY)
    grid = ("sweep", "tiny.yaml", "--steps", 5, "--arch", "mixed-precision", "--no-ratio", "--keep-runs", "-q")
    for name, where in (("here", "processes:1"), ("there", dask)):
        assert cli(*grid, "--on", where, "--out", name).code == 0
    here, there = (tree(next((tmp_path / name / "runs").iterdir()), ".csv", ".npz") for name in ("here", "there"))
    assert here == there
    assert len(here) > 4
    run = next((tmp_path / "there/runs").iterdir())
    assert f",there/runs/{run.name}," in (tmp_path / "there/sweep.csv").read_text()
    assert cli("verify", run, "-q").code == 0


@pytest.mark.usefixtures("undrawn")
def test_what_was_done_on_a_cluster_goes_on_here_to_the_same_bits(cli: Cli, dask: str, tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(TINY)
    words = ("ablate", "tiny.yaml", "--steps", 10, "--seeds", 1, "--no-bits", "--arch", "mixed-precision")
    whole = json.loads(cli(*words, "--on", dask, "--out", "a", "--json").out)
    points = sorted((tmp_path / "a/points").iterdir())
    for lost in points[:2]:
        lost.unlink()
    (tmp_path / "a/ablate.json").unlink()
    done = cli(*words, "--on", "processes:2", "--out", "a", "--json")
    assert json.loads(done.out) == whole
    assert sorted((tmp_path / "a/points").iterdir()) == points
    again = cli(*words, "--on", "slurm", "--out", "a", "--json")
    assert (again.code, json.loads(again.out)) == (0, whole)  # all is kept: it does not matter where nothing runs


def test_ctrl_c_ends_the_workers_at_once_and_the_same_command_goes_on(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(TINY)
    words = ("ablate", "tiny.yaml", "--steps", "200", "--seeds", "1", "--no-bits", "--on", "processes:2", "--arch",
             "mixed-precision", "--out", "a", "-q")  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-m", "archsim", *words], cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509  a shell's background ignores it
    ) as study:  # fmt: skip
        until = time.monotonic() + 120
        while not [*tmp_path.glob("a/points/*.json")] and time.monotonic() < until:
            time.sleep(0.02)
        left = below(study.pid)
        os.killpg(study.pid, signal.SIGINT)  # as a terminal does: the workers get it, too
        said = study.communicate()[1]
        assert study.returncode == 130
    assert said.splitlines() == ["archsim: interrupted; what was done is kept in a, the same command goes on"]
    assert len(left) >= 3
    assert gone(left, 10)
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.glob("a/points/*.json")}
    assert 1 <= len(kept) < 11
    assert cli(*words).code == 0
    assert len([*tmp_path.glob("a/points/*.json")]) == 11
    assert all(path.stat().st_mtime_ns == when for path, when in kept.items())


@pytest.mark.parametrize(
    "words",
    [
        ("ablate", "tiny.yaml", "--steps", 10),
        ("run", "tiny.yaml", "--steps", 10, "--seeds", 2),
        ("costs", "tiny.yaml"),
        ("validate", "nandakumar2020"),
        ("explain", "run", "--steps", 5, "--samples", 100),
    ],
    ids=lambda words: words[0],
)
def test_a_place_that_is_none_is_one_line_of_every_study(cli: Cli, tmp_path: Path, words: tuple[Any, ...]) -> None:
    (tmp_path / "tiny.yaml").write_text(TINY)
    if words[0] == "explain":
        small_run(tmp_path / "run", steps=20)
    done = cli(*words, "--on", "dusk://here:1", "-q")
    assert done.code == 2
    assert done.error.startswith("--on: got 'dusk://here:1'; expected one of processes, processes:N, dask://HOST:PORT")


@pytest.mark.parametrize(
    "words",
    [
        ("ablate",), ("costs",), ("validate",), ("explain", "run"), ("run", "mlp-mnist", "--seeds", 2),
        ("sweep", "mlp-mnist"), ("search", "mlp-mnist"), ("rules", "mlp-mnist"),
    ],
    ids=lambda words: words[0],
)  # fmt: skip
def test_what_workers_import_is_imported_while_a_study_is_planned(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, words: tuple[Any, ...]
) -> None:
    def soon(on: str) -> None:
        raise InputError(f"asked soon of {on}")

    monkeypatch.setattr("archsim.studies.workers.pool.soon", soon)
    assert cli(*words, "--on", "processes:2", "-q").error == "asked soon of processes:2"


def test_one_run_alone_has_no_place_to_be_sent_to(cli: Cli) -> None:
    done = cli("run", "mlp-mnist", "--steps", 10, "--on", "dask://here:1")
    assert (done.code, done.error) == (
        2,
        "--on: got 'dask://here:1'; expected --seeds from 2 on beside it: one run runs here",
    )

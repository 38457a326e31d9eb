"""A real scheduler of Dask's with two worker processes; executorlib, on this machine and with stand-ins for Slurm."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from workers_kit import die, die_once, nap, process

from archsim.base.errors import DataError, InputError, SystemFault
from archsim.runs import layout
from archsim.runs.run import execute
from archsim.runs.spec import resolve
from archsim.studies.workers import clusters, perform
from archsim.studies.workers.directories import STOP, Keep, run_directories
from archsim.studies.workers.finished import Task, finished
from archsim.studies.workers.points import run_points
from archsim.studies.workers.pool import pool

# ruff: noqa: SIM117  what must raise, and what is open while it does, are told apart
distributed = pytest.importorskip("distributed")
executorlib = pytest.importorskip("executorlib")
ROOT = Path(__file__).parents[4]
SMALL: dict[str, Any] = {
    "workload": {
        "schema": 1, "kind": "workload", "name": "tiny", "title": "a tiny perceptron", "dataset": "mnist-5k",
        "network": {"inputs": 784, "initial_std": 0.08, "layers": [
            {"name": "fc1", "kind": "dense", "units": 12, "activation": "sigmoid"},
            {"name": "fc2", "kind": "dense", "units": 10, "activation": "sigmoid"},
        ]},
        "training": {"batch": 1, "learning_rate": 0.3, "epochs": 1, "test_samples": 50},
    },
    "steps": 20, "archs": ("digital32",),
}  # fmt: skip
"""A workload that is in no file."""
UNLIKE = {"wall_time_s", "steps_per_s", "first_steps_s"}
"""What of a summary no two runs share."""


@pytest.fixture(scope="module", autouse=True)
def _importable() -> Iterator[None]:
    """Let processes that others start find this archsim and the tests' own modules."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(map(str, (ROOT, ROOT / "tests"))))
        yield


@pytest.fixture(scope="module")
def cluster(_importable: None) -> Iterator[Any]:
    import dask

    with (
        dask.config.set({"distributed.worker.profile.enabled": False}),  # which looks at each worker every 10 ms
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0") as found,
    ):
        yield found


@pytest.fixture
def on(cluster: Any) -> str:
    return str(cluster.scheduler_address).replace("tcp://", "dask://")


def without_times(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: without_times(each) for key, each in content.items() if key not in UNLIKE}
    return content


def contents(folder: Path) -> dict[str, bytes]:
    """Return the files of a run directory, without what no two runs share."""
    found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    run = found[layout.RUN].splitlines(keepends=True)  # where the summary's SHA-256 stands, which tells its times
    found[layout.RUN] = b"".join(line for line in run if not line.startswith(b"  summary.json:"))
    return {name: content for name, content in found.items() if name != layout.SUMMARY}


# --- Dask -------------------------------------------------------------------------------------------------------------
def test_points_have_the_same_bits_wherever_they_run(on: str, tmp_path: Path) -> None:
    points = {
        str(seed): {**SMALL, "seed": seed, "archs": ("mixed-precision",), "figures": ("adc.conversion=1.2pJ",)}
        for seed in (1, 2)
    }
    with ThreadPoolExecutor(1) as executor:
        places = {"dask": on, "processes": "processes:1", "thread": executor}
        found = {name: run_points(points, tmp_path / name, on=place) for name, place in places.items()}
    assert without_times(found["dask"]) == without_times(found["processes"]) == without_times(found["thread"])
    files = {name: sorted(path.name for path in (tmp_path / name).iterdir()) for name in places}
    assert files["dask"] == files["processes"] == files["thread"]
    assert len(files["dask"]) == 2


def test_run_directories_come_back_whole_with_the_same_bits(on: str, tmp_path: Path) -> None:
    for name, place in (("dask", on), ("here", "processes:1")):
        runs = {str(seed): ({**SMALL, "seed": seed}, tmp_path / name / str(seed)) for seed in (1, 2)}
        assert {s.state for s in run_directories(runs, on=place).values()} == {"finished"}
    for seed in ("1", "2"):
        came = contents(tmp_path / "dask" / seed)
        assert came == contents(tmp_path / "here" / seed)
        assert {"run.yaml", "energy.csv", "training.csv", "inputs/workload/tiny.yaml"} <= set(came)
    told: list[str] = []
    again = run_directories(runs, on="processes:1", done=lambda name, _: told.append(name))
    assert sorted(again) == sorted(told) == ["1", "2"]  # kept: it did not even need a process


def test_an_interrupted_run_goes_on_elsewhere_to_the_same_bits(on: str, tmp_path: Path) -> None:
    asked = iter([False] * 3)
    spec = resolve(**{**SMALL, "steps": 2000})
    partial = execute(spec, tmp_path / "run", stop=lambda: next(asked, True))
    assert partial
    assert partial.state == "partial"
    options = {**SMALL, "steps": 2000}
    begun = yaml.safe_load((tmp_path / "run/run.yaml").read_text())["state"]
    run_directories({"a": (options, tmp_path / "run"), "b": (options, tmp_path / "whole")}, on=on)
    assert begun == "partial"
    assert contents(tmp_path / "run") == contents(tmp_path / "whole")


def test_a_stop_leaves_a_cluster_without_waiting(on: str, tmp_path: Path) -> None:
    (tmp_path / STOP).touch()
    runs = {"a": ({**SMALL, "steps": 20_000}, tmp_path / "a")}
    assert run_directories(runs, on=on, keep=Keep()) == {}
    assert not (tmp_path / "a").exists()


def test_a_worker_killed_in_mid_run_loses_nothing_and_doubles_nothing(on: str, tmp_path: Path) -> None:
    tasks: list[tuple[str, Task]] = [(str(k), (nap, (0.2, k))) for k in range(8)]
    tasks.insert(2, ("killed", (die_once, (tmp_path / "mark",))))
    with pool(on, most=10) as workers:
        assert not workers.shared
        found = list(finished(tasks, workers))
    assert sorted(each.name for each in found) == sorted(name for name, _ in tasks)
    assert {each.name: each.result() for each in found} == {"killed": "done", **{str(k): k for k in range(8)}}
    assert (tmp_path / "mark").exists()


def test_workers_of_dask_of_another_version_are_refused(cluster: Any, on: str) -> None:
    def change(name: str, version: str) -> None:
        perform.versions()[name] = version

    own = perform.versions()["numba"]
    with distributed.Client(cluster, set_as_default=False) as client:
        client.run(change, "numba", "0.1")
        with pool(on, most=1) as workers, pytest.raises(InputError, match=rf"has numba 0\.1; expected numba {own}, as"):
            list(finished([("a", (process, ()))], workers))
        client.run(change, "numba", own)


def test_data_that_a_worker_does_not_have_are_asked_for_there(on: str, tmp_path: Path) -> None:
    def idx(name: str, array: np.ndarray) -> None:
        head = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
        (tmp_path / name).write_bytes(head + array.astype(np.uint8).tobytes())

    rng = np.random.default_rng(1)
    for part in ("train", "t10k"):
        idx(f"{part}-images-idx3-ubyte", rng.integers(0, 255, (20, 28, 28)))
        idx(f"{part}-labels-idx1-ubyte", rng.integers(0, 9, 20))
    mnist = {**SMALL, "workload": {**SMALL["workload"], "dataset": "mnist"}, "data": tmp_path}
    points = {"mine": {**mnist, "steps": 3}}
    with pytest.raises(
        DataError, match=r"\$ARCHSIM_DATA: on the worker .*:\d+: the run was done on custom data"
    ) as said:
        run_points(points, tmp_path / "away", on=on)
    assert "in the environment of the worker" in str(said.value)
    run_points(points, tmp_path / "here", on="processes:1")


def test_a_client_of_the_callers_own_will_do(cluster: Any) -> None:
    with distributed.Client(cluster, set_as_default=False) as client, pool(client.get_executor(), most=4) as workers:
        assert workers.ahead() == 4
        assert sorted(each.value for each in finished([(str(k), (nap, (0, k))) for k in range(9)], workers)) == [
            *range(9)
        ]


def test_a_scheduler_that_does_not_answer_or_has_no_workers_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    assert clusters.ANSWER_S == 10.0
    monkeypatch.setattr(clusters, "ANSWER_S", 0.3)
    with pytest.raises(SystemFault, match=r"dask://127\.0\.0\.1:9: the scheduler did not answer within 0\.3 s") as said:
        with pool("dask://127.0.0.1:9", most=1):
            pass
    assert len(str(said.value).splitlines()) == 1
    with scheduler() as (address, _):
        monkeypatch.setattr(clusters, "ANSWER_S", 1.0)
        with pytest.raises(SystemFault, match="the scheduler has no workers, for 1 s"):
            with pool(address, most=1):
                pass


def test_a_scheduler_that_goes_away_ends_the_study_in_a_line() -> None:
    with scheduler() as (address, process_), subprocess.Popen(
        [sys.executable, "-c", "from distributed.cli.dask_worker import main; main()", address.replace("dask", "tcp"),
         "--no-nanny", "--no-dashboard", "--death-timeout", "2"], stderr=subprocess.DEVNULL,
    ) as worker, pool(address, most=2) as workers:  # fmt: skip
        came = finished([("a", (nap, (0, "a"))), ("b", (nap, (60, "b")))], workers)
        assert next(came).value == "a"
        process_.kill()
        with pytest.raises(SystemFault, match="the scheduler went away; what was finished is kept"):
            next(came)
        worker.kill()


@contextmanager
def scheduler() -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Yield a scheduler without workers: its address, and its process."""
    words = ["--port", "0", "--no-dashboard", "--host", "127.0.0.1"]
    with subprocess.Popen(
        [sys.executable, "-c", "from distributed.cli.dask_scheduler import main; main()", *words],
        stderr=subprocess.PIPE, text=True,
    ) as found:  # fmt: skip
        assert found.stderr
        address = next(line.split("tcp://")[1].strip() for line in found.stderr if "Scheduler at:" in line)
        try:
            yield f"dask://{address}", found
        finally:
            found.kill()


# --- executorlib ------------------------------------------------------------------------------------------------------
@pytest.mark.long
def test_an_executor_of_executorlib_gives_the_same_and_outlives_a_worker(tmp_path: Path) -> None:
    points = {"1": {**SMALL, "seed": 1}}
    with executorlib.SingleNodeExecutor(
        max_workers=2, block_allocation=True, restart_limit=1, hostname_localhost=True
    ) as executor:
        there = run_points(points, tmp_path / "there", on=executor)
        with pool(executor, most=8) as workers:
            pids = {each.value for each in finished([(str(k), (process, ())) for k in range(8)], workers)}
            threading.Timer(0.5, os.kill, (min(pids), signal.SIGKILL)).start()
            found = list(finished([(str(k), (nap, (0.3, k))) for k in range(6)], workers))
    assert sorted(each.result() for each in found) == [*range(6)]
    assert without_times(there) == without_times(run_points(points, tmp_path / "here", on="processes:1"))


def test_a_task_that_kills_all_workers_of_executorlib_is_told(tmp_path: Path) -> None:
    with executorlib.SingleNodeExecutor(max_workers=1, block_allocation=True, hostname_localhost=True) as executor:
        with pool(executor, most=2) as workers, pytest.raises(SystemFault, match="the last worker died"):
            list(finished([("killer", (die, ())), ("other", (nap, (0, 0)))], workers))
    with executorlib.SingleNodeExecutor(max_workers=1, block_allocation=True, hostname_localhost=True) as executor:
        with pool(executor, most=1) as workers:
            (found,) = finished([("killer", (die, ()))], workers)
    assert "its worker process died" in str(found.error)


STAND_INS = {
    "srun": 'echo "$@" > {0}/step.$$\nwhile [[ "$1" != *python* ]]; do shift; done\nexec "$@"\n',
    "sbatch": 'cp "${{@: -1}}" {0}/script.$$\nsetsid bash "${{@: -1}}" >{0}/out 2>&1 </dev/null &\necho $! > {0}/job.$!\necho $!\n',
    "squeue": 'for job in {0}/job.*; do kill -0 $(cat $job) && echo "$(cat $job)|me|R|archsim|{0}"; done 2>/dev/null; true\n',
    "scancel": "kill -- -$1\n",
}
"""What executorlib calls of Slurm, done on this machine."""


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in STAND_INS.items():
        (tmp_path / name).write_text("#!/bin/bash\n" + text.format(tmp_path))
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


TASKS: list[tuple[str, Task]] = [(str(k), (nap, (0.05, k))) for k in range(6)]


def test_within_an_allocation_of_slurm_workers_are_its_steps(slurm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    with pool("slurm:workers=2,time=600,memory=2,partition=short", most=8) as workers:
        found = list(finished(TASKS, workers))
    assert sorted(each.value for each in found) == [*range(6)]
    steps = [path.read_text() for path in slurm.glob("step.*")]
    assert len(steps) == 2
    assert all("--partition=short --mem=2G" in step and "--time=11" in step for step in steps)


def test_elsewhere_workers_are_jobs_of_slurm(slurm: Path) -> None:
    pytest.importorskip("pysqa")
    with pool("slurm:workers=2,time=600,account=me", most=8) as workers:
        found = list(finished(TASKS, workers))
    assert sorted(each.value for each in found) == [*range(6)]
    scripts = [path.read_text() for path in slurm.glob("script.*")]
    assert len(scripts) == 2
    assert all("#SBATCH --account=me\n#SBATCH --time=10\n" in script for script in scripts)


@pytest.mark.parametrize(
    ("on", "said"),
    [
        ("slurm:workers=none", "--on: workers=none; expected workers=N, a whole number from 1 on"),
        ("slurm:partition", "expected slurm:NAME=VALUE,..., such as slurm:workers=8,time=3600"),
        ("flux:worker=2", "expected workers, time, memory alone, for flux. Did you mean 'workers'?"),
    ],
)
def test_options_of_jobs_that_are_none_are_refused(slurm: Path, on: str, said: str) -> None:
    with pytest.raises(InputError) as caught, pool(on, most=1):
        pass
    assert said in str(caught.value)


def test_without_the_scheduler_or_the_extra_it_is_one_line(monkeypatch: pytest.MonkeyPatch, slurm: Path) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.setitem(sys.modules, "executorlib", None)
    for on, extra in (("dask://127.0.0.1:8786", "cluster"), ("slurm", "sbatch")):
        with pytest.raises(
            InputError, match=rf"which is not installed .*; expected pip install 'archsim\[{extra}\]'"
        ) as said:
            with pool(on, most=1):
                pass
        assert len(str(said.value).splitlines()) == 1
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(InputError, match="needs sbatch, which is not here; expected a machine of a slurm cluster"):
        with pool("slurm", most=1):
            pass

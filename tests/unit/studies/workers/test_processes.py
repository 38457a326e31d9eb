"""Processes of this machine, and what holds of every place where tasks run."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from workers_kit import alive, die, die_once, fail, fail_oddly, gone, nap, process, threads

from archsim.base.errors import InputError, SystemFault
from archsim.studies.workers import finished as sending
from archsim.studies.workers import lanes, perform
from archsim.studies.workers.finished import Finished, Task, finished
from archsim.studies.workers.lanes import cores
from archsim.studies.workers.pool import Pool, pool

ROOT = Path(__file__).parents[4]


@pytest.fixture(scope="module")
def two() -> Iterator[Pool]:
    with pool("processes:2", most=2) as workers:
        yield workers


def test_every_task_comes_back_once_from_the_processes_that_did_it(two: Pool) -> None:
    found = list(finished([(str(k), (process, ())) for k in range(12)], two))
    assert sorted(each.name for each in found) == sorted(map(str, range(12)))
    assert {f"{each.value}" for each in found} == {each.by.rpartition(":")[2] for each in found}
    assert len({each.value for each in found}) == 2
    assert os.getpid() not in {each.value for each in found}
    assert all(0.05 <= each.seconds < 2 and each.tries == 1 for each in found)


def test_a_worker_computes_on_one_thread(two: Pool) -> None:
    (found,) = finished([("threads", (threads, ()))], two)
    assert set(found.value) == {1}


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere workers are not forked")
def test_the_collector_leaves_alone_what_a_worker_was_forked_with(two: Pool) -> None:
    (found,) = finished([("frozen", (gc.get_freeze_count, ()))], two)
    assert found.value > 50_000


def test_tasks_are_asked_for_as_they_can_be_sent(two: Pool) -> None:
    asked: list[int] = []

    def many() -> Iterator[tuple[str, Task]]:
        for k in range(10**6):
            asked.append(k)
            yield str(k), (nap, (0.01, k))

    came = finished(many(), two)
    for _ in range(10):
        next(came)
    came.close()
    assert 10 <= len(asked) <= 10 + 2 * 2


def test_what_a_task_raises_comes_back_and_the_others_go_on(two: Pool) -> None:
    found = {each.name: each for each in finished(
        [("bad", (fail, (7,))), ("odd", (fail_oddly, ())), *((str(k), (nap, (0.01, k))) for k in range(4))], two
    )}  # fmt: skip
    with pytest.raises(InputError, match=r"--steps: got 7; expected a better one") as caught:
        found["bad"].result()
    assert caught.value.key == "--steps"
    assert "workers_kit.py" in "".join(caught.value.__notes__)
    with pytest.raises(SystemFault, match="OddError: 1 and 2"):
        found["odd"].result()
    assert [found[str(k)].result() for k in range(4)] == [0, 1, 2, 3]


def test_a_task_whose_worker_died_is_done_again_and_no_other(tmp_path: Path) -> None:
    tasks: list[tuple[str, Task]] = [
        ("killed", (die_once, (tmp_path / "mark",))), *((str(k), (nap, (0.05, k))) for k in range(9))
    ]  # fmt: skip
    with pool("processes:2", most=9) as workers:
        found = list(finished(tasks, workers))
    assert sorted(each.name for each in found) == sorted(["killed", *map(str, range(9))])
    assert {each.name: each.tries for each in found} == {"killed": 2, **{str(k): 1 for k in range(9)}}
    assert {each.name: each.value for each in found}["killed"] == "done"


def test_a_task_that_kills_its_worker_twice_is_given_up_and_the_others_are_not() -> None:
    with pool("processes:2", most=9) as workers:
        found = {each.name: each for each in finished(
            [("killer", (die, ())), *((str(k), (nap, (0.05, k))) for k in range(5))], workers
        )}  # fmt: skip
    assert found["killer"].tries == 2
    with pytest.raises(SystemFault, match="its worker process died, 2 times: killed, or out of memory"):
        found["killer"].result()
    assert [found[str(k)].value for k in range(5)] == list(range(5))


def test_who_stops_listening_ends_what_is_running_at_once() -> None:
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt), pool("processes:2", most=9) as workers:
        for each in finished([("first", (process, ())), ("long", (nap, (60, 0)))], workers):
            left = int(each.value)
            raise KeyboardInterrupt
    assert time.monotonic() - begin < 20
    assert gone([left], 5)


SCRIPT = """
import os, sys
from archsim.studies.workers.finished import finished
from archsim.studies.workers.pool import pool
from workers_kit import nap, process
with pool("processes:2", most=2) as workers:
    for each in finished([("a", (process, ())), ("b", (process, ())), ("c", (nap, (60, 0))), ("d", (nap, (60, 0)))], workers):
        print(each.value, flush=True)
"""


def test_a_script_without_a_guard_has_workers_which_end_when_it_is_killed(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    with subprocess.Popen(
        [sys.executable, tmp_path / "script.py"], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "tests")))},
    ) as script:  # fmt: skip
        assert script.stdout
        workers = [int(script.stdout.readline()) for _ in range(2)]
        assert len(set(workers)) == 2
        assert all(map(alive, workers))
        script.send_signal(signal.SIGKILL)
        assert gone(workers, 5)


@pytest.mark.parametrize("package", ["archsim", "numpy", "Python"])
def test_workers_of_another_version_are_refused_in_a_line(
    two: Pool, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    own = perform.versions()
    monkeypatch.setattr(sending, "versions", lambda: {**own, package: "0.0.7"})
    with pytest.raises(
        InputError, match=rf"has {package} {own[package]}; expected {package} 0\.0\.7, as here"
    ) as caught:
        list(finished([("a", (process, ()))], two))
    assert len(str(caught.value).splitlines()) == 1


def test_executors_of_python_will_do() -> None:
    tasks: list[tuple[str, Task]] = [(str(k), (nap, (0.01, k))) for k in range(20)]
    with ThreadPoolExecutor(3) as executor, pool(executor, most=20) as workers:
        assert workers.shared
        assert workers.ahead() == 6
        assert sorted(each.value for each in finished(tasks, workers)) == list(range(20))
        assert executor.submit(int).result() == 0  # it is left as it was
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor, pool(executor, most=20) as workers:
        found = list(finished([*tasks[:3], ("threads", (threads, ()))], workers))
        assert {each.name: each.value if each.name != "threads" else set(each.value) for each in found} == {
            "0": 0,
            "1": 1,
            "2": 2,
            "threads": {1},
        }


def test_an_executor_of_python_that_lost_a_process_ends_the_study_in_a_line() -> None:
    with (
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor, pool(executor, most=2) as workers,
        pytest.raises(SystemFault, match="ProcessPoolExecutor ended before"),
    ):  # fmt: skip
        list(finished([("killer", (die, ()))], workers))


@pytest.mark.parametrize(
    ("on", "said"),
    [
        ("proceses", r"--on: got 'proceses'; expected one of processes, .*\. Did you mean 'processes'\?"),
        ("processes:0", r"expected a number of processes from 1 on"),
        ("processes:few", r"expected a number of processes from 1 on"),
        ("dask", r"expected one of processes, processes:N, dask://HOST:PORT, slurm, flux"),
        ("dask://here", r"expected dask://HOST:PORT, as the scheduler says it at its start"),
        (4, r"^on: got 4; expected one of processes, .*, or an executor of concurrent.futures' form$"),
        (None, r"^on: got None; expected one of processes, "),
    ],
)
def test_a_place_that_is_none_is_refused(on: Any, said: str) -> None:
    with pytest.raises(InputError, match=said), pool(on, most=1):
        pass


def test_no_more_processes_begin_than_there_are_tasks_or_cores() -> None:
    with pool(most=1) as workers:
        assert workers.ahead() == 1
    with pool(most=10**6) as workers:
        assert workers.ahead() == cores()


def test_where_processes_cannot_be_forked_they_are_spawned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "sys", SimpleNamespace(platform="darwin", modules=sys.modules))
    monkeypatch.setenv("ARCHSIM_TEST", "seen")
    with pool("processes:2", most=2) as workers:
        assert type(workers.executor._context).__name__ == "SpawnContext"
        found = {each.name: each.value for each in finished(
            [("pid", (process, ())), ("env", (os.getenv, ("ARCHSIM_TEST",)))], workers
        )}  # fmt: skip
    assert found["pid"] != os.getpid()
    assert found["env"] == "seen"


def test_processes_see_the_environment_and_the_folder_as_they_are_when_they_begin(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for word in ("one", "two"):
        (tmp_path / word).mkdir()
        monkeypatch.chdir(tmp_path / word)
        monkeypatch.setenv("ARCHSIM_TEST", word)
        with pool("processes:1", most=1) as workers:
            tasks: list[tuple[str, Task]] = [("env", (os.getenv, ("ARCHSIM_TEST",))), ("cwd", (os.getcwd, ()))]
            found = {each.name: each.value for each in finished(tasks, workers)}
        assert found == {"env": word, "cwd": str(tmp_path / word)}


def test_a_result_is_a_value_or_raises() -> None:
    assert Finished("a", value=3).result() == 3
    with pytest.raises(SystemFault, match="no"):
        Finished("a", error=SystemFault("no")).result()


@pytest.mark.parametrize(
    ("error", "told"), [("FileNotFoundError(2, 'no semaphore')", False), ("ValueError('odd')", True)]
)
def test_a_worker_that_finds_its_parent_gone_ends_without_a_word(error: str, told: bool) -> None:
    code = f"import archsim.studies.workers.quiet; raise {error}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert ("Traceback" in done.stderr) is told

"""Many runs side by side: points named by the hash of what decides their numbers, so that a sweep can go on later."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from archsim.base import files
from archsim.base.errors import InputError, SystemFault
from archsim.runs import earlier, layout, rundir
from archsim.runs.identity import point_key
from archsim.runs.run import execute, train_all
from archsim.runs.spec import resolve
from archsim.runs.summarise import summarise
from archsim.runs.summary import Summary

_WATCH_S = 0.5
"""How often a worker looks whether its parent lives."""
Options = dict[str, Any]
"""Options of `resolve`, workload and seed included."""


def run_points(
    points: Mapping[str, Options], folder: Path, *, done: Callable[[str, dict[str, Any]], None] | None = None,
    executor: Executor | None = None,
) -> dict[str, dict[str, Any]]:  # fmt: skip
    """Run every point and return name -> the content of its summary.json, in the order of the points.

    Parameters
    ----------
    points : name -> options of `resolve`
    folder : path
        Keeps FOLDER/HASH.json a point. A point that stands there with the same inputs is not run again.
    done : callable, optional
        Called with each name and summary as it is finished.
    executor : Executor, optional
        Where to run; by default as many processes as there are cores. The numbers do not depend on it.

    Raises
    ------
    InputError
        If a point's options are wrong, before anything is run.
    """
    keys = {name: point_key(resolve(**options)) for name, options in points.items()}
    found: dict[str, dict[str, Any]] = {}
    with processes(len(points), executor) as pool:
        futures = {}
        for name, options in points.items():
            file = folder / f"{keys[name]}.json"
            if file.is_file():
                found[name] = json.loads(file.read_text(encoding="utf-8"))["summary"]
                if done:
                    done(name, found[name])
            else:
                futures[pool.submit(_point, options, file)] = name
        for future in as_completed(futures):
            found[futures[future]] = future.result()
            if done:
                done(futures[future], future.result())
    return {name: found[name] for name in points}


STOP = ".stop"
"""A file of this name in the parent directory asks all its runs to stop."""


def kept_or_done(options: Options, out: Path, every_s: float | None, force: bool) -> Summary | None:
    """Return the summary of a run that stands finished in its own directory, or do it there, or go on with it.

    Returns None if it was stopped before its first step.

    Raises
    ------
    InputError
        If a finished run of other inputs stands there; an unfinished one, without `force`.
    """
    stop, spec = (out.parent / STOP).exists, resolve(**options)
    if (out / layout.RUN).is_file() and layout.state(out) == "finished":
        if rundir.unlike(out, spec):
            raise InputError(
                key="--out", value=str(out), expected="a directory of these inputs, but its finished run has others"
            )
        told = json.loads((out / layout.SUMMARY).read_text(encoding="utf-8"))
        return Summary.model_validate(earlier.summary(told))
    return execute(spec, out, stop=stop, every_s=every_s, force=force)


@contextmanager
def processes(most: int, executor: Executor | None = None) -> Iterator[Executor]:
    """Yield the executor given, or a pool of at most as many processes as there are cores, closed at the end.

    Raises
    ------
    SystemFault
        If a process of the pool is killed.
    """
    if executor is not None:
        yield executor
        return
    pool = ProcessPoolExecutor(
        max(min(most, os.cpu_count() or 1), 1),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(os.getpid(),),
    )
    try:
        yield pool
    except BrokenProcessPool as error:
        raise SystemFault(
            "a worker process ended before its work was done: killed, or out of memory; what was finished is kept, and "
            "the same command goes on with the rest"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(parent: int) -> None:
    """Leave Ctrl-C to the parent, which ends the pool; end with the parent, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_WATCH_S)
    os._exit(1)


def _point(options: Options, file: Path) -> dict[str, Any]:
    spec = resolve(**options)
    summary = summarise(spec, train_all(spec), 0.0).model_dump(by_alias=True, mode="json")
    shown = {name: value if isinstance(value, int | float) else str(value) for name, value in options.items()}
    files.write_text(file, json.dumps({"options": shown, "summary": summary}, indent=1) + "\n")
    return summary

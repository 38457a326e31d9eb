"""Many trainings side by side: points named by the hash of what decides their numbers, so that a study can go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from archsim.base import kept
from archsim.runs.identity import point_key
from archsim.runs.run import check_fit, train_all
from archsim.runs.spec import RunSpec, resolve
from archsim.runs.summarise import summarise
from archsim.studies.workers.finished import Finished, Task, finished
from archsim.studies.workers.parcel import Parcel, pack, unpacked
from archsim.studies.workers.pool import PROCESSES, On, Pool, pool

Options = dict[str, Any]
"""Options of `resolve`, workload and seed included."""


def run_points(
    points: Mapping[str, Options], folder: Path, *, done: Callable[[str, dict[str, Any]], None] | None = None,
    on: On = PROCESSES,
) -> dict[str, dict[str, Any]]:  # fmt: skip
    """Run every point and return name -> the content of its summary.json, in the order of the points.

    Parameters
    ----------
    points : name -> options of `resolve`
    folder : path
        Keeps FOLDER/HASH.json a point. A point that stands there with the same inputs is not run again, and points of
        the same inputs are run once.
    done : callable, optional
        Called with each name and summary as it is finished.
    on : where to run, as for `pool`

    Raises
    ------
    InputError
        If a point's options are wrong, before anything is run.
    """
    found: dict[str, dict[str, Any]] = {}
    due: dict[str, tuple[RunSpec, list[str]]] = {}

    def keep(names: list[str], summary: dict[str, Any]) -> None:
        for name in names:
            found[name] = summary
            if done:
                done(name, summary)

    with ExitStack() as opened:
        workers: Pool | None = None
        for name, options in points.items():
            spec = resolve(**options)
            check_fit(spec)
            key = point_key(spec)
            if summary := (kept.read(folder / f"{key}.json") or {}).get("summary"):
                keep([name], summary)
                continue
            workers = workers or opened.enter_context(pool(on, most=len(points)))  # they get ready meanwhile
            due.setdefault(key, (spec, []))[1].append(name)
        for each in finished(_tasks(due, points, workers), workers) if workers else ():
            names, summary = due[each.name][1], each.result()
            _write(folder / f"{each.name}.json", points[names[0]], each)
            keep(names, summary)
    return {name: found[name] for name in points}


def _tasks(
    due: Mapping[str, tuple[RunSpec, list[str]]], points: Mapping[str, Options], workers: Pool
) -> Iterator[tuple[str, Task]]:
    for key, (spec, (name, *_)) in due.items():
        yield key, (trained, (pack(spec, workers, points[name].get("data")),))


def trained(parcel: Parcel) -> dict[str, Any]:
    """Do a run without a directory and return the content of its summary.json."""
    with unpacked(parcel) as spec:
        return summarise(spec, train_all(spec), 0.0).model_dump(by_alias=True, mode="json")


def _write(file: Path, options: Options, came: Finished) -> None:
    shown = {name: value if isinstance(value, int | float) else str(value) for name, value in options.items()}
    content = {"options": shown, "seconds": came.seconds, "by": came.by, "summary": came.value}
    kept.write(file, content)

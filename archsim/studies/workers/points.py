"""Many trainings side by side: points named by the hash of what decides their numbers, so that a study can go on."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from archsim.base import kept
from archsim.runs.identity import point_key
from archsim.runs.run import check_fit, train_all
from archsim.runs.spec import RunSpec, resolve
from archsim.runs.summarise import summarise
from archsim.studies.workers.finished import Task, finished
from archsim.studies.workers.parcel import Parcel, pack, unpacked
from archsim.studies.workers.pool import PROCESSES, On, Pool, pool

Options = dict[str, Any]
"""Options of `resolve`, workload and seed included."""


Name = TypeVar("Name", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Point:
    """A training: its spec, the folder of its data if one was given, and what is noted beside its result."""

    spec: RunSpec
    data: Path | None
    noted: Mapping[str, Any]


def run_points(
    points: Mapping[str, Options], folder: Path, *, done: Callable[[str, dict[str, Any]], None] | None = None,
    on: On = PROCESSES,
) -> dict[str, dict[str, Any]]:  # fmt: skip
    """Run every point and return name -> the content of its summary.json, in the order of the points.

    Parameters
    ----------
    points : name -> options of `resolve`
    folder, on : as for `once_each`
    done : callable, optional
        Called with each name and summary as it is finished.

    Raises
    ------
    InputError
        If a point's options are wrong, before anything is run.
    """

    def tell(names: list[str], summary: dict[str, Any], _number: int, _due: int) -> None:
        if done:
            for name in names:
                done(name, summary)

    each = ((name, Point(resolve(**options), options.get("data"), _shown(options))) for name, options in points.items())
    found = once_each(each, folder, trained, "summary", most=len(points), done=tell, timed=True, on=on)
    return {name: found[name] for name in points}


def once_each(
    points: Iterable[tuple[Name, Point]], folder: Path, task: Callable[[Parcel], Any], result: str, *, most: int,
    done: Callable[[list[Name], Any, int, int], None], timed: bool = False, on: On = PROCESSES,
) -> dict[Name, Any]:  # fmt: skip
    """Do a task for every point that does not stand in a folder yet, and return name -> its result.

    Parameters
    ----------
    points : names and points, made as they are asked for
    folder : path
        Keeps FOLDER/HASH.json a point. A point that stands there with the same inputs is not done again, and points of
        the same inputs are done once.
    task : function of a module
        Gets the packed spec.
    result : key under which FOLDER/HASH.json has what it returned
    most : how many points there are at most
    done : callable
        Called with the names that a result is of, the result, how many tasks are finished and how many there are;
        none of what stands there.
    timed : bool
        Whether it is noted, too, how long it took and where it was done; without, the files are the same everywhere.
    on : where to run, as for `pool`
    """
    found: dict[Name, Any] = {}
    due: dict[str, tuple[Point, list[Name]]] = {}
    with ExitStack() as opened:
        workers: Pool | None = None
        for name, point in points:
            check_fit(point.spec)
            key = point_key(point.spec)
            if (stands := (kept.read(folder / f"{key}.json") or {}).get(result)) is not None:
                found[name] = stands
                done([name], stands, 0, 0)
                continue
            workers = workers or opened.enter_context(pool(on, most=most))  # they get ready meanwhile
            due.setdefault(key, (point, []))[1].append(name)
        for number, each in enumerate(finished(_tasks(due, task, workers), workers) if workers else (), start=1):
            point, names = due[each.name]
            where = {"seconds": each.seconds, "by": each.by} if timed else {}
            kept.write(folder / f"{each.name}.json", {**point.noted, **where, result: each.result()})
            found |= dict.fromkeys(names, each.value)
            done(names, each.value, number, len(due))
    return found


def _tasks(
    due: Mapping[str, tuple[Point, Any]], task: Callable[[Parcel], Any], workers: Pool
) -> Iterator[tuple[str, Task]]:
    for key, (point, _) in due.items():
        yield key, (task, (pack(point.spec, workers, point.data),))


def trained(parcel: Parcel) -> dict[str, Any]:
    """Do a run without a directory and return the content of its summary.json."""
    with unpacked(parcel) as spec:
        return summarise(spec, train_all(spec), 0.0).model_dump(by_alias=True, mode="json")


def _shown(options: Options) -> dict[str, Any]:
    return {"options": {name: one if isinstance(one, int | float) else str(one) for name, one in options.items()}}

"""Runs side by side, each into a directory of its own, finished ones kept and interrupted ones gone on with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from archsim.base import files
from archsim.base.errors import InputError
from archsim.records.tables import mapping
from archsim.runs import checkpoint, earlier, layout, owner, rundir
from archsim.runs.checkpoint import EVERY_S
from archsim.runs.run import check_fit, execute
from archsim.runs.spec import RunSpec, resolve
from archsim.runs.summary import Summary
from archsim.studies.workers.finished import Task, finished
from archsim.studies.workers.parcel import Parcel, lay_out, pack, unpacked
from archsim.studies.workers.points import Options
from archsim.studies.workers.pool import PROCESSES, On, Pool, pool

STOP = ".stop"
"""A file of this name in the parent directory asks all its runs to stop."""
Carried = dict[str, bytes]
"""A run directory: path below it, with "/" -> content."""


@dataclass(frozen=True, slots=True)
class Keep:
    """What is done on the way: `every_s` seconds between two checkpoints, None for none; `force` as for `execute`."""

    every_s: float | None = EVERY_S
    force: bool = False


def run_directories(
    runs: Mapping[str, tuple[Options, Path]], *, on: On = PROCESSES, done: Callable[[str, Summary], None] | None = None,
    keep: Keep = Keep(),
) -> dict[str, Summary]:  # fmt: skip
    """Do runs side by side and return name -> summary, of those that made a step.

    Workers of this machine write the directory themselves, with checkpoints, and stop where `STOP` asks them to. Those
    of a cluster are sent what stands of an unfinished run, and send the directory back when it is finished; a run that
    is stopped there is lost from what was sent on.

    Parameters
    ----------
    runs : name -> options of `resolve`, and the directory
    on : where to run, as for `pool`
    done : callable, optional
        Gets each name and summary as it is finished.

    Raises
    ------
    InputError
        If a finished run of other inputs stands in a directory; an unfinished one, without `keep.force`.
    """
    found: dict[str, Summary] = {}
    due: dict[str, tuple[RunSpec, Path]] = {}
    for name, (options, out) in runs.items():
        spec = resolve(**options)
        check_fit(spec)
        if (summary := kept(out, spec)) is None:
            owner.check(out)
            due[name] = spec, out
            continue
        found[name] = summary
        if done:
            done(name, summary)
    if due:
        with pool(on, most=len(due)) as workers:
            stop = None if workers.shared else any_stop([out for _, out in due.values()])
            for each in finished(_tasks(due, runs, workers, keep), workers, stop=stop):
                came = each.result()
                summary = came if workers.shared else _arrived(due[each.name][1], due[each.name][0], came)
                if summary is not None:
                    found[each.name] = summary
                    if done:
                        done(each.name, summary)
    return {name: found[name] for name in runs if name in found}


def any_stop(outs: list[Path]) -> Callable[[], bool]:
    """Return what says whether the runs of these directories are asked to stop."""
    files_ = {out.parent / STOP for out in outs}
    return lambda: any(file.exists() for file in files_)


def _tasks(
    due: Mapping[str, tuple[RunSpec, Path]], runs: Mapping[str, tuple[Options, Path]], workers: Pool, keep: Keep
) -> Iterator[tuple[str, Task]]:
    for name, (spec, out) in due.items():
        parcel = pack(spec, workers, runs[name][0].get("data"))
        if workers.shared:
            yield name, (in_place, (parcel, out.absolute(), keep))
        else:
            yield name, (away, (parcel, _left(out, spec, keep)))


def kept(out: Path, spec: RunSpec) -> Summary | None:
    """Return the summary of a run that stands finished in its directory, None if there is none.

    Raises
    ------
    InputError
        If it is of other inputs.
    """
    if not ((out / layout.RUN).is_file() and layout.state(out) == "finished"):
        return None
    if rundir.unlike(out, spec):
        raise InputError(
            key="--out", value=str(out), expected="a directory of these inputs, but its finished run has others"
        )
    return Summary.model_validate(earlier.summary(mapping(out / layout.SUMMARY)))


def in_place(parcel: Parcel, out: Path, keep: Keep) -> Summary | None:
    """Do a run in its directory, or go on with it; None if it was stopped before its first step."""
    with unpacked(parcel) as spec:
        return execute(spec, out, stop=(out.parent / STOP).exists, every_s=keep.every_s, force=keep.force)


def away(parcel: Parcel, left: Carried) -> Carried:
    """Do a run elsewhere, or go on with what was left of it, and return its directory."""
    with unpacked(parcel) as spec, files.scratch() as folder:
        lay_out(left, folder / "run")
        execute(spec, folder / "run", every_s=None)
        return content(folder / "run")


def _left(out: Path, spec: RunSpec, keep: Keep) -> Carried:
    """Return what an unfinished run of the same inputs has left; nothing if there is none, or it is to be replaced."""
    if not (out / layout.RUN).is_file():
        return {}
    if rundir.unlike(out, spec):
        if keep.force:
            return {}
        raise InputError(
            key="--out", value=str(out), expected="a new directory, but it has an unfinished run of other inputs",
            hint=f"archsim resume {out} goes on with that, --force replaces it",
        )  # fmt: skip
    return content(out)


def content(folder: Path) -> Carried:
    """Return a run directory as it is sent."""
    found = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != owner.LOCK)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def _arrived(out: Path, spec: RunSpec, came: Carried) -> Summary:
    """Write a run directory that a worker sent; until it is whole, its run.yaml says that the run is only begun."""
    with owner.owned(out):
        rundir.begin(out, spec)
        for name in sorted(came, key=lambda name: name == layout.RUN):
            with files.replacing(out / name) as aside:
                aside.write_bytes(came[name])
        checkpoint.clear(out)
    return Summary.model_validate_json(came[layout.SUMMARY])

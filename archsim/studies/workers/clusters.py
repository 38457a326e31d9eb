"""Schedulers of clusters: Dask's, and Slurm and flux through executorlib. Each needs the extra `cluster`."""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from archsim.base.errors import InputError, SystemFault, nearest

if TYPE_CHECKING:
    from archsim.studies.workers.pool import Pool

ANSWER_S = 10.0
"""How long a scheduler may take to answer, and to have a worker."""
_COUNT_S = 5.0
"""How often the workers of a scheduler are counted."""
RESTARTS = 3
"""How often executorlib begins a worker anew; the task it died of goes to the next one."""
OPTIONS = ("workers", "time", "memory")
"""Options of jobs that are not the queue's own: how many, how long one may take, and its memory."""
FOLDER = "archsim-workers"
"""Where jobs of their own say what went wrong, in the current folder; it is not removed."""
_TALKERS = ("distributed", "distributed.client", "distributed.core", "distributed.comm", "tornado")
_TEMPLATE = """\
#!/bin/bash
#SBATCH --job-name=archsim
#SBATCH --output=archsim-worker.out
#SBATCH --chdir={{{{working_directory}}}}
#SBATCH --ntasks={{{{cores}}}}
{own}
{{{{command}}}}
"""


def _missing(package: str, on: str, error: ImportError, extra: str = "cluster") -> InputError:
    return InputError(
        f"needs {package}, which is not installed ({error})",
        key=f"--on {on}",
        expected=f"pip install 'archsim[{extra}]'",
    )


def check_words(on: str, kind: str, told: str) -> None:
    """Refuse what names no scheduler of Dask's, or gives a queue an option that cannot be; asks nothing of either.

    Raises
    ------
    InputError
        As `dask` and `jobs`.
    """
    if kind == "dask":
        host, colon, port = told.rpartition(":")
        if not (host and colon and port.isdecimal()):
            raise InputError(key="--on", value=on, expected="dask://HOST:PORT, as the scheduler says it at its start")
        return
    options = _options(on, kind, told)
    for name in OPTIONS:
        _whole(on, options, name)


# --- Dask -------------------------------------------------------------------------------------------------------------
@contextmanager
def dask(on: str, address: str) -> Iterator[Pool]:
    """Yield the workers of a scheduler of Dask's; it and they go on when the study ends.

    Raises
    ------
    InputError
        If the extra is not installed, or the address is none.
    SystemFault
        If the scheduler does not answer, or has no workers, within `ANSWER_S`.
    """
    check_words(on, "dask", address)
    try:
        from distributed import Client
    except ImportError as error:
        raise _missing("distributed", on, error) from error
    for name in _TALKERS:  # they tell on standard error what is told here in a line
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        client: Any = cast("Any", Client)(f"tcp://{address}", timeout=ANSWER_S, name="archsim", set_as_default=False)
    except (OSError, TimeoutError) as error:
        raise SystemFault(f"--on {on}: the scheduler did not answer within {ANSWER_S:g} s") from error
    try:
        try:
            client.wait_for_workers(1, timeout=ANSWER_S)
        except (OSError, TimeoutError) as error:
            raise SystemFault(f"--on {on}: the scheduler has no workers, for {ANSWER_S:g} s") from error
        executor = client.get_executor(pure=False)
        try:
            yield of_dask(executor, on)
        finally:
            executor.shutdown(wait=False)
    finally:
        client.close(timeout=ANSWER_S)


def of_dask(executor: Executor, name: str = "Dask") -> Pool:
    """Return an executor of a client of Dask's as a pool; the scheduler sends the task of a worker that died again."""
    from distributed.scheduler import KilledWorker

    from archsim.studies.workers.pool import Pool

    client: Any = executor._client  # type: ignore[attr-defined]  # noqa: SLF001  it has no door for it

    def check() -> None:
        if client.status != "running":
            raise SystemFault(
                f"{name}: the scheduler went away; what was finished is kept, the same command goes on with the rest"
            )

    return Pool(
        executor, name, _counted(client), shared=False, lost=(KilledWorker,), again=False, check=check
    )  # fmt: skip


def _counted(client: Any) -> Callable[[], int]:
    """Return what says how many tasks a scheduler should have now, as workers come and go."""
    last, number = -_COUNT_S, 1

    from archsim.studies.workers.pool import AHEAD

    def ahead() -> int:
        nonlocal last, number
        if time.monotonic() - last >= _COUNT_S:
            try:
                number = max(sum(client.nthreads().values()), 1)
            except (OSError, TimeoutError, AttributeError):  # it is not connected: `check` says so
                number = max(number, 1)
            last = time.monotonic()
        return AHEAD * number

    return ahead


# --- Slurm and flux ---------------------------------------------------------------------------------------------------
@contextmanager
def jobs(on: str, kind: str, told: str, *, most: int) -> Iterator[Pool]:
    """Yield workers that Slurm or flux begins: steps of the allocation this runs in, or jobs of their own.

    Parameters
    ----------
    on : str
        The whole option, for errors.
    kind : "slurm" or "flux"
    told : str
        "workers=8,time=3600,partition=short,account=me": how many workers, seconds and GB of each; any other option
        goes to Slurm as "--NAME=VALUE".
    most : int
        Tasks at most.

    Raises
    ------
    InputError
        If the extra or the scheduler is not installed, or an option is wrong.
    """
    command, inside = check_jobs(on, kind, told)
    options = _options(on, kind, told)
    workers = max(min(_whole(on, options, "workers") or _allocated(kind) or most, most), 1)
    resources = _resources(on, kind, options, inside=inside)
    try:
        import executorlib

        chosen = {
            "slurm": ("SlurmClusterExecutor", "SlurmJobExecutor"),
            "flux": ("FluxClusterExecutor", "FluxJobExecutor"),
        }
        made = getattr(executorlib, chosen[kind][inside])
        restarts = {"restart_limit": RESTARTS} if inside else {}
        executor = made(max_workers=workers, resource_dict=resources, block_allocation=True, **restarts)
    except ImportError as error:
        raise _missing(f"executorlib and what it needs for {command}", on, error, _extra(command)) from error
    try:
        yield of_executorlib(executor, on)
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def check_jobs(on: str, kind: str, told: str) -> tuple[str, bool]:
    """Return the command that begins workers, and whether they are steps of an allocation; begins none.

    Raises
    ------
    InputError
        As `jobs`.
    """
    options = _options(on, kind, told)
    inside = bool(os.environ.get("SLURM_JOB_ID" if kind == "slurm" else "FLUX_URI"))
    command = {"slurm": "srun" if inside else "sbatch", "flux": "flux"}[kind]
    if shutil.which(command) is None:
        raise InputError(
            f"needs {command}, which is not here", key=f"--on {on}", expected=f"a machine of a {kind} cluster"
        )
    _whole(on, options, "workers")
    _resources(on, kind, options, inside=inside)
    for package in ("executorlib", *(("pysqa",) if command == "sbatch" else ())):
        if find_spec(package) is None:
            raise _missing(package, on, ImportError(f"No module named {package!r}"), _extra(command))
    return command, inside


def _extra(command: str) -> str:
    return "sbatch" if command == "sbatch" else "cluster"


def of_executorlib(executor: Executor, name: str = "executorlib") -> Pool:
    """Return an executor of executorlib's as a pool; it sends a task again itself when a worker dies."""
    from executorlib.standalone.interactive.communication import ExecutorlibSocketError

    from archsim.studies.workers.pool import AHEAD, Pool

    workers = int(getattr(executor, "max_workers", None) or 1)
    return Pool(
        executor, name, lambda: AHEAD * workers, shared=False, lost=(ExecutorlibSocketError,), again=False, mortal=True
    )  # fmt: skip


def _options(on: str, kind: str, told: str) -> dict[str, str]:
    found = {}
    for part in filter(None, told.split(",")):
        name, equals, value = part.partition("=")
        if not (equals and name.strip() and value.strip()):
            raise InputError(
                key="--on", value=on, expected=f"{kind}:NAME=VALUE,..., such as {kind}:workers=8,time=3600"
            )
        found[name.strip()] = value.strip()
    if kind == "flux" and (odd := [name for name in found if name not in OPTIONS]):
        raise InputError(
            key="--on", value=on, expected=f"{', '.join(OPTIONS)} alone, for flux", hint=nearest(odd[0], OPTIONS)
        )  # fmt: skip
    return found


def _whole(on: str, options: Mapping[str, str], name: str) -> int | None:
    if name not in options:
        return None
    if not options[name].isdecimal() or int(options[name]) < 1:
        raise InputError(
            f"{name}={options[name]}", key="--on", value=on, expected=f"{name}=N, a whole number from 1 on"
        )
    return int(options[name])


def _allocated(kind: str) -> int | None:
    """Return how many tasks the allocation that this runs in is for, if it says so."""
    told = os.environ.get("SLURM_NTASKS", "") if kind == "slurm" else ""
    return int(told) if told.isdecimal() else None


def _resources(on: str, kind: str, options: Mapping[str, str], *, inside: bool) -> dict[str, Any]:
    """Return what executorlib asks for each worker: a core; the queue's own options as it takes them."""
    found: dict[str, Any] = {"cores": 1}
    if seconds := _whole(on, options, "time"):
        found["run_time_max"] = seconds
    memory = _whole(on, options, "memory")
    own = [f"--{name}={value}" for name, value in options.items() if name not in OPTIONS]
    own += [f"--mem={memory}G"] if memory and kind == "slurm" else []
    if kind == "slurm" and inside:
        found["slurm_cmd_args"] = own
    elif kind == "slurm":
        if seconds:
            own.append(f"--time={max(seconds // 60, 1)}")
        found["cwd"] = str(Path(FOLDER).absolute())
        found["submission_template"] = _TEMPLATE.format(own="\n".join(f"#SBATCH {each}" for each in own))
    return found

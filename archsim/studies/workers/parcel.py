"""A run as it can be sent: what its directory begins with, run.yaml and copies of all inputs, and its key.

Data sets known by name do not travel: a worker looks for them, and finds the same bytes or says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from archsim.base import files
from archsim.base.errors import DataError, InputError, ModelError
from archsim.data.datasets import VARIABLE
from archsim.records.reopen import reopen
from archsim.runs import rundir
from archsim.runs.identity import point_key
from archsim.runs.spec import RunSpec
from archsim.studies.workers.perform import here
from archsim.studies.workers.pool import Pool


@dataclass(frozen=True, slots=True)
class Parcel:
    """A run to be done.

    Parameters
    ----------
    files : path below the run directory, with "/" -> content
    key : see `identity.point_key`; what is unpacked must have it, too
    data : folder of data sets; None where the worker's own are to be found
    away : whether the worker is elsewhere
    """

    files: Mapping[str, bytes] = field(repr=False)
    key: str
    data: Path | None
    away: bool


def pack(spec: RunSpec, pool: Pool, data: Path | None = None) -> Parcel:
    """Return a run as a parcel for the workers of a pool; `data` is what `resolve` was given."""
    return Parcel(rundir.beginning(spec), point_key(spec), data if pool.shared else None, not pool.shared)


@contextmanager
def unpacked(parcel: Parcel) -> Iterator[RunSpec]:
    """Yield the run of a parcel, as long as its files are needed.

    Raises
    ------
    InputError
        If its data are not found here, or others.
    """
    with files.scratch() as folder:
        lay_out(parcel.files, folder)
        try:
            spec = reopen(folder, data=parcel.data)
        except InputError as error:
            if not (parcel.away and (isinstance(error, DataError) or error.key == "--data")):
                raise
            raise DataError(
                f"on the worker {here()}: {error.message or error}", key=f"${VARIABLE}",
                expected="there, in the environment of the worker, a folder with the same data as here",
            ) from error  # fmt: skip
        if (key := point_key(spec)) != parcel.key:
            raise ModelError(f"{here()} made another run of what it was sent: {key}, not {parcel.key}")
        yield spec


def lay_out(content: Mapping[str, bytes], folder: Path) -> None:
    """Write files into a folder that is the caller's alone."""
    for name, each in content.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(each)

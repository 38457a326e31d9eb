"""A run as it can be sent, and its key.

To workers that see the files of this machine it goes as it was resolved; elsewhere as what its directory begins with,
run.yaml and copies of all inputs. Data sets known by name never travel: a worker reads them itself, and has the same
bytes or says so.
"""

from __future__ import annotations

import atexit
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from archsim.base import files
from archsim.base.errors import DataError, InputError, ModelError
from archsim.data.datasets import VARIABLE
from archsim.records.reopen import reopen
from archsim.runs import rundir
from archsim.runs.identity import point_key
from archsim.runs.layout import RUN
from archsim.runs.spec import RunSpec
from archsim.studies.workers.perform import here
from archsim.studies.workers.pool import Pool


@dataclass(frozen=True, slots=True)
class Parcel:
    """A run to be done.

    Parameters
    ----------
    content : RunSpec without its data; or path below a run directory, with "/" -> bytes
    key : see `identity.point_key`; what is unpacked must have it, too
    sha256, origin : of the data, and in words
    data : folder of data sets; None where the worker's own are to be found
    """

    content: RunSpec | Mapping[str, bytes] = field(repr=False)
    key: str
    sha256: str
    origin: str
    data: Path | None


def pack(spec: RunSpec, pool: Pool, data: Path | None = None) -> Parcel:
    """Return a run as a parcel for the workers of a pool; `data` is what `resolve` was given."""
    told = point_key(spec), spec.dataset.sha256, spec.dataset.origin
    if pool.shared:
        return Parcel(replace(spec, dataset=_NONE), *told, data)
    return Parcel(rundir.beginning(spec), *told, None)


@contextmanager
def unpacked(parcel: Parcel) -> Iterator[RunSpec]:
    """Yield the run of a parcel; its files are there as long as it is worked with.

    Raises
    ------
    InputError
        If its data are not found here, or others.
    """
    if isinstance(parcel.content, RunSpec):
        dataset = parcel.content.workload.load(parcel.data)
        if dataset.sha256 != parcel.sha256:
            raise DataError(f"were {parcel.origin}, and are {dataset.origin} now", key="data", expected="the same")
        yield _checked(replace(parcel.content, dataset=dataset), parcel)
        return
    try:
        spec = reopen(laid_out(parcel.content))
    except InputError as error:
        if not (isinstance(error, DataError) or error.key == "--data"):
            raise
        raise DataError(
            f"on the worker {here()}: {error.message or error}", key=f"${VARIABLE}",
            expected="there, in the environment of the worker, a folder with the same data as here",
        ) from error  # fmt: skip
    yield _checked(spec, parcel)


_shelves = threading.local()
"""Of each thread: digest of inputs -> what removes the folder that they lie in, and the folder."""
SHELVES = 4


def laid_out(content: Mapping[str, bytes]) -> Path:
    """Return a folder with a parcel's files, which the next parcel of the same inputs finds again.

    So what is read by its path is read once, however many points a study has.
    """
    digest = hashlib.sha256()
    for name in sorted(content.keys() - {RUN}):
        digest.update(f"{name} {len(content[name])} ".encode() + content[name])
    shelves: OrderedDict[bytes, tuple[ExitStack, Path]] = _shelves.__dict__.setdefault("found", OrderedDict())
    if (key := digest.digest()) not in shelves:
        if len(shelves) == SHELVES:
            shelves.popitem(last=False)[1][0].close()
        kept = ExitStack()
        shelves[key] = kept, kept.enter_context(files.scratch())
        atexit.register(kept.close)
        lay_out(content, shelves[key][1])
    shelves.move_to_end(key)
    lay_out({RUN: content[RUN]}, shelves[key][1])
    return shelves[key][1]


_NONE: Any = None


def _checked(spec: RunSpec, parcel: Parcel) -> RunSpec:
    if (key := point_key(spec)) != parcel.key:
        raise ModelError(f"{here()} made another run of what it was sent: {key}, not {parcel.key}")
    return spec


def lay_out(content: Mapping[str, bytes], folder: Path) -> None:
    """Write files into a folder that is the caller's alone."""
    for name, each in content.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(each)

"""From a finished run's directory back to what can be run: its spec, checked against the files, and trained chips."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from archsim.accounting.technology import Technology
from archsim.base import registry
from archsim.base.errors import InputError
from archsim.base.files import display, sha256
from archsim.base.streams import Streams
from archsim.base.yamlfile import STORED
from archsim.chips.architecture import Architecture
from archsim.chips.chip import Chip
from archsim.data.dataset import Source
from archsim.records.technologies import find, named
from archsim.runs import layout, state
from archsim.runs.inputs import ARCHITECTURES, WORKLOAD, kept
from archsim.runs.spec import RunSpec, input_bound
from archsim.runs.train import build_chip
from archsim.runs.workload import Workload


def reopen(path: Path, *, data: Path | None = None, techs: Sequence[str] = ()) -> RunSpec:
    """Return the spec of a run, from its run.yaml and the files it names.

    Parameters
    ----------
    path : path
        Run directory.
    data : path, optional
        Folder with the files of the data set.
    techs : sequence of str
        Files of technologies, to be used in place of the copies that the run keeps.

    Raises
    ------
    InputError
        If the directory holds no run, or a device file, a technology or the data set is not what it was.
    """
    run, file = layout.read_run(path), display(path / layout.RUN)
    layout.refuse_metered(run, file)
    architectures, workload = stored_architectures(path), stored_workload(path)
    with _as_written(file):
        inputs = {str(name): str(digest) for name, digest in run["inputs"].items()}
        seed, preset, settings = int(run["seed"]), run["preset"], tuple(dict(run["settings"]).items())
        wanted = str(run["dataset"]["sha256"]), str(run["dataset"]["origin"])
    dataset = _dataset(workload, data, wanted)
    return RunSpec(
        workload=workload, network=workload.build(bound=input_bound(dataset)), architectures=architectures,
        technologies=_technologies(path, run, techs), dataset=dataset, seed=seed,
        preset=preset, settings=settings, inputs=inputs, copies=kept(path / layout.INPUTS),
        figures=tuple((run.get("figures") or {}).items()), given=run.get("given") or {},
        over=run.get("over"),
    )  # fmt: skip


def stored_workload(path: Path) -> Workload:
    """Return the workload of a run, from its run.yaml.

    Raises
    ------
    InputError
        If the directory holds no run.
    """
    run = layout.read_run(path)
    with _as_written(display(path / layout.RUN)):
        return Workload.model_validate(run["workload"], context=STORED).at(path / layout.INPUTS / WORKLOAD)


def stored_architectures(path: Path) -> tuple[Architecture, ...]:
    """Return the architectures of a run, from its run.yaml; the device files they name are what they were.

    Raises
    ------
    InputError
        If the directory holds no run, or a device file has changed.
    """
    run = layout.read_run(path)
    with _as_written(display(path / layout.RUN)):
        found = tuple(_architecture(path, values) for values in run["architectures"])
        digests = set(run["inputs"].values())
    for used in (file for architecture in found for file in architecture.files()):
        if sha256(used) not in digests:
            raise InputError("has changed since the run", file=display(used), expected="the file it was done with")
    return found


def trained_chip(path: Path, spec: RunSpec, architecture: Architecture) -> Chip:
    """Return a chip of a reopened run as it stood at the end of its training.

    Raises
    ------
    InputError
        If there is no saved state, or it is not this chip's.
    """
    saved = state.load(path, layout.read_run(path), architecture.name)
    chip = build_chip(architecture, spec, Streams(spec.seed))
    state.wake(chip, saved)
    return chip


def with_state(path: Path, names: Sequence[str]) -> list[str]:
    """Return the chips of a run whose trained state was saved, of those named; an interrupted run has some without.

    Raises
    ------
    InputError
        If there is none, or a finished run lacks that of a chip while it has another's.
    """
    found = [name for name in names if state.state_file(path, name).is_file()]
    if found and (lost := [name for name in names if name not in found]) and layout.state(path) == "finished":
        raise InputError(
            "is missing", file=display(state.state_file(path, lost[0])),
            expected=f"the trained state of {lost[0]}, which the run saved",
        )  # fmt: skip
    if not found:
        raise InputError(
            "holds no trained state of a chip (state-*.npz)", file=display(path),
            hint="Runs of earlier versions saved none: do the run again with this version",
        )  # fmt: skip
    return found


@contextmanager
def _as_written(file: str) -> Iterator[None]:
    """Turn what a damaged run.yaml leads to into an error that names it."""
    try:
        yield
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise InputError(first["msg"], file=file, key=key, expected="what archsim wrote") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"lacks something ({error})", file=file, expected="the YAML that archsim wrote") from error


def _architecture(path: Path, values: dict[str, Any]) -> Architecture:
    schema: type[Architecture] = registry.load("chip", str(values["chip"])).SCHEMA
    found: Architecture = schema.model_validate(values, context=STORED)
    return found.at(path / layout.INPUTS / ARCHITECTURES / found.name)


def _technologies(path: Path, run: Mapping[str, Any], given: Sequence[str]) -> tuple[Technology, ...]:
    """Return the run's technologies in their order, as they priced it."""
    known = named(path, run)
    return tuple(find(path, known, each.name, given=given).same() for each in known)


def _dataset(workload: Workload, folder: Path | None, wanted: tuple[str, str]) -> Source:
    found = workload.load(folder)
    if found.sha256 != wanted[0]:
        raise InputError(
            f"the run was done on {wanted[1]}, but here is {found.origin}", key="--data",
            value=None if folder is None else str(folder), expected="a folder with the data of the run",
        )  # fmt: skip
    return found

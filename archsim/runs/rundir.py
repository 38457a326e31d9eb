"""One run, one directory: what is in it, its state, and that nothing in it is ever half written or lost."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from archsim.accounting.bill import price_ends
from archsim.base import files
from archsim.base.signal import STEP_PHASES
from archsim.chips.activity import KEPT
from archsim.runs import inputs, machine, suited
from archsim.runs.identity import identity
from archsim.runs.layout import (
    ACTIVITY,
    AREA,
    COURSE,
    ENERGY,
    INPUTS,
    RESULTS,
    RUN,
    SAMPLES,
    SCHEMA,
    STATES,
    SUMMARY,
    TRAINING,
    read_run,
)
from archsim.runs.spec import RunSpec
from archsim.runs.summarise import cumulative_energy, price_all, summarise
from archsim.runs.summary import Summary
from archsim.runs.train import Trained

_version = cache(version)  # each asks the disk
PACKAGES = ("numpy", "numba", "scipy", "simpy", "pandas", "pydantic")


def unlike(path: Path, spec: RunSpec) -> bool:
    """Return whether a directory holds the run of another spec."""
    return (path / RUN).is_file() and identity(read_run(path)) != identity(_content(spec, "running"))


def begin(path: Path, spec: RunSpec) -> None:
    """Write run.yaml with state "running" and the inputs, and remove the results of an unfinished run before."""
    for old in (
        *(path / name for name in RESULTS),
        *path.glob(STATES),
        *path.glob(SAMPLES),
    ):
        old.unlink(missing_ok=True)
    _write_run(path, spec, "running")  # first: a directory that holds copies alone would be nobody's
    inputs.keep(path / INPUTS, spec.copies)


def finish(path: Path, spec: RunSpec, trained: Sequence[Trained], wall_s: float) -> Summary:
    """Write every file of a run and return its summary; the state is "partial" if the training was interrupted."""
    done = [one for one in trained if one.steps]
    summary = summarise(spec, done, wall_s)
    if len(done) < len(spec.architectures):
        summary = summary.model_copy(update={"state": "partial"})
    _write_table(path / ACTIVITY, _activity(done))
    _write_table(path / COURSE, _course(done))
    _write_table(path / ENERGY, _energy(spec, done))
    _write_table(path / AREA, _area(spec, done))
    _write_table(path / TRAINING, _training(spec, done))
    files.write_text(path / SUMMARY, json.dumps(summary.model_dump(by_alias=True), indent=2, ensure_ascii=False) + "\n")
    _write_run(path, spec, summary.state, results={name: files.sha256(path / name) for name in RESULTS})
    return summary


def abandon(path: Path, spec: RunSpec) -> None:
    """Mark a run that was interrupted before its first step as partial."""
    _write_run(path, spec, "partial")


def beginning(spec: RunSpec) -> dict[str, bytes]:
    """Return what `begin` writes, path below the directory -> content: all that it takes to do the run elsewhere."""
    kept = {f"{INPUTS}/{name}": content for name, content in inputs.contents(spec.copies).items()}
    return {RUN: _run_text(spec, "running").encode(), **kept}


def _write_run(path: Path, spec: RunSpec, state_: str, *, results: Mapping[str, str] | None = None) -> None:
    files.write_text(path / RUN, _run_text(spec, state_, results))


def _run_text(spec: RunSpec, state_: str, results: Mapping[str, str] | None = None) -> str:
    """Return run.yaml; `results` are the SHA-256 of the files of results, where they are written."""
    quick = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # in C, where PyYAML has it
    content = _content(spec, state_) | ({"results": dict(results)} if results else {})
    return str(yaml.dump(content, Dumper=quick, sort_keys=False, allow_unicode=True, width=120))


def _content(spec: RunSpec, state_: str) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "state": state_,
        "archsim": _version("archsim"),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "machine": machine.description(),
        "seed": spec.seed,
        "preset": spec.preset,
        "settings": dict(spec.settings),
        "figures": dict(spec.figures),
        "given": dict(spec.given),
        "over": spec.over,
        "dataset": {"name": spec.dataset.name, "origin": spec.dataset.origin, "sha256": spec.dataset.sha256},
        "inputs": spec.inputs,
        "technologies": [
            {
                "name": t.name, "title": t.title, "sha256": t.sha256, "times_sha256": t.times_hash,
                "times_s": {key: time.value for key, time in t.times.items()},
            }
            for t in spec.technologies
        ],
        "workload": _workload(spec),
        "programs": {program.name: program.sha256 for program in spec.network.programs},
        "architectures": [a.model_dump(by_alias=True) for a in spec.architectures],
        "notes": [f"{a.name}: {note}" for a in spec.architectures for note in suited.notes(a, spec.technologies)],
        "nonidealities_on": {a.name: [] if spec.metered else a.switched_on() for a in spec.architectures},
        "units": "SI throughout: seconds, metres, siemens, joules",
        **({} if spec.metered is None else {"metered": list(spec.metered.told)}),
    }  # fmt: skip


def _workload(spec: RunSpec) -> dict[str, Any]:
    """Return the workload as run.yaml has it: a metered one does not say rate and epochs, which were the loop's own."""
    found: dict[str, Any] = spec.workload.model_dump(by_alias=True)
    if spec.metered is not None:
        found["training"] = {key: value for key, value in found["training"].items() if value != 0}
    return found


def _write_table(path: Path, rows: list[dict[str, Any]]) -> None:
    import pandas as pd

    with files.replacing(path) as aside:
        pd.DataFrame([{key: files.no_formula(cell) for key, cell in row.items()} for row in rows]).to_csv(
            aside, index=False
        )


def _activity(trained: Sequence[Trained]) -> list[dict[str, Any]]:
    return [
        {
            "architecture": one.architecture.name, "phase": row.phase, "layer": row.layer, "component": row.component,
            "action": row.action, "key": entry.key, "function": entry.action.function, "part": entry.action.part,
            "circuit": entry.action.circuit, "amount": row.amount,
            "amount_unit": entry.action.unit or "1", "amount_per_step": row.amount / one.steps,
            "sizes": ";".join(f"{name}={value:.17g}" for name, value in sorted(entry.sizes.items())),
            "times": ";".join(entry.times), "what": entry.action.what,
        }
        for one in trained
        for entries in [{(e.component, e.key.partition(".")[2]): e for e in one.entries}]
        for row in one.rows
        for entry in [entries[row.component, row.action]]
    ]  # fmt: skip


def _course(trained: Sequence[Trained]) -> list[dict[str, Any]]:
    """Return, for each point of each training, the amounts since its start that tell how busy units were."""
    return [
        {
            "architecture": one.architecture.name, "step": point.step, "samples": point.samples, "phase": row.phase,
            "layer": row.layer, "component": row.component, "action": row.action, "amount": row.amount,
        }
        for one in trained
        for point in one.points
        for row in point.rows
        if row.phase in STEP_PHASES and (row.component, row.action) in KEPT
    ]  # fmt: skip


def _energy(spec: RunSpec, trained: Sequence[Trained]) -> list[dict[str, Any]]:
    return [
        {
            "technology": name, "architecture": priced.trained.architecture.name, "phase": line.phase,
            "in_step": line.phase in STEP_PHASES, "layer": line.layer, "component": line.component,
            "action": line.action, "key": line.key, "function": line.function, "inside_boundary": line.inside,
            "amount": line.amount, "amount_unit": line.unit or "1", "figure": line.figure,
            "price_J_per_unit": line.price, "price_low_J_per_unit": ends[line.component, line.action][0],
            "price_high_J_per_unit": ends[line.component, line.action][1], "energy_J": line.energy_J,
            "energy_per_step_J": line.energy_J / priced.trained.steps, "basis": line.basis, "source": line.source,
            "note": line.reason,
        }
        for name, bills in price_all(spec, trained).items()
        for priced in bills
        for ends in [price_ends(priced.trained.entries, priced.technology)]
        for line in priced.bill.lines
    ]  # fmt: skip


def _area(spec: RunSpec, trained: Sequence[Trained]) -> list[dict[str, Any]]:
    return [
        {
            "technology": name, "architecture": priced.trained.architecture.name, "component": line.component,
            "key": line.key, "part": line.part, "amount": line.amount, "amount_unit": line.unit or "1",
            "figure": line.figure, "area_m2_per_unit": line.price_m2, "area_m2": line.area_m2,
            "low_m2": line.low_m2, "high_m2": line.high_m2, "basis": line.basis, "source": line.source,
            "note": line.reason,
        }
        for name, bills in price_all(spec, trained).items()
        for priced in bills
        for line in priced.area.lines
    ]  # fmt: skip


def _training(spec: RunSpec, trained: Sequence[Trained]) -> list[dict[str, Any]]:
    energies = {
        (one.architecture.name, technology.name): cumulative_energy(one, technology)
        for one in trained
        for technology in spec.technologies
    }
    return [
        {
            "architecture": one.architecture.name, "step": point.step, "samples": point.samples, "epoch": point.epoch,
            "learning_rate": point.learning_rate, "running": point.running,
            "test": point.test, "simulated_time_s": point.simulated_time_s,
            **{f"energy_J_{t.name}": energies[one.architecture.name, t.name][index] for t in spec.technologies},
        }
        for one in trained
        for index, point in enumerate(one.points)
    ]  # fmt: skip

"""Train networks on their chips, or take runs that are there, and set what each cost beside the first of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from archsim.base import files
from archsim.base.errors import InputError
from archsim.base.streams import Streams
from archsim.records import recorded
from archsim.runs import layout, rundir
from archsim.runs.checkpoint import EVERY_S
from archsim.runs.spec import DEFAULT_TECHNOLOGIES, RunSpec, resolve
from archsim.runs.summary import Summary
from archsim.runs.train import evaluation_steps, task_of, total_steps
from archsim.studies.costs.asked import asked
from archsim.studies.costs.reach import Reached, reached
from archsim.studies.costs.spent import NetworkCost, spent
from archsim.studies.costs.times import StepTime, times
from archsim.studies.workers.directories import Keep, run_directories
from archsim.studies.workers.points import Options
from archsim.studies.workers.pool import PROCESSES, On

WORKLOADS = ("mlp-mnist", "lenet-mnist", "cnn-cifar10", "lstm-text", "gan-mnist", "gpt-text")
"""What is looked at if nothing is named; the others are set beside the first."""
PRESET = "quick"
RUNS = "runs"
"""Folder of the trainings."""
MACS_PER_S, BEGIN_S = 1.5e9, 5.0
"""About so fast is one core with the chips of the shipped workloads, tests among it, and about so long until a training
begins: measured here, good within a factor of two or three, for a word beforehand."""


@dataclass(frozen=True)
class Job:
    """One run to look at.

    Parameters
    ----------
    label : str
        The workload's name; with its chips where it is trained on those of others.
    folder : path
        Its run directory.
    options : options of `resolve`; None for a directory that was given
    state : "given", "finished", "unfinished" (to go on with), or "new"
    steps, batch : of the training
    seconds : that it may take, roughly; 0 of what is there
    note : what must be said of it
    """

    label: str
    folder: Path
    options: Options | None
    state: str
    steps: int
    batch: int
    seconds: float = 0.0
    note: str = ""

    @property
    def due(self) -> bool:
        """Whether there is something to train."""
        return self.state in {"unfinished", "new"}


@dataclass(frozen=True)
class Costs:
    """What was found.

    Parameters
    ----------
    networks : the reference first
    reached : label -> joules to reach the level that all of its chips reached; None where nothing was tested
    times : label -> chip -> the time of a step; empty if that was not asked for
    """

    networks: tuple[NetworkCost, ...]
    reached: dict[str, Reached | None]
    times: dict[str, dict[str, StepTime]] = field(default_factory=dict)

    @property
    def reference(self) -> NetworkCost:
        """The network beside which the others are set."""
        return self.networks[0]

    def beside(self, network: NetworkCost) -> NetworkCost:
        """Return the run of the reference that a network is set beside: on the same chips, where there is one."""
        name = self.reference.run.summary["workload"]
        same = (
            each for each in self.networks
            if each.run.summary["workload"] == name and set(each.chips) == set(network.chips)
        )  # fmt: skip
        return self.reference if network is self.reference else next(same, self.reference)


def plan(
    given: Sequence[str] = (), *, out: Path, preset: str | None = PRESET, seed: int = 1, steps: int | None = None,
    tests: int | None = None, techs: Sequence[str] = DEFAULT_TECHNOLOGIES, data: Path | None = None,
    force: bool = False,
) -> list[Job]:  # fmt: skip
    """Return the runs to look at, and which of them are there; trains nothing.

    Parameters
    ----------
    given : workloads, by name or file, and run directories; `WORKLOADS` if empty
        The others are set beside the first. A first one that is a workload is trained on the others' chips, too, so
        that what the chips change is told from what the network changes.
    out : path
        OUT/runs/LABEL is the directory of each training: what is finished there is kept, what is not goes on.
    preset, seed, steps, techs, data : as for a run
    tests : of each training, evenly over it, about; those of the preset if None
    force : replace unfinished and finished runs of other inputs

    Raises
    ------
    InputError
        If a workload, an option or a directory is wrong, or a run of other inputs is in the way.
    """
    files.check_folder(out)
    if tests is not None and tests < 1:
        raise InputError(key="--tests", value=tests, expected="a whole number from 1 on")
    named = list(dict.fromkeys(given)) or list(WORKLOADS)
    common: Options = {"preset": preset, "seed": seed, "steps": steps, "techs": tuple(techs), "data": data}
    jobs, specs = [], dict[str, RunSpec]()
    for each in named:
        if Path(each).is_dir():
            jobs.append(_given(Path(each)))
            continue
        options = {"workload": each, **common}
        spec = resolve(**options)
        if tests:
            options |= _tested(spec, tests)
            spec = resolve(**options)
        if spec.workload.name in specs:
            if not spec.instead_of:
                raise InputError(
                    key="WORKLOAD", value=each, expected=f"each workload once: {spec.workload.name} is there"
                )
            continue  # it stands in for data that were not found, and is there itself
        specs[spec.workload.name] = spec
        jobs.append(_job(spec.workload.name, options, spec, out, force=force))
    first = specs.get(jobs[0].label)
    if first is None:
        return jobs
    own, before = _chips(first), list(jobs)
    for chips in dict.fromkeys(_chips(spec) for spec in specs.values()):
        if chips != own:
            options = {"workload": named[0], **common, "archs": _given_archs(specs, chips)}
            options |= _tested(first, tests) if tests else {}
            label = f"{first.workload.name}-on-{'-and-'.join(chips)}"
            before.insert(1, _job(label, options, resolve(**options), out, force=force))
    return before


def _tested(spec: RunSpec, tests: int) -> Options:
    """Return the setting with which a training has about so many tests."""
    steps, per_epoch = total_steps(spec)
    return {"settings": (f"training.evaluations_per_epoch={max(round(tests * per_epoch / steps), 1)}",)}


def _chips(spec: RunSpec) -> tuple[str, ...]:
    return tuple(each.name for each in spec.architectures)


def _given_archs(specs: dict[str, RunSpec], chips: tuple[str, ...]) -> tuple[str, ...]:
    """Return how the chips are called in the workload that is trained on them."""
    return tuple(next(spec for spec in specs.values() if _chips(spec) == chips).given["archs"])


def _given(path: Path) -> Job:
    run = layout.read_run(path)
    if run.get("state") != "finished":
        raise InputError(
            key="DIR", value=str(path), expected="the directory of a finished run",
            hint=f"archsim resume {path} goes on with it",
        )  # fmt: skip
    training = run["workload"]["training"]
    return Job(str(path), path, None, "given", int(training.get("steps") or 0), int(training["batch"]))


def _job(label: str, options: Options, spec: RunSpec, out: Path, *, force: bool) -> Job:
    folder, (steps, _) = out / RUNS / label, total_steps(spec)
    batch, note = spec.training.batch, ""
    if spec.instead_of:
        note = f"in place of {spec.instead_of}, whose data were not found"
    state = "new"
    if (folder / layout.RUN).is_file():
        unlike = rundir.unlike(folder, spec)
        if unlike and not force:
            raise InputError(
                key="--out", value=str(folder), expected="a run of these inputs, but it has one of others",
                hint="--force trains it again, another --out beside it",
            )  # fmt: skip
        state = "new" if unlike else "finished" if layout.state(folder) == "finished" else "unfinished"
    job = Job(label, folder, options, state, steps, batch, note=note)
    return replace(job, seconds=_seconds(spec)) if job.due else job


def _seconds(spec: RunSpec) -> float:
    """Return about how long a training takes on one core [s], by its multiply-accumulates and those of its tests."""
    asks, (steps, per_epoch) = asked(spec.network, spec.training.batch), total_steps(spec)
    tests = 1 + len(evaluation_steps(steps, per_epoch, spec.training.evaluations_per_epoch))
    task = task_of(spec, Streams(spec.seed))
    macs = steps * asks.batch * asks.total + tests * task.tests / task.sample.parts * asks.macs["forward"]
    return len(spec.architectures) * (BEGIN_S + macs / MACS_PER_S)


def minutes(seconds: float) -> str:
    """Return a time that is known roughly, in words."""
    return f"{max(round(seconds / 60), 1)} min"


def carry_out(
    jobs: Sequence[Job], *, done: Callable[[str, Summary], None] | None = None, on: On = PROCESSES,
    every_s: float | None = EVERY_S,
) -> bool:  # fmt: skip
    """Do the runs that are due, side by side; return whether all are finished.

    Parameters
    ----------
    done : callable, optional
        Gets each label and summary as it is finished.
    on : where to run, as for `archsim.studies.workers.pool.pool`
    every_s : seconds between two checkpoints, as for a run
    """
    due = sorted((job for job in jobs if job.due), key=lambda job: -job.seconds)
    for job in due:
        if job.state == "new" and job.folder.is_dir():
            shutil.rmtree(job.folder)  # a run of other inputs, which --force gives up

    def told(label: str, summary: Summary) -> None:
        if done and summary.state == "finished":
            done(label, summary)

    runs = {job.label: (job.options or {}, job.folder) for job in due}
    found = run_directories(runs, on=on, done=told, keep=Keep(every_s))
    return len(found) == len(runs) and all(summary.state == "finished" for summary in found.values())


def costs(
    jobs: Sequence[Job], *, timed: bool = False, data: Path | None = None, done: Callable[[str], None] | None = None
) -> Costs:  # fmt: skip
    """Read finished runs and return what each network cost.

    Parameters
    ----------
    timed : bool
        Do a step of each run again and say where its time goes; `data` is the folder with the runs' data, and `done`
        gets each label.

    Raises
    ------
    InputError
        If a directory holds no finished run, or its files contradict each other.
    """
    networks: list[NetworkCost] = []
    reach: dict[str, Reached | None] = {}
    for job in jobs:
        run = recorded.read(job.folder)
        label = str(run.summary["workload"])
        if label in reach:
            label += f" on {' and '.join(run.architectures)}"
        label = files.display(job.folder) if label in reach else label
        networks.append(spent(label, run))
        reach[label] = reached(run)
    spans = {}
    for each in networks if timed else ():
        spans[each.label] = times(each, data=data)
        if done:
            done(each.label)
    return Costs(tuple(networks), reach, spans)


def content(found: Costs) -> dict[str, Any]:
    """Return what costs.json says: SI units, a sample."""
    return {
        "schema": 1, "reference": found.reference.label,
        "networks": [
            {
                "label": each.label, "run": files.display(each.run.path), "workload": each.run.summary["workload"],
                "technology": each.run.technology, "metric": each.run.metric.name,
                "batch": each.asked.batch, "weights": each.asked.weights, "parameters": each.asked.parameters,
                "vectors_per_sample": each.asked.vectors, "macs_per_sample": dict(each.asked.macs),
                "macs_per_weight_and_sample": each.asked.uses, "beside": found.beside(each).label,
                "ratios": each.run.summary["ratios"],
                "chips": {
                    chip.name: {
                        "samples": chip.samples, "energy_per_sample_J": chip.total,
                        "energy_per_sample_late_J": chip.late_J, "latency_per_sample_s": dict(chip.latency_s),
                        "energy_per_mac_J": each.per_mac(chip), "by_group_J": chip.groups(),
                        "by_phase_J": chip.by(lambda line: line.phase), "by_kind_J": chip.by(each.kind),
                        "by_part_J": chip.by(lambda line: line.part),
                        "programmed_weights_per_step": chip.pairs, "pulses_per_step": chip.pulses,
                    }
                    for chip in each.chips.values()
                },
                "reached": _reached(each, found.reached[each.label]),
                "step_times": {chip: asdict(one) for chip, one in found.times.get(each.label, {}).items()},
            }
            for each in found.networks
        ],
    }  # fmt: skip


def _reached(network: NetworkCost, found: Reached | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "level": found.level, "best_of": found.worst,
        "chips": {
            name: {
                "test": reach.at.test, "step": reach.at.step, "samples": reach.at.samples,
                "simulated_time_s": reach.at.simulated_time_s,
                "energy_J": reach.energy(network.run.technology)[1],
                "energy_at_the_test_before_J": reach.energy(network.run.technology)[0],
            }
            for name, reach in found.chips.items()
        },
    }  # fmt: skip

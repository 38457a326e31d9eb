"""Ablation: train with each non-ideality switched off alone, and with converters of other precision."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

from archsim.accounting.bill import price
from archsim.base import files
from archsim.base.errors import InputError
from archsim.base.signal import STEP_PHASES
from archsim.base.streams import Streams
from archsim.chips import architecture as architectures
from archsim.runs import workload as workloads
from archsim.runs.run import check_prices
from archsim.runs.spec import DEFAULT_TECHNOLOGIES, RunSpec, assign, read_settings, resolve
from archsim.runs.train import Trainer, task_of, total_steps
from archsim.studies.workers.parcel import Parcel, unpacked
from archsim.studies.workers.points import Point, once_each
from archsim.studies.workers.pool import PROCESSES, On

STEPS, SEEDS = 10_000, 3
BITS = tuple(range(4, 11))
CONFIDENCE = 0.95
"""Of all intervals of one table at once."""
TESTS, APART = 5, 250
"""Tests at the end of a training, whose mean is its result, and the steps between two of them."""
PULSE = ("programmer", "set.pulse")
ON, OFF = "all on", "all off"
POINTS, JSON = "points", "ablate.json"
CONVERTERS = {
    "both": ("tile.dac.bits", "tile.adc.bits"), "DAC": ("tile.dac.bits",), "ADC": ("tile.adc.bits",),
}  # fmt: skip
"""Which converters change -> their settings."""

Settings = tuple[str, ...]
Measures = dict[str, float]
Done = Callable[[str, int, Measures, int, int], None]
"""Called with point, seed, its numbers, how many trainings are finished, and how many there are to do."""


@dataclass(frozen=True, slots=True)
class AblationPoint:
    """One chip to train.

    Parameters
    ----------
    name : str
    settings : tuple of str
        As for `--set`.
    seeds : int
        Trainings, with seeds 1, 2, ...
    switch : str or None
        The non-ideality that is off, if one is.
    converters, bits : which converters have how many bits, for a point of the converters' study
    """

    name: str
    settings: Settings
    seeds: int
    switch: str | None = None
    converters: str | None = None
    bits: int | None = None


def switch_points(switches: Sequence[str], seeds: int) -> list[AblationPoint]:
    """Return the points of the non-idealities that the chip has: all on first, each off alone, all off."""

    def settings(off: Sequence[str]) -> Settings:
        return tuple(f"nonidealities.{name}={'false' if name in off else 'true'}" for name in switches)

    alone = [AblationPoint(f"{_spoken(name)} off", settings([name]), seeds, switch=name) for name in switches]
    return [AblationPoint(ON, settings([]), seeds), *alone, AblationPoint(OFF, settings(switches), seeds)]


def _spoken(name: str) -> str:
    """Return the name of a switch as prose."""
    return " ".join(word.upper() if word in {"dac", "adc"} else word for word in name.split("_"))


def bit_points(switches: Sequence[str], seeds: int) -> list[AblationPoint]:
    """Return the points of the converters: bits of both together, of the DACs alone, of the ADCs alone."""
    on = tuple(f"nonidealities.{name}=true" for name in switches)
    return [
        AblationPoint(
            f"{which.replace('both', 'DAC and ADC')} {bits} bit", (*on, *(f"{key}={bits}" for key in keys)),
            seeds, converters=which, bits=bits,
        )
        for which, keys in CONVERTERS.items()
        for bits in BITS
    ]  # fmt: skip


def ablate(
    workload: str, out: str | Path, *, arch: str | None = None, tech: str = DEFAULT_TECHNOLOGIES[0],
    preset: str | None = None, steps: int | None = None, seeds: int = SEEDS, bits: bool = True,
    settings: Sequence[str] = (), data: Path | None = None, done: Done | None = None,
    on: On = PROCESSES,
) -> dict[str, Any]:  # fmt: skip
    """Train every point and return (and write to OUT/ablate.json) what it gave.

    Parameters
    ----------
    workload, arch, tech : str
        By name or file; the architecture has non-idealities. By default it is the first of the workload's own that has.
    out : path
        Keeps OUT/points/HASH.json a training: what stands there with the same inputs is not trained again.
    preset, steps, settings, data
        As for a run; without both of the first, `STEPS` steps. The settings hold for every training; they name no
        non-ideality, for these are what is studied.
    seeds : int
        Trainings of each point.
    bits : bool
        Whether to study the converters too.
    done : callable, optional
    on : where to run, as for `studies.workers.pool.pool`; the numbers do not depend on it

    Raises
    ------
    InputError
        Before anything is trained: for an option, a file, or an architecture without non-idealities.
    """
    out = Path(out)
    check(out)
    if seeds < 1:
        raise InputError(key="--seeds", value=seeds, expected="a whole number from 1 on")
    steps = STEPS if steps is None and preset is None else steps
    _check_settings(settings)
    arch = arch or own_architecture(workload)
    spec = resolve(
        workload, archs=(arch,), techs=(tech,), preset=preset, steps=steps, settings=tuple(settings), data=data
    )  # fmt: skip
    switches = _switches(spec, arch)
    points = switch_points(switches, seeds) + (bit_points(switches, seeds) if bits else [])
    with_settings = partial(_with_settings, spec, arch, settings)
    specs = {point.name: with_settings(point.settings) for point in points}
    found = _train(points, specs, out / POINTS, data=data, done=done, on=on)
    content = _content(spec, points, found)
    files.write_text(out / JSON, json.dumps(content, indent=1) + "\n")
    return content


def own_architecture(workload: str) -> str:
    """Return the first of a workload's architectures that has non-idealities; the first if none has."""
    names = workloads.architectures(workloads.document(workload))
    return next((name for name in names if "nonidealities" in architectures.document(name).data), names[0])


def check(out: Path) -> None:
    """Refuse a directory that an ablation must not be written to."""
    files.check_folder(out)
    if out.is_dir() and any(out.iterdir()) and not (out / POINTS).is_dir():
        expected = "a new directory, or that of an earlier ablation, but it holds other files"
        raise InputError(key="--out", value=str(out), expected=expected)


def _check_settings(settings: Sequence[str]) -> None:
    for text in settings:
        key, equals, value = text.partition("=")
        if equals and "nonidealities" in key.split(".")[:2]:
            raise InputError(key=f"--set {key.strip()}", value=value, expected="no non-ideality: each is switched here")


def _switches(spec: RunSpec, arch: str) -> list[str]:
    """Return the non-idealities that the chip has, in the order of its file."""
    (architecture,) = spec.architectures
    absent = architecture.absent()
    switches = [name for name in (*architecture.switched_on(), *architecture.switched_off()) if name not in absent]
    if not switches:
        raise InputError(
            f"{architecture.name} has no non-idealities to switch off", key="--arch",
            expected="an architecture with a block `nonidealities`, such as mixed-precision",
        )  # fmt: skip
    order = list(architectures.document(arch).data["nonidealities"])
    return sorted(switches, key=order.index)


# --- training ---------------------------------------------------------------------------------------------------------
def _with_settings(resolved: RunSpec, arch: str, given: Sequence[str], settings: Settings) -> RunSpec:
    """Return the spec of a point: data, workload and technology are those of the spec without its settings."""
    document = architectures.document(arch)
    _, (before,) = assign(read_settings(given), workloads.document(resolved.given["workload"]), [document])
    pairs = [text.split("=") for text in settings]
    point: dict[tuple[str | int, ...], str] = {tuple(key.split(".")): value for key, value in pairs}
    parsed = architectures.parse(document.with_settings({**before, **point}))
    kept = tuple((key, value) for key, value in pairs)
    return replace(resolved, architectures=(parsed,), settings=(*resolved.settings, *kept))


def marks(steps: int) -> list[int]:
    """Return the steps after which a training is tested: the last `TESTS` multiples, counted from the end.

    Batches of one image make the metric jump from step to step, by more than a non-ideality moves it; so the mean of
    several tests stands for a training.
    """
    apart = max(min(APART, steps // (2 * TESTS)), 1)
    return [mark for mark in range(steps - (TESTS - 1) * apart, steps + 1, apart) if mark > 0]


def train_point(parcel: Parcel) -> Measures:
    """Train one chip with one seed and return its numbers."""
    with unpacked(parcel) as spec:
        return _measured(spec)


def _measured(spec: RunSpec) -> Measures:
    (architecture,), technology = spec.architectures, spec.technologies[0]
    trainer, tests, done = Trainer(spec, architecture), [], 0
    check_prices(spec, [trainer])
    for mark in marks(trainer.steps):
        trainer.train(mark - done)
        done = mark
        tests.append(trainer.evaluate())
    rows, time_ps = tuple(trainer.chip.ledger.rows()), trainer.chip.ledger.time_ps
    bill = price(rows, tuple(trainer.chip.entries()), technology, architecture.boundary.inside)
    pulses = (r.amount for r in rows if (r.component, r.action) == PULSE and r.phase in STEP_PHASES)
    return {
        "test": fmean(tests), "last_test": tests[-1], "pulses_per_step": math.fsum(pulses) / done,
        **{f"{phase}_energy_J": bill.total(phase=phase) / done for phase in STEP_PHASES},
        "total_energy_J": bill.total(phase=STEP_PHASES) / done,
        **{f"{phase}_latency_s": time_ps[phase] * 1e-12 / done for phase in STEP_PHASES},
        "total_latency_s": sum(time_ps[phase] for phase in STEP_PHASES) * 1e-12 / done,
    }  # fmt: skip


def _train(
    points: Sequence[AblationPoint], settled: Mapping[str, RunSpec], folder: Path, *, data: Path | None,
    done: Done | None, on: On,
) -> dict[tuple[str, int], Measures]:  # fmt: skip
    """Return (point, seed) -> numbers. Points that come to the same chip are trained once."""
    seeded = {
        (point.name, seed): replace(settled[point.name], seed=seed)
        for point in points
        for seed in range(1, point.seeds + 1)
    }

    def tell(names: list[tuple[str, int]], numbers: Measures, number: int, due: int) -> None:
        if done and number:
            done(*names[0], numbers, number, due)

    each = ((name, Point(spec, data, _noted(spec))) for name, spec in seeded.items())
    return once_each(each, folder, train_point, "numbers", most=len(seeded), done=tell, on=on)


def _noted(spec: RunSpec) -> dict[str, Any]:
    return {"workload": spec.workload.name, "settings": dict(spec.settings), "seed": spec.seed}


# --- results ----------------------------------------------------------------------------------------------------------
def _content(
    spec: RunSpec, points: Sequence[AblationPoint], found: Mapping[tuple[str, int], Measures]
) -> dict[str, Any]:
    asked = task_of(spec, Streams(spec.seed))
    technology = spec.technologies[0]
    laws = {key: technology.figure_for(f"tile.{key}.convert") for key in ("dac", "adc")}
    groups = {
        "nonidealities": [point for point in points if point.converters is None],
        "converters": [point for point in points if point.converters is not None],
    }
    reference = points[0]
    content: dict[str, Any] = {
        "schema": 2, "workload": spec.workload.name, "metric": asked.metric.content(asked.chance),
        "dataset": spec.dataset.name,
        "dataset_origin": spec.dataset.origin, "architecture": spec.architectures[0].name,
        "technology": technology.name, "steps": spec.training.steps, "epochs": spec.training.epochs,
        "learning_rate": spec.training.learning_rate, "answers_tested": asked.tests, "sample": asked.sample.content(),
        "tested_after": marks(total_steps(spec)[0]),
        "settings": dict(spec.settings), "not_in_device": spec.architectures[0].absent(),
        "bits": _bits(spec), "laws": {key: figure.law if figure else None for key, figure in laws.items()},
    }  # fmt: skip
    for group, members in groups.items():
        if not members:
            continue
        compared = members if reference in members else [reference, *members]
        table = {p.name: [found[p.name, seed]["test"] for seed in range(1, p.seeds + 1)] for p in compared}
        method = interval(table, asked.tests if asked.metric.share else None)
        means = {p.name: _mean([found[p.name, seed] for seed in range(1, p.seeds + 1)]) for p in compared}
        first = means[reference.name]
        content[group] = {
            "interval": method,
            "points": [
                _row(p, table[p.name], means[p.name], first, method["half_width"][p.name]) for p in compared
            ],
        }  # fmt: skip
    return content


def _bits(spec: RunSpec) -> dict[str, Any]:
    tile = spec.architectures[0].model_dump().get("tile", {})
    return {name: tile.get(name, {}).get("bits") for name in ("dac", "adc")}


def _mean(each: Sequence[Measures]) -> Measures:
    return {key: fmean(numbers[key] for numbers in each) for key in each[0]}


def _row(point: AblationPoint, tests: list[float], mean: Measures, first: Measures, half: float) -> dict[str, Any]:
    return {
        "name": point.name, "switch": point.switch, "converters": point.converters, "bits": point.bits,
        "settings": list(point.settings), "tests": tests, **mean,
        "difference": mean["test"] - first["test"], "half_width": half,
        "energy_ratio": mean["total_energy_J"] / first["total_energy_J"],
        "latency_ratio": mean["total_latency_s"] / first["total_latency_s"],
        "pulses_ratio": mean["pulses_per_step"] / first["pulses_per_step"] if first["pulses_per_step"] else None,
    }  # fmt: skip


def interval(table: Mapping[str, Sequence[float]], tests: int | None) -> dict[str, Any]:
    """Return half widths of intervals of the differences from the first row, all of them right at once.

    With two or more seeds: randomised blocks, the seeds being the blocks. The spread that is left once every row's and
    every seed's mean is taken off is one number for the table, and Student's t has (rows - 1)(seeds - 1) degrees of
    freedom. With one seed: of shares two proportions of the test samples, which leaves out that another training would
    end elsewhere, so it is too narrow; of any other metric none. Bonferroni's correction for the number of differences
    in either case.

    Parameters
    ----------
    table : name -> test by seed, the reference first
    tests : int or None
        Answers that a share is of; None of a metric that is no share.

    Source
    ------
    Montgomery, Design and Analysis of Experiments, randomised complete block design.
    """
    from scipy import stats

    names = list(table)
    rows, seeds = len(names), len(table[names[0]])
    tail = (1 - CONFIDENCE) / 2 / max(rows - 1, 1)
    method: dict[str, Any] = {"confidence": CONFIDENCE, "differences": rows - 1, "seeds": seeds}
    if seeds == 1 and tests is None:
        return {
            **method, "method": "none", "critical": None, "residual": None, "degrees_of_freedom": None,
            "half_width": dict.fromkeys(names, 0.0),
        }  # fmt: skip
    if seeds == 1 and tests is not None:
        critical = float(stats.norm.isf(tail))
        variance = {name: values[0] * (1 - values[0]) / tests for name, values in table.items()}
        half = {name: critical * math.sqrt(variance[name] + variance[names[0]]) for name in names}
        return {
            **method, "method": "two proportions", "critical": critical, "residual": None, "degrees_of_freedom": None,
            "half_width": {**half, names[0]: 0.0},
        }  # fmt: skip
    whole = fmean(value for values in table.values() for value in values)
    by_seed = [fmean(values[seed] for values in table.values()) for seed in range(seeds)]
    left = [
        value - fmean(values) - by_seed[seed] + whole
        for values in table.values()
        for seed, value in enumerate(values)
    ]  # fmt: skip
    freedom = (rows - 1) * (seeds - 1)
    residual = math.sqrt(math.fsum(each**2 for each in left) / freedom)
    critical = float(stats.t.isf(tail, freedom))
    half_width = critical * residual * math.sqrt(2 / seeds)
    return {
        **method, "method": "randomised blocks", "critical": critical, "residual": residual,
        "degrees_of_freedom": freedom, "half_width": {**dict.fromkeys(names, half_width), names[0]: 0.0},
    }  # fmt: skip

"""The same run for several seeds, side by side in processes of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from archsim.base import files
from archsim.base.errors import InputError
from archsim.records.intervals import contents
from archsim.records.seeds import read, spread
from archsim.runs.checkpoint import EVERY_S
from archsim.runs.summary import Summary
from archsim.studies.workers.directories import STOP, Keep, run_directories
from archsim.studies.workers.pool import PROCESSES, On

Result = tuple[int, Summary]


def run_seeds(
    options: dict[str, Any], seeds: list[int], out: Path, *, done: Callable[[int, Summary], None],
    on: On = PROCESSES, every_s: float | None = EVERY_S, force: bool = False,
) -> list[Result]:  # fmt: skip
    """Run once a seed into OUT/seed-N and return (seed, summary) in order of the seeds.

    A seed that is finished there is kept, one that was interrupted goes on.

    Parameters
    ----------
    options : dict
        Those of `resolve`, without the seed.
    done : callable
        Called with each seed and its summary as it is finished.
    on : where to run, as for `archsim.studies.workers.pool.pool`
    every_s, force
        As for `archsim.runs.run.execute`.

    Raises
    ------
    InputError
        If a seed's directory holds something else.
    """
    found = run_directories(
        {str(seed): ({**options, "seed": seed}, out / f"seed-{seed}") for seed in seeds}, on=on,
        done=lambda name, summary: done(int(name), summary), keep=Keep(every_s, force),
    )  # fmt: skip
    return [(int(name), summary) for name, summary in found.items()]


def check_folder(path: Path) -> None:
    """Refuse a folder that holds something else than the runs of seeds.

    Raises
    ------
    InputError
        If it is a file, or holds anything else.
    """
    files.check_folder(path)
    known = (NAME, STOP, *READ)
    strangers = (
        [p.name for p in path.iterdir() if not p.name.startswith("seed-") and p.name not in known]
        if (path.is_dir())
        else []
    )
    if strangers:
        expected = f"a new or empty directory, or one of seeds, but it holds {strangers[0]}"
        raise InputError(key="--out", value=str(path), expected=expected)


NAME = "seeds.json"
READ = ("report", "paper", "explain", "compare")
"""What the commands that read a folder of seeds write into it."""


def statistics(results: list[Result]) -> dict[str, Any]:
    """Return each seed's metric, energies and energy ratios, with mean and standard deviation."""
    chips = list(results[0][1].architectures)
    of = {chip: [s.architectures[chip] for _, s in results if chip in s.architectures] for chip in chips}
    quantities: dict[str, dict[str, list[float]]] = {
        "test": {chip: [one.test for one in each] for chip, each in of.items()},
        "energy_per_step_J": {chip: [one.energy_per_step_J.total for one in each] for chip, each in of.items()},
        "energy_per_sample_J": {chip: [one.energy_per_sample_J.total for one in each] for chip, each in of.items()},
        "latency_per_step_s": {chip: [one.latency_per_step_s.total for one in each] for chip, each in of.items()},
        "energy_ratios": {
            name: [r for _, s in results if name in s.ratios and (r := s.ratios[name].energy) is not None]
            for name in results[0][1].ratios
        },
    }
    found: dict[str, Any] = {
        "seeds": [seed for seed, _ in results], "metric": results[0][1].metric.model_dump(),
        "technology": results[0][1].technology.name,
    }  # fmt: skip
    for name, by_chip in quantities.items():
        pairs = {chip: spread(values) for chip, values in by_chip.items() if values}
        found |= {
            name: by_chip,
            f"mean_{name}": {chip: mean for chip, (mean, _) in pairs.items()},
            f"std_{name}": {chip: s for chip, (_, s) in pairs.items()},
        }
    ratios = [s.ratio.energy for _, s in results if s.ratio.energy is not None]
    mean, deviation = spread(ratios) if ratios else (None, None)
    return {**found, "energy_ratio": ratios, "mean_energy_ratio": mean, "std_energy_ratio": deviation}


def drawn(folder: Path) -> dict[str, Any]:
    """Return technology -> intervals of the mean of a folder's seeds, as summary.json has those of one run.

    Nothing if no seed is finished.
    """
    try:
        found: dict[str, Any] = contents(read(folder))["intervals"]
    except InputError:
        return {}
    return found

"""What a run answers, in a line a chip: joules, seconds, the metric, and the ratio with its interval."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from archsim.accounting.intervals import TOTAL, Intervals
from archsim.base.metrics import Metric
from archsim.base.units import show
from archsim.records.intervals import known
from archsim.records.recorded import Recorded, read

STILL = 0.05
"""Energy of the last part that is off the mean by more than `STILL` of it is still moving."""


def lines(path: Path) -> list[str]:
    """Return the answer of a run, and what a reader must know of it."""
    run = read(path)
    drawn = known(run)
    said = [_chip(run, name, drawn) for name in run.architectures]
    said += [_ratio(run, name, drawn) for name in run.summary["ratios"]]
    said += [*_of_a_part(run), *_until(run)]
    return [*said, *_on_the_whole(run), *_guessing(run), *_clipped(run), *_moving(run)]


def _chip(run: Recorded, name: str, drawn: Intervals | None) -> str:
    chip = run.summary["architectures"][name]
    energy, seconds = (chip[key]["total"] for key in ("energy_per_sample_J", "latency_per_sample_s"))
    ranges = ["", ""]
    if drawn:
        found, share = drawn.chips[name], chip["steps"] / chip["samples"]
        ranges = [
            f" ({show(each.low * share, unit, 3)} to {show(each.high * share, unit, 3)})"
            for each, unit in ((found.energy[TOTAL], "J"), (found.time[TOTAL], "s"))
        ]
    return (
        f"{name}: {show(energy, 'J')}{ranges[0]} and {show(seconds, 's')}{ranges[1]} a sample, "
        f"test {run.metric.text(chip['test'])} after {chip['samples']:,} samples"
    )


def _of_a_part(run: Recorded) -> Iterator[str]:
    """Say what a part of a sample takes, where a sample has several: a character of a sequence."""
    sample = run.sample
    if sample.parts > 1:
        of = {
            name: (
                chip["energy_per_sample_J"]["total"] / sample.parts,
                chip["latency_per_sample_s"]["total"] / sample.parts,
            )
            for name, chip in run.summary["architectures"].items()
        }
        each = "; ".join(f"{name} {show(energy, 'J')} and {show(time, 's')}" for name, (energy, time) in of.items())
        yield f"A sample is a {sample.name} of {sample.parts} {sample.part}s; a {sample.part} takes: {each}"


def _until(run: Recorded) -> Iterator[str]:
    """Say what each chip took until a test was as good as was asked for."""
    if (until := run.summary.get("until")) is None:
        return
    wanted = f"{run.metric.name} {run.metric.level(until)}"
    for name, chip in run.summary["architectures"].items():
        if took := chip.get("reached"):
            yield (
                f"{name} reached {wanted} with {took['samples']:,} samples ({took['steps']:,} steps), "
                f"{show(took['energy_J'], 'J')} and {show(took['time_s'], 's')}"
            )
        else:
            tests = [point.test for point in run.chips[name].course if point.test is not None]
            best = run.metric.number(run.metric.best(tests)) if tests else "none"
            yield f"{name} did not reach {wanted} in {chip['samples']:,} samples: its best test is {best}"
    over = run.summary["architectures"].get(run.summary["baseline"], {}).get("reached")
    for name in run.summary["ratios"]:
        if over and (took := run.summary["architectures"][name].get("reached")):
            energy = over["energy_J"] / took["energy_J"]
            yield f"{run.summary['baseline']} / {name}, to reach {wanted}: {energy:.4g} in energy"


def _ratio(run: Recorded, name: str, drawn: Intervals | None) -> str:
    """Return the baseline over a chip, with the interval that the ranges of all figures leave, drawn together."""
    text = f"{run.summary['baseline']} / {name}: {run.summary['ratios'][name]['energy']:.4g} in energy"
    if drawn is None:  # a figure without a range to draw from
        return text
    found = drawn.ratios[name]
    return f"{text} ({found.low:.3g} to {found.high:.3g}; in brackets, 90 % of {drawn.samples:,} draws of all figures)"


def _on_the_whole(run: Recorded) -> Iterator[str]:
    """Say what the workload as shipped gave on the whole of its data, where the run was done on others."""
    recorded = run.run["workload"].get("recorded")
    if recorded and run.summary["ratios"] and run.run["dataset"]["sha256"] != recorded["dataset_sha256"]:
        yield (
            f"Note: this is {run.summary['dataset']}; on the whole of {recorded['dataset']} `{recorded['command']}` "
            f"gave {recorded['energy_ratio']:g} in energy ({recorded['training']}, {recorded['technology']})"
        )


def _guessing(run: Recorded) -> Iterator[str]:
    """Say which chips learnt nothing: not clearly better than guessing."""
    metric, chance = run.metric, run.summary["metric"]["chance"]
    if chance is None:
        return
    least = _HIGHER * chance if metric.higher_is_better else _LOWER * chance
    chips = run.summary["architectures"].items()
    if guessing := [name for name, chip in chips if not metric.reaches(chip["test"], least)]:
        have = "has" if len(guessing) == 1 else "have"
        told = f"{metric.name} {_round(metric, chance)} is chance"
        yield f"Note: {_together(guessing)} {have} learnt next to nothing: {told}"


def _together(names: Sequence[str]) -> str:
    """Return names in a sentence: "a, b and c"."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


CLIPPED = 0.01
"""Share of a matrix's conversions above which clipping is worth a note."""


def _clipped(run: Recorded) -> Iterator[str]:
    """Say which matrices' ADCs clipped more than a few of their results."""
    for name, chip in run.summary["architectures"].items():
        shares = chip.get("clipped_shares", {})
        if much := {matrix: share for matrix, share in shares.items() if share > CLIPPED}:
            listed = ", ".join(f"{matrix} {100 * share:.2g} %" for matrix, share in much.items())
            yield f"Note: {name} clipped many conversions: {listed}; larger ADC full scales (tile.adc) clip fewer"


def _round(metric: Metric, value: float) -> str:
    return f"{metric.factor * value:.3g}{metric.unit}"


_HIGHER, _LOWER = 1.5, 0.9
"""What is clearly better than guessing, over what guessing gives."""


def _moving(run: Recorded) -> Iterator[str]:
    short = []
    for name, chip in run.chips.items():
        mean, last = chip.mean_J(run.technology), chip.late_J(run.technology)
        if mean and last is None:
            short.append(name)
        elif mean and last and abs(last / mean - 1) > STILL:
            yield (
                f"Note: {name} takes {show(last, 'J', 3)} a sample late in this training, {show(mean, 'J', 3)} in the "
                "mean: sparsity and energy are still moving, train longer for an answer that lasts"
            )
    if short:
        yield f"Note: this training of {_together(short)} is too short to tell whether energy a sample is still moving"

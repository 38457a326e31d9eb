"""The answer of a run: joules, seconds, accuracy a chip, the ratio with its interval, and whether it is still moving."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from explain_kit import small_run

from archsim.base.units import show
from archsim.records.recorded import Recorded, read
from archsim.report import answer


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_run(tmp_path_factory.mktemp("answer") / "run", steps=120)


def test_every_chip_has_a_line_and_every_other_one_a_ratio_with_its_interval(recorded: Path) -> None:
    run = read(recorded)
    said = answer.lines(recorded)
    for line, (name, chip) in zip(said, run.summary["architectures"].items(), strict=False):
        energy, seconds = chip["energy_per_sample_J"]["total"], chip["latency_per_sample_s"]["total"]
        numbers = (
            rf"{name}: {show(energy, 'J')} \(.+ to .+ [nu]J\) and {show(seconds, 's')} \(.+ to .+ [um]s\) a sample, "
        )
        assert re.match(numbers, line)
        assert line.endswith(f"{100 * chip['test']:.2f} % after 120 samples")
    ratio = next(line for line in said if line.startswith("digital32 / mixed-precision: "))
    low, high = (float(each) for each in re.search(r"\(([\d.]+) to ([\d.]+);", ratio).groups())  # type: ignore[union-attr]
    assert low < run.summary["ratio"]["energy"] * 1.2
    assert high > run.summary["ratio"]["energy"] * 0.8


def test_a_run_on_other_data_says_what_the_whole_of_mnist_gave(recorded: Path) -> None:
    (note,) = answer._on_the_whole(read(recorded))
    assert note == (
        "Note: this is mnist-5k; on the whole of MNIST `archsim run mlp-mnist` gave 187.2 in energy (5 epochs, seed 1, "
        "bottom-up-14nm)"
    )
    run = read(recorded)
    whole = {**run.run, "dataset": {**run.run["dataset"], "sha256": run.run["workload"]["recorded"]["dataset_sha256"]}}
    assert list(answer._on_the_whole(replace(run, run=whole))) == []


def moved(run: Recorded, factor: float) -> list[str]:
    """The notes of a run in which the energy of the last points was multiplied."""
    chip = run.chips["digital32"]
    ends = {name: energy * factor for name, energy in chip.course[-1].energy_J.items()}
    course = (*chip.course[:-1], replace(chip.course[-1], energy_J=ends))
    return list(answer._moving(replace(run, chips={"digital32": replace(chip, course=course)})))


def test_energy_that_still_moves_is_told_and_one_that_stands_is_not(recorded: Path) -> None:
    run = read(recorded)
    assert moved(run, 1.0) == [] or "too short" in moved(run, 1.0)[0]
    first = run.chips["digital32"].course[1]
    middle = replace(first, samples=60, energy_J=dict.fromkeys(first.energy_J, 60 * 1e-06))
    end = replace(run.chips["digital32"].course[-1], samples=120, energy_J=dict.fromkeys(first.energy_J, 120 * 1e-06))
    chip = replace(run.chips["digital32"], course=(run.chips["digital32"].course[0], middle, end))
    still = replace(run, chips={"digital32": chip})
    assert list(answer._moving(still)) == []
    (note,) = moved(still, 1.2)
    assert "still moving" in note
    short = replace(chip, course=(chip.course[0], end))
    (note,) = answer._moving(replace(run, chips={"digital32": short, "a": short, "b": short}))
    assert "this training of digital32, a and b is too short to tell" in note


def test_chips_that_learn_nothing_share_a_line(recorded: Path) -> None:
    run = read(recorded)
    chip = {**run.summary["architectures"]["digital32"], "test": 0.1}
    many = {**run.summary, "architectures": {"a": chip, "b": chip, "c": {**chip, "test": 0.9}}}
    assert list(answer._guessing(replace(run, summary=many))) == [
        "Note: a and b have learnt next to nothing: accuracy 10 % is chance"
    ]

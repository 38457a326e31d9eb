"""A training that ends at the first test that is as good as was asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from archsim.base.errors import InputError
from archsim.records.recorded import read
from archsim.report.answer import lines
from archsim.runs.run import execute
from archsim.runs.spec import resolve
from archsim.runs.train import Trainer

OPTIONS = {
    "archs": ("digital32",), "steps": 400,
    "settings": ("training.evaluations_per_epoch=100", "training.test_samples=200"),
}  # fmt: skip


def test_a_training_ends_at_the_first_test_that_reaches_it_and_says_what_it_took(tmp_path: Path) -> None:
    whole = resolve("mlp-mnist", **OPTIONS)
    course = Trainer(whole, whole.architectures[0]).run().points
    wanted = sorted({p.test for p in course if p.test is not None})[len(course) // 2]
    first = next(p for p in course if p.step and p.test is not None and p.test >= wanted)
    summary = execute(resolve("mlp-mnist", **OPTIONS, until=f"accuracy={wanted}"), tmp_path / "run")
    assert summary is not None
    assert summary.state == "finished"
    chip = summary.architectures["digital32"]
    assert chip.reached is not None
    assert (chip.steps, chip.reached.steps, chip.test) == (first.step, first.step, first.test)
    assert chip.reached.energy_J == pytest.approx(chip.steps * chip.energy_per_step_J.total)
    assert any(line.startswith("digital32 reached accuracy") for line in lines(tmp_path / "run"))
    assert read(tmp_path / "run").chips["digital32"].course[-1].samples == chip.reached.samples


def test_a_training_that_never_gets_there_goes_on_to_its_end_and_says_so(tmp_path: Path) -> None:
    options = {**OPTIONS, "steps": 100}
    summary = execute(resolve("mlp-mnist", **options, until="test=100%"), tmp_path / "run")
    assert summary is not None
    assert summary.architectures["digital32"].reached is None
    assert summary.steps == 100
    assert any("did not reach accuracy 100 % in 100 samples" in line for line in lines(tmp_path / "run"))


def test_a_training_that_was_there_already_goes_no_further_when_it_is_taken_up_again() -> None:
    spec = resolve("mlp-mnist", **OPTIONS, until="accuracy=5%")
    one = Trainer(spec, spec.architectures[0])
    done = one.run()
    assert done.reached
    assert one.run().steps == done.steps < 400


def test_the_file_of_a_workload_may_say_it_and_a_value_that_is_none_is_refused() -> None:
    assert resolve("mlp-mnist", settings=("training.until=0.9",)).training.until == 0.9
    with pytest.raises(InputError, match=r"training\.until: got 97\.0; expected a number from 0 to 1"):
        resolve("mlp-mnist", settings=("training.until=97",))

"""The case of a network trained in the array: files of its own beside the case, and checks on one phase."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from archsim.base.errors import InputError
from archsim.base.files import shipped
from archsim.studies.cases import read_case
from archsim.studies.validate import Result, validate

NAME = "neurosim-mlp"


def copied(tmp_path: Path, *changes: tuple[str, str]) -> Path:
    folder = tmp_path / NAME
    shutil.copytree(shipped("tech_params") / "designs" / NAME, folder)
    text = (folder / "case.yaml").read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "case.yaml").write_text(text)
    return folder / "case.yaml"


def by_name(results: list[Result]) -> dict[str, Result]:
    return {result.name: result for result in results}


def test_every_full_check_is_of_a_training_as_long_as_the_published_one() -> None:
    file = read_case(NAME).file
    checks = [number.check for number in file.published.values() if number.check]
    whole = [check for check in checks if check.full]
    assert len(whole) >= 5
    assert {file.trainings[check.of[0]].full_steps for check in whole} == {125 * 8000}
    assert all(file.trainings[check.of[0]].full_steps == 8000 for check in checks if not check.full)
    assert all(check.phase == "update" for check in checks if check.quantity != "accuracy")


def test_a_check_on_a_phase_takes_that_phase_of_the_step_alone(tmp_path: Path) -> None:
    short = ("steps: 8000, full_steps: 8000", "steps: 300, full_steps: 300")
    update = by_name(validate([str(copied(tmp_path / "a", short))], folder=tmp_path / "points"))
    points = list((tmp_path / "points").glob("*.json"))
    whole = by_name(validate([str(copied(tmp_path / "b", short, (", phase: update", "")))], folder=tmp_path / "points"))
    assert list((tmp_path / "points").glob("*.json")) == points  # the same training, not run again
    assert whole["epoch-energy"].simulated == pytest.approx(update["epoch-energy"].simulated)  # nothing else inside
    assert 0 < update["epoch-time"].simulated < whole["epoch-time"].simulated
    for name in ("epoch-energy", "epoch-time"):  # 300 images instead of 8,000: of the order
        assert update[name].factor < 3


@pytest.mark.parametrize(
    ("old", "new"),
    [("quantity: accuracy, chip: epiram-halved, band: 1.1", "quantity: accuracy, chip: epiram-halved, phase: update, band: 1.1"),
     ("quantity: latency, chip: epiram-halved, phase: update, band: 2}", "quantity: latency, phase: update, band: 2}")],
)  # fmt: skip
def test_a_phase_of_what_has_none_is_refused(tmp_path: Path, old: str, new: str) -> None:
    with pytest.raises(InputError, match="names a phase"):
        read_case(str(copied(tmp_path, (old, new))))


def test_files_beside_the_case_go_before_shipped_ones() -> None:
    case = read_case(NAME)
    assert case.near("epiram") == str(case.folder / "epiram.yaml")
    assert case.near("mlp-neurosim") == "mlp-neurosim"

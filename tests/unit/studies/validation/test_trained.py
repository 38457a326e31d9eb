"""Trainings of checks: run, recorded or extrapolated, with an error that covers the truth."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from archsim.base.errors import InputError
from archsim.base.files import shipped
from archsim.studies.validation.cases import read_case
from archsim.studies.validation.trained import extrapolate
from archsim.studies.validation.validate import Result, validate


def course(power: float, ends: tuple[int, ...] = (8000, 80000, 240000)) -> list[tuple[int, float]]:
    """Return the means so far of a step that costs t^power."""
    return [(end, end**power / (power + 1)) for end in ends]


@pytest.mark.parametrize("power", [-0.4, -0.2, 0.0, 0.1])
def test_an_extrapolation_covers_a_course_that_falls_or_stays(power: float) -> None:
    (value, error), (_, true) = extrapolate(course(power), 1_000_000), course(power, (1_000_000,))[0]
    assert abs(value / true - 1) <= error + 0.03
    assert error < 0.2
    assert (error < 1e-9) == (power == 0.0)


def test_a_course_that_goes_to_the_end_is_not_extrapolated() -> None:
    assert extrapolate(course(-0.3), 240_000) == (course(-0.3)[-1][1], 0.0)


def short_case(tmp_path: Path) -> Path:
    """Return the NeuroSim case with trainings of some images, which a test can run."""
    folder = tmp_path / "neurosim-mlp"
    shutil.copytree(shipped("tech_params") / "designs" / "neurosim-mlp", folder)
    content = yaml.safe_load((folder / "case.yaml").read_text())
    for training in content["trainings"].values():
        if training.get("recorded"):
            training.update(steps=20, full_steps=90, published_steps=300)
        else:
            training.update(steps=20, full_steps=20)
    (folder / "case.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    for kept in ("recorded.yaml", "results.yaml"):
        (folder / kept).unlink(missing_ok=True)
    return folder / "case.yaml"


def by_name(results: list[Result]) -> dict[str, Result]:
    return {result.name: result for result in results}


def test_a_record_is_asked_for_written_used_and_tried(tmp_path: Path) -> None:
    path = short_case(tmp_path)
    with pytest.raises(InputError, match="is not recorded yet; expected a run with --full --record"):
        validate([str(path)], folder=tmp_path / "points")
    whole = by_name(validate([str(path)], full=True, record=True, folder=tmp_path / "points"))
    record = yaml.safe_load((path.parent / "recorded.yaml").read_text())["trainings"]["epiram-whole"]
    assert [one["steps"] for one in record["chips"]["epiram"]] == [20, 30, 90]
    assert whole["epiram-energy"].steps == 300
    assert 0 < whole["epiram-energy"].spread < 1
    assert whole["epiram-accuracy"].spread == 0
    again = by_name(validate([str(path)], folder=tmp_path / "points"))
    assert again["epiram-energy"].simulated == pytest.approx(whole["epiram-energy"].simulated)
    assert not any("rests on" in result.problem for result in again.values())
    text = (path.parent / "recorded.yaml").read_text()
    first = record["chips"]["epiram"][0]["energy"]["total"]
    (path.parent / "recorded.yaml").write_text(text.replace(f"total: {first}", f"total: {1.5 * first}", 1))
    stale = by_name(validate([str(path)], folder=tmp_path / "points"))
    assert "rests on a recorded training whose first 20 steps came to" in stale["epiram-energy"].problem
    assert "rests on" not in stale["agasi-energy"].problem


@pytest.mark.parametrize(
    ("old", "new"),
    [("recorded: true, published_steps", "recorded: false, published_steps"),
     ("full_steps: 240000", "full_steps: 20000"), ("published_steps: 1000000", "published_steps: 200000")],
)  # fmt: skip
def test_what_cannot_be_extrapolated_is_refused(tmp_path: Path, old: str, new: str) -> None:
    folder = tmp_path / "neurosim-mlp"
    shutil.copytree(shipped("tech_params") / "designs" / "neurosim-mlp", folder)
    text = (folder / "case.yaml").read_text()
    assert old in text
    (folder / "case.yaml").write_text(text.replace(old, new, 1))
    with pytest.raises(InputError, match="without a record to extrapolate"):
        read_case(str(folder / "case.yaml"))

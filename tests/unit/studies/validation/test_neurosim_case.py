"""The case of networks trained in the array: its record, its rule over the epochs, and checks on one phase."""

from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from archsim.base.errors import InputError
from archsim.base.files import shipped
from archsim.runs.run import train_all
from archsim.runs.spec import resolve
from archsim.studies.validation import standing
from archsim.studies.validation.cases import read_case
from archsim.studies.validation.validate import Result, validate

NAME = "neurosim-mlp"
EPOCH = 8000


def copied(tmp_path: Path, *changes: tuple[str, str]) -> Path:
    """Return the case with the training of one epoch alone, of 300 images."""
    folder = tmp_path / NAME
    shutil.copytree(shipped("tech_params") / "designs" / NAME, folder)
    (folder / "results.yaml").unlink()
    content = yaml.safe_load((folder / "case.yaml").read_text())
    content["trainings"] = {"epiram-epoch": {**content["trainings"]["epiram-epoch"], "steps": 300, "full_steps": 300}}
    content["published"] = {
        name: number for name, number in content["published"].items()
        if number["role"] == "input" or number["check"]["of"] == ["epiram-epoch"]
    }  # fmt: skip
    text = yaml.safe_dump(content, sort_keys=False, default_flow_style=None, width=500)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "case.yaml").write_text(text)
    return folder / "case.yaml"


def by_name(results: list[Result]) -> dict[str, Result]:
    return {result.name: result for result in results}


def pieces(training: str, chip: str) -> list[tuple[float, float]]:
    """Return energy [J] and time [s] of writing an image in the pieces of a recorded course."""
    courses = standing.recorded(read_case(NAME), training).chips[chip]
    ends = [(0, 0.0, 0.0)] + [(one.steps, one.energy["update"], one.latency["update"]) for one in courses]
    return [
        tuple((b * end - a * begin) / (end - begin) for a, b in zip(first, last, strict=True))  # type: ignore[misc]
        for (begin, *first), (end, *last) in pairwise(ends)
    ]


def test_every_recorded_training_is_extrapolated_to_the_length_of_the_published_one() -> None:
    file = read_case(NAME).file
    whole = {name: training for name, training in file.trainings.items() if training.recorded}
    assert set(whole) == {"epiram-whole", "agasi-whole"}
    assert {training.published_steps for training in whole.values()} == {125 * EPOCH}
    checks = [number.check for number in file.published.values() if number.check]
    assert not any(check.full for check in checks)  # the published table is in the default set
    assert all(check.phase == "update" for check in checks if check.quantity != "accuracy")


def test_pulses_fade_over_the_epochs_in_epiram_and_stay_in_agasi() -> None:
    """EpiRAM learns, so that few images are wrong and few pulses fall; Ag:a-Si, asymmetric, keeps undoing its steps.

    The published means of 125 epochs, 229.6 us and 31,997 us, lie below the first 10 epochs of the one, and among all
    of the other.
    """
    epiram, agasi = ([time for _, time in pieces(f"{name}-whole", name)] for name in ("epiram", "agasi"))
    assert epiram[2] < 0.9 * epiram[1]
    assert 180e-6 < epiram[2] < 270e-6 < epiram[1] < 330e-6
    assert agasi[2] == pytest.approx(agasi[1], rel=0.1)
    assert all(28e-3 < time < 40e-3 for time in agasi)
    last = {name: standing.recorded(read_case(NAME), f"{name}-whole").chips[name][-1].test_accuracy
            for name in ("epiram", "agasi")}  # fmt: skip
    assert 0.88 < last["epiram"] < 0.94
    assert 0.62 < last["agasi"] < 0.78


@pytest.mark.parametrize(
    ("workload", "chip", "least", "most"), [("mlp-neurosim", "epiram", 200, 420), ("mlp-neurosim-halved", "epiram-halved", 1400, 2200)]
)  # fmt: skip
def test_a_read_that_counts_whole_sums_saturates_the_hidden_units_and_saves_pulses(
    workload: str, chip: str, least: float, most: float
) -> None:
    """Time of writing an image over the first 2,000, in us: the later revision, which halves sums, takes five times it."""
    case = read_case(NAME)
    options: dict[str, Any] = {"archs": (case.near(chip),), "techs": (case.near("epiram-32nm"),), "steps": 2000}
    (trained,) = train_all(resolve(case.near(workload), seed=1, **options))
    assert least < trained.time_ps["update"] / 2000 * 1e-6 < most


def test_a_check_on_a_phase_takes_that_phase_of_the_step_alone(tmp_path: Path) -> None:
    update = by_name(validate([str(copied(tmp_path / "a"))], folder=tmp_path / "points"))
    points = list((tmp_path / "points").glob("*.json"))
    path = copied(tmp_path / "b", ("      phase: update\n", ""))
    whole = by_name(validate([str(path)], folder=tmp_path / "points"))
    assert list((tmp_path / "points").glob("*.json")) == points  # the same training, not run again
    assert whole["epoch-energy"].simulated == pytest.approx(update["epoch-energy"].simulated)  # nothing else inside
    assert 0 < update["epoch-time"].simulated < whole["epoch-time"].simulated
    for name in ("epoch-energy", "epoch-time"):  # 300 images instead of 8,000: of the order
        assert update[name].factor < 3


@pytest.mark.parametrize(
    ("old", "new"),
    [("quantity: accuracy\n", "quantity: accuracy\n      phase: update\n"),
     ("quantity: latency\n      chip: epiram-halved\n", "quantity: latency\n")],
)  # fmt: skip
def test_a_phase_of_what_has_none_is_refused(tmp_path: Path, old: str, new: str) -> None:
    with pytest.raises(InputError, match="names a phase"):
        read_case(str(copied(tmp_path, (old, new))))


def test_files_beside_the_case_go_before_shipped_ones() -> None:
    case = read_case(NAME)
    assert case.near("epiram") == str(case.folder / "epiram.yaml")
    assert case.near("mlp-neurosim") == "mlp-neurosim"

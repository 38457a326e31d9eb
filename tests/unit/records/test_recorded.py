"""The one reader: whatever one file of a run says otherwise than another is refused, and named."""

from __future__ import annotations

import csv
import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from explain_kit import small_run

from archsim.base.errors import InputError
from archsim.base.signal import STEP_PHASES
from archsim.records.recorded import read

Change = Callable[[Path], None]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_run(tmp_path_factory.mktemp("recorded") / "run", steps=30)


@pytest.fixture
def run(recorded: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(recorded, tmp_path / "run"))


def summary(*keys: str, to: Any) -> Change:
    """Give a key of summary.json another value; None takes it out."""

    def change(run: Path) -> None:
        content = json.loads((run / "summary.json").read_text())
        place = content
        for key in keys[:-1]:
            place = place[int(key) if isinstance(place, list) else key]
        last = int(keys[-1]) if isinstance(place, list) else keys[-1]
        if to is None:
            del place[last]
        else:
            place[last] = to
        (run / "summary.json").write_text(json.dumps(content))

    return change


def cell(name: str, column: str, value: str, *, row: int = -1) -> Change:
    """Give a cell of a table another value."""

    def change(run: Path) -> None:
        with (run / name).open(newline="") as stream:
            head, *rows = csv.reader(stream)
        rows[row][head.index(column)] = value
        with (run / name).open("w", newline="") as stream:
            csv.writer(stream, lineterminator="\n").writerows([head, *rows])

    return change


def lines(name: str, change_lines: Callable[[list[str]], list[str]]) -> Change:
    def change(run: Path) -> None:
        (run / name).write_text("".join(change_lines((run / name).read_text().splitlines(keepends=True))))

    return change


CHIP = ("architectures", "digital32")
DRAWN = ("intervals", "bottom-up-14nm")
MINE = (*DRAWN, "architectures", "digital32")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (summary(*CHIP, "test", to=7.5), r"summary\.json: .*digital32\.test: got 7\.5; .*from 0 to 1"),
        (summary(*CHIP, "test", to=0.123), r"training\.csv: test of digital32 at the end"),
        (summary(*CHIP, "test", to=True), r"summary\.json: .*test: got True; expected a valid number"),
        (summary(*CHIP, to=None), r"summary\.json: architectures: has the chips mixed-precision; expected .*run\.yaml"),
        (summary(*CHIP, "simulated_time_s", to=math.inf), r"simulated_time_s: got inf; expected a number from 0 on"),
        (summary(*CHIP, "simulated_time_s", to=1.0), r"simulated_time_s: got 1\.0; expected .*times steps"),
        (summary(*CHIP, "pulses_per_step", to=-1.0), r"pulses_per_step: got -1\.0; expected a number from 0 on"),
        (summary(*CHIP, "energy_per_step_J", "update", to=1.0), r"energy_per_step_J\.update: got 1\.0; .*energy\.csv"),
        (summary(*CHIP, "energy_per_step_J", "update", to="much"), r"energy_per_step_J\.update: got 'much'"),
        (summary(*CHIP, "latency_per_step_s", "total", to=1.0), r"latency_per_step_s\.total: got 1\.0; .*its phases"),
        (summary(*CHIP, "area_m2", "total", "value", to=1.0), r"area_m2\.total\.value: got 1\.0; .*area\.csv"),
        (summary("technologies", "1", "energy_per_step_J", "digital32", "total", to=1.0), r"energy\.csv: .*summary\.json"),
        (summary(*MINE, "energy_per_step_J", "update", "value", to=1.0), r"update\.value: got 1\.0; .*the other files"),
        (summary(*MINE, "energy_per_step_J", "total", "high", to=1.0), r"total: got .* to 1\.0'; expected ends in their"),
        (summary(*MINE, "energy_per_step_J", "total", "low", to=0.0), r"energy_per_step_J\.total: got '0\.0 to "),
        (summary(*MINE, "latency_per_step_s", "update", "low", to=9.0), r"latency_per_step_s\.update: got '9\.0 to "),
        (summary(*MINE, "area_m2", "total", "high", to=1.0), r"area_m2\.total: got .* to 1\.0'"),
        (summary(*DRAWN, "energy_ratios", "mixed-precision", "value", to=1.0), r"mixed-precision\.value: got 1\.0"),
        (summary(*DRAWN, "architectures", "digital32", to=None), r"intervals\.bottom-up-14nm: is of other chips"),
        (summary("intervals", to={"mine": {}}), r"intervals\.mine\.samples: got .*"),
        (summary("technology", "name", to="another"), r"summary\.json: technologies: names .*expected .*run\.yaml"),
        (lines("training.csv", lambda all_: [line for line in all_ if "digital32" not in line]), r"no row of digital32"),
        (lines("training.csv", lambda all_: all_[:-1]), r"training\.csv: step of digital32 at the end: got "),
        (cell("training.csv", "test", "1.5"), r"training\.csv: test: got 1\.5; .*0 to 1"),
        (cell("training.csv", "energy_J_bottom-up-14nm", "inf"), r"energy_J_bottom-up-14nm: got 'inf'"),
        (cell("training.csv", "energy_J_bottom-up-14nm", "1.0"), r"energy_J_bottom-up-14nm of digital32 at the end"),
        (cell("training.csv", "samples", "1e9", row=-2), r"training\.csv: samples: falls from"),
        (cell("area.csv", "technology", "stranger"), r"area\.csv: technology: has rows of 'stranger'"),
        (cell("area.csv", "architecture", "stranger"), r"area\.csv: architecture: has rows of 'stranger'"),
        (cell("area.csv", "area_m2", "1.0", row=0), r"area\.csv: area_m2 of .*: got 1\.0; expected .*amount x area"),
        (cell("activity.csv", "phase", "sleep"), r"activity\.csv: phase: has rows of 'sleep'"),
        (cell("energy.csv", "note", "x,y,z"), r"energy\.csv: was altered after the run had written it"),
        (cell("energy.csv", "source", "another2020"), r"energy\.csv: was altered"),
        (cell("area.csv", "basis", "measured"), r"area\.csv: was altered"),
        (cell("training.csv", "running", "0.99"), r"training\.csv: was altered"),
        (cell("activity.csv", "amount_per_step", "nan"), r"activity\.csv: was altered"),
        (cell("activity-course.csv", "amount", "1.0"), r"activity-course\.csv: was altered"),
        (lambda run: (run / "activity-course.csv").unlink(), r"activity-course\.csv: is missing"),
        (summary("boundary", "inside", to=[]), r"summary\.json: was altered"),
        (summary("technologies", "0", to="much"), r"summary\.json: technologies\.0: got 'much'"),
        (summary("technologies", "0", "energy_per_step_J", "digital32", to="much"), r"J\.digital32: got 'much'"),
        (summary("technologies", "0", "energy_per_step_J", "digital32", "total", to="1"), r"digital32\.total: got '1'"),
        (summary("technologies", "0", "energy_per_step_J", "digital32", to=None), r"technologies\..*: has the chips mixed-"),
        (summary("technologies", "0", "ratios", to=[1]), r"technologies\.0\.ratios: got \[1\]"),
        (lines("energy.csv", lambda all_: [*all_[:-1], all_[-1].rstrip("\n") + ",more\n"]), r"another number of cells"),
    ],
)  # fmt: skip
def test_what_one_file_says_otherwise_than_another_is_refused_and_named(run: Path, change: Change, told: str) -> None:
    change(run)
    with pytest.raises(InputError, match=told) as caught:
        read(run)
    assert "\n" not in str(caught.value)


def test_columns_that_changed_places_with_each_other_are_found_out(run: Path) -> None:
    lines("training.csv", lambda all_: [all_[0].replace("step,samples,epoch", "epoch,samples,step"), *all_[1:]])(run)
    with pytest.raises(InputError, match=r"training\.csv: step of .* at the end"):
        read(run)


def test_the_lines_of_a_run_add_up_to_its_summary(run: Path) -> None:
    found = read(run)
    for name in found.architectures:
        chip = found.summary["architectures"][name]
        assert found.total(name) == pytest.approx(chip["energy_per_step_J"]["total"], rel=1e-12)
        low, high = found.ends(name)
        assert low < found.total(name) < high
        assert math.fsum(part.area for part in found.areas(name) if math.isfinite(part.area)) == pytest.approx(
            chip["area_m2"]["total"]["value"], rel=1e-12
        )
        assert found.chips[name].course[-1].energy_J[found.technology] == pytest.approx(
            found.total(name) * chip["steps"], rel=1e-12
        )
        assert {line.phase for line in found.contributions(name)} <= set(STEP_PHASES)
        assert found.largest(name, 1)[0].energy == max(line.energy for line in found.largest(name, 99))

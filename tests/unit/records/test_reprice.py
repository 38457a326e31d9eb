from __future__ import annotations

import math
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from explain_kit import small_run

from archsim.accounting.bill import price
from archsim.accounting.technology import read_technology
from archsim.base.errors import InputError
from archsim.base.signal import STEP_PHASES
from archsim.records.compare import compare
from archsim.records.recorded import RecordedChip, read
from archsim.records.reprice import Retimed, price_chip, ranged, recorded, tariff
from archsim.records.retime import follows_clock, retime

TECHNOLOGY = """\
schema: 1
kind: technology
name: {name}
title: bottom-up-14nm with one change
extends: bottom-up-14nm
{section}:
  {key}:
    value: {value}
    basis: assumed
    why: to test with
{more}"""
SLOW = {"section": "times", "key": "digital.cycle", "value": "2 ns", "more": ""}
CHEAP = {
    "section": "figures", "key": "adc.conversion", "value": "2 pJ/conversion",
    "more": "    range: [1 pJ/conversion, 3 pJ/conversion]\n    prices: [tile.adc.convert]\n",
}  # fmt: skip


def technology(folder: Path, name: str, change: dict[str, str]) -> str:
    file = folder / f"{name}.yaml"
    file.write_text(TECHNOLOGY.format(name=name, **change))
    return str(file)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_run(tmp_path_factory.mktemp("reprice") / "run")


@pytest.fixture
def chip(run: Path) -> RecordedChip:
    return read(run).chips["mixed-precision"]


@pytest.mark.parametrize("name", ["mixed-precision", "digital32"])
def test_recorded_amounts_priced_again_give_the_recorded_bill_bit_for_bit(run: Path, name: str) -> None:
    chip = read(run).chips[name]
    for by in ("bottom-up-14nm", "digital-7nm"):
        again = price(chip.rows, chip.entries, read_technology(by), chip.inside)
        assert again.lines == chip.bills[by].lines


def test_sides_have_the_totals_of_the_summary(run: Path) -> None:
    found = read(run)
    for name, chip in found.chips.items():
        side = price_chip(found, chip, tariff(found, "bottom-up-14nm"))
        summary = found.summary["architectures"][name]
        for phase in STEP_PHASES:
            assert side.energy(phase=phase) == pytest.approx(summary["energy_per_step_J"][phase], rel=1e-14)
        assert side.energy() == pytest.approx(summary["energy_per_step_J"]["total"], rel=1e-14)
        assert side.latency_s["total"] == pytest.approx(summary["latency_per_step_s"]["total"], rel=1e-14)


def test_a_changed_technology_of_the_run_is_read_and_said(run: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(run, tmp_path / "run")
    text = (copy / "run.yaml").read_text()
    sha = read(run).named[0].sha256
    (copy / "run.yaml").write_text(text.replace(sha, "0" * 64))
    found = read(copy)
    given = tariff(found, "bottom-up-14nm")
    assert given.technology is not None
    side = price_chip(found, found.chips["digital32"], given)
    assert any("has changed since" in note for note in side.notes)
    as_recorded = price_chip(found, found.chips["digital32"], recorded(found.named[0]))
    assert side.energy() == as_recorded.energy()
    assert not as_recorded.notes


def test_another_technology_of_the_same_times_moves_its_figure_alone(
    run: Path, chip: RecordedChip, tmp_path: Path
) -> None:
    found = read(run)
    ours = price_chip(found, chip, tariff(found, "bottom-up-14nm"))
    cheap = price_chip(found, chip, tariff(found, technology(tmp_path, "cheap", CHEAP)))
    conversions = math.fsum(line.amount for line in ours.lines if line.action == "adc.convert") / ours.steps
    old = next(line.price for line in ours.lines if line.action == "adc.convert")
    assert cheap.energy() - ours.energy() == pytest.approx(conversions * (2e-12 - old), rel=1e-9)


def test_ranges_hold_the_total_and_need_the_file(run: Path, chip: RecordedChip) -> None:
    found = read(run)
    by = tariff(found, "bottom-up-14nm")
    assert price_chip(found, chip, recorded(found.named[0])).ends_J is None
    side = price_chip(found, chip, ranged(found, by))
    assert side.ends_J is not None
    assert side.ends_J[0] < side.energy() < side.ends_J[1]


def test_other_times_are_not_priced_silently(run: Path, chip: RecordedChip, tmp_path: Path) -> None:
    found = read(run)
    slow = tariff(found, technology(tmp_path, "slow", SLOW))
    with pytest.raises(InputError, match="slow has other times than the run"):
        price_chip(found, chip, slow)


def test_a_further_time_that_the_run_did_not_have_needs_no_re_timing(run: Path, tmp_path: Path) -> None:
    found = read(run)
    more = tariff(found, technology(tmp_path, "more", {**SLOW, "key": "later.unit"}))
    assert more.clocks(found)
    assert price_chip(found, found.chips["digital32"], more).retimed is None


@pytest.mark.parametrize("name", ["mixed-precision", "digital32"])
def test_re_timing_all_steps_gives_what_a_run_with_those_times_gives(run: Path, tmp_path: Path, name: str) -> None:
    found, file = read(run), technology(tmp_path, "slow", SLOW)
    slow = tariff(found, file)
    assert slow.technology is not None
    chip = found.chips[name]
    retimed = retime(found, chip, slow.technology, folder=tmp_path / "points")
    side = price_chip(found, chip, slow, retimed=retimed)
    real = read(small_run(tmp_path / "real", techs=(file,), archs=(name,)))
    expected = price_chip(real, real.chips[name], recorded(real.named[0]))
    assert side.latency_s["total"] == pytest.approx(expected.latency_s["total"], rel=1e-9)
    assert side.energy() == pytest.approx(expected.energy(), rel=1e-6)
    assert "all 120 steps were run again" in side.notes[0]
    assert side.energy() != price_chip(found, chip, tariff(found, "bottom-up-14nm")).energy()


def test_re_timing_some_steps_says_so_and_is_done_once(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, file = read(run), technology(tmp_path, "slow", SLOW)
    slow = tariff(found, file)
    assert slow.technology is not None
    chip = found.chips["digital32"]
    first = retime(found, chip, slow.technology, folder=tmp_path / "points", steps=20)
    side = price_chip(found, chip, slow, retimed=first)
    assert "the first 20 of 120 steps were run again" in side.notes[0]
    monkeypatch.setattr("archsim.records.retime.Trainer", lambda *_: pytest.fail("it was run again"))
    assert retime(found, chip, slow.technology, folder=tmp_path / "points", steps=20) == first


def test_amounts_that_do_not_follow_the_clock_are_left_as_recorded(run: Path, chip: RecordedChip) -> None:
    found = read(run)
    doubled = {
        (row.phase, row.component, row.action): 2.0
        for row in chip.rows
        if row.action == "chi.powered" and row.phase == "update"
    }
    own = tariff(found, "bottom-up-14nm")
    again = replace(own, technology=read_technology("bottom-up-14nm"), name="other", sha256="other")
    side = price_chip(found, chip, again, retimed=Retimed(120, 120, doubled, {"update": 2.0}))
    ours = price_chip(found, chip, own)
    leakage = math.fsum(line.energy_J for line in ours.lines if (line.phase, line.action) == ("update", "chi.powered"))
    assert side.energy() - ours.energy() == pytest.approx(leakage / ours.steps, rel=1e-9)
    assert side.latency_s["update"] == 2 * ours.latency_s["update"]
    assert follows_clock("chi.powered", "bit*s")
    assert follows_clock("control.cycle", "")
    assert not follows_clock("chi.read", "")


def test_a_technology_that_lacks_a_price_is_refused_in_one_line(run: Path, tmp_path: Path) -> None:
    file = tmp_path / "poor.yaml"
    file.write_text("schema: 1\nkind: technology\nname: poor\ntitle: no figures\n")
    found = read(run)
    poor = replace(tariff(found, str(file)), times_s=found.times_s)
    with pytest.raises(InputError, match="no figure prices"):
        price_chip(found, found.chips["digital32"], poor)


def test_unlike_boundaries_are_refused(run: Path, tmp_path: Path) -> None:
    other = shutil.copytree(run, tmp_path / "other")
    text = (other / "run.yaml").read_text()
    assert "    - activation\n" in text
    (other / "run.yaml").write_text(text.replace("    - activation\n", ""))
    with pytest.raises(InputError, match="unlike boundaries: activation"):
        compare([run, other], points=tmp_path / "points")


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("activity.csv", ",amount,", ",much,", "lacks the column amount"),
        ("energy.csv", "energy_J,", "joules,", "lacks the column energy_J"),
        ("run.yaml", "technologies:", "techs:", "lacks something"),
        ("summary.json", "{", "[", "is not valid JSON"),
    ],
)
def test_a_damaged_run_is_refused_in_one_line(run: Path, tmp_path: Path, name: str, old: str, new: str, said: str) -> None:  # fmt: skip
    copy = shutil.copytree(run, tmp_path / "run")
    (copy / name).write_text((copy / name).read_text().replace(old, new, 1))
    with pytest.raises(InputError, match=said):
        read(copy)


def _first_row(column: str, value: str, file: Path) -> None:
    """Give the first row that costs anything another value in a column."""
    head, *rows = file.read_text().splitlines()
    at = head.split(",").index(column)
    cells = rows[0].split(",")
    cells[at] = value
    file.write_text("\n".join([head, ",".join(cells), *rows[1:]]) + "\n")


@pytest.mark.parametrize(
    ("file", "column", "value", "message"),
    [
        ("activity.csv", "amount", "nan", r"activity\.csv: amount: got 'nan'; expected a number from 0 on"),
        ("activity.csv", "amount", "-5", r"activity\.csv: amount: got '-5'; expected a number from 0 on"),
        ("activity.csv", "amount", "1", r"energy\.csv: bottom-up-14nm: has .*; expected 1\.0, as in activity\.csv"),
        ("energy.csv", "energy_J", "1", r"energy\.csv: energy_J: is 1\.0 for .*amount times price"),
        ("energy.csv", "energy_J", "inf", r"energy\.csv: energy_J: got 'inf'; expected a number from 0 on"),
    ],
)
def test_a_run_whose_files_contradict_each_other_is_refused(
    run: Path, tmp_path: Path, file: str, column: str, value: str, message: str
) -> None:
    copy = shutil.copytree(run, tmp_path / "run")
    _first_row(column, value, copy / file)
    with pytest.raises(InputError, match=message):
        read(copy)


def test_a_table_that_was_cut_is_refused(run: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(run, tmp_path / "run")
    lines = (copy / "activity.csv").read_text().splitlines(keepends=True)
    (copy / "activity.csv").write_text("".join(lines[: len(lines) // 2]))
    with pytest.raises(InputError, match=r"energy\.csv: bottom-up-14nm: has .*; expected no row, as in activity\.csv"):
        read(copy)

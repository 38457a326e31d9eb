"""Updates of cases: an outer product written into an array, and the transfer of a line, as published analyses count them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from archsim.base.errors import InputError
from archsim.base.files import shipped
from archsim.studies.validation import standing
from archsim.studies.validation.case_file import Check
from archsim.studies.validation.cases import read_case
from archsim.studies.validation.updated import Updates
from archsim.studies.validation.validate import validate

DESIGNS = shipped("tech_params") / "designs"


def copied(tmp_path: Path, name: str, *changes: tuple[str, str]) -> Path:
    folder = tmp_path / name
    shutil.copytree(DESIGNS / name, folder)
    text = (folder / "case.yaml").read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    (folder / "case.yaml").write_text(text)
    return folder / "case.yaml"


@pytest.mark.parametrize("name", ["haensch2018", "rasch2024"])
def test_a_shipped_analysis_stands_as_recorded_and_misses_only_what_is_known(name: str, tmp_path: Path) -> None:
    results = validate([name], folder=tmp_path)
    assert [f"{result.name} {result.problem}" for result in results if result.problem] == []
    assert {result.name for result in results} == set(standing.results(read_case(name)))
    assert {result.kind for result in results} == {"arithmetic"}


def test_an_update_takes_pulses_alone_however_large_the_array_is_where_nothing_else_takes_time(tmp_path: Path) -> None:
    """Two phases take half of what four do; a quarter of the slots a quarter."""
    case = copied(tmp_path, "haensch2018", ("set: {update.trains.length: 10}", "set: {update.trains.phases: 2}"))
    updates = Updates(read_case(str(case)))
    seconds = {name: updates.value(Check(of=[name], quantity="latency")) for name in ("longest", "short")}
    assert seconds["longest"] == pytest.approx(4 * 31 * 10e-9, rel=0.01)
    assert seconds["short"] == pytest.approx(2 * 31 * 10e-9, rel=0.01)


def test_a_flip_that_is_no_transfers_spares_agad_a_write_a_weight(tmp_path: Path) -> None:
    case = copied(tmp_path, "rasch2024", ("set: {transfer.period: 1}", "set: {transfer.period: 2}"))
    updates = Updates(read_case(str(case)))
    assert updates.value(Check(of=["agad"], quantity="traffic")) == 5 * 512
    assert updates.value(Check(of=["agad"], quantity="operations")) == 6 * 512


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("of: [sgd], quantity: operations", "of: [sgd], quantity: energy", "expected one update's latency, operations"),
        ("of: [sgd], quantity: operations", "of: [sgdd], quantity: operations", "Did you mean 'sgd'"),
        ("work: write", "work: writes", "updates.sgd.work: got 'writes'; expected 'write' or 'transfer'"),
    ],
)
def test_a_check_that_an_update_cannot_answer_is_refused(tmp_path: Path, old: str, new: str, expected: str) -> None:
    with pytest.raises(InputError) as caught:
        read_case(str(copied(tmp_path, "rasch2024", (old, new))))
    assert expected in str(caught.value)

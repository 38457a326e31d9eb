"""The one finder: a run's technology by its copy, by a file given, shipped; the same, changed or missing."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from explain_kit import small_run

from archsim.accounting.technology import read_technology
from archsim.base import files
from archsim.base.errors import InputError
from archsim.records.recorded import Recorded, read
from archsim.records.technologies import Found, find

OWN, OTHER = "mine", "bottom-up-14nm"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("technologies")
    (folder / "mine.yaml").write_text(f"schema: 1\nkind: technology\nname: {OWN}\ntitle: Mine\nextends: {OTHER}\n")
    small_run(folder / "run", steps=20, archs=("digital32",), techs=(str(folder / "mine.yaml"), OTHER))
    (folder / "mine.yaml").unlink()
    return folder / "run"


@pytest.fixture
def run(recorded: Path, tmp_path: Path) -> Recorded:
    return read(Path(shutil.copytree(recorded, tmp_path / "run")))


def found(run: Recorded, name: str | None = None, *given: str) -> Found:
    return find(run.path, run.named, name, given=given)


def test_the_copy_that_the_run_keeps_is_found_wherever_the_run_lies(run: Recorded) -> None:
    one = found(run)
    assert (one.state, one.note) == ("same", "")
    assert one.same().path == run.inputs / "technologies" / OWN / f"{OWN}.yaml"
    assert one.same().ancestors == (run.inputs / "technologies" / OWN / f"{OTHER}.yaml",)
    assert found(run, OTHER).same().sha256 == read_technology(OTHER).sha256


def test_a_copy_that_was_altered_is_the_same_no_more(run: Recorded) -> None:
    copy = run.inputs / "technologies" / OWN / f"{OTHER}.yaml"
    copy.write_text(copy.read_text() + "# more\n")
    assert found(run).state == "changed"
    with pytest.raises(InputError, match="has changed since the run; expected the file it was done with"):
        found(run).same()
    assert found(run).alike(run).name == OWN  # but it prices the same
    assert "prices all that the run did as it did then" in found(run).note


def test_one_that_prices_otherwise_is_refused_by_its_first_difference(run: Recorded, tmp_path: Path) -> None:
    shipped = (files.shipped("tech_params") / f"{OTHER}.yaml").read_text()
    head, old, tail = shipped.partition("  sram.read:\n")
    other = tmp_path / f"{OTHER}.yaml"
    other.write_text(head + old + re_valued(tail))
    shutil.copy(files.shipped("tech_params") / "references.bib", tmp_path)
    given = found(run, OTHER, str(other))
    assert given.state == "changed"
    assert given.as_it_is().path == other
    with pytest.raises(InputError, match=r"is not the file this run was priced by: sram\.read gave .* now"):
        given.alike(run)


def re_valued(text: str) -> str:
    """Double the first value of a figure that a file goes on with."""
    lines = text.split("\n")
    place = next(k for k, line in enumerate(lines) if line.strip().startswith(("value:", "points:")))
    first = next(k for k in range(place, len(lines)) if " pJ" in lines[k])
    lines[first] = lines[first].replace(" pJ", "1 pJ", 1)
    return "\n".join(lines)


def test_without_copies_one_beside_the_run_is_found_and_one_nowhere_is_missing(run: Recorded) -> None:
    copy = (run.inputs / "technologies" / OWN / f"{OWN}.yaml").read_bytes()
    shutil.rmtree(run.inputs)
    missing = found(run)
    assert (missing.state, missing.technology) == ("missing", None)
    with pytest.raises(InputError, match="mine is neither in inputs of the run nor shipped"):
        missing.as_it_is()
    (run.path.parent / f"{OWN}.yaml").write_bytes(copy)
    assert found(run).state == "same"


def test_a_technology_that_did_not_price_the_run_is_refused(run: Recorded) -> None:
    for name, given in (("digital-7nm", ()), (None, ("stranger.yaml",))):
        with pytest.raises(InputError, match=f"--tech: got .*expected one this run was priced by: {OWN}, {OTHER}"):
            found(run, name, *given)


def test_a_change_of_an_amount_is_no_change_of_a_technology(run: Recorded) -> None:
    assert found(replace(run, chips={})).state == "same"

"""Figures given for one run: the technology that they make, its record in the run, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from archsim.base.errors import InputError
from archsim.records.reopen import reopen
from archsim.records.verify import verify
from archsim.runs.identity import point_key
from archsim.runs.run import execute
from archsim.runs.spec import RunSpec, resolve

TECHNOLOGIES = ("bottom-up-14nm", "digital-7nm")


def small(**options: Any) -> RunSpec:
    return resolve("mlp-mnist", **{"steps": 20, "archs": ("mixed-precision",), "techs": TECHNOLOGIES, **options})


def test_a_figure_for_one_run_keeps_its_law_and_names_the_technology() -> None:
    spec = small(figures={"adc.conversion": "1.2 pJ"})
    own, other = spec.technologies
    assert own.name == "bottom-up-14nm+adc.conversion"
    assert own.figures["adc.conversion"].price({"bits": 6}) == pytest.approx(0.3e-12)
    assert own.figures["adc.conversion"].origin.why == "given for one run with --figure; 5.12 pJ in bottom-up-14nm"
    assert other.name == "digital-7nm"
    plain = small()
    assert own.sha256 != plain.technologies[0].sha256
    assert point_key(spec) != point_key(plain)


def test_a_time_is_laid_over_all_technologies_since_a_run_has_one_clock() -> None:
    own, other = small(figures=("sram.access=1 ns", "adc.conversion=1 pJ")).technologies
    assert own.time_s("sram.access") == other.time_s("sram.access") == 1e-9
    assert own.times_hash == other.times_hash
    assert other.name == "digital-7nm+sram.access"


def test_many_figures_make_a_name_that_a_file_can_have() -> None:
    own = small(techs=("bottom-up-14nm",)).technologies[0]
    values = {name: "1 pJ" for name, figure in own.figures.items() if figure.unit == "J"}
    assert len(values) > 10
    assert len(small(figures=values).technologies[0].name) < 100


def test_the_run_tells_the_values_and_can_be_priced_and_repeated_from_its_directory(tmp_path: Path) -> None:
    run = tmp_path / "run"
    execute(small(figures=("adc.conversion=1.2pJ", "sram.read=3 pJ")), run)
    told = yaml.safe_load((run / "run.yaml").read_text())
    assert told["figures"] == {"adc.conversion": "1.2pJ", "sram.read": "3 pJ"}
    assert told["given"]["techs"] == ["bottom-up-14nm", "digital-7nm"]
    assert told["given"]["archs"] == ["mixed-precision"]
    name = "bottom-up-14nm+adc.conversion+sram.read"
    assert (run / "inputs" / "technologies" / name / f"{name}.yaml").is_file()
    found = reopen(run)
    assert found.technologies[0].name == name
    assert found.figures == (("adc.conversion", "1.2pJ"), ("sram.read", "3 pJ"))
    again = verify(run)
    assert again is not None
    assert again.equal
    assert {each.state for each in again.inputs} == {"equal"}


@pytest.mark.parametrize(
    ("figure", "expected"),
    [
        ("adc.conversion", "--figure: got 'adc.conversion'; expected \"KEY=VALUE\""),
        ("adc.conversion=", "--figure: got 'adc.conversion='; expected \"KEY=VALUE\""),
        ("adc.converion=1pJ", "--figure adc.converion=1pJ: bottom-up-14nm has no such figure, time or area; expected one that `archsim tech show bottom-up-14nm` lists. Did you mean 'adc.conversion'?"),
        ("conversion=1pJ", "Did you mean 'adc.conversion'?"),
        ("adc.conversion=1", "--figure: figures.adc.conversion.value: got '1'; expected a quantity in J, not negative"),
        ("adc.conversion=3V", "--figure: figures.adc.conversion.value: got '3V'; expected a quantity in J, not negative, as bottom-up-14nm has it"),
        ("sram.access=3 pJ", "--figure: times.sram.access.value: got '3 pJ', which is no quantity in s"),
    ],
)  # fmt: skip
def test_a_wrong_figure_is_named_with_option_key_and_unit(figure: str, expected: str) -> None:
    with pytest.raises(InputError) as caught:
        small(figures=(figure,))
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_key_given_twice_is_refused() -> None:
    with pytest.raises(InputError, match=r"--figure: given twice: adc.conversion"):
        small(figures=("adc.conversion=1pJ", "figures.adc.conversion=2pJ"))


def test_a_key_of_several_sections_is_told_apart_by_its_section(tmp_path: Path) -> None:
    tech = tmp_path / "mine.yaml"
    tech.write_text(
        "schema: 1\nkind: technology\nextends: bottom-up-14nm\nareas:\n  adc.conversion: "
        "{value: 1 um^2, range: [1 um^2, 2 um^2], prices: [tile.other], basis: assumed, why: a try}\n"
    )
    with pytest.raises(InputError, match=r"expected figures.adc.conversion or areas.adc.conversion"):
        small(techs=(str(tech),), figures=("adc.conversion=1pJ",))
    own = small(techs=(str(tech),), figures=("figures.adc.conversion=1pJ",)).technologies[0]
    assert own.figures["adc.conversion"].value == 1e-12

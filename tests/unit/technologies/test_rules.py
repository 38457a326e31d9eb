"""One scaling rule for a technology: figures computed from printed numbers, by hand, and switched as a whole."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from archsim.accounting.technology import Technology, list_technologies, read_technology
from archsim.base.errors import InputError
from archsim.technologies.overlay import by_rule, overlays
from archsim.technologies.rules import NEWER, OLDER, POLYNOMIALS, RULES, TABLES, compute, problems

BASE = read_technology("bottom-up-14nm")
LI = math.log(14 / 7) / math.log(45 / 7)
SB45, SB7, SB22 = 0.1377, 2.012, 0.5135  # the survey's own factors to 14 nm at 0.8 V
SWITCHED = {name for name, figure in BASE.figures.items() if figure.origin.scaled} - {"wire"}


def text(figure: str, scaling: str = "scaling: table-interpolation\n") -> str:
    return (
        f"schema: 1\nkind: technology\nextends: bottom-up-14nm\n{scaling}figures:\n  fp32.add:\n    value: 0.524 pJ/op\n"
        "    range: [0.1 pJ/op, 1 pJ/op]\n    basis: derived\n    source: horowitz2014\n    where: a table\n"
        f"    derived_by: a rule\n    scaled: {figure}\n"
    )


def mine(folder: Path, figure: str, scaling: str = "scaling: table-interpolation\n") -> Technology:
    (folder / "mine.yaml").write_text(text(figure, scaling))
    return read_technology(str(folder / "mine.yaml"))


@pytest.mark.parametrize("name", list_technologies())
def test_every_stated_value_is_what_the_rule_of_its_technology_gives(name: str) -> None:
    assert problems(read_technology(name)) == []


@pytest.mark.parametrize(
    ("rule", "picojoule"),
    [
        (TABLES, 1.31 * (3.7 / 1.31) ** LI),
        (OLDER, 3.7 * SB45),
        (NEWER, 1.31 * SB7),
        (POLYNOMIALS, math.sqrt(3.7 * SB45 * 1.31 * SB7)),
    ],
)
def test_a_multiplication_by_hand_under_every_rule(rule: str, picojoule: float) -> None:
    assert compute(BASE.figures["fp32.multiply"], rule).value == pytest.approx(picojoule * 1e-12, rel=1e-3)


def test_a_large_memory_by_hand_under_every_rule() -> None:
    """A mean of CACTI at 22 nm and of half a 64-bit access at 45 and 7 nm; arithmetic's rule, not one of its own."""
    cacti, read, figure = math.sqrt(14.7515 * 11.7681), math.sqrt(34 / 46), BASE.figures["sram.read"]
    by_tables = cacti * (100 / 14) ** (math.log(14 / 22) / math.log(45 / 7)), 7 * (100 / 14) ** LI
    for rule, access in (
        (TABLES, math.sqrt(by_tables[0] * by_tables[1])),
        (OLDER, (cacti * SB22) ** (2 / 3) * (50 * SB45) ** (1 / 3)),
        (NEWER, 7 * SB7),
        (POLYNOMIALS, math.sqrt(cacti * SB22 * math.sqrt(50 * SB45 * 7 * SB7))),
    ):
        assert compute(figure, rule).value == pytest.approx(access * read * 1e-12, rel=2e-3), rule


def test_a_clock_follows_the_datapath_that_it_serves() -> None:
    by_hand = 1.26 * 0.25 * (0.1 / 0.03) ** (math.log(14 / 32) / math.log(45 / 7)) + 0.26 * (1.929 + 0.524)
    assert compute(BASE.figures["control.mac"], TABLES).value == pytest.approx(by_hand * 1e-12, rel=1e-3)


@pytest.mark.parametrize("rule", RULES[1:])
def test_another_rule_moves_every_scaled_figure_and_no_other(rule: str) -> None:
    made = by_rule(BASE, rule)
    assert made.name == f"bottom-up-14nm+{rule}"
    assert made.scaling == rule
    moved = {name for name, figure in made.figures.items() if figure.value != BASE.figures[name].value}
    assert moved - {"wire"} == SWITCHED  # the wire within its rounding: it follows the voltage by every rule
    assert made.figures["wire"].value == pytest.approx(BASE.figures["wire"].value, rel=1e-3)
    assert made.times_hash == BASE.times_hash
    for name in SWITCHED:
        figure = made.figures[name]
        assert figure.low <= figure.value <= figure.high
        assert (figure.prices, figure.law, figure.at) == (
            BASE.figures[name].prices, BASE.figures[name].law, BASE.figures[name].at
        )  # fmt: skip
        assert figure.origin.derived_by is not None
        assert figure.origin.derived_by.startswith(f"by {rule} from the numbers in `scaled`; in bottom-up-14nm ")
    assert problems(made) == []


def test_the_own_rule_changes_nothing() -> None:
    assert by_rule(BASE, TABLES) is BASE


def test_a_rule_and_a_value_of_one_run_stand_in_one_technology() -> None:
    (made,) = overlays([BASE], [("scaling", OLDER), ("fp32.add", "1 pJ")])
    assert made.figures["fp32.add"].value == pytest.approx(1e-12)
    assert made.figures["fp32.multiply"].value == pytest.approx(0.509e-12, rel=2e-3)
    assert made.name == f"bottom-up-14nm+{OLDER}+fp32.add"


def test_a_native_point_stays_under_every_rule() -> None:
    for rule in RULES:
        points = dict(compute(BASE.figures["sram.read"], rule).points)
        assert points[11.25 * 8192] == pytest.approx(1.22e-12)


def test_a_rule_that_is_not_there_is_named_with_the_nearest() -> None:
    with pytest.raises(
        InputError, match=r"--figure-rule: got 'stillmaker'; expected one of .*Did you mean 'stillmaker-"
    ):
        by_rule(BASE, "stillmaker")


def test_a_technology_that_says_nothing_of_scaling_is_refused() -> None:
    with pytest.raises(InputError, match="says of no figure how it was scaled"):
        by_rule(read_technology("tech_params/designs/isaac2016/parts-32nm.yaml"), OLDER)


@pytest.mark.parametrize(
    ("figure", "wrong"),
    [
        ("{to: 14 nm, terms: [{row: fp32.add, from: [{value: 0.9 kg, node: 45 nm}]}]}", "'0.9 kg'"),
        ("{to: 14 nm, terms: [{row: fp64.add, from: [{value: 0.9 pJ, node: 45 nm}]}]}", "'fp64.add'"),
        ("{to: 14 nm, terms: [{row: fp32.add, from: [{value: 0.9 pJ, node: 65 nm}]}]}", "'65 nm'"),
        ("{to: 14 nm, terms: [{row: memory, from: [{value: 0.9 pJ, node: 45 nm}]}]}", "'memory'"),
        ("{to: 14 nm, points: [{size: 1 KiB, terms: [{row: memory, from: [{value: 1 pJ, node: 22 nm}]}]}]}", "'1 KiB'"),
    ],
)
def test_a_number_that_cannot_be_scaled_is_one_line_with_its_place(tmp_path: Path, figure: str, wrong: str) -> None:
    technology = mine(tmp_path, figure)
    with pytest.raises(InputError, match=r"mine.yaml:6: figures.fp32.add.scaled: .*" + wrong):
        compute(technology.figures["fp32.add"], TABLES)


@pytest.mark.parametrize(
    "figure", ["{to: 14 nm}", "{to: 14 nm, terms: []}", "{to: 14 nm, terms: [{row: a, from: []}]}"]
)
def test_a_sum_of_nothing_is_refused_when_the_file_is_read(tmp_path: Path, figure: str) -> None:
    with pytest.raises(InputError, match=r"mine.yaml:\d+: figures.fp32.add.scaled"):
        mine(tmp_path, figure)


def test_lint_finds_a_value_that_its_rule_does_not_give_and_a_rule_that_is_missing(tmp_path: Path) -> None:
    wrong = "{to: 14 nm, terms: [{row: fp32.add, from: [{value: 1.8 pJ, node: 45 nm}]}]}"
    (found,) = problems(mine(tmp_path, wrong))
    assert "mine.yaml:6: figures.fp32.add.value: got 524 fJ; expected 1.048 pJ, by table-interpolation" in found
    (found,) = problems(mine(tmp_path, wrong, "scaling: moore\n"))
    assert "scaling: got 'moore'; expected one of table-interpolation" in found

"""Component tables of the Accelergy kind: what is mapped, and what is not and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from archsim.accounting.laws import LAWS
from archsim.accounting.technology import read_technology
from archsim.base.errors import InputError
from archsim.technologies.components import read_components
from archsim.technologies.imports import convert, read_mapping, write_import

ADC = "technology,resolution,energy,area,action\n32nm,8,1.5,1200,convert|read\n32nm,8,0,1200,idle|write # idle\n"
SRAM = (
    "technology,width,depth,action,energy (pJ),area\n45nm,32,256,read,0.99,0\n45nm,32,2048,read,3.18,0\n"
    "45nm,32,256,write,2,0\n"
)


def table(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_row_becomes_a_figure_with_its_law_and_its_place(tmp_path: Path) -> None:
    path = table(tmp_path, "adc.csv", ADC)
    found = convert(read_components(path, energy_unit="pJ", area_unit="um^2"), path, source="isaac2016")
    assert [name for _, name in found.mapped] == ["figures.adc.conversion", "areas.tile.adc"]
    assert [reason for _, reason in found.unmapped] == ["the mapping knows none of its actions"]
    write_import(found, path, tmp_path / "mine.yaml", extends="bottom-up-14nm")
    made = read_technology(str(tmp_path / "mine.yaml"))
    figure = made.figures["adc.conversion"]
    assert (figure.value, figure.law, figure.at) == (pytest.approx(1.5e-12), "per-2^bits", {"bits": 8})
    assert (figure.origin.source, figure.origin.node) == ("isaac2016", "32 nm")
    assert "adc.csv, line 2" in (figure.origin.where or "")
    assert made.areas["tile.adc"].value == pytest.approx(1200e-12)


def test_a_unit_is_never_guessed(tmp_path: Path) -> None:
    path = table(tmp_path, "adc.csv", ADC)
    with pytest.raises(InputError, match=r"adc.csv:1: energy: has no unit .* \"energy \(pJ\)\", or --energy-unit pJ"):
        read_components(path)
    with pytest.raises(InputError, match=r"area: has no unit .* --area-unit um\^2"):
        read_components(path, energy_unit="pJ")
    with pytest.raises(InputError, match="--energy-unit: got 'pm'; expected a unit such as pJ"):
        read_components(path, energy_unit="pm", area_unit="um^2")


@pytest.mark.parametrize("header", ["energy (pJ)", "Energy [pJ]", "energy_pJ"])
def test_a_unit_may_stand_in_the_header(tmp_path: Path, header: str) -> None:
    path = table(tmp_path, "intadder.csv", f"technology,datawidth,action,{header}\n45nm,32,add,0.1\n")
    (row,) = read_components(path)
    assert row.energy == pytest.approx(0.1e-12)
    assert row.area is None


def test_without_a_source_the_file_is_refused_until_it_has_one(tmp_path: Path) -> None:
    path = table(tmp_path, "adc.csv", ADC)
    found = convert(read_components(path, energy_unit="pJ", area_unit="um^2"), path)
    write_import(found, path, tmp_path / "mine.yaml", extends=None)
    with pytest.raises(InputError, match="`source` is still a placeholder"):
        read_technology(str(tmp_path / "mine.yaml"))


def test_rows_that_mean_the_same_need_a_choice(tmp_path: Path) -> None:
    path = table(tmp_path, "adc.csv", ADC + "32nm,6,0.9,600,convert\n")
    rows = read_components(path, energy_unit="pJ", area_unit="um^2")
    found = convert(rows, path)
    assert found.figures == {}
    assert "2 rows mean the same; choose with --where resolution=..." in [reason for _, reason in found.unmapped]
    chosen = convert(rows, path, where={"resolution": "6"}, source="isaac2016")
    assert chosen.figures["adc.conversion"]["at"] == {"bits": 6}
    assert chosen.areas["tile.adc"]["value"] == "600 um^2"


def test_memories_of_several_depths_become_points(tmp_path: Path) -> None:
    path = table(tmp_path, "SRAM.csv", SRAM)
    found = convert(read_components(path, area_unit="um^2"), path, source="cacti7")
    assert found.figures["sram.read"]["points"] == [["8192 bit", "990 fJ"], ["65536 bit", "3.18 pJ"]]
    assert found.figures["sram.read"]["at"] == {"capacity": "65536 bit", "word": "32 bit"}
    (reason,) = [reason for row, reason in found.unmapped]
    assert reason.startswith("one capacity alone says nothing of others")
    write_import(found, path, tmp_path / "mine.yaml", extends=None)
    assert read_technology(str(tmp_path / "mine.yaml")).figures["sram.read"].law == "sram-capacity"


def test_another_precision_is_not_taken_for_32_bit(tmp_path: Path) -> None:
    text = "component,exponent,mantissa,action,energy (pJ)\nfpadder,5,10,add,0.4\nfpadder,8,23,add,0.9\nfpadder,*,*,add,2\n"
    path = table(tmp_path, "parts.csv", text)
    found = convert(read_components(path), path, source="horowitz2014")
    assert found.figures["fp32.add"]["value"] == "900 fJ"
    assert [reason for _, reason in found.unmapped] == [
        "exponent is 5; it has to be 8", "says nothing of exponent or mantissa",
    ]  # fmt: skip


def test_blocks_of_several_components_and_or_names_are_read(tmp_path: Path) -> None:
    text = (
        "# a library\nCOMPONENT: aladdin_adder\nwidth|datawidth, energy_pJ, action\n32, 0.21, add|read\n\n"
        "COMPONENT: mystery\nenergy_pJ, action\n1, do\n"
    )
    path = table(tmp_path, "parts.csv", text)
    found = convert(read_components(path), path, source="aladdin2014")
    assert found.figures["int.add"]["at"] == {"bits": 32}
    assert found.unmapped == (("line 8, mystery do", "the mapping knows no component 'mystery'"),)


def test_nothing_mapped_is_an_error(tmp_path: Path) -> None:
    path = table(tmp_path, "mystery.csv", "energy_pJ,action\n1,do\n")
    with pytest.raises(InputError, match="nothing could be mapped: line 2, mystery do: the mapping knows no component"):
        write_import(convert(read_components(path), path), path, tmp_path / "x.yaml", extends=None)
    assert not (tmp_path / "x.yaml").exists()


def test_tables_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_components(tmp_path / "none.csv")
    with pytest.raises(InputError, match="has no column 'energy'"):
        read_components(table(tmp_path, "x.csv", "a,b\n1,2\n"))
    with pytest.raises(InputError, match="holds no row"):
        read_components(table(tmp_path, "y.csv", "# nothing\n"))
    with pytest.raises(InputError, match="--format: got 'other'; expected one of accelergy"):
        read_mapping("other")


def test_the_mapping_names_laws_with_the_references_they_need() -> None:
    for name, rule in read_mapping("accelergy").figures.items():
        assert set(LAWS[rule.law].at) == set(rule.at), name


ONE = "component,action,resolution,technology,energy (pJ)\nadc,convert,8,65nm,{}\n"


@pytest.mark.parametrize(
    ("text", "joules"),
    [
        (ONE.format("0.773"), 0.773e-12),
        (ONE.format("0,773").replace(",", ";", 4).replace("adc,convert,8,65nm,", "adc;convert;8;65nm;"), 0.773e-12),
        (ONE.format("2.0 pJ"), 2e-12),
        (ONE.format("773 fJ").replace("energy (pJ)", "energy"), 0.773e-12),
        (ONE.format("0.773").replace(",", "\t"), 0.773e-12),
        ("Parts of 2024,,,,\n" + ONE.format("0.773"), 0.773e-12),
        (ONE.format("0.773").replace("energy (pJ)", "ENERGY [pj]"), 0.773e-12),
        (ONE.format("0.773").replace("\n", ",remark\n", 1), 0.773e-12),
    ],
    ids=["plain", "semicolon", "cell", "cell only", "tab", "title", "capitals", "no comment cell"],
)
def test_one_energy_in_the_forms_that_people_have(tmp_path: Path, text: str, joules: float) -> None:
    (row,) = read_components(table(tmp_path, "adc.csv", text))
    assert row.energy == pytest.approx(joules)
    assert row.problem is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("component,action,energy (pJ),energy (nJ)\nadc,convert,1.2,3\n", "adc.csv:1: energy: stands for energy .pJ. and energy .nJ.; expected one of them"),
        ("component,action,width,datawidth|width,energy_pJ\nadc,convert,8,9,3\n", "adc.csv:1: width: stands for width and datawidth.width"),
        (ONE.format("-1.2"), "adc.csv:2: energy: got '-1.2'; expected no negative energy"),
        (ONE.format("inf"), "adc.csv:2: energy: got 'inf'; expected a finite number"),
        (ONE.format("1e999"), "adc.csv:2: energy: got '1e999'; expected a finite number"),
        (ONE.format('"1,234"'), "nothing could be mapped: line 2, adc convert: energy: got '1,234', which may be 1.234 or 1234"),
        (ONE.format("much"), "line 2, adc convert: energy: got 'much'; expected a number"),
        (ONE.format("2").replace("adc,", ""), "nothing could be mapped: line 2, adc: has 4 cells; expected 5"),
        (ONE.format("1").replace("pJ", "mj"), "has the unit 'mj', which may be mJ or MJ"),
        (ONE.format("1").replace(",8,", ",99,"), "gives figures that are refused: .* for bits from 3 to 12, not for 99"),
    ],
)  # fmt: skip
def test_a_refused_import_says_why_and_leaves_nothing_behind(tmp_path: Path, text: str, words: str) -> None:
    from archsim.api import tech

    with pytest.raises(InputError, match=words):
        tech.import_(table(tmp_path, "adc.csv", text), tmp_path / "mine.yaml", source="murmann2025")
    assert [path.name for path in tmp_path.iterdir()] == ["adc.csv"]


def test_an_unknown_source_leaves_nothing_behind_and_a_file_that_was_there_as_it_was(tmp_path: Path) -> None:
    from archsim.api import tech

    path, out = table(tmp_path, "adc.csv", ONE.format("2")), tmp_path / "mine.yaml"
    with pytest.raises(InputError, match=r"adc.csv: gives figures that are refused: .*murmann1925"):
        tech.import_(path, out, source="murmann1925")
    assert not out.exists()
    out.write_text("mine")
    with pytest.raises(InputError, match="murmann1925"):
        tech.import_(path, out, source="murmann1925", force=True)
    assert out.read_text() == "mine"


def test_a_source_may_stand_in_a_bibliography_beside_the_new_file(tmp_path: Path) -> None:
    from archsim.api import tech

    path = table(tmp_path, "adc.csv", ONE.format("2"))
    table(tmp_path, "references.bib", "@misc{mine2026, title = {Mine}, author = {Me}, year = {2026}}\n")
    tech.import_(path, tmp_path / "mine.yaml", source="mine2026", extends="bottom-up-14nm")
    assert read_technology(str(tmp_path / "mine.yaml")).figures["adc.conversion"].value == pytest.approx(2e-12)

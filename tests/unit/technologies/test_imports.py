"""Component tables of the Accelergy kind: what is mapped, and what is not and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from archsim.accounting.laws import LAWS
from archsim.accounting.technology import read_technology
from archsim.base.errors import InputError
from archsim.technologies.imports import convert, read_mapping, read_table, write_import

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
    found = convert(read_table(path, energy_unit="pJ", area_unit="um^2"), path, source="isaac2016")
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
    with pytest.raises(InputError, match=r"adc.csv:1: column 'energy' states no unit; expected .* --energy-unit pJ"):
        read_table(path)
    with pytest.raises(InputError, match=r"column 'area' states no unit"):
        read_table(path, energy_unit="pJ")
    with pytest.raises(InputError, match="unit of column 'energy': got 'pm'"):
        read_table(path, energy_unit="pm", area_unit="um^2")


@pytest.mark.parametrize("header", ["energy (pJ)", "Energy [pJ]", "energy_pJ"])
def test_a_unit_may_stand_in_the_header(tmp_path: Path, header: str) -> None:
    path = table(tmp_path, "intadder.csv", f"technology,datawidth,action,{header}\n45nm,32,add,0.1\n")
    (row,) = read_table(path)
    assert row.energy == pytest.approx(0.1e-12)
    assert row.area is None


def test_without_a_source_the_file_is_refused_until_it_has_one(tmp_path: Path) -> None:
    path = table(tmp_path, "adc.csv", ADC)
    found = convert(read_table(path, energy_unit="pJ", area_unit="um^2"), path)
    write_import(found, path, tmp_path / "mine.yaml", extends=None)
    with pytest.raises(InputError, match="`source` is still a placeholder"):
        read_technology(str(tmp_path / "mine.yaml"))


def test_rows_that_mean_the_same_need_a_choice(tmp_path: Path) -> None:
    path = table(tmp_path, "adc.csv", ADC + "32nm,6,0.9,600,convert\n")
    rows = read_table(path, energy_unit="pJ", area_unit="um^2")
    found = convert(rows, path)
    assert found.figures == {}
    assert "2 rows mean the same; choose with --where resolution=..." in [reason for _, reason in found.unmapped]
    chosen = convert(rows, path, where={"resolution": "6"}, source="isaac2016")
    assert chosen.figures["adc.conversion"]["at"] == {"bits": 6}
    assert chosen.areas["tile.adc"]["value"] == "600 um^2"


def test_memories_of_several_depths_become_points(tmp_path: Path) -> None:
    path = table(tmp_path, "SRAM.csv", SRAM)
    found = convert(read_table(path, area_unit="um^2"), path, source="cacti7")
    assert found.figures["sram.read"]["points"] == [["8192 bit", "990 fJ"], ["65536 bit", "3.18 pJ"]]
    assert found.figures["sram.read"]["at"] == {"capacity": "65536 bit", "word": "32 bit"}
    (reason,) = [reason for row, reason in found.unmapped]
    assert reason.startswith("one capacity alone says nothing of others")
    write_import(found, path, tmp_path / "mine.yaml", extends=None)
    assert read_technology(str(tmp_path / "mine.yaml")).figures["sram.read"].law == "sram-capacity"


def test_another_precision_is_not_taken_for_32_bit(tmp_path: Path) -> None:
    text = "component,exponent,mantissa,action,energy (pJ)\nfpadder,5,10,add,0.4\nfpadder,8,23,add,0.9\nfpadder,*,*,add,2\n"
    path = table(tmp_path, "parts.csv", text)
    found = convert(read_table(path), path, source="horowitz2014")
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
    found = convert(read_table(path), path, source="aladdin2014")
    assert found.figures["int.add"]["at"] == {"bits": 32}
    assert found.unmapped == (("line 8, mystery do", "the mapping knows no component 'mystery'"),)


def test_nothing_mapped_is_an_error(tmp_path: Path) -> None:
    path = table(tmp_path, "mystery.csv", "energy_pJ,action\n1,do\n")
    with pytest.raises(InputError, match="nothing could be mapped: line 2, mystery do: the mapping knows no component"):
        write_import(convert(read_table(path), path), path, tmp_path / "x.yaml", extends=None)
    assert not (tmp_path / "x.yaml").exists()


def test_tables_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(InputError, match="has no column 'energy'"):
        read_table(table(tmp_path, "x.csv", "a,b\n1,2\n"))
    with pytest.raises(InputError, match="holds no row"):
        read_table(table(tmp_path, "y.csv", "# nothing\n"))
    with pytest.raises(InputError, match="--format: got 'other'; expected one of accelergy"):
        read_mapping("other")


def test_the_mapping_names_laws_with_the_references_they_need() -> None:
    for name, rule in read_mapping("accelergy").figures.items():
        assert set(LAWS[rule.law].at) == set(rule.at), name

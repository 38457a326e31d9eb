"""A figure of a file that extends another: what it keeps, what it replaces, and what it has to say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from archsim.accounting.technology import Technology, lint, read_technology
from archsim.base.errors import InputError
from archsim.base.files import shipped
from archsim.base.yamlfile import read
from archsim.studies.inventory import declared, entries
from archsim.technologies.diff import content, diff
from archsim.technologies.scaling import move, scale

PARENT = read_technology("bottom-up-14nm")


def technology(folder: Path, text: str, name: str = "mine", extends: str = "bottom-up-14nm") -> Technology:
    path = folder / f"{name}.yaml"
    path.write_text(f"schema: 1\nkind: technology\nextends: {extends}\n{text}")
    return read_technology(str(path))


def test_a_cheaper_converter_and_memory_given_as_numbers_make_every_size_of_them_cheaper(tmp_path: Path) -> None:
    mine = technology(tmp_path, "figures:\n  adc.conversion: 1.2 pJ\n  sram.read: 3 pJ\n")
    for bits, price in ((4, 0.075e-12), (6, 0.3e-12), (8, 1.2e-12)):
        assert mine.figures["adc.conversion"].price({"bits": bits}) == pytest.approx(price)
    for capacity in (8192, 65536, 262144, 2**21, 2**23, 7e8):
        for word in (8, 32, 128):
            sizes = {"capacity_bit": capacity, "word_bit": word}
            before, after = PARENT.figures["sram.read"].price(sizes), mine.figures["sram.read"].price(sizes)
            assert after == pytest.approx(before * 3 / 9.38)
    for entry in entries("mixed-precision", mine):
        was, now = PARENT.figure_for(entry.key), mine.figure_for(entry.key)
        assert was is not None
        assert now is not None
        assert now.price(entry.sizes) <= was.price(entry.sizes)


def test_the_range_moves_with_a_value_that_is_given_alone(tmp_path: Path) -> None:
    mine = technology(
        tmp_path, "times: {sram.access: 1 ns}\nfigures: {adc.conversion: 1.2 pJ}\nareas: {tile.adc: 800 um^2}\n"
    )
    for section, name in (("times", "sram.access"), ("figures", "adc.conversion"), ("areas", "tile.adc")):
        was, now = getattr(PARENT, section)[name], getattr(mine, section)[name]
        assert now.low / now.value == pytest.approx(was.low / was.value)
        assert now.high / now.value == pytest.approx(was.high / was.value)
        assert now.origin.basis == "assumed"
        assert now.origin.why.startswith("given as a number in mine.yaml; its range, ")
        assert now.origin.sources == ()
    assert mine.time_s("sram.access") == 1e-9
    assert mine.areas["tile.adc"].prices == PARENT.areas["tile.adc"].prices


def test_a_mapping_replaces_the_keys_it_has(tmp_path: Path) -> None:
    mine = technology(
        tmp_path, "figures:\n  adc.conversion: {range: [1 pJ, 9 pJ]}\n  sram.read: {at: {word: 64 bit}}\n"
    )
    was, now = PARENT.figures["adc.conversion"], mine.figures["adc.conversion"]
    assert (now.value, now.low, now.high) == (was.value, pytest.approx(1e-12), pytest.approx(9e-12))
    assert (now.law, now.at, now.prices, now.origin) == (was.law, was.at, was.prices, was.origin)
    assert mine.figures["sram.read"].at == {**PARENT.figures["sram.read"].at, "word": 64.0}


def test_a_mapping_that_changes_the_value_says_its_own_basis(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"mine.yaml:\d+: figures.adc.conversion.basis: is missing"):
        technology(tmp_path, "figures:\n  adc.conversion: {value: 1 pJ}\n")
    mine = technology(tmp_path, "figures:\n  adc.conversion: {value: 1 pJ, basis: assumed, why: a guess}\n")
    now = mine.figures["adc.conversion"]
    assert (now.origin.why, now.origin.sources, now.origin.where) == ("a guess", (), None)
    assert (
        now.origin.note == "range: that of figures.adc.conversion of bottom-up-14nm in relation to the value, assumed"
    )
    assert now.at == {"bits": 8.0}


def test_another_law_leaves_the_reference_sizes_of_the_old_one_behind(tmp_path: Path) -> None:
    mine = technology(tmp_path, "figures:\n  adc.conversion: {law: constant}\n")
    assert mine.figures["adc.conversion"].price({"bits": 4}) == PARENT.figures["adc.conversion"].value


def test_prices_and_covers_are_one_statement(tmp_path: Path) -> None:
    mine = technology(tmp_path, "figures:\n  writer.up.conduct: {prices: [writer.up.conduct]}\n")
    assert mine.figures["writer.up.conduct"].covers == ()
    assert technology(tmp_path, "figures: {writer.up.conduct: 4 V^2}\n").figures["writer.up.conduct"].covers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("adc.conversion: 3 V^2", "figures.adc.conversion.value: got '3 V^2'; expected a quantity in J, not negative, as bottom-up-14nm has it"),
        ("adc.conversion: 3", "figures.adc.conversion.value: got 3; expected a quantity in J, not negative, as bottom-up-14nm has it"),
        ("adc.conversion: -1 pJ", "figures.adc.conversion.value: got '-1 pJ'; expected a quantity in J, not negative"),
        ("adc.converion: 1 pJ", "figures.adc.converion: got '1 pJ'; expected a mapping with value, basis and source, or the value alone of one that the extended file has. Did you mean 'adc.conversion'?"),
        ("adc.conversion:", "figures.adc.conversion: got None; expected a mapping with value, basis and source"),
        ("adc.conversion: [1 pJ]", "figures.adc.conversion: got ['1 pJ']; expected a mapping"),
        ("adc.conversion: {bits: 8}", "figures.adc.conversion.bits: unknown key"),
    ],
)  # fmt: skip
def test_a_value_alone_that_cannot_be_is_named(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(InputError) as caught:
        technology(tmp_path, f"figures:\n  {text}\n")
    assert f"mine.yaml:5: {expected}" in str(caught.value)


def test_zero_needs_no_range_and_what_was_zero_gets_none(tmp_path: Path) -> None:
    mine = technology(tmp_path, "figures: {control.cycle: 0 J}\n")
    assert (mine.figures["control.cycle"].low, mine.figures["control.cycle"].high) == (0.0, 0.0)
    again = technology(tmp_path, "figures: {control.cycle: 3 pJ}\n", "again", extends="mine")
    assert (again.figures["control.cycle"].low, again.figures["control.cycle"].high) == (3e-12, 3e-12)


def test_a_grandchild_keeps_what_its_parent_kept(tmp_path: Path) -> None:
    technology(tmp_path, "figures: {adc.conversion: 1.2 pJ}\n", "child")
    mine = technology(tmp_path, "figures: {adc.conversion: 2.4 pJ}\n", "grandchild", extends="child")
    figure = mine.figures["adc.conversion"]
    assert figure.price({"bits": 4}) == pytest.approx(0.15e-12)
    assert figure.high / figure.value == pytest.approx(41 / 5.12)
    assert mine.title == PARENT.title
    assert mine.node == "14 nm"


def test_lint_says_what_was_kept(tmp_path: Path) -> None:
    mine = technology(tmp_path, "figures:\n  adc.conversion: 1.2 pJ\n  sram.read: 3 pJ\ntimes: {sram.access: 1 ns}\n")
    found = lint(mine, entries("mixed-precision", mine))
    assert any(line.endswith(
        "mine.yaml:5: figures.adc.conversion: value 1.2 pJ; kept from bottom-up-14nm: law per-2^bits, at bits=8, "
        "range x0.0391..x8.01") for line in found)  # fmt: skip
    assert any("law sram-capacity, at capacity=1 MiB, word=32 bit, 4 points, range" in line for line in found)
    assert any(
        "times.sram.access: value 1 ns; kept from bottom-up-14nm: at capacity=1 MiB, 4 points, "
        "range x0.527..x1.91" in line
        for line in found
    )


@pytest.mark.parametrize("path", [
    path for path in sorted(shipped("tech_params").rglob("*.yaml"))
    if (data := read(path).data).get("kind") == "technology" and "extends" in data
], ids=lambda path: f"{path.parent.name}/{path.stem}")  # fmt: skip
def test_a_shipped_file_that_extends_another_says_all_of_what_it_replaces(path: Path) -> None:
    """So that inheriting moved no number of them: nothing is kept from below."""
    found = read_technology(str(path))
    for section in ("times", "figures", "areas"):
        for item in getattr(found, section).values():
            assert not (item.inherited and item.inherited.keys), item.name


def test_diff_and_scale_see_the_merged_figure(tmp_path: Path) -> None:
    mine = technology(tmp_path, "figures: {adc.conversion: 1.2 pJ, int.add: 40 fJ}\n")
    changes = {change.name: change for change in diff(PARENT, mine).changes}
    assert set(changes) == {"adc.conversion", "int.add"}
    assert changes["adc.conversion"].ratio == pytest.approx(1.2 / 5.12)
    assert not {"law", "at", "prices"} & set(changes["adc.conversion"].keys)
    scale(mine, move(mine, "7nm", declared=declared()), tmp_path / "mine-7nm.yaml")
    scaled = read_technology(str(tmp_path / "mine-7nm.yaml"))
    assert content(scaled.figures["adc.conversion"])["at"] == {"bits": 8}
    assert scaled.figures["adc.conversion"].value == pytest.approx(1.2e-12)
    assert scaled.figures["int.add"].value < 40e-15


def test_the_hash_follows_the_parent(tmp_path: Path) -> None:
    technology(tmp_path, "figures: {adc.conversion: 1.2 pJ}\n", "child")
    before = technology(tmp_path, "", "mine", extends="child").sha256
    technology(tmp_path, "figures: {adc.conversion: 1.3 pJ}\n", "child")
    assert read_technology(str(tmp_path / "mine.yaml")).sha256 != before


def test_a_name_may_be_left_out_but_not_differ(tmp_path: Path) -> None:
    assert technology(tmp_path, "").name == "mine"
    with pytest.raises(InputError, match=r"mine.yaml:4: name: got 'other'; expected 'mine'"):
        technology(tmp_path, "name: other\n")


def test_a_chain_that_is_too_long_is_one_line(tmp_path: Path) -> None:
    def made(count: int) -> Any:
        for number in range(count):
            technology(tmp_path, "", f"t{number}", extends=f"t{number - 1}" if number else "bottom-up-14nm")
        return read_technology(str(tmp_path / f"t{count - 1}.yaml"))

    assert len(made(20).ancestors) == 20
    with pytest.raises(InputError, match=r"t20.yaml:3: extends: goes on through more than 20 files; expected at most"):
        technology(tmp_path, "", "t20", extends="t19")

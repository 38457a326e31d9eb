"""Areas: the schema of the section `areas`, and the account of parts x figures."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.accounting.area import Part, area, lint_areas
from archsim.accounting.technology import Technology, read_technology
from archsim.base.errors import InputError, ModelError

TOY = """\
schema: 1
kind: technology
name: toy
title: a toy
times:
  digital.cycle: {value: 1 ns, range: [0.5 ns, 2 ns], basis: assumed, why: a round number}
areas:
  converter:
    value: 1600 um^2
    range: [200 um^2, 0.014 mm^2]
    prices: [tile.adc]
    covers: [tile.comparator]
    basis: measured
    source: murmann2025
    where: table 1
  memory:
    value: 0.12 um^2/bit
    range: [0.8 um^2/byte, 0.16 um^2/bit]
    prices: [unit.buffer, unit.log]
    basis: derived
    source: [cacti7, stillmaker2017]
    where: own run
    derived_by: scaling
  wires: {value: 0 m^2, prices: [bus.wire], basis: assumed, why: they lie above the logic}
"""
PARTS = [
    Part("tile", "tile.adc", 8, "", "other"), Part("tile", "tile.comparator", 8, "", "other"), Part("unit", "unit.buffer", 1000, "bit", "other"),
    Part("unit", "unit.log", 500, "bit", "other"), Part("unit", "unit.pads", 4, "", "other"), Part("bus", "bus.wire", 32, "", "other"),
]  # fmt: skip


def write(folder: Path, text: str, name: str = "toy") -> str:
    path = folder / f"{name}.yaml"
    path.write_text(text)
    return str(path)


@pytest.fixture
def toy(tmp_path: Path) -> Technology:
    return read_technology(write(tmp_path, TOY))


@cache
def bottom_up() -> Technology:
    return read_technology("bottom-up-14nm")


def scaled(technology: Technology, factor: float) -> Technology:
    areas = {
        name: replace(each, value=factor * each.value, low=factor * each.low, high=factor * each.high)
        for name, each in technology.areas.items()
    }
    return replace(technology, areas=areas)


def test_areas_are_read_in_square_metres_with_their_range_and_source(toy: Technology) -> None:
    converter, memory = toy.areas["converter"], toy.areas["memory"]
    assert (converter.value, converter.low, converter.high) == pytest.approx((1.6e-9, 2e-10, 1.4e-8))
    assert (converter.unit, converter.origin.sources, converter.line) == ("m^2", ("murmann2025",), 8)
    assert (memory.value, memory.low, memory.high) == pytest.approx((1.2e-13, 1e-13, 1.6e-13))
    assert memory.unit == "m^2/bit"
    assert toy.area_for("unit.log") is memory
    assert toy.area_for("tile.comparator") is converter
    assert toy.area_for("tile.dac") is None
    assert list(toy.references) == ["cacti7", "murmann2025", "stillmaker2017"]


def test_a_line_is_amount_times_figure_and_keeps_where_it_comes_from(toy: Technology) -> None:
    adc, comparator, buffer, log, pads, wire = area(PARTS, toy).lines
    assert (adc.figure, adc.basis, adc.source) == ("converter", "measured", "murmann2025")
    assert (adc.price_m2, adc.area_m2, adc.low_m2, adc.high_m2) == pytest.approx((1.6e-9, 1.28e-8, 1.6e-9, 1.12e-7))
    assert (buffer.area_m2, log.area_m2) == pytest.approx((1.2e-10, 6e-11))
    assert (comparator.area_m2, comparator.reason) == (0, "contained in converter")
    assert (wire.area_m2, wire.reason) == (0, "they lie above the logic")
    assert (pads.figure, pads.area_m2, pads.reason) == (None, None, "no figure gives its area")


def test_a_part_without_a_figure_is_listed_and_makes_the_total_a_lower_bound(toy: Technology) -> None:
    found = area(PARTS, toy)
    assert found.unpriced == ("unit.pads",)
    assert found.is_lower_bound
    complete = area([part for part in PARTS if part.key != "unit.pads"], toy)
    assert complete.unpriced == ()
    assert not complete.is_lower_bound
    assert complete.total == found.total


@given(st.lists(st.floats(0, 1e9), min_size=len(PARTS), max_size=len(PARTS)))
def test_the_components_sum_to_the_total(amounts: list[float]) -> None:
    technology = bottom_up()
    keys = list(technology.area_pricing)[: len(PARTS)]
    parts = [
        Part(f"component{k % 3}", key, amount, "bit" if technology.area_for(key).unit.endswith("bit") else "", "other")  # type: ignore[union-attr]
        for k, (key, amount) in enumerate(zip(keys, amounts, strict=True))
    ]
    found = area(parts, technology)
    for column in ("component", "key", "figure"):
        assert sum(found.by(column).values()) == pytest.approx(found.total, rel=1e-12)
    for name in ("total", "low", "high"):
        by_component = [getattr(found.of(component), name) for component in found.by("component")]
        assert sum(by_component) == pytest.approx(getattr(found, name), rel=1e-12)
    assert found.low <= found.total <= found.high


@pytest.mark.parametrize("factor", [0.5, 3.0, 1e-3])
def test_scaling_every_figure_scales_the_total_and_its_range(toy: Technology, factor: float) -> None:
    before, after = area(PARTS, toy), area(PARTS, scaled(toy, factor))
    for name in ("total", "low", "high"):
        assert getattr(after, name) == pytest.approx(factor * getattr(before, name), rel=1e-12)


def test_the_area_of_a_column_that_is_none_is_refused_with_the_nearest(toy: Technology) -> None:
    with pytest.raises(InputError, match="Did you mean 'component'"):
        area(PARTS, toy).by("components")


def test_the_table_has_a_row_a_part_and_leaves_an_unknown_area_empty(toy: Technology) -> None:
    table = area(PARTS, toy).table()
    assert list(table.key) == [part.key for part in PARTS]
    assert table.set_index("key").area_m2.isna().to_dict() == {part.key: part.key == "unit.pads" for part in PARTS}
    assert table.set_index("key").figure["unit.pads"] == ""


@pytest.mark.parametrize(
    ("part", "told"),
    [
        (Part("tile", "tile.adc", 8, "bit", "other"), r"toy\.yaml:8: areas\.converter: .*'tile\.adc', counted in bit, in m\^2; expected an area in m\^2/bit"),
        (Part("unit", "unit.log", 8, "", "other"), r"toy\.yaml:16: areas\.memory: .* counted in pieces, in m\^2/bit; expected an area in m\^2"),
    ],
)  # fmt: skip
def test_a_figure_in_the_wrong_unit_for_a_part_is_an_error_and_lint_tells_it(
    toy: Technology, part: Part, told: str
) -> None:
    with pytest.raises(InputError, match=told):
        area([part], toy)
    problems = [line for line in lint_areas(toy, [part]) if not line.startswith("note: ")]
    assert len(problems) == 1
    assert re.search(told, problems[0])


def test_a_part_in_a_unit_that_has_no_area_is_a_fault_of_the_model(toy: Technology) -> None:
    with pytest.raises(ModelError, match="a part in 'J' has no area"):
        area([Part("tile", "tile.adc", 1, "J", "other")], toy)


def test_lint_notes_parts_without_a_figure_and_figures_without_a_part(toy: Technology) -> None:
    lines = lint_areas(toy, [*PARTS[2:], *PARTS[2:]])
    assert [line.split(": ", 2)[2] for line in lines] == [
        "no figure gives the area of 'unit.pads'", "areas.converter: the area of nothing that these chips have",
    ]  # fmt: skip
    assert all(line.startswith("note: ") for line in lines)


# what, old text, new text, line, key, beginning of the message
BAD = [
    ("length", "value: 1600 um^2", "value: 1600 um", 9, "areas.converter.value", "got '1600 um', which is no area; expected an area in m^2 or m^2/bit"),
    ("energy", "value: 1600 um^2", "value: 5 pJ", 9, "areas.converter.value", "got '5 pJ', which is no area; expected"),
    ("no unit", "value: 1600 um^2", "value: 1600", 9, "areas.converter.value", "got 1600, a number without a unit; expected an area"),
    ("bits above the line", "value: 1600 um^2", "value: 1600 um^2*bit", 9, "areas.converter.value", "got '1600 um^2*bit'; expected an area"),
    ("negative", "value: 1600 um^2", "value: -1 um^2", 9, "areas.converter.value", "got '-1 um^2'; expected a value that is not negative"),
    ("range in another unit", "[200 um^2,", "[200 um^2/bit,", 10, "areas.converter.range[0]", "got '200 um^2/bit'; expected a quantity in m^2 like"),
    ("range beside the value", "[200 um^2,", "[2000 um^2,", 10, "areas.converter.range", "does not contain the value"),
    ("no range", "    range: [200 um^2, 0.014 mm^2]\n", "", 8, "areas.converter.range", "is missing; expected [low, high]"),
    ("no basis", "    basis: measured\n", "", 8, "areas.converter.basis", "is missing"),
    ("no source", "    source: murmann2025\n", "", 8, "areas.converter", "basis is 'measured' but `source` or `where` is missing"),
    ("unknown source", "source: murmann2025", "source: murman2025", 14, "areas.converter.source", "got 'murman2025'; expected a key of references.bib"),
    ("no reason", ", why: they lie above the logic", "", 24, "areas.wires", "basis is 'assumed' but `why` is missing"),
    ("law", "    where: table 1", "    where: table 1\n    law: constant", 16, "areas.converter.law", "unknown key; expected one of basis,"),
    ("priced twice", "prices: [unit.buffer, unit.log]", "prices: [unit.buffer, tile.adc]", 19, "areas.memory.prices[1]", "'tile.adc' is already priced by 'converter'; expected each part once"),
    ("priced and covered", "prices: [unit.buffer, unit.log]", "prices: [tile.comparator]", 19, "areas.memory.prices[0]", "'tile.comparator' is already covered by 'converter'; expected each part once"),
    ("no part", "prices: [tile.adc]", "prices: [adc]", 11, "areas.converter.prices[0]", "got 'adc'; expected a part KIND.PART, such as tile.adc"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "key", "told"), [case[1:] for case in BAD], ids=[c[0] for c in BAD])
def test_a_bad_area_is_refused_with_file_line_and_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, line: int, key: str, told: str
) -> None:
    monkeypatch.chdir(Path(__file__).parents[3])  # errors print paths relative to the current folder
    assert TOY.count(old) == 1
    path = write(tmp_path, TOY.replace(old, new))
    with pytest.raises(InputError) as caught:
        read_technology(path)
    assert str(caught.value).startswith(f"{path}:{line}: {key}: {told}")
    assert "\n" not in str(caught.value)


CHILD = """\
schema: 1
kind: technology
name: child
title: a child
extends: toy
areas:
"""


def test_a_child_inherits_areas_and_replaces_them_by_name(tmp_path: Path) -> None:
    write(tmp_path, TOY)
    larger = "  converter: {value: 1 mm^2, range: [1 mm^2, 1 mm^2], prices: [tile.adc], basis: assumed, why: a test}\n"
    child = read_technology(write(tmp_path, CHILD + larger, "child"))
    assert child.areas["converter"].value == pytest.approx(1e-6)
    assert child.areas["memory"].value == pytest.approx(1.2e-13)
    assert child.area_for("tile.comparator") is None  # the child's figure does not say that it covers it


def test_a_child_may_not_price_a_part_that_its_parent_prices(tmp_path: Path) -> None:
    write(tmp_path, TOY)
    again = "  other: {value: 1 mm^2, range: [1 mm^2, 1 mm^2], prices: [tile.adc], basis: assumed, why: a test}\n"
    with pytest.raises(InputError, match=r"child\.yaml:7: areas\.other\.prices\[0\]: 'tile\.adc' is already priced by"):
        read_technology(write(tmp_path, CHILD + again, "child"))


def test_areas_leave_the_hash_of_the_times_alone(tmp_path: Path, toy: Technology) -> None:
    other = read_technology(write(tmp_path, TOY.replace("1600 um^2", "1700 um^2")))
    assert other.times_hash == toy.times_hash
    assert other.sha256 != toy.sha256


def test_a_technology_without_areas_gives_none(tmp_path: Path) -> None:
    bare = read_technology(write(tmp_path, TOY[: TOY.index("areas:")]))
    assert bare.areas == {}
    assert area(PARTS, bare).unpriced == tuple(part.key for part in PARTS)

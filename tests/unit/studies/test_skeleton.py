"""The skeleton of a technology: complete, refused until filled in, clean once it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from archsim.accounting.area import lint_areas
from archsim.accounting.technology import lint, read_technology
from archsim.base.errors import InputError
from archsim.base.files import shipped_names
from archsim.studies.inventory import AskedTimes, entries, parts
from archsim.studies.skeleton import write_skeleton

ARCHITECTURES = shipped_names("architectures")


def filled(text: str) -> str:
    """Replace every placeholder by what it asks for, mechanically."""
    text = re.sub(r'"TODO: a quantity in [^"]*, such as ([^"]*)"', r"\1", text)
    for line in re.findall(r"value: (.*)\n    range: \[\"TODO: its low end", text):
        text = re.sub(r'\["TODO: its low end[^]]*\]', f"[{line}, {line}]", text, count=1)
    text = text.replace('"TODO: measured, published, derived or assumed"', "published")
    text = re.sub(r'"TODO: a key of references.bib[^"]*"', "horowitz2014", text)
    text = re.sub(r'where: "TODO: [^"]*"', "where: Table 1", text)
    return re.sub(r'(title|node): "TODO: [^"]*"', r"\1: mine", text)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_skeleton_lints_clean_once_every_placeholder_is_filled_in(architecture: str, tmp_path: Path) -> None:
    out = tmp_path / "mine.yaml"
    write_skeleton([architecture], out)
    out.write_text(filled(out.read_text()))
    assert "TODO" not in "\n".join(line for line in out.read_text().splitlines() if not line.startswith("#"))
    made = read_technology(str(out))
    found = lint(made, entries(architecture, made)) + lint_areas(made, parts(architecture, made))
    assert [line for line in found if "names none of these sources" not in line] == []


def test_a_skeleton_asks_for_every_action_time_and_part_of_all_architectures(tmp_path: Path) -> None:
    out = tmp_path / "mine.yaml"
    counts = write_skeleton(ARCHITECTURES, out)
    text, times = out.read_text(), AskedTimes()
    actions = {entry.key for name in ARCHITECTURES for entry in entries(name, times)}
    areas = {part.key for name in ARCHITECTURES for part in parts(name, times)}
    assert counts == (len(times.keys), len(actions), len(areas))
    for key in (*actions, *areas, *times.keys):
        assert re.search(rf"^  {re.escape(key)}:", text, re.MULTILINE), key


def test_a_skeleton_says_units_sizes_and_laws(tmp_path: Path) -> None:
    write_skeleton(["mixed-precision"], tmp_path / "mine.yaml")
    text = (tmp_path / "mine.yaml").read_text()
    for line in (
        "  outer_product_unit.chi.read: # one element of chi read; counted, priced in J",
        "    # sizes that the chip gives: capacity_bit (bit), word_bit (bit)",
        "    # law: sram-capacity, with at: {capacity: ..., word: ...} and points: [[size, price], ...]",
        "    # law: wire, with the value in J/bit/m",
        "    # law: bit-product, with at: {a_bits: ..., b_bits: ...}",
        "  tile.cells.conduct: # conductance times time at the read voltage; amounts in S*s, priced in V^2",
    ):
        assert line in text


@pytest.mark.parametrize(
    ("done", "message"),
    [
        (0, "title: is still a placeholder; expected the technology's title"),
        (1, "basis: got 'TODO: measured, published, derived or assumed'; expected 'measured'"),
        (2, "times.*: `source` is still a placeholder"),
        (3, "times.*value: is still a placeholder; expected a quantity in s"),
        (4, "figures.*range.0.: is still a placeholder; expected a price in J"),
    ],
)
def test_a_skeleton_is_refused_until_it_is_filled_in(done: int, message: str, tmp_path: Path) -> None:
    out = tmp_path / "mine.yaml"
    write_skeleton(["digital32"], out)
    text = out.read_text()
    if done > 0:
        text = re.sub(r'(title|node): "TODO: [^"]*"', r"\1: mine", text)
    if done > 1:
        text = text.replace('"TODO: measured, published, derived or assumed"', "published")
    if done > 2:
        text = re.sub(r'(source|where): "TODO: [^"]*"', r"\1: horowitz2014", text)
    if done > 3:
        text = re.sub(r'"TODO: a quantity in [^"]*, such as ([^"]*)"', r"\1", text)
    out.write_text(text)
    with pytest.raises(InputError, match=rf"mine.yaml:\d+: .*{message}"):
        read_technology(str(out))

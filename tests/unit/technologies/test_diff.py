"""Comparing two technologies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from archsim.accounting.technology import Technology, read_technology
from archsim.technologies.diff import diff

FIGURE = "value: {value}\n    range: [1 pJ, 9 pJ]\n    prices: [{prices}]\n    basis: assumed\n    why: {why}\n"


def made(
    folder: Path, name: str, figures: dict[str, str], times: str = "  a.b: {value: 1 ns, basis: assumed, why: w}\n"
) -> Technology:
    text = f"schema: 1\nkind: technology\nname: {name}\ntitle: t\ntimes:\n{times}figures:\n"
    text += "".join(f"  {key}:\n    {body}" for key, body in figures.items())
    (folder / f"{name}.yaml").write_text(text)
    return read_technology(str(folder / f"{name}.yaml"))


def test_added_removed_and_changed_are_told_apart(tmp_path: Path) -> None:
    one = FIGURE.format(value="2 pJ", prices="x.one", why="w")
    a = made(tmp_path, "a", {"same": one, "moved": FIGURE.format(value="2 pJ", prices="x.two", why="w"),
                             "gone": FIGURE.format(value="2 pJ", prices="x.three", why="w")})  # fmt: skip
    b = made(tmp_path, "b", {"same": one, "moved": FIGURE.format(value="3 pJ", prices="x.two", why="another"),
                             "come": FIGURE.format(value="2 pJ", prices="x.four", why="w")})  # fmt: skip
    found = diff(a, b)
    assert [(c.kind, c.name) for c in found.changes] == [("changed", "moved"), ("removed", "gone"), ("added", "come")]
    (moved,) = found.of("changed")
    assert moved.keys == ("value", "why")
    assert moved.ratio == pytest.approx(1.5)
    assert found.unchanged == 2
    assert not found.same_files
    assert found.same_times


def test_a_technology_does_not_differ_from_itself() -> None:
    found = diff(read_technology("bottom-up-14nm"), read_technology("bottom-up-14nm"))
    assert found.changes == ()
    assert found.same_files
    assert found.same_times


def test_other_times_and_units_are_said(tmp_path: Path) -> None:
    a = made(tmp_path, "a", {"f": FIGURE.format(value="2 pJ", prices="x.one", why="w")})
    b = made(tmp_path, "b", {"f": "value: 2 pJ/bit\n    range: [1 pJ/bit, 9 pJ/bit]\n    prices: [x.one]\n    basis: assumed\n    why: w\n"},
             "  a.b: {value: 2 ns, basis: assumed, why: w}\n")  # fmt: skip
    found = diff(a, b)
    assert not found.same_times
    assert {c.name: c.ratio for c in found.changes} == {"a.b": pytest.approx(2.0), "f": None}


def test_a_diff_is_plain_data() -> None:
    record = diff(read_technology("bottom-up-14nm"), read_technology("digital-7nm")).record()
    assert json.loads(json.dumps(record))["a"] == "bottom-up-14nm"
    names = {change["name"] for change in record["changes"]}
    assert "fp32.multiply" in names
    assert "adc.conversion" not in names

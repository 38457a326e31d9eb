"""Factors between nodes: the published ones, interpolation between nodes, and what lies outside."""

from __future__ import annotations

import math

import pytest

from archsim.base.errors import InputError
from archsim.technologies.nodes import Corner, polynomials, read_node, tables, wire

NM = 1e-9


def corner(node: float, volt: float | None = None) -> Corner:
    return polynomials().corner(node * NM, volt)


@pytest.mark.parametrize(
    ("node", "volt", "energy", "delay"),
    [
        (130, 1.2, 0.01858, 0.1345), (90, 1.1, 0.03708, 0.1762), (65, 1.0, 0.07224, 0.2069), (65, 1.2, 0.04572, 0.2563),
        (45, 0.9, 0.1377, 0.3578), (45, 1.1, 0.09217, 0.3306), (32, 0.9, 0.2105, 0.5397), (20, 0.8, 0.6281, 0.4414),
        (16, 0.8, 0.8, 0.6705), (14, 0.8, 1.0, 1.0), (10, 0.75, 1.37, 1.174), (7, 0.7, 2.012, 1.392),
        (7, 0.8, 1.472, 1.57),
    ],
)  # fmt: skip
def test_polynomials_give_the_published_factors_to_14_nm(node: float, volt: float, energy: float, delay: float) -> None:
    rule = polynomials()
    assert rule.energy(corner(node, volt), corner(14, 0.8)) == pytest.approx(energy, rel=1e-3)
    assert rule.delay(corner(node, volt), corner(14, 0.8)) == pytest.approx(delay, rel=1e-3)


@pytest.mark.parametrize(("node", "volt", "energy"), [(28, 0.9, 0.2589), (28, 0.8, 0.3319), (22, 0.8, 0.5135),
                                                      (40, 0.9, 0.1588)])  # fmt: skip
def test_energy_between_nodes_is_interpolated_linearly_in_the_node(node: float, volt: float, energy: float) -> None:
    assert polynomials().energy(corner(node, volt), corner(14, 0.8)) == pytest.approx(energy, rel=1e-3)


@pytest.mark.parametrize(("node", "factor"), [(45, 0.17), (32, 0.38), (7, 2.9), (28, 0.527), (22, 0.747)])
def test_area_follows_the_table_and_is_interpolated_between_its_nodes(node: float, factor: float) -> None:
    assert polynomials().area(node * NM, 14 * NM) == pytest.approx(factor, rel=1e-3)


def test_area_there_and_back_is_one_for_nodes_off_the_table() -> None:
    there, back = polynomials().area(14 * NM, 28 * NM), polynomials().area(28 * NM, 14 * NM)
    assert there * back == pytest.approx(1.0)
    assert polynomials().area(28 * NM, 22 * NM) == pytest.approx(back / polynomials().area(22 * NM, 14 * NM))


@pytest.mark.parametrize(("row", "old", "new"), [("fp32.multiply", 3.7, 1.31), ("int32.add", 0.1, 0.03)])
def test_tables_are_met_at_their_ends_and_the_factor_is_a_power_of_the_node(row: str, old: float, new: float) -> None:
    assert tables().row(row, 45 * NM, 7 * NM) == pytest.approx(new / old)
    half = math.sqrt(45 * 7)
    assert tables().row(row, 45 * NM, half * NM) == pytest.approx(math.sqrt(new / old))
    assert tables().row(row, 14 * NM, 7 * NM) * tables().row(row, 7 * NM, 14 * NM) == pytest.approx(1.0)


def test_a_small_memory_shrinks_less_than_a_large_one_and_the_ends_hold_beyond() -> None:
    ratio = [tables().memory(8 * 1024 * kib, 45 * NM, 7 * NM) for kib in (1, 8, 16, 32, 1024, 65536)]
    assert ratio == pytest.approx([0.75, 0.75, math.sqrt(0.75 * 0.425), 0.425, 0.14, 0.14])


def test_a_wire_follows_the_voltage_squared() -> None:
    assert wire(Corner(14 * NM, 0.8), Corner(7 * NM, 0.6)) == pytest.approx(0.5625)


@pytest.mark.parametrize("node", [5, 200])
def test_a_node_outside_the_polynomials_is_refused(node: float) -> None:
    with pytest.raises(InputError, match="7 nm to 180 nm, the table of Stillmaker and Baas"):
        corner(node)


def test_a_voltage_far_from_the_usual_one_is_refused() -> None:
    assert corner(7, 0.9).volt == 0.9
    with pytest.raises(InputError, match=r"voltage: got '1.2 V'; expected within 0.3 V of 0.7 V"):
        corner(7, 1.2)


def test_a_node_outside_the_tables_is_refused_with_the_rule_that_reaches_it() -> None:
    with pytest.raises(InputError, match="7 nm to 45 nm.*stillmaker-baas"):
        tables().row("fp32.add", 14 * NM, 65 * NM)
    with pytest.raises(InputError, match="Did you mean 'fp32.add'"):
        tables().row("fp32.ad", 14 * NM, 7 * NM)


@pytest.mark.parametrize("text", ["7", "7 um", "14/16 nm", ""])
def test_a_node_is_one_number_of_nanometres(text: str) -> None:
    assert read_node("7nm", "node") == read_node(" 7 nm ", "node") == pytest.approx(7e-9)
    with pytest.raises(InputError, match='such as "7nm"'):
        read_node(text, "node")

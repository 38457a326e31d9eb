from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.accounting.bill import Line
from archsim.records.differences import NOTHING, difference
from archsim.records.reprice import Side


def line(action: str, amount: float, price: float, figure: str | None = None, *, phase: str = "update") -> Line:
    component = "unit"
    return Line(
        phase=phase, layer="fc1", component=component, action=action, key=f"kind.{action}", function="arithmetic", part="arithmetic",
        inside=True, amount=amount, unit="", figure=figure or f"{action}.figure", price=price, energy_J=amount * price,
        basis="published", source="book2020", reason="",
    )  # fmt: skip


def side(label: str, *lines: Line, run: str = "run", steps: int = 10) -> Side:
    return Side(
        label=label, run=Path(run), architecture="chip", kind="chip", technology=label, sha256="", steps=steps,
        lines=lines, inside=("arithmetic",), latency_s={}, retimed=None, ends_J=None, notes=(),
    )  # fmt: skip


NUMBERS = st.floats(min_value=1e-3, max_value=1e6)


@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=12), st.booleans())
def test_changes_add_up_to_the_difference_of_the_totals(
    numbers: list[tuple[float, float, float, float]], same: bool
) -> None:
    a = side("a", *(line(f"a{k}", n, p * 1e-12) for k, (n, p, _, _) in enumerate(numbers)))
    b = side(
        "b", *(line(f"a{k}", n, p * 1e-12) for k, (_, _, n, p) in enumerate(numbers)), run="run" if same else "other"
    )
    found = difference(a, b)
    scale = a.energy() + b.energy()
    crossed = max(n * p * 1e-12 for _, p, n, _ in numbers)  # B's amount at A's price: both effects are as large as that
    assert found.total_J == pytest.approx(b.energy() - a.energy(), abs=1e-12 * (scale + crossed))
    assert (found.from_J, found.to_J) == (a.energy(), b.energy())


def test_equal_amounts_give_price_effects_alone_by_figure() -> None:
    a = side("a", line("read", 100, 1e-12, "sram"), line("write", 50, 2e-12, "sram"), line("add", 10, 1e-12))
    b = side("b", line("read", 100, 3e-12, "sram"), line("write", 50, 6e-12, "sram"), line("add", 10, 1e-12))
    found = difference(a, b)
    assert found.by == "figure"
    (change,) = found.changes
    assert (change.name, change.effect, change.actions) == ("sram", "price", ("kind.read", "kind.write"))
    assert change.factor == pytest.approx(3)
    assert change.difference_J == pytest.approx((100 * 2e-12 + 50 * 4e-12) / 10)


def test_a_split_or_renamed_figure_is_named_on_both_sides() -> None:
    a = side("a", line("read", 100, 1e-12, "sram"), line("write", 50, 1e-12, "sram"))
    b = side("b", line("read", 100, 2e-12, "sram.read"), line("write", 50, 3e-12, "sram.write"))
    names = {change.name: change.figures for change in difference(a, b).changes}
    assert names == {
        "sram -> sram.read": ("sram", "sram.read"),
        "sram -> sram.write": ("sram", "sram.write"),
    }


def test_runs_of_other_amounts_tell_amount_from_price() -> None:
    a, b = side("a", line("read", 100, 1e-12)), side("b", line("read", 300, 2e-12), run="other")
    found = difference(a, b)
    assert found.by == "action"
    effects = {change.effect: change for change in found.changes}
    assert effects["amount"].difference_J == pytest.approx((300 - 100) * 1e-12 / 10)
    assert effects["price"].difference_J == pytest.approx(300 * 1e-12 / 10)
    assert (effects["amount"].factor, effects["price"].factor) == (pytest.approx(3), pytest.approx(2))


def test_what_one_side_alone_does_is_an_amount_without_a_factor() -> None:
    a, b = side("a", line("read", 100, 1e-12)), side("b", line("send", 10, 5e-12), run="other")
    changes = {change.name: change for change in difference(a, b).changes}
    assert changes["unit: read"].figures == ("read.figure", NOTHING)
    assert changes["unit: send"].difference_J == pytest.approx(5e-12)
    assert changes["unit: read"].difference_J == pytest.approx(-1e-11)
    assert all((change.effect, change.factor) == ("amount", None) for change in changes.values())


def test_the_largest_change_comes_first_whatever_its_sign() -> None:
    a = side("a", line("small", 1, 1e-12), line("large", 100, 3e-12), line("middle", 10, 1e-12))
    b = side("b", line("small", 1, 2e-12), line("large", 100, 1e-12), line("middle", 10, 2e-12))
    names = [change.figures[0] for change in difference(a, b).changes]
    assert names == ["large.figure", "middle.figure", "small.figure"]


def test_phases_and_layers_are_added_and_steps_are_divided_out() -> None:
    a = side("a", line("read", 100, 1e-12), line("read", 50, 1e-12, phase="forward"), steps=10)
    b = side("b", line("read", 300, 1e-12), run="other", steps=20)
    assert difference(a, b).changes == ()
    assert math.isclose(a.energy(), b.energy())


def test_equal_sides_have_no_changes() -> None:
    found = difference(side("a", line("read", 7, 1e-12)), side("b", line("read", 7, 1e-12)))
    assert (found.changes, found.total_J) == ((), 0)

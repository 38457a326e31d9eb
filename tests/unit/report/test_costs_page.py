"""What `archsim costs` says follows from numbers: other numbers, another sentence or none."""

from __future__ import annotations

from pathlib import Path

import pytest
from costs_kit import OVER, UNDER, chip, costs, line, network

from archsim.accounting.bill import Line
from archsim.report.costs import charts, sheets, words
from archsim.report.sheet import Sheet
from archsim.studies.costs.spent import NetworkCost


def made(
    label: str, *, reads: float = 10.0, update: float = 10.0, functions: float = 0.0, norm: float = 0.0,
    leaks: float = 0.0, pairs: float = 0.0, weights: int = 10, batch: int = 1,
) -> NetworkCost:  # fmt: skip
    """Return a network of 30 multiply-accumulates whose costs, but for the baseline's 100 J, are given."""
    over = chip(OVER, [
        line("mac_array", "weights.read", reads, 1.0, part="weight memory"), line("mac_array", "multiply", 20, 5.0),
    ])  # fmt: skip
    lines: list[Line] = [
        line("tile", "adc.convert", 1, 10.0), line("outer_product_unit", "chi.write", update, 1.0, phase="update"),
        line("digital_unit", "add", functions, 1.0), line("digital_unit", "add", norm, 1.0, layer="norm"),
        line("digital_unit", "buffer.powered", leaks, 1.0, layer="chip"),
        line("programmer", "set.pulse", pairs, 1.0, phase="update"),
    ]  # fmt: skip
    under = chip(UNDER, [each for each in lines if each.amount], pairs=pairs)
    return network(label, over, under, weights=weights, batch=batch, kinds={"norm": "layer-norm", "chip": "whole chip"})


def said(now: NetworkCost, was: NetworkCost | None = None) -> str:
    """Return all that is said of a network beside another."""
    found = costs(was or made("perceptron"), now)
    return " ".join(words.sentences(found, now, now.chips[UNDER]))


def test_the_ratio_and_whose_it_is_follow_from_both_totals() -> None:
    text = said(made("net", functions=20.0))
    assert "2.75 times the energy" in text  # 110 J over 40 J
    assert "perceptron has a ratio of 5.5 on the same chips" in text  # 110 J over 20 J
    assert "the ratio is ×0.5 of that" in text
    assert "Both moved" not in text
    assert f"100.0 % of that factor's logarithm is of {UNDER}" in text  # the baseline did not move at all
    assert said(made("net")).count("about the same") == 1


def test_reuse_helps_the_baseline_only_where_its_weight_memory_became_cheaper() -> None:
    assert "helps the baseline: its weight memory takes 33.3 mJ in place of 333 mJ" in said(made("net", reads=1.0))
    assert "for 20 multiply-accumulates of products, there for 2" in said(made("net", reads=1.0))
    assert "reuse saves it no reads" in said(made("net"))
    assert "does not help the baseline" in said(made("net", reads=40.0))


@pytest.mark.parametrize(
    ("update", "expected"),
    [
        (10.0, "It does not shrink with the reuse of weights, which are used ×10 as often"),
        (1.0, "It shrinks with the reuse of weights"),
        (3.5, "It shrinks, but less than the reuse of weights grows"),
    ],
)
def test_whether_the_update_shrinks_is_read_off_its_energy(update: float, expected: str) -> None:
    assert expected in said(made("net", update=update, weights=1))


def test_what_stays_digital_is_told_where_it_is_much_and_norms_where_there_are_any() -> None:
    assert "What stays digital" not in said(made("net"))
    text = said(made("net", functions=10.0, norm=10.0))
    assert (
        f"takes 50.0 % of {UNDER}'s energy and 0.0 % of {OVER}'s; were it free on both, the ratio would be 5.5" in text
    )
    assert "dense 25.0 % and layer-norm 25.0 %" in text
    assert f"What has no weights, in no product, stays digital on every chip and takes 25.0 % of {UNDER}'s" in text
    assert "What has no weights" not in said(made("net", functions=10.0))


def test_leakage_and_programming_have_a_sentence_where_they_are() -> None:
    assert "Leakage" not in said(made("net"))
    assert "programmed" not in said(made("net"))
    text = said(made("net", leaks=20.0, pairs=2.0, weights=100, batch=4))
    assert "Leakage takes 47.6 %" in text
    assert "Of 100 weights 2 are programmed a step, 1 in 50 a step and 1 in 200 an image" in text


def test_what_decides_the_ratio_is_the_group_without_which_it_moves_furthest() -> None:
    assert "hangs most on leakage" in said(made("net", leaks=200.0))
    assert "hangs most on functions" in said(made("net", functions=200.0))


def test_the_reference_on_other_chips_tells_what_the_chips_alone_do() -> None:
    first, deep = made("perceptron"), made("perceptron", update=30.0)
    found = costs(first, network("perceptron", deep.chips[OVER], deep.chips[UNDER]))
    [text] = words.chips_alone(found)
    assert "has a ratio of 5.5" in text
    assert "of 2.75 on" in text
    assert "×1 the energy on the baseline, ×2 on the other chip" in text


def cells(sheet: Sheet, row: int) -> dict[str, str]:
    return dict(zip(sheet.heads, sheet.rows[row], strict=True))


def test_tables_say_what_was_counted() -> None:
    found = costs(made("perceptron"), made("net", functions=20.0))
    assert cells(sheets.overview(found), 3)["energy ratio"] == "2.75"
    assert cells(sheets.groups(found), 3)["functions"] == "50.0 %"
    assert cells(sheets.free(found), 1)["without functions"] == "5.5"
    reach = cells(sheets.reached(found), 3)
    assert (reach["to reach"], reach["energy"], reach["between the tests"]) == ("accuracy 40.00 %", "1 J", "0 J to 1 J")
    assert reach["energy ratio"] == "1.00 (0.00 to any)"


@pytest.mark.parametrize("narrow", [False, True])
def test_charts_have_a_panel_a_network_and_a_bar_a_chip(narrow: bool, tmp_path: Path) -> None:
    found = costs(made("perceptron"), made("net", functions=20.0))
    metric, parts = charts.metric(found, narrow=narrow), charts.parts(found, narrow=narrow)
    assert [axes.get_title() for axes in metric.axes if axes.get_visible()] == ["perceptron", "net"]
    assert [len(axes.get_yticks()) for axes in parts.axes] == [2, 2]
    metric.savefig(tmp_path / "metric.png")
    parts.savefig(tmp_path / "parts.png")


@pytest.mark.parametrize("narrow", [False, True])
def test_no_words_of_the_bars_lie_over_each_other_or_leave_the_figure(narrow: bool) -> None:
    from layout_kit import faults

    from archsim.report import style

    with style.applied():
        assert faults(charts.parts(costs(made("perceptron"), made("a-net-of-a-long-name")), narrow=narrow)) == []

"""The bill: every row priced once, parts that sum to the whole, and scaling."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.accounting.bill import price, price_ends, prices
from archsim.accounting.ledger import FUNCTIONS, Action, Entry, Row
from archsim.accounting.technology import read_technology
from archsim.base.errors import InputError, ModelError
from archsim.base.files import display
from archsim.base.signal import PHASES, STEP_PHASES

ARITHMETIC = Action("one addition", "arithmetic", part="other", circuit="any")
ENTRIES = [
    Entry(
        "tile0",
        "tile.adc.convert",
        Action("one column turned into a code", "arithmetic", part="other", circuit="any"),
        {"bits": 8},
    ),
    Entry(
        "tile0",
        "tile.cells.conduct",
        Action("conductance x time under voltage", "arithmetic", "S*s", part="other", circuit="any"),
    ),
    Entry("unit", "digital_unit.add", ARITHMETIC),
    Entry(
        "unit",
        "digital_unit.logic.powered",
        Action("the unit under supply", "control and clock", "s", part="other", circuit="any"),
    ),
    Entry(
        "unit",
        "digital_unit.buffer.read",
        Action("one word", "weight storage", part="other", circuit="any"),
        {"capacity_bit": 8192, "word_bit": 32},
    ),
    Entry(
        "unit",
        "digital_unit.buffer.powered",
        Action("a bit under supply", "weight storage", "bit*s", part="other", circuit="any"),
        {"capacity_bit": 8192},
    ),
    Entry(
        "bus",
        "bus.transfer",
        Action("one bit", "on-chip transport", "bit", part="other", circuit="any"),
        {"length_m": 2e-3},
    ),
    Entry("host", "host.transfer", Action("one bit", "host link", "bit", part="other", circuit="any")),
]
INSIDE = [function for function in FUNCTIONS if function != "host link"]
TECHNOLOGY = read_technology("bottom-up-14nm")

rows = st.lists(
    st.builds(
        lambda phase, layer, entry, amount: Row(phase, layer, entry.component, entry.key.partition(".")[2], amount),
        st.sampled_from(PHASES), st.sampled_from(["fc1", "fc2", "chip"]), st.sampled_from(ENTRIES), st.floats(0, 1e15),
    ),
    max_size=40,
)  # fmt: skip


def bill_of(*given, **keywords):
    return price(given, ENTRIES, TECHNOLOGY, INSIDE, **keywords)


@pytest.mark.parametrize(
    ("row", "energy_J"),
    [
        (Row("forward", "fc1", "tile0", "adc.convert", 250), 250 * 5.12e-12),
        (Row("forward", "fc1", "tile0", "cells.conduct", 3e-9), 3e-9 * 0.2**2),
        (Row("forward", "fc1", "unit", "add", 10), 10 * 0.524e-12),
        (Row("forward", "chip", "unit", "logic.powered", 2e-3), 2e-3 * 2.25e-6),
        (Row("forward", "fc1", "unit", "buffer.read", 7), 7 * 0.397e-12),
        (Row("forward", "chip", "unit", "buffer.powered", 8192 * 0.5), 0.5 * 0.726e-6),
        (Row("forward", "fc1", "bus", "transfer", 6272), 6272 * 68.7e-15 * 2),
    ],
)
def test_energy_is_amount_times_price_by_hand(row, energy_J):
    assert bill_of(row).total() == pytest.approx(energy_J, rel=1e-12)


def test_line_leads_from_the_joule_back_to_amount_figure_and_source():
    (line,) = bill_of(Row("forward", "fc1", "tile0", "adc.convert", 250)).lines
    assert (line.phase, line.layer, line.component, line.action) == ("forward", "fc1", "tile0", "adc.convert")
    assert (line.key, line.function, line.inside, line.amount, line.unit) == (
        "tile.adc.convert",
        "arithmetic",
        True,
        250,
        "",
    )
    assert (line.figure, line.basis) == ("adc.conversion", "measured")
    assert line.source.split(", ")[0] == "murmann2025"
    assert line.energy_J == line.amount * line.price


@given(rows)
def test_components_phases_layers_and_functions_each_sum_to_the_total(given):
    bill = bill_of(*given)
    for inside in (True, False, None):
        whole = bill.total(inside=inside)
        for column in ("component", "phase", "layer", "function", "figure", "key"):
            assert math.fsum(bill.by(column, inside=inside).values()) == pytest.approx(whole, rel=1e-12)
        both = bill.by("phase", "component", inside=inside)
        assert math.fsum(both.values()) == pytest.approx(whole, rel=1e-12)
    assert bill.total(inside=True) + bill.total(inside=False) == pytest.approx(bill.total(inside=None), rel=1e-12)
    step = sum(bill.total(phase=phase) for phase in STEP_PHASES)
    assert bill.total(phase=STEP_PHASES) == pytest.approx(step, rel=1e-12)


@given(rows, st.floats(1e-3, 1e3))
def test_scaling_every_figure_scales_the_bill(given, factor):
    scaled = bill_of(*given, factors=dict.fromkeys(TECHNOLOGY.figures, factor))
    assert scaled.total() == pytest.approx(factor * bill_of(*given).total(), rel=1e-12)


@given(rows, st.floats(1e-3, 1e3), st.sampled_from(["adc.conversion", "sram.read", "wire"]))
def test_scaling_one_figure_scales_only_its_lines(given, factor, figure):
    before, after = bill_of(*given).by("figure"), bill_of(*given, factors={figure: factor}).by("figure")
    assert after == pytest.approx({name: energy * (factor if name == figure else 1) for name, energy in before.items()})


def test_totals_select_by_phase_layer_component_and_function():
    bill = bill_of(
        Row("forward", "fc1", "unit", "add", 1), Row("backward", "fc1", "unit", "add", 2),
        Row("forward", "fc2", "tile0", "adc.convert", 4), Row("evaluation", "fc2", "unit", "buffer.read", 8),
    )  # fmt: skip
    add, convert, word = 0.524e-12, 5.12e-12, 0.397e-12
    assert bill.total(phase="forward") == pytest.approx(add + 4 * convert)
    assert bill.total(phase=("forward", "backward"), component="unit") == pytest.approx(3 * add)
    assert bill.total(phase=STEP_PHASES) == pytest.approx(3 * add + 4 * convert)
    assert bill.total(layer="fc2", function="weight storage") == pytest.approx(8 * word)
    assert list(bill.by("phase")) == ["forward", "backward", "evaluation"]


def test_line_outside_the_boundary_is_priced_but_in_no_total():
    bill = bill_of(Row("forward", "fc1", "host", "transfer", 1000))
    assert (bill.total(), bill.total(inside=None)) == (0, pytest.approx(1000 * 9e-12))
    assert not bill.lines[0].inside


def test_line_outside_the_boundary_needs_no_figure():
    entry = Entry("host", "host.wait", Action("one wait", "host link", part="other", circuit="any"))
    (line,) = price([Row("forward", "fc1", "host", "wait", 3)], [entry], TECHNOLOGY, INSIDE).lines
    assert (line.figure, line.energy_J, line.reason) == (None, 0, "no figure prices it")


def test_row_without_a_figure_is_an_error_that_names_it_and_how_often_it_ran():
    entry = Entry("unit", "digital_unit.divide", Action("one division", "arithmetic", part="other", circuit="any"))
    with pytest.raises(ModelError) as caught:
        price([Row("update", "fc2", "unit", "divide", 12345)], [entry], TECHNOLOGY, INSIDE)
    assert str(caught.value).startswith(
        f"{display(TECHNOLOGY.path)}: no figure prices 'digital_unit.divide', which ran 12345 times "
        "(phase update, layer fc2, component unit, action divide)"
    )
    assert caught.value.exit_code == 5


def test_all_actions_without_a_figure_are_named_at_once():
    entries = [
        Entry("unit", f"digital_unit.{name}", Action(name, "arithmetic", part="other", circuit="any"))
        for name in ("divide", "root", "never")
    ]
    rows = [Row("update", "fc2", "unit", name, 3) for name in ("divide", "root", "divide")]
    with pytest.raises(ModelError, match=r"no figure prices 'digital_unit\.divide', which ran 3 times .*; nor does one "
                       r"price digital_unit\.root$"):  # fmt: skip
        price(rows, entries, TECHNOLOGY, INSIDE)


def test_row_that_no_entry_declares_is_an_error():
    with pytest.raises(
        ModelError, match=r"ledger row \(phase forward, layer fc1, component unit, action ad\): no entry"
    ):
        bill_of(Row("forward", "fc1", "unit", "ad", 1))


def test_figure_in_the_wrong_unit_is_refused_when_it_meets_the_entry():
    entry = Entry(
        "tile0",
        "tile.adc.convert",
        Action("converter under supply", "arithmetic", "s", part="other", circuit="any"),
        {"bits": 8},
    )
    with pytest.raises(InputError) as caught:
        price([Row("forward", "fc1", "tile0", "adc.convert", 1)], [entry], TECHNOLOGY, INSIDE)
    line = TECHNOLOGY.figures["adc.conversion"].line
    assert str(caught.value) == (
        f"{display(TECHNOLOGY.path)}:{line}: figures.adc.conversion: prices 'tile.adc.convert', counted in s, in J; "
        "expected a price in W"
    )


def test_two_units_may_share_a_name_only_at_one_price():
    twin = Entry("tile0", "tile.adc.convert", ENTRIES[0].action, {"bits": 8})
    assert len(prices([ENTRIES[0], twin], TECHNOLOGY)) == 1
    other = Entry("tile0", "tile.adc.convert", ENTRIES[0].action, {"bits": 6})
    with pytest.raises(ModelError, match=r"tile0: two units share this name but not the price of 'tile\.adc\.convert'"):
        prices([ENTRIES[0], other], TECHNOLOGY)


def test_prices_scale_with_the_factor_of_their_figure():
    plain, scaled = prices(ENTRIES, TECHNOLOGY), prices(ENTRIES, TECHNOLOGY, {"wire": 3.0})
    assert scaled["bus", "transfer"].price == pytest.approx(3 * plain["bus", "transfer"].price)
    assert scaled["tile0", "adc.convert"] == plain["tile0", "adc.convert"]


@pytest.mark.parametrize(
    ("factors", "message"),
    [
        ({"wires": 2.0}, r"factors: got 'wires'.*Did you mean 'wire'\?"),
        ({"wire": -1.0}, r"factors\.wire: got -1\.0; expected"),
    ],
)
def test_bad_factor_is_refused(factors, message):
    with pytest.raises(InputError, match=message):
        prices(ENTRIES, TECHNOLOGY, factors)


def test_unknown_function_of_the_boundary_is_refused():
    with pytest.raises(InputError, match=r"inside: got 'arithmetics'.*Did you mean 'arithmetic'\?"):
        price([], [], TECHNOLOGY, ["arithmetics"])


def test_unknown_column_is_refused():
    with pytest.raises(InputError, match=r"column: got 'phas'.*Did you mean 'phase'\?"):
        bill_of().by("phas")


def test_table_has_one_row_a_line_with_units_in_the_names():
    bill = bill_of(Row("forward", "fc1", "unit", "add", 10), Row("forward", "fc1", "host", "transfer", 8))
    table = bill.table()
    assert list(table.columns) == [
        "phase", "layer", "component", "action", "key", "function", "part", "inside", "amount", "unit", "figure",
        "price_J_per_unit", "energy_J", "basis", "source", "reason",
    ]  # fmt: skip
    assert table.loc[table["inside"], "energy_J"].sum() == pytest.approx(bill.total())
    assert (table["amount"] * table["price_J_per_unit"]).tolist() == table["energy_J"].tolist()
    assert list(bill_of().table().columns) == list(table.columns)


def test_the_ends_of_a_price_follow_the_law_from_the_ends_of_the_figure():
    plain, ends = prices(ENTRIES, TECHNOLOGY), price_ends(ENTRIES, TECHNOLOGY)
    assert set(ends) == set(plain)
    ranged = 0
    for name, priced in plain.items():
        low, high = ends[name]
        figure = TECHNOLOGY.figures[priced.figure] if priced.figure else None
        if figure and priced.price:
            assert low == pytest.approx(priced.price * figure.low / figure.value, rel=1e-12)
            assert high == pytest.approx(priced.price * figure.high / figure.value, rel=1e-12)
            ranged += low < high
    assert ranged

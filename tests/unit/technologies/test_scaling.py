"""Scaling a technology: which figures move, by which factor, what the file says of each."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path

import pytest

from archsim.accounting.technology import Technology, read_technology
from archsim.base.errors import InputError
from archsim.studies.inventory import declared
from archsim.technologies.declared import circuit
from archsim.technologies.scaling import Scaled, scale
from archsim.technologies.scaling import move as unbound

BASE = read_technology("bottom-up-14nm")
DECLARED = declared()
move = partial(unbound, declared=DECLARED)
STILLMAKER = 0.4969237804


def scaled(folder: Path, node: str = "7nm", **options: object) -> tuple[Technology, dict[str, Scaled]]:
    out = folder / "made.yaml"
    done = scale(BASE, move(BASE, node, **options), out)  # type: ignore[arg-type]
    return read_technology(str(out)), {each.name: each for each in done}


def test_digital_figures_move_by_the_rule_and_their_range_covers_both(tmp_path: Path) -> None:
    made, done = scaled(tmp_path)
    old, new = BASE.figures["fp32.multiply"], made.figures["fp32.multiply"]
    factor = (3.7 / 1.31) ** -0.37250556
    assert new.value == pytest.approx(old.value * factor, rel=1e-5)
    assert new.low == pytest.approx(old.low * STILLMAKER, rel=1e-5)
    assert new.high == pytest.approx(old.high * factor, rel=1e-5)
    assert done["fp32.multiply"].factors == pytest.approx(
        {"stillmaker-baas": STILLMAKER, "table-interpolation": factor}, rel=1e-5
    )


def test_the_other_rule_gives_the_other_value_and_the_same_range(tmp_path: Path) -> None:
    one, _ = scaled(tmp_path)
    other, _ = scaled(tmp_path, rule="stillmaker-baas")
    a, b = one.figures["fp32.add"], other.figures["fp32.add"]
    assert b.value == pytest.approx(BASE.figures["fp32.add"].value * STILLMAKER, rel=1e-5)
    assert a.value > b.value
    assert (a.low, a.high) == pytest.approx((b.low, b.high))


def test_every_figure_says_how_it_was_scaled_or_that_it_was_not(tmp_path: Path) -> None:
    made, done = scaled(tmp_path)
    assert set(done) == {*BASE.times, *BASE.figures, *BASE.areas}
    for section in ("times", "figures", "areas"):
        for name, item in getattr(made, section).items():
            if done[name].why_not:
                before = getattr(BASE, section)[name]
                assert "not scaled to 7 nm" in (item.origin.note or ""), name
                assert (item.value, item.origin.basis) == (pytest.approx(before.value, rel=1e-5), before.origin.basis)
            else:
                assert item.origin.basis == "derived", name
                assert set(getattr(BASE, section)[name].origin.sources) <= set(item.origin.sources)
                assert f"of bottom-up-14nm, {item.origin.original.value} at 14 nm, x " in item.origin.derived_by


def test_analog_blocks_devices_leakage_and_links_stay(tmp_path: Path) -> None:
    made, done = scaled(tmp_path)
    stay = {name for name, each in done.items() if each.why_not}
    assert {"adc.conversion", "dac.pulse-width", "cells.conduct", "set.pulse", "sram.leakage", "logic.leakage",
            "host.link", "tile.adc", "tile.cells"} <= stay  # fmt: skip
    assert not stay & {"fp32.add", "int.multiply", "sram.read", "wire", "control.cycle", "sram.bit", "mac.lane"}
    assert made.times_hash == BASE.times_hash


def test_the_points_of_a_memory_move_by_their_capacity(tmp_path: Path) -> None:
    made, _ = scaled(tmp_path)
    old, new = BASE.figures["sram.read"], made.figures["sram.read"]
    ratios = [b[1] / a[1] for a, b in zip(old.points, new.points, strict=True)]
    between = 0.75 * (0.425 / 0.75) ** (math.log(11.25 / 8) / math.log(4))  # 10 -> 7.5 pJ at 8 KiB, 20 -> 8.5 at 32
    assert ratios[:2] == pytest.approx([0.75**0.37250556, between**0.37250556], rel=1e-4)
    assert ratios[-2:] == pytest.approx([0.14**0.37250556] * 2, rel=1e-4)
    assert [a for a, _ in old.points] == [b for b, _ in new.points]
    sizes = {"capacity_bit": 8 * 1024 * 1024.0, "word_bit": 32.0}
    assert new.price(sizes) == pytest.approx(old.price(sizes) * ratios[-1], rel=1e-4)


def test_a_wire_takes_the_voltage_squared_and_cites_no_scaling_table(tmp_path: Path) -> None:
    made, _ = scaled(tmp_path, volt=0.6)
    assert made.figures["wire"].value == pytest.approx(BASE.figures["wire"].value * 0.5625, rel=1e-5)
    assert "stillmaker2017" not in made.figures["wire"].origin.sources


def test_times_are_scaled_by_the_delay_only_if_asked_and_to_whole_picoseconds(tmp_path: Path) -> None:
    made, done = scaled(tmp_path, times=True)
    assert made.times["digital.cycle"].value == pytest.approx(718e-12)
    assert made.times["sram.access"].value == pytest.approx(2155e-12)
    for size in (8192, 65536, 2**23):
        assert made.time_s("sram.access", size) == pytest.approx(BASE.time_s("sram.access", size) * 0.7182, rel=2e-3)
    assert made.times["tile.adc.conversion"].value == BASE.times["tile.adc.conversion"].value
    assert made.times["digital.cycle"].origin.basis == "derived"
    assert "assumed, one clock of 1 GHz" in (made.times["digital.cycle"].origin.where or "")
    assert done["programmer.set_pulse"].why_not.startswith("a memory device")


def test_beyond_the_tables_one_rule_is_left_and_the_file_says_so(tmp_path: Path) -> None:
    made, done = scaled(tmp_path, "65nm", rule="stillmaker-baas")
    assert set(done["fp32.add"].factors) == {"stillmaker-baas"}
    assert "the other rule does not reach there" in (made.figures["fp32.add"].origin.derived_by or "")
    assert "knows one rule only" in (tmp_path / "made.yaml").read_text()
    with pytest.raises(InputError, match="65 nm.*stillmaker-baas"):
        move(BASE, "65nm")


def test_there_and_back_again_returns_the_values(tmp_path: Path) -> None:
    made, _ = scaled(tmp_path)
    back = tmp_path / "back.yaml"
    scale(made, move(made, "14nm"), back)
    again = read_technology(str(back))
    for name, figure in BASE.figures.items():
        assert again.figures[name].value == pytest.approx(figure.value, rel=1e-4), name
    for name, area in BASE.areas.items():
        assert again.areas[name].value == pytest.approx(area.value, rel=0.02), name  # the table has two digits


def test_a_calibrated_figure_stays_recognisable_as_one(tmp_path: Path) -> None:
    base = tmp_path / "mine.yaml"
    base.write_text(
        "schema: 1\nkind: technology\nname: mine\nextends: bottom-up-14nm\nfigures:\n  fp32.multiply:\n    value: 2 pJ\n"
        "    basis: calibrated\n    source: horowitz2014\n    where: w\n"
        "    calibrated: {to: 83.2 nJ an image, was: 1.929 pJ}\n"
    )
    calibrated = read_technology(str(base))
    out = tmp_path / "made.yaml"
    scale(calibrated, move(calibrated, "28nm"), out)
    figure = read_technology(str(out)).figures["fp32.multiply"]
    assert figure.origin.basis == "calibrated"
    assert "83.2 nJ" in figure.origin.calibrated.to  # type: ignore[union-attr]


def test_what_is_kept_is_left_alone(tmp_path: Path) -> None:
    made, done = scaled(tmp_path, keep=["sram.read"])
    assert made.figures["sram.read"].value == pytest.approx(BASE.figures["sram.read"].value)
    assert done["sram.read"].circuit == "kept"
    with pytest.raises(InputError, match=r"--keep: got 'sram.rea'.*Did you mean 'sram.read'"):
        move(BASE, "7nm", keep=["sram.rea"])


def test_an_unknown_action_is_an_error_and_no_default(tmp_path: Path) -> None:
    base = tmp_path / "odd.yaml"
    base.write_text(
        "schema: 1\nkind: technology\nname: odd\ntitle: t\nnode: 14 nm\nfigures:\n  flux:\n    value: 1 pJ\n"
        "    range: [1 pJ, 1 pJ]\n    prices: [flux.capacitor.charge]\n    basis: assumed\n    why: w\n"
    )
    odd = read_technology(str(base))
    with pytest.raises(InputError, match="figures flux: nothing says what kind of circuit 'flux.capacitor.charge' is"):
        scale(odd, move(odd, "7nm"), tmp_path / "out.yaml")
    assert not (tmp_path / "out.yaml").exists()
    scale(odd, move(odd, "7nm", keep=["flux"]), tmp_path / "out.yaml")
    assert read_technology(str(tmp_path / "out.yaml")).figures["flux"].value == pytest.approx(1e-12)


def test_a_figure_of_two_kinds_of_circuit_is_refused() -> None:
    with pytest.raises(InputError, match=r"mac_array.add \(logic\), tile.adc.convert \(analog\); expected one kind"):
        circuit(["mac_array.add", "tile.adc.convert"], DECLARED.actions, "figures x")


@pytest.mark.parametrize(
    ("actions", "row"),
    [(["mac_array.multiply", "digital_unit.multiply"], ("fp32.multiply", True)),
     (["digital_unit.lookup"], ("int32.add", False)), (["mac_array.add", "mac_array.multiply"], ("int32.add", False))],
)  # fmt: skip
def test_logic_without_a_row_of_its_own_follows_the_adder(actions: list[str], row: tuple[str, bool]) -> None:
    assert DECLARED.row(actions) == row


def test_a_file_without_one_node_asks_for_it(tmp_path: Path) -> None:
    odd = read_technology("bottom-up-14nm")
    object.__setattr__(odd, "node", "14/16 nm")
    with pytest.raises(InputError, match="node: got '14/16 nm'; expected one node.*--from-node"):
        move(odd, "7nm")
    assert move(odd, "7nm", source_node="16nm").source.node == pytest.approx(16e-9)
    with pytest.raises(InputError, match="--rule: got 'stillmaker'; expected one of .*Did you mean 'stillmaker-baas'"):
        move(odd, "7nm", rule="stillmaker")


def test_a_technology_elsewhere_is_extended_by_its_path(tmp_path: Path) -> None:
    first, _ = scaled(tmp_path)
    (tmp_path / "deeper").mkdir()
    out = tmp_path / "deeper" / "second.yaml"
    scale(first, move(first, "28nm"), out)
    assert "extends: ../made.yaml" in out.read_text()
    assert read_technology(str(out)).ancestors[0].resolve() == (tmp_path / "made.yaml").resolve()

"""Combinations of update rule, device and learning rule: each asked for is there, possible or with its reason."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import pytest
from grid_kit import TINY

from archsim.base import files
from archsim.base.errors import InputError
from archsim.chips import architecture as architectures
from archsim.devices import library
from archsim.devices.base import Switches
from archsim.runs import workload as workloads
from archsim.studies.rules.asked import asked
from archsim.studies.rules.combine import Combination, combinations, replaced


def found(workload: Any = TINY, **options: Any) -> list[Combination]:
    return combinations(asked(workload, **options), workloads.document(workload))


def test_every_combination_is_there_and_what_a_rule_refuses_has_its_reason() -> None:
    each = found(archs=["mixed-precision", "agad", "digital32"], devices=["pcm-nandakumar2018", "reram-array"])
    assert [(one.rule, one.device, one.possible) for one in each if one.learning == "backpropagation"] == [
        ("mixed-precision", "pcm-nandakumar2018", True), ("mixed-precision", "reram-array", True),
        ("agad", "pcm-nandakumar2018", False), ("agad", "reram-array", True), ("digital32", "none", True),
    ]  # fmt: skip
    assert len(each) == 2 * 5
    refused = next(one for one in each if not one.possible)
    assert refused.reason == (
        "weight.device: got 'pcm-nandakumar2018'; expected a device with gradual pulses up and down, or sides: pairs "
        "that are pulsed up only"
    )
    assert len({one.key for one in each if one.possible}) == 8


def test_a_device_for_chips_that_have_none_is_refused() -> None:
    with pytest.raises(InputError, match="--device: got 'reram-array'; expected no device: digital32 has none"):
        found(archs=["digital32"], devices=["reram-array"])


def test_without_devices_each_rule_has_its_own_first() -> None:
    each = found(archs=["tiki-taka", "in-array"], learnings=["backpropagation"])
    assert [one.device for one in each if one.rule == "tiki-taka"] == [
        "reram-array", "pcm-nandakumar2018"
    ]  # fmt: skip
    assert each[0].settings == ("network.learning=backpropagation",)  # as its file has it
    assert next(one for one in each if one.rule == "in-array").device == "epiram-neurosim"


@pytest.mark.parametrize("rule", ["mixed-precision", "tiki-taka"])
def test_another_device_takes_the_same_part_of_its_range(rule: str) -> None:
    chip: Any = architectures.parse(architectures.document(rule))
    told = dict(text.split("=") for text in replaced(chip, "epiram-neurosim"))
    own, new = (
        library.build(library.device_file(name), Switches()) for name in (chip.weight.device, "epiram-neurosim")
    )
    unit = float(told["weight.unit"].removesuffix(" uS")) * 1e-6
    assert unit / (new.high - new.low) == pytest.approx(chip.weight.unit / (own.high - own.low), rel=1e-5)
    if rule == "mixed-precision":
        saturated = float(told["refresh.saturated"].removesuffix(" uS")) * 1e-6
        share = (chip.refresh.saturated - own.low) / (own.high - own.low)
        assert (saturated - new.low) / (new.high - new.low) == pytest.approx(share, rel=1e-5)


def test_a_device_is_priced_by_its_own_technology_unless_one_is_given() -> None:
    devices = ["reram-array", "ecram-metal-oxide", "epiram-neurosim", "capacitor", "idealised"]
    assert {one.device: one.technology for one in found(archs=["in-array"], devices=devices)} == {
        "reram-array": "reram-14nm", "ecram-metal-oxide": "ecram-14nm", "epiram-neurosim": "reram-14nm",
        "capacitor": "hybrid-14nm", "idealised": "bottom-up-14nm",
    }  # fmt: skip
    assert {one.technology for one in found(archs=["digital32"])} == {"bottom-up-14nm"}
    assert {one.technology for one in found(archs=["mixed-precision"], devices=["capacitor"])} == {"bottom-up-14nm"}
    assert {one.technology for one in found(archs=["agad"], devices=["reram-array"], tech="ecram-14nm")} == {
        "ecram-14nm"
    }


def test_settings_reach_the_chips_that_have_their_block_alone() -> None:
    each = found(archs=["mixed-precision", "agad"], devices=["reram-array"], settings=["transfer.period=7"])
    assert all(one.possible for one in each)
    assert ["transfer.period=7" in one.settings for one in each] == [False, False, True, True]


def test_a_device_file_of_ones_own_is_taken_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    text = library.device_file("reram-array").read_text(encoding="utf-8")
    path.write_text(text.replace("name: reram-array", "name: mine"), encoding="utf-8")
    [one] = found(archs=["agad"], devices=[str(path)], learnings=["backpropagation"])
    assert (one.device, one.possible) == ("mine", True)


def test_a_network_with_chips_of_its_own_takes_them_and_others_get_its_ranges_and_room() -> None:
    each = found("lenet-mnist", archs=["mixed-precision", "tiki-taka", "digital32", "multi-pcm"], devices=["reram-array"],
                 learnings=["backpropagation"])  # fmt: skip
    assert [one.rule for one in each] == ["mixed-precision-deep", "tiki-taka", "digital32-deep", "multi-pcm"]
    assert all(one.possible for one in each), [one.reason for one in each]
    spec = each[1].spec
    assert spec is not None
    chip: Any = spec.architectures[0]
    assert chip.tile.adc.tracked.deviations == 5
    assert chip.weight.unit is None
    assert chip.weight.spread == pytest.approx(0.3e-6)
    deep, several = (cast("Any", one.spec).architectures[0] for one in (each[0], each[3]))
    assert several.digital_unit == deep.digital_unit  # on the same chip but for what the rule is
    assert several.outer_product.error_bits == deep.outer_product.error_bits == 16
    assert (several.weight.spread, several.weight.copies) == (deep.weight.spread, 3)


def test_a_chip_of_ones_own_over_a_shipped_one_hands_on_what_both_say(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(
        "schema: 1\nkind: architecture\nextends: mixed-precision-deep\nname: mine\ntitle: t\n"
        "outer_product: {error_bits: 12}\n"
    )
    text = (files.shipped("workloads") / "lenet-mnist.yaml").read_text()
    own = f"architectures: [{tmp_path / 'mine.yaml'}, digital32-deep]"
    (tmp_path / "net.yaml").write_text(
        re.sub(r"^architectures: .*$", own, text.replace("name: lenet-mnist", "name: net"), flags=re.MULTILINE)
    )
    each = found(
        str(tmp_path / "net.yaml"), archs=["multi-pcm"], devices=["reram-array"], learnings=["backpropagation"]
    )
    chip = cast("Any", each[0].spec).architectures[0]
    assert (chip.outer_product.error_bits, chip.digital_unit.lanes, chip.weight.copies) == (12, 16, 3)


def test_a_learning_rule_that_a_network_refuses_is_listed() -> None:
    each = found("lstm-text", archs=["digital32"])
    assert [(one.learning, one.possible) for one in each] == [
        ("backpropagation", True), ("direct-feedback-alignment", False)
    ]  # fmt: skip
    assert "lstm" in each[1].reason

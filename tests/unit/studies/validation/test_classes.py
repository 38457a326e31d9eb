"""What a check can tell is found by machine: arithmetic on inputs, facts told twice, sums; the rest predicts."""

from __future__ import annotations

import re
import shutil
from functools import cache
from pathlib import Path

import pytest

from archsim.base.files import shipped
from archsim.studies.validation.cases import read_case
from archsim.studies.validation.classes import Answer, Finding, classify, half_digit, published_numbers
from archsim.studies.validation.measured import Bench


def classes_of(path: str) -> dict[str, Finding]:
    from archsim.base import units
    from archsim.studies.validation.case_file import QUANTITIES

    case = read_case(path)
    bench, answers = Bench(case), []
    for name, number in case.file.published.items():
        if (check := number.check) and check.of[0] in case.file.kernels:
            published = units.parse(number.value, QUANTITIES[check.quantity])
            simulated = bench.run(check.of).value(check.quantity, check.parts)
            answers.append(Answer(name, check, number.value, published, simulated))
    return classify(bench, answers)


shipped_classes = cache(classes_of)


def changed(name: str, tmp_path: Path, *changes: tuple[str, str]) -> dict[str, Finding]:
    folder = tmp_path / name
    shutil.copytree(shipped("tech_params") / "designs" / name, folder)
    text = (folder / "case.yaml").read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    (folder / "case.yaml").write_text(text)
    return classes_of(str(folder / "case.yaml"))


@pytest.mark.parametrize(
    ("check", "kind", "why"),
    [
        ("eyeriss2017.conv3", "arithmetic", "times.engine.cycle x counts"),
        ("marinella2018.sram-mvm-latency", "arithmetic", "times.engine.memory.read x counts"),
        ("marinella2018.sram-vmm-macs", "arithmetic", "figures.mac x counts"),
        ("hermes-chip2023.one-phase-density", "arithmetic", "areas.core"),  # an area and a period, both published
        ("hermes-chip2023.four-phase-energy", "restated", "calibrated figures.column"),
        ("hermes-core2022.efficiency-anchored", "restated", "calibrated figures.column"),
        ("marinella2018.analog-mvm-energy", "restated", "as analog-vmm-energy"),
        ("isaac2016.density", "restated", "follows from power, area, efficiency"),
        ("marinella2018.analog-cycle-energy", "sum", "analog-vmm-energy \\+ analog-mvm-energy \\+ analog-opu-energy"),
        ("isaac2016.area", "sum", "published parts"),
        ("puma2019.node-power", "sum", "published parts"),
        ("hermes-chip2023.one-phase-energy", "calibration", "set a figure"),
        ("marinella2018.analog-vmm-energy", "sum", "analog-vmm-array, analog-vmm-integrators, analog-vmm-converters"),
        ("marinella2018.reram-vmm-energy", "sum", "reram-vmm-memory"),  # right by cancelling: 410 for 208, 199 for 431
        ("marinella2018.sram-opu-macs", "restated", "as sram-vmm-macs"),
        ("marinella2018.analog-opu-energy", "prediction", ""),
        ("marinella2018.reram-area", "prediction", ""),  # its multipliers are another source's
        ("hermes-core2022.efficiency", "prediction", ""),
        ("analog-ai2023.efficiency", "prediction", ""),
        ("neurram2022.eight-six", "prediction", "stated: the published times are those of one cycle"),
    ],
)
def test_the_class_of_a_shipped_check_is_found(check: str, kind: str, why: str) -> None:
    case, _, name = check.partition(".")
    found = shipped_classes(case)[name]
    assert found.kind == kind
    assert re.search(why, found.why)


def test_a_figure_of_another_source_makes_independent_what_its_own_files_hold() -> None:
    found = shipped_classes("marinella2018")
    assert found["sram-area-macs"].figures == "bottom-up"
    assert found["sram-area-memory"].figures == "own"
    assert shipped_classes("hermes-core2022")["efficiency"].figures == "bottom-up"


def test_a_frequency_in_words_is_a_published_period() -> None:
    assert (pytest.approx(1e-9), "s") in published_numbers(read_case("hermes-core2022"))
    assert (pytest.approx(35e-12), "J") in published_numbers(read_case("marinella2018"))
    assert shipped_classes("hermes-core2022")["throughput"].kind == "arithmetic"  # 1 GHz, though the file is shipped


def test_a_published_value_that_the_inputs_build_is_arithmetic(tmp_path: Path) -> None:
    # 1,048,576 x 1.46 pJ = 1,530.9 nJ: the total of a sum of three, but as published it is one input times a count
    found = changed(
        "marinella2018", tmp_path, ("value: 2850 nJ", "value: 1531 nJ"), ("component: sram.read}", "component: mac}")
    )
    assert found["sram-vmm-energy"].kind == "arithmetic"
    assert "figures.mac x 1048576" in found["sram-vmm-energy"].why


def test_what_a_case_states_with_a_reason_goes_before_what_is_found(tmp_path: Path) -> None:
    given = "check: {of: [one-phase], quantity: latency, evidence: simulated}"
    stated = given.replace("evidence:", "class: prediction, because: counted otherwise, evidence:")
    found = changed("hermes-chip2023", tmp_path, (given, stated))
    assert found["one-phase-latency"] == ("prediction", "stated: counted otherwise", "own")


def test_the_same_as_another_case_tells_is_restated(tmp_path: Path) -> None:
    found = changed("hermes-core2022", tmp_path,
                    ("{of: [bottom-up], quantity: area}", "{of: [bottom-up], quantity: area, same_as: hermes-chip2023.part}"))  # fmt: skip
    assert found["area"].kind == "restated"


@pytest.mark.parametrize(
    ("text", "half"), [("12.8 nJ", 0.05 / 12.8), ("4 us", 0.5 / 4), ("478.95 Gop/s", 0.005 / 478.95)]
)
def test_a_printed_number_is_known_to_half_its_last_digit(text: str, half: float) -> None:
    assert half_digit(text) == pytest.approx(half)

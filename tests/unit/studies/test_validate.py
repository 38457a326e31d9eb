"""Cases: a number is input or check, never both; and what the shipped ones come to."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from archsim.accounting.technology import lint, read_technology
from archsim.base.errors import InputError
from archsim.base.files import shipped
from archsim.chips.published import PublishedBoard, parse
from archsim.studies.cases import Case, read_case, shipped_cases
from archsim.studies.validate import Result, measure, validate, verdict

CASES = shipped_cases()
KERNEL_CASES = [name for name in CASES if read_case(name).file.kernels]


def copied(name: str, tmp_path: Path, old: str = "", new: str = "", file: str = "case.yaml") -> Path:
    folder = tmp_path / name
    shutil.copytree(shipped("tech_params") / "designs" / name, folder)
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1))
    return folder / "case.yaml"


def test_there_are_enough_cases_and_one_for_each_kernel_of_training() -> None:
    assert len(CASES) >= 8
    kernels = {kernel.kernel for kernel in read_case("marinella2018").file.kernels.values()}
    assert kernels == {"product", "transposed", "update"}
    assert read_case("nandakumar2020").file.trainings


@pytest.mark.parametrize("name", KERNEL_CASES)
def test_every_check_of_a_shipped_design_lies_in_its_band(name: str, tmp_path: Path) -> None:
    results = validate([name], folder=tmp_path)
    assert results
    for result in results:
        assert result.ok, f"{name}.{result.name}: {result.text} published, {result.shown} simulated"
        assert result.factor <= 2 or result.cause, f"{name}.{result.name}: off by more than 2 without a cause"


@pytest.mark.parametrize("name", KERNEL_CASES)
def test_every_action_of_a_shipped_design_has_one_price(name: str) -> None:
    case = read_case(name)
    for design in case.file.designs:
        technology = case.technology(design)
        board = PublishedBoard(parse(case.architecture(design)), technology)
        assert [line for line in lint(technology, board.entries()) if not line.startswith("note: ")] == []


@pytest.mark.parametrize("name", KERNEL_CASES)
def test_designs_take_no_figure_from_the_totals_of_the_paper(name: str) -> None:
    case = read_case(name)
    for design in case.file.designs:
        for figure in case.technology(design).figures.values():
            if figure.origin.basis == "calibrated":
                anchors = [n for n in case.file.published.values() if n.check and n.check.basis == "calibration"]
                assert anchors or case.file.source not in figure.origin.sources


def test_kernels_are_linear_in_their_figures() -> None:
    case = read_case("marinella2018")
    one = measure(case, case.file.kernels["sram-vmm"])
    assert one.energy == pytest.approx(1048576 * (1.46e-12 + 8 * 34e-15 + 8 * 128e-15 * 0.88), rel=1e-12)
    assert one.operations == 2 * 1048576


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("value: 35 pJ", "value: 12.8 nJ", "is also the input 'registers'"),
        ("sets: [analog-14nm.figures.registers]", "sets: [analog-14nm.figures.register]", "is no key"),
        ("role: check", "role: input", "says what it `sets`"),
        ("of: [analog-vmm]", "of: [analog-wmm]", "Did you mean 'analog-vmm'"),
        ("quantity: energy", "quantity: energies", "expected energy, latency"),
        ("value: 12.8 nJ", 'value: "12.8"', "without a unit"),
        ("value: 12.8 nJ", "value: 12.8 ns", "no quantity in J"),
        ("source: marinella2018", "source: marinela2018", "a key of references.bib"),
        ("{design: analog, kernel: product}", "{design: analogue, kernel: product}", "expected analog, sram, reram"),
        ("name: marinella2018", "name: other", "the folder's name"),
        ("band: 1.05", "band: 0.9", "band"),
    ],
)
def test_what_is_wrong_in_a_case_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read_case(str(copied("marinella2018", tmp_path, old, new)))
    assert "case.yaml" in str(caught.value)


def test_a_check_may_not_stand_in_a_file_of_the_design(tmp_path: Path) -> None:
    path = copied("marinella2018", tmp_path, "value: 35 pJ\n    range: [35 pJ, 35 pJ]",
                  "value: 2.2 nJ\n    range: [2.2 nJ, 2.2 nJ]", file="analog-14nm.yaml")  # fmt: skip
    with pytest.raises(InputError, match=r"the check 2.2 nJ is also analog-14nm.figures.registers.value"):
        read_case(str(path))


def test_an_unknown_case_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match="Did you mean 'marinella2018'"):
        read_case("marinela2018")


def test_a_changed_figure_leaves_the_band(tmp_path: Path) -> None:
    path = copied("marinella2018", tmp_path, "value: 36 uW\n    range: [36 uW, 36 uW]",
                  "value: 40 uW\n    range: [40 uW, 40 uW]", file="analog-14nm.yaml")  # fmt: skip
    results = validate([str(path)], folder=tmp_path / "points")
    assert "marinella2018.analog-vmm-energy" in verdict(results).outside_band


def result(simulated: float, basis: str = "prediction", band: float = 2.0) -> Result:
    return Result("case", "n", "what", "energy", "1 J", 1.0, simulated, "", basis, band, "", "measured", "", "")


def test_the_verdict_counts_predictions_alone() -> None:
    found = verdict(
        [result(1.05), result(0.5), result(4.0, band=5), result(1.0, "calibration"), result(3.0, "sum of parts")]
    )
    assert (found.predictions, found.median, found.worst) == (3, 2.0, 4.0)
    assert (found.within_ten_percent, found.within_two) == (1, 2)
    assert found.outside_band == ("case.n",)  # the sum of parts


def test_the_factor_is_the_same_up_and_down() -> None:
    assert result(2.0).factor == result(0.5).factor == 2.0
    assert not result(0.0).ok


def test_bottom_up_designs_inherit_the_shipped_technology() -> None:
    case: Case = read_case("hermes-core2022")
    own, shipped_one = case.technology("bottom-up"), read_technology("bottom-up-14nm")
    assert own.figures["adc.conversion"].value == shipped_one.figures["adc.conversion"].value
    assert {name: own.times[name].value for name in shipped_one.times} == {
        name: time.value for name, time in shipped_one.times.items()
    }

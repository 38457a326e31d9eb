"""Cases: a number is input or check, never both; and what the shipped ones come to."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from archsim.accounting.technology import lint, read_technology
from archsim.base.errors import InputError
from archsim.base.files import shipped
from archsim.chips.published.published import PublishedBoard, parse
from archsim.studies.validation import standing
from archsim.studies.validation.cases import Case, read_case, shipped_cases
from archsim.studies.validation.measured import Bench
from archsim.studies.validation.validate import Result, validate
from archsim.studies.validation.verdict import verdict

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
def test_every_shipped_design_stands_as_recorded_and_misses_only_what_is_known(name: str, tmp_path: Path) -> None:
    results = validate([name], folder=tmp_path)
    assert results
    assert [f"{result.name} {result.problem}" for result in results if result.problem] == []
    assert {result.name for result in results} == set(standing.results(read_case(name)))


@pytest.mark.long
def test_every_training_stands_as_recorded_on_the_data_it_was_recorded_on(tmp_path: Path) -> None:
    trained = [name for name in CASES if read_case(name).file.trainings]
    results = validate(trained, folder=tmp_path)
    assert len(results) >= 10
    assert [f"{result.full_name} {result.problem}" for result in results if result.problem] == []


def test_every_known_miss_is_of_a_shipped_check_and_has_a_cause() -> None:
    known = {name: standing.misses(read_case(name)) for name in CASES}
    path = shipped("tech_params") / "designs" / "known-misses.yaml"
    assert sum(map(len, known.values())) == path.read_text().count("- check:")
    assert all(miss.cause and miss.since for found in known.values() for miss in found.values())


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
                anchors = [n for n in case.file.published.values() if n.check and n.check.class_ == "calibration"]
                assert anchors or case.file.source not in figure.origin.sources


def test_kernels_are_linear_in_their_figures() -> None:
    one = Bench(read_case("marinella2018")).run(["sram-vmm"])
    macs, reads, wire = 1048576 * 1.46e-12, 1048576 * 8 * 34e-15, 1048576 * 8 * 128e-15 * 0.88
    assert one.energies == pytest.approx({"mac": macs, "sram.read": reads, "wire": wire}, rel=1e-12)
    assert one.energy() == pytest.approx(macs + reads + wire, rel=1e-12)
    assert one.value("energy", ["mac", "wire"]) == pytest.approx(macs + wire, rel=1e-12)
    assert one.operations == 2 * 1048576


def test_operations_one_after_the_other_add_up_part_by_part() -> None:
    bench = Bench(read_case("marinella2018"))
    one, other, both = (bench.run(names) for names in (["sram-vmm"], ["sram-opu"], ["sram-vmm", "sram-opu"]))
    assert both.energies["mac"] == pytest.approx(one.energies["mac"] + other.energies["mac"])
    assert both.energies["sram.write"] == other.energies["sram.write"]
    assert both.seconds == pytest.approx(one.seconds + other.seconds)


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
        ("quantity: energy}", "quantity: energy, band: 1.05}", "band"),
        ("quantity: energy}", "quantity: energy, class: prediction}", "expected `because`"),
        ("quantity: energy}", "quantity: energy, because: so}", "`because` without `class`"),
        ("quantity: energy}", "quantity: energy, same_as: analog-mwm-energy}", "Did you mean 'analog-mvm-energy'"),
        ("quantity: energy}", "quantity: energy, component: comparators}", "Did you mean 'comparator'"),
        ("quantity: latency}", "quantity: latency, component: comparator}", "names a component"),
        ("evidence: simulated", "evidence: hearsay", "evidence"),
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


def test_a_changed_figure_moves_the_total_and_its_part_and_leaves_the_rest(tmp_path: Path) -> None:
    path = copied("marinella2018", tmp_path, "value: 36 uW\n    range: [36 uW, 36 uW]",
                  "value: 37 uW\n    range: [37 uW, 37 uW]", file="analog-14nm.yaml")  # fmt: skip
    shutil.copy(shipped("tech_params") / "designs" / "known-misses.yaml", tmp_path)
    moved = {result.name for result in validate([str(path)], folder=tmp_path / "points") if result.problem}
    assert moved == {"analog-vmm-energy", "analog-mvm-energy", "analog-cycle-energy", "analog-vmm-converters"}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("check: marinella2018.analog-area\n", "check: marinella2018.analog-mvm-energy\n", "lies within x1.3"),
        ("check: marinella2018.analog-area\n", "check: other.analog-area\n", "not among the known misses"),
        ("factor: 1.38\n", "factor: 1.42\n", "known to be off by x1.42 and is so by x1.38"),
    ],
)
def test_the_list_of_misses_has_to_be_true(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = copied("marinella2018", tmp_path)
    text = (shipped("tech_params") / "designs" / "known-misses.yaml").read_text()
    assert old in text
    (tmp_path / "known-misses.yaml").write_text(text.replace(old, new))
    problems = [result.problem for result in validate([str(path)], folder=tmp_path / "points")]
    assert any(message in problem for problem in problems)


def test_a_listed_miss_of_a_check_that_is_none_is_refused(tmp_path: Path) -> None:
    path = copied("marinella2018", tmp_path)
    (tmp_path / "known-misses.yaml").write_text(
        "schema: 1\nkind: known-misses\nmisses:\n  - {check: marinella2018.mac, factor: 2, cause: none, since: today}\n"
    )
    with pytest.raises(InputError, match=r"misses\[0\].check: got 'marinella2018.mac'; expected a check"):
        validate([str(path)], folder=tmp_path / "points")


def test_a_result_that_was_never_recorded_is_a_problem_where_others_were(tmp_path: Path) -> None:
    path = copied("garofalo2022", tmp_path, "  throughput:\n", "  other:\n", file="results.yaml")
    assert "not recorded -> 962.9 Gop/s" in validate([str(path)], folder=tmp_path / "points")[0].problem
    (path.parent / "results.yaml").unlink()
    assert not validate([str(path)], folder=tmp_path / "points")[0].problem


def test_a_case_outside_the_package_cites_the_bibliography_beside_it(tmp_path: Path) -> None:
    path = copied("garofalo2022", tmp_path, "source: garofalo2022", "source: mine2031")
    with pytest.raises(InputError, match="a key of references.bib"):
        read_case(str(path))
    (path.parent / "references.bib").write_text("@misc{mine2031, title = {Mine}}\n")
    assert read_case(str(path)).file.source == "mine2031"


def test_one_table_has_a_band_for_every_kind_of_quantity_figures_and_evidence() -> None:
    found = standing.bands()
    kinds = set(standing.KINDS.values())
    assert {
        (q, f, e) for q in kinds for f in ("own", "bottom-up") for e in ("measured", "simulated", "derived")
    } == set(found)
    assert max(found.values()) <= 2
    for quantity in kinds:  # what rests on a design's own figures is held to no less than what rests on others'
        assert found[quantity, "own", "measured"] <= found[quantity, "bottom-up", "measured"]


def result(simulated: float, kind: str = "prediction", evidence: str = "measured", figures: str = "own") -> Result:
    return Result("case", "n", "what", "energy", "1 J", 1.0, simulated, "", kind, "", figures, evidence, 2.0, "", "")


def test_the_verdict_leads_with_predictions_of_silicon_and_counts_nothing_else() -> None:
    found = verdict(
        [
            result(3.0, evidence="simulated"), result(1.05), result(0.5), result(4.0), result(1.0, "calibration"),
            result(9.0, "sum"), result(1.3, figures="bottom-up"),
        ]
    )  # fmt: skip
    assert [(g.evidence, g.figures, g.predictions) for g in found.groups] == [
        ("measured silicon", "by the case's own figures", 3),
        ("measured silicon", "by independent figures", 1),
        ("simulated and calculated designs", "by the case's own figures", 1),
    ]
    first = found.groups[0]
    assert (first.median, first.worst, first.within_ten_percent, first.within_two) == (2.0, 4.0, 1, 2)
    assert found.predictions == 5
    assert found.classes == {"prediction": 5, "calibration": 1, "sum": 1}
    assert len(found.misses) == 3


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

"""Published designs: each part that a design can have stands in one of the set, and what some of them come to by hand."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from archsim.base.files import shipped
from archsim.chips.published.published_file import PublishedArchitecture
from archsim.studies.validation.cases import read_case, shipped_cases
from archsim.studies.validation.measured import Bench


@cache
def structures() -> list[PublishedArchitecture]:
    found = []
    for case in map(read_case, shipped_cases()):
        bench = Bench(case)
        found += [bench.architecture(operation) for operation in case.file.kernels.values()]
    return found


def steps() -> list[Any]:
    return [step for each in structures() for step in (*each.before, *each.after)]


PARTS: dict[str, Callable[[], Any]] = {
    "a stage in each tile": lambda: [s for s in steps() if s.kind == "stage" and not s.shared],
    "a serial unit for all tiles": lambda: [s for s in steps() if s.kind == "stage" and s.shared and s.lanes == 1],
    "links with partial sums": lambda: [s for s in steps() if s.kind == "link" and s.adds],
    "a buffer with ports": lambda: [s for s in steps() if s.kind == "buffer" and s.ports > 1],
    "zero gating": lambda: [each for each in structures() if each.engine and each.engine.zero_gating],
    "register files": lambda: [each for each in structures() if each.engine and each.engine.registers],
    "fixed power": lambda: [each for each in structures() if "clock" in each.blocks],
    "a frame": lambda: [each for each in structures() if each.frame],
    "writing once a batch": lambda: [
        s for s in structures() if s.crossbar and s.crossbar.write and s.crossbar.write.batch > 1
    ],
    "drivers by bits": lambda: [each for each in structures() if each.crossbar and each.crossbar.driver_bits],
    "a way of settling": lambda: [s for s in structures() if s.crossbar and s.crossbar.input.settles != "integration"],
}


@pytest.mark.parametrize("part", PARTS)
def test_each_part_stands_in_a_published_design(part: str) -> None:
    assert PARTS[part]()


def value(case: str, operation: str, quantity: str) -> float:
    return Bench(read_case(case)).run([operation]).value(quantity)


@pytest.mark.parametrize(
    ("operation", "inputs", "outputs"), [("three-one", 1, 3), ("five-three", 3, 5), ("eight-six", 6, 8)]
)
def test_neurram_takes_a_cycle_a_unit_of_magnitude_and_one_a_bit_of_output(
    operation: str, inputs: int, outputs: int
) -> None:
    pulses = max(inputs - 1, 1)
    seconds = pulses * 10e-9 + (2**pulses - 1) * 250e-9 + outputs * 250e-9
    assert value("neurram2022", operation, "latency") == pytest.approx(seconds)


def test_a_frame_of_the_speech_chip_is_cells_columns_and_counters() -> None:
    run = Bench(read_case("analog-ai2023")).run(["frame"])
    cells = 33 * 512 * 1024 * 2 * 1e-6 * 0.5 * 255e-9 * 0.3 * 1.5
    assert run.energies["cells.conduct"] == pytest.approx(cells)
    assert run.energies["adc.conversion"] == pytest.approx(33 * 1024 * 20e-6 * 1.5 * 256e-9)
    assert run.energies["integrator"] == pytest.approx(33 * 512 * 4 * 255e-9 * 12e-6 * 1.5)  # 512 take four turns
    assert run.seconds == pytest.approx(7 * 300e-9)


def test_zeros_in_eyeriss_save_what_is_gated_and_neither_time_nor_input_reads() -> None:
    dense, sparse = (Bench(read_case("eyeriss2017")).run([name]) for name in ("energy1", "energy4"))
    access = 2.61e-12
    for run, macs, density in ((dense, 420e6, 0.9999), (sparse, 450e6, 0.207)):
        assert run.energies["nothing"] == pytest.approx(macs * (1 + 4 * density) * access, rel=1e-6)
    assert sparse.seconds == pytest.approx(450e6 / 156 * 5e-9, rel=1e-3)


def test_a_digital_macro_is_adders_registers_and_input_lines() -> None:
    run = Bench(read_case("colonnade2021")).run(["eight"])
    assert run.seconds == pytest.approx(10e-9)
    assert run.energies["adders"] == pytest.approx(1024 * 15 * 4.6e-15)
    assert run.energies["register"] == pytest.approx(1024 / 8 * 15 * 12.7e-15)
    assert run.energies["input"] == pytest.approx(128 * 71e-15)


def test_layers_on_two_cores_wait_for_the_one_unit_that_all_share() -> None:
    one = value("hermes-chip2023", "layers", "latency")
    assert one == pytest.approx(32 * 256 * 2.5e-9, rel=0.1)  # a result a cycle of 400 MHz, whatever the product takes


def test_a_batch_is_written_in_the_time_of_one_update() -> None:
    assert value("marinella2018", "analog-opu-batch", "latency") == pytest.approx(
        value("marinella2018", "analog-opu", "latency") / 16
    )


def test_an_operation_comes_to_one_vector_or_to_all_of_them(tmp_path: Path) -> None:
    shutil.copytree(shipped("tech_params") / "designs" / "garofalo2022", tmp_path / "garofalo2022")
    path = tmp_path / "garofalo2022" / "case.yaml"
    mean = Bench(read_case(str(path))).run(["pipelined"])
    path.write_text(path.read_text().replace("vectors: 500", "vectors: 500, per: all"))
    whole = Bench(read_case(str(path))).run(["pipelined"])
    assert whole.seconds == pytest.approx(500 * mean.seconds)
    assert whole.operations == 500 * mean.operations
    assert whole.value("throughput") == pytest.approx(mean.value("throughput"))

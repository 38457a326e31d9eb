"""Every shipped architecture, technology and workload goes with every other, without a test of its own."""

from __future__ import annotations

from functools import cache

import pytest

from archsim.accounting.technology import Technology, lint, read_technology
from archsim.base.errors import DataError
from archsim.base.files import shipped_names
from archsim.base.signal import STEP_PHASES
from archsim.chips import architecture as architectures
from archsim.runs import workload as workloads
from archsim.runs.spec import DEFAULT_TECHNOLOGIES, resolve
from archsim.runs.train import Trainer
from archsim.studies.inventory import entries

ARCHITECTURES = shipped_names("architectures")
TECHNOLOGIES = shipped_names("tech_params")
WORKLOADS = shipped_names("workloads")
technology = cache(read_technology)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("name", TECHNOLOGIES)
def test_every_technology_prices_every_action_of_every_architecture(architecture: str, name: str) -> None:
    priced: Technology = technology(name)
    problems = [line for line in lint(priced, entries(architecture, priced)) if not line.startswith("note: ")]
    assert problems == []


SMALL = "mlp-mnist"
"""The workload that goes on every architecture; the others go on their own."""
SHAPES = {name for name in WORKLOADS if "dataset" not in workloads.document(name).data}
"""Workloads without data: estimated, never trained."""
PAIRS = [
    (workload, architecture)
    for workload in WORKLOADS
    if workload not in SHAPES
    for architecture in (ARCHITECTURES if workload == SMALL else workloads.architectures(workloads.document(workload)))
]


@pytest.mark.parametrize(("workload", "architecture"), PAIRS)
def test_every_workload_fits_and_does_a_step_on_its_architectures(workload: str, architecture: str) -> None:
    try:
        spec = resolve(workload, archs=(architecture,), techs=(TECHNOLOGIES[0],), steps=2)
    except DataError as error:
        pytest.skip(str(error))
    trainer = Trainer(spec, spec.architectures[0])
    trainer.train(2)
    ledger = trainer.chip.ledger
    assert ledger.steps == 2
    assert trainer.chip.clock.now == sum(ledger.time_ps[phase] for phase in STEP_PHASES) > 0
    layers = set(spec.network.shapes)
    assert {row.layer for row in ledger.rows() if row.phase == "update"} >= layers
    for name in TECHNOLOGIES:
        problems = [line for line in lint(technology(name), trainer.chip.entries()) if not line.startswith("note: ")]
        assert problems == []  # at the sizes this network brings


@pytest.mark.parametrize("workload", WORKLOADS)
def test_every_preset_of_every_workload_can_be_read(workload: str) -> None:
    document = workloads.document(workload)
    parsed = workloads.parse(document)
    assert parsed.title
    for preset, values in parsed.presets.items():
        changed = workloads.parse(document, preset).training
        for key in values.model_dump(exclude_none=True):
            assert getattr(changed, key) == getattr(values, key)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_architecture_has_the_boundary_of_the_baseline_and_counts_the_memory_that_it_brings(
    architecture: str,
) -> None:
    first, other = (architectures.parse(architectures.document(name)) for name in ("digital32", architecture))
    below = {"off-chip memory"} if other.dram is not None else set()
    assert set(other.boundary.inside) == set(first.boundary.inside) | below
    assert set(other.boundary.outside) == set(first.boundary.outside) - below
    assert other.title


def test_the_defaults_are_shipped_and_have_the_same_times() -> None:
    assert set(workloads.ARCHITECTURES) <= set(ARCHITECTURES)
    assert set(DEFAULT_TECHNOLOGIES) <= set(TECHNOLOGIES)
    assert len({technology(name).times_hash for name in DEFAULT_TECHNOLOGIES}) == 1


@pytest.mark.parametrize("direction", ["up", "down"])
@pytest.mark.parametrize("name", shipped_names("tech_params"))
def test_a_line_at_half_the_voltage_takes_a_quarter_unless_two_lines_meet_in_transistors(
    name: str, direction: str
) -> None:
    technology = read_technology(name)
    whole, half = (
        technology.figures[technology.pricing[key]].value
        for key in (f"writer.{direction}.charge", f"train_writer.{direction}.half")
    )
    assert half == pytest.approx(whole if name == "hybrid-14nm" else whole / 4, rel=0.05)

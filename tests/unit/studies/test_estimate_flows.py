"""An estimate of a chip on which batches flow: its training's, played on the same units."""

from __future__ import annotations

import pytest

from archsim.accounting.bill import price
from archsim.runs.spec import resolve
from archsim.runs.train import Trainer
from archsim.studies.estimate import books
from archsim.studies.estimate.estimate import estimate
from archsim.studies.estimate.spec import resolve as estimated

CHIP, STEPS, BATCH = "mixed-precision-pipelined", 8, 6


@pytest.fixture(scope="module")
def trained() -> Trainer:
    spec = resolve(
        "lenet-mnist", steps=STEPS, archs=[CHIP],
        settings=["dataset=mnist-5k", f"training.batch={BATCH}", "tile.adc.tracked.every=1"],
    )  # fmt: skip
    made = Trainer(spec, spec.architectures[0])
    for _ in range(STEPS):
        made.train(1)  # each step drains, as the one that is estimated does
    made.chip.settle()
    return made


def test_an_estimate_that_knows_the_activity_takes_the_time_and_energy_of_the_training(trained: Trainer) -> None:
    told = estimated("lenet-mnist", batch=BATCH, archs=[CHIP], settings=["tile.adc.tracked.every=1"])
    rows, ledger = tuple(trained.chip.ledger.rows()), trained.chip.ledger
    found = books.estimate_chip(
        told, told.architectures[0], books.activity_of(told, told.architectures[0], rows, STEPS, "measured")
    )
    technology, inside = trained.spec.technologies[0], trained.architecture.boundary.inside
    did = price(rows, trained.chip.entries(), technology, inside)
    would = price(found.training.rows, found.entries, technology, inside)
    for phase in ("forward", "backward", "update"):
        assert would.total(phase=phase) == pytest.approx(did.total(phase=phase) / STEPS, rel=0.05), phase
    took, takes = sum(ledger.time_ps.values()) / STEPS, sum(found.training.time_ps.values())
    assert 0.94 * took < takes < 1.01 * took  # steps differ, and a mean step waits less than they do in the mean


def test_a_larger_batch_takes_less_a_sample_where_it_flows_and_an_inference_flows_too() -> None:
    still, flows = (
        {
            batch: estimate("lenet-mnist", batch=batch, archs=[chip])["architectures"][chip]
            for batch in (1, 16)
        }
        for chip in ("mixed-precision-deep", CHIP)
    )  # fmt: skip

    def faster(each: dict[int, dict[str, dict[str, dict[str, float]]]], what: str) -> float:
        one, many = (each[batch][what]["latency_per_sample_s"]["total"] for batch in (1, 16))
        return one / many

    for what, more in (("training", 1.3), ("inference", 1.2)):
        assert faster(flows, what) > more * faster(still, what)

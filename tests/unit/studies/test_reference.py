"""The measured machine beside an estimate: power over rate, times the operations of a step."""

from __future__ import annotations

import pytest

from archsim.base.bibtex import read_references
from archsim.base.files import shipped
from archsim.report.studies.estimate import notes
from archsim.studies.estimate.estimate import estimate
from archsim.studies.estimate.reference import machine


def test_it_takes_its_power_over_its_rate_for_every_operation_of_the_perceptron() -> None:
    """A step has 784 x 250 + 250 x 10 products twice, and 250 x 10 once more: biases are rows of 785 and 251."""
    content = estimate("mlp-mnist", archs=["digital32"])
    found = content["reference"]
    forward = 785 * 250 + 251 * 10
    assert found["J_per_operation_at_least"] == pytest.approx(8400 / (8 * 989e12), rel=1e-9)
    assert found["training_J_per_sample_at_least"] == pytest.approx(
        2 * (2 * forward + 251 * 10) * 8400 / 7.912e15, rel=1e-6
    )
    assert found["inference_J_per_sample_at_least"] == pytest.approx(2 * forward * 8400 / 7.912e15, rel=1e-6)
    assert found["simulated"] is False
    assert any("measured and not simulated" in line and "at least" in line for line in notes(content))


def test_its_source_stands_in_the_bibliography() -> None:
    assert machine().source in read_references(shipped("tech_params") / "references.bib")

"""`archsim costs`: what is there is kept, what is not is trained, and the page says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_kit import Cli

SMALL = """schema: 1
kind: workload
name: small-net
title: A small one
dataset: mnist-5k
architectures: [mixed-precision-deep, digital32-deep]
network:
  inputs: 784
  initial_std: lecun
  layers:
    - {name: fc1, kind: dense, units: 12, activation: relu}
    - {name: norm, kind: layer-norm}
    - {name: fc2, kind: dense, units: 10, activation: softmax}
  loss: cross-entropy
training: {batch: 4, learning_rate: 0.05, epochs: 1, test_samples: 50}
presets: {quick: {steps: 12}}
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Return a small workload with room for depth and batch."""
    path = tmp_path / "small-net.yaml"
    path.write_text(SMALL)
    return path


@pytest.mark.usefixtures("undrawn")
def test_a_study_says_what_it_will_do_does_it_and_goes_on_where_it_was(cli: Cli, small: Path, tmp_path: Path) -> None:
    other = tmp_path / "other-net.yaml"
    other.write_text(SMALL.replace("small-net", "other-net").replace("-deep", "").replace("batch: 4", "batch: 1"))
    command = "costs", other, small, "--out", tmp_path / "costs", "--tests", 3
    planned = cli(*command, "--plan")
    assert "other-net-on-mixed-precision-deep-and-digital32-deep: 12 steps of 1, to train, some 1 min" in planned.out
    assert not (tmp_path / "costs").exists()
    done = cli(*command)
    assert done.code == 0, done.error
    page = (tmp_path / "costs/costs.md").read_text()
    assert "The chips alone: other-net has a ratio of" in page
    assert "## Why: small-net" in page
    assert "layer-norm" in page
    told = json.loads((tmp_path / "costs/costs.json").read_text())
    assert [each["label"] for each in told["networks"]][::2] == ["other-net", "small-net"]
    assert told["networks"][2]["beside"] == "other-net on mixed-precision-deep and digital32-deep"
    level = told["networks"][2]["reached"]
    assert all(each["energy_J"] > 0 for each in level["chips"].values())
    again = cli(*command)
    assert again.out.count("12 steps of 1, kept") == 2
    assert "to train" not in again.out
    assert (tmp_path / "costs/costs.md").read_text() == page


@pytest.mark.usefixtures("undrawn")
def test_runs_that_are_there_are_read_and_runs_of_other_inputs_are_not_replaced(
    cli: Cli, small: Path, tmp_path: Path
) -> None:
    assert cli("costs", small, "--out", tmp_path / "costs", "--quiet").code == 0
    run = tmp_path / "costs/runs/small-net"
    done = cli("costs", run, "--out", tmp_path / "read")
    assert done.code == 0, done.error
    assert "read" in done.out
    changed = cli("costs", small, "--out", tmp_path / "costs", "--seed", 2)
    assert changed.code == 2
    assert "expected a run of these inputs, but it has one of others. --force trains it again" in changed.error
    assert cli("costs", small, "--out", tmp_path / "costs", "--seed", 2, "--force", "--quiet").code == 0


def test_what_is_no_workload_and_no_finished_run_is_named(cli: Cli, small: Path, tmp_path: Path) -> None:
    assert "WORKLOAD: got 'lenet'; expected a file, or one of" in cli("costs", "lenet").error
    assert "expected a run directory" in cli("costs", tmp_path).error
    assert "--tests: got 0; expected a whole number from 1 on" in cli("costs", small, "--tests", 0).error

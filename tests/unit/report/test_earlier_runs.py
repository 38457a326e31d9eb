"""Runs that earlier versions wrote, of images and their accuracy: read as what they are."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import yaml

from archsim.records.recorded import read
from archsim.report import tables
from archsim.studies.sweeps.counts import Counts


def as_of_old(run: Path) -> None:
    """Write a run directory as the version before did."""
    summary = json.loads((run / "summary.json").read_text())
    summary["schema"] = 2
    del summary["metric"], summary["sample"]
    for chip in summary["architectures"].values():
        chip["test_accuracy"] = chip.pop("test")
    (run / "summary.json").write_text(json.dumps(summary))
    content = yaml.safe_load((run / "run.yaml").read_text())
    content["schema"] = 2
    content["workload"]["network"] = {"layers": [{"units": 250}, {"units": 10}]}
    (run / "run.yaml").write_text(yaml.safe_dump(content))
    table = pd.read_csv(run / "training.csv").rename(columns={"running": "running_accuracy", "test": "test_accuracy"})
    table.to_csv(run / "training.csv", index=False)


def test_a_run_of_an_earlier_version_says_the_same_as_one_of_this(tiny: Path) -> None:
    now = read(tiny)
    as_of_old(tiny)
    then = read(tiny)
    assert then.metric == now.metric
    assert then.metric.name == "accuracy"
    assert then.summary["metric"]["chance"] == 0.1
    assert {name: chip.course for name, chip in then.chips.items()} == {
        name: chip.course for name, chip in now.chips.items()
    }
    assert tables.from_run(then) == tables.from_run(now)


def test_the_buffer_of_a_transfer_that_was_given_to_chi_is_a_part_of_its_own() -> None:
    word = ["word read", "weight update", "", "chi memory", "memory", None]
    told = {
        "chip": "tiki-taka", "kind": "in-array", "steps": 1, "samples": 1, "test": None, "inside": [], "time_ps": {},
        "seconds": 0.0, "by": "", "run": "", "notes": {}, "rows": [],
        "entries": [["transfer_unit", "transfer_unit.buffer.read", {}, [], *word],
                    ["outer_product_unit", "outer_product_unit.chi.read", {}, [], *word]],
        "parts": [["transfer_unit", "transfer_unit.buffer", 32.0, "bit", "chi memory"]],
    }  # fmt: skip
    counts = Counts.of(told)
    assert [entry.action.part for entry in counts.entries] == ["transfer buffer", "chi memory"]
    assert [part.part for part in counts.parts] == ["transfer buffer"]

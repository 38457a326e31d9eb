"""A small run of both chips for the tests of its page, with a technology that assumes a figure and means harm."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from sealed_kit import unseal

from archsim.accounting.bill import price
from archsim.base.signal import STEP_PHASES
from archsim.runs import rundir
from archsim.runs.run import train_all
from archsim.runs.spec import RunSpec, resolve
from archsim.runs.train import Trained

STEPS = 120
HARM = '</script><script>window.harm = "done"</script><img src="http://example.org/x" onerror="window.harm = 1">'
CONTROL = {
    "control.mac": ("mac_array", "pulse_unit"), "control.digital": ("digital_unit",),
    "control.outer-product": ("outer_product_unit",), "control.cycle": ("programmer", "writer"),
}  # fmt: skip
TOY: dict[str, Any] = {
    "schema": 1, "kind": "technology", "name": "toy", "title": f"A toy {HARM}", "extends": "bottom-up-14nm",
    "figures": {
        "adc.conversion": {
            "value": "50 pJ", "range": ["0 pJ", "200 pJ"], "prices": ["tile.adc.convert"], "law": "per-2^bits",
            "at": {"bits": 8}, "basis": "assumed", "why": f"to see what an assumed figure looks like {HARM}",
        },
        **{
            name: {
                "value": "3 fJ", "range": ["3 fJ", "3 fJ"], "basis": "assumed", "why": "nobody knows",
                "prices": [f"{unit}.control.cycle" for unit in units],
            }
            for name, units in CONTROL.items()
        },
    },
}  # fmt: skip


def of_one_chip(run: Path, chip: str) -> None:
    """Make a run directory of two chips one that was interrupted before the second, or left the first out."""
    unseal(run)
    summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    nothing = {"energy": None, "latency": None}
    summary |= {
        "architectures": {chip: summary["architectures"][chip]},
        "ratio": nothing,
        "ratios": {},
        "state": "partial",
    }
    for technology in summary["technologies"]:
        technology |= {"energy_per_step_J": {chip: technology["energy_per_step_J"][chip]}, "ratio": nothing}
    for drawn in summary["intervals"].values():
        drawn |= {"architectures": {chip: drawn["architectures"][chip]}, "energy_ratios": {}}
    (run / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    for name in ("energy.csv", "training.csv", "activity.csv", "area.csv"):
        head, *rows = (run / name).read_text(encoding="utf-8").splitlines()
        at = head.split(",").index("architecture")
        (run / name).write_text("\n".join([head, *(r for r in rows if r.split(",")[at] == chip)]) + "\n")


@dataclass(frozen=True)
class Made:
    """A run directory, and what is needed to price the run again."""

    path: Path
    spec: RunSpec
    trained: list[Trained]

    def energies(self, technology: str = "bottom-up-14nm", factors: dict[str, float] | None = None) -> dict[str, float]:
        """Return the energy [J] of a step of each chip, priced again by archsim's bill."""
        (found,) = (each for each in self.spec.technologies if each.name == technology)
        energies = {}
        for one in self.trained:
            bill = price(one.rows, one.entries, found, one.architecture.boundary.inside, factors)
            energies[one.architecture.name] = bill.total(phase=STEP_PHASES) / one.steps
        return energies

    def ratio(self, technology: str = "bottom-up-14nm", factors: dict[str, float] | None = None) -> float:
        """Return the energy ratio, likewise."""
        energies = self.energies(technology, factors)
        return energies["digital32"] / energies["mixed-precision"]


def make_run(folder: Path) -> Made:
    """Train both chips for a few steps on mnist-5k, priced by bottom-up-14nm and by the toy, into folder/run."""
    (folder / "toy.yaml").write_text(yaml.safe_dump(TOY, sort_keys=False), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("ARCHSIM_DATA", raising=False)
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        spec = resolve("mlp-mnist", steps=STEPS, techs=("bottom-up-14nm", str(folder / "toy.yaml")))
        trained = train_all(spec)
    run = folder / "run"
    run.mkdir()
    rundir.begin(run, spec)
    rundir.finish(run, spec, trained, 1.0)
    edit_summary(run, dataset_origin=f"digits {HARM}")
    return Made(run, spec, trained)


def edit_summary(run: Path, **values: object) -> None:
    """Change keys of summary.json."""
    unseal(run)
    file = run / "summary.json"
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | values), encoding="utf-8")
    unseal(run)


def embedded(page: str) -> dict[str, Any]:
    """Return the data that a page embeds, with the prices and numbers in the technologies as the page puts them there."""
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    data: dict[str, Any] = json.loads(text)
    for technology in data["technologies"]:
        for kind in ("figure", "time", "area"):
            technology[f"{kind}s"] = [data["numbers"][kind][place] for place in technology[f"{kind}s"]]
        technology["prices"] = {
            chip: [data["prices"][place] for place in places] for chip, places in technology["prices"].items()
        }
    return data

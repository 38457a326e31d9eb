"""Numbers of the README's lines on rules and on baselines are those that were recorded."""

from __future__ import annotations

import re

import pandas as pd
import pytest
from docs_kit import DOCS

README = (DOCS.parent / "README.md").read_text(encoding="utf-8")
LEARNS = ("mixed-precision", "tiki-taka", "chopped-tiki-taka")


def test_what_is_said_of_rules_is_what_the_study_gave() -> None:
    frame = pd.read_csv(DOCS / "rules-mlp-mnist.csv")
    told = frame[(frame["state"] == "done") & (frame["network.learning"] == "backpropagation")]
    energy = {(row["chip"], row["weight.device"]): row["energy_to_target_J"] for _, row in told.iterrows()}
    even, ours = energy["in-array-sgd", "gokmen-vlasov"], [energy[rule, "reram-array"] for rule in LEARNS]
    [digital] = told[told["chip"] == "digital32"]["energy_to_target_J"]
    text = " ".join(README.split())
    assert f"reaches 72 % for {even * 1e6:.0f} uJ (the 32-bit chip: {digital * 1e3:.1f} mJ)" in text
    assert f"reach 72 % for {min(ours) * 1e3:.2f} to {max(ours) * 1e3:.2f} mJ" in text
    stays = told[(told["chip"] == "in-array-sgd") & (told["weight.device"] == "reram-array")]["test"].item()
    assert f"it stays at {100 * stays:.0f} %" in text


@pytest.mark.parametrize("row", re.findall(r"^\| [\w-]+, \d+ \|.*$", README, re.MULTILINE))
def test_rows_of_baselines_stand_in_their_page(row: str) -> None:
    assert row in (DOCS / "baselines.md").read_text(encoding="utf-8")

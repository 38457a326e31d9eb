"""How long sweeps take beside their trainings: estimates, prices, planning. `python tests/bench/sweeps.py [POINTS]`."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from archsim.studies.sweeps.counts import Counts
from archsim.studies.sweeps.plan import Plan, plan
from archsim.studies.sweeps.pricing import Pricer
from archsim.studies.sweeps.study import asked
from archsim.studies.sweeps.sweep import carry_out

PROCESSES = "processes"


def timed(what: str, do: Any) -> Any:
    begin, worked = time.perf_counter(), time.process_time()
    found = do()
    wall, own = time.perf_counter() - begin, time.process_time() - worked
    print(f"{what:60} {wall:8.2f} s, {own:8.2f} s of this process's own")
    return found


def estimates(points: int, folder: Path) -> None:
    count = max(points // 100, 1)
    values = f"training.batch=1..{count}"
    rows = {"settings": ["tile.adc.bits=4..8", "tile.dac.bits=4..8", "outer_product.error_bits=3..6", values]}
    found: Plan = timed(f"{100 * count} points planned", lambda: plan(asked("mlp-mnist", estimate=True, **rows)))
    told = f"{len(found.points)} estimates of mlp-mnist ({len(found.units)} of a chip), {PROCESSES}"
    table = timed(told, lambda: carry_out(found, folder / "estimates", on=PROCESSES)).frame
    assert len(table.dropna(subset=["energy_per_sample_J"])) == 2 * len(found.points)


def prices(points: int, folder: Path) -> None:
    per = round(points ** (1 / 4))
    figures = [
        f"{name}={low}..{high}:log:{per}"
        for name, low, high in (
            ("adc.conversion", "0.5pJ", "5pJ"), ("set.pulse", "1pJ", "20pJ"), ("sram.read", "1pJ", "20pJ"),
            ("fp32.multiply", "0.1pJ", "1pJ"),
        )
    ]  # fmt: skip
    study = asked("mlp-mnist", estimate=True, figures=figures)
    found = timed(f"{per**4} points of prices planned", lambda: plan(study))
    out = folder / "prices"
    timed("  their two estimates, and the table", lambda: carry_out(found, out, on=PROCESSES))
    timed("  the table again: read, priced, written", lambda: carry_out(found, out, on=PROCESSES))
    kept = [Counts.of(json.loads(path.read_text())) for path in sorted((out / "counts").rglob("*.json"))]
    places = list(found.points[0].prices)
    values = {place: np.array([point.prices[place] for point in found.points]) for place in places}
    technology = found.points[0].clock.technology
    timed(
        f"  {per**4} re-pricings of {len(kept)} chips alone",
        lambda: [Pricer(c, technology).price(values) for c in kept],
    )


def main() -> None:
    points = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory() as name:
        estimates(points, Path(name))
        prices(10 * points, Path(name))


if __name__ == "__main__":
    main()

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from explain_kit import small_run
from sealed_kit import unseal

from archsim.accounting.intervals import TOTAL
from archsim.accounting.technology import Technology, read_technology
from archsim.records.intervals import contents, intervals, known
from archsim.records.recorded import Recorded, read
from archsim.report import ranges
from archsim.runs.spec import resolve
from archsim.runs.train import Trainer
from archsim.studies.explain.sensitivity import read_spent, spread

STILL = ("tile.rows=1024", "nonidealities.drift=false", "nonidealities.read_noise=false")
"""One tile a layer, and nothing that a clock of another pace would change."""
CHIPS = ("digital32", "mixed-precision", "in-array")
TECHNOLOGY = read_technology("bottom-up-14nm")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    return read(small_run(tmp_path_factory.mktemp("intervals") / "run", archs=CHIPS, steps=60))


def test_values_are_those_of_the_summary(run: Recorded) -> None:
    found = intervals(run)
    for name, chip in run.summary["architectures"].items():
        drawn = found.chips[name]
        for phase, energy in chip["energy_per_step_J"].items():
            assert drawn.energy[phase].value == pytest.approx(energy, rel=1e-12)
        for phase, time in chip["latency_per_step_s"].items():
            assert drawn.time[phase].value == pytest.approx(time, rel=1e-12)
        assert drawn.area[TOTAL].value == pytest.approx(chip["area_m2"]["total"]["value"], rel=1e-12)
    assert {name: each.value for name, each in found.ratios.items()} == pytest.approx(
        {name: each["energy"] for name, each in run.summary["ratios"].items()}, rel=1e-12
    )


def test_an_interval_is_that_of_the_same_figures_drawn_alone(run: Recorded) -> None:
    """Other draws of one distribution: ends of 4,000 and 20,000 draws differ by more than 8 % once in 1e6 or less."""
    found = intervals(run)
    for name in CHIPS:
        alone = spread(read_spent(run, TECHNOLOGY, (name,)), seed=5).interval
        drawn = found.chips[name].energy[TOTAL]
        assert (drawn.low, drawn.high) == pytest.approx(alone, rel=0.08)
    alone = spread(read_spent(run, TECHNOLOGY, CHIPS[:2]), seed=5).interval
    assert (found.ratios[CHIPS[1]].low, found.ratios[CHIPS[1]].high) == pytest.approx(alone, rel=0.08)


def test_chips_share_their_draws_so_a_ratio_is_narrower_than_its_sides(run: Recorded) -> None:
    found = intervals(run)
    over, under = (found.chips[name].energy[TOTAL] for name in CHIPS[:2])
    ratio = found.ratios[CHIPS[1]]
    assert ratio.high / ratio.low < 0.5 * (over.high / over.low) * (under.high / under.low)


def test_the_run_s_seed_decides_the_draws(run: Recorded) -> None:
    assert intervals(run) == intervals(run)
    assert intervals(replace(run, summary={**run.summary, "seed": 2})) != intervals(run)
    assert known(run) == intervals(run)


def scaled(factor: float, only: str | None = None) -> Technology:
    times = {
        name: replace(time, value=time.value * (factor if only in (None, name) else 1))
        for name, time in TECHNOLOGY.times.items()
    }
    return replace(TECHNOLOGY, times=times)


@pytest.mark.parametrize("name", CHIPS)
def test_a_phase_takes_k_times_as_long_if_all_times_do_and_less_if_one_does(name: str) -> None:
    """What the intervals of times rest on."""
    spec = resolve("mlp-mnist", archs=(name,), steps=3, settings=() if name == "digital32" else STILL)

    def took(technology: Technology) -> dict[str, int]:
        trainer = Trainer(replace(spec, technologies=(technology,)), spec.architectures[0])
        trainer.train(3)
        return {phase: ps for phase, ps in trainer.chip.ledger.time_ps.items() if ps}

    before, twice = took(TECHNOLOGY), took(scaled(2))
    assert twice == pytest.approx({phase: 2 * ps for phase, ps in before.items()}, rel=5e-4), "to whole picoseconds"
    for time in ("digital.cycle", "sram.access"):
        one = took(scaled(2, time))
        assert all(ps <= one[phase] <= 2 * ps for phase, ps in before.items())


def test_the_interval_of_a_time_holds_its_value_and_no_unit_that_sleeps_widens_it(run: Recorded) -> None:
    times = intervals(run).chips["digital32"].time
    assert all(each.low < each.value < each.high for each in times.values() if each.value)
    assert (
        times["forward"].high / times["forward"].low < 6
    )  # clock, memory, bus, host: not the pulses of the programmer


def test_the_summary_has_every_interval_and_who_reads_the_run_draws_none(
    run: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = run.summary["intervals"]
    assert set(told) == set(run.technologies)
    assert told[run.technology] == intervals(run).content()
    assert set(told[run.technology]["architectures"]) == set(CHIPS)
    drawn = intervals(run)
    monkeypatch.setattr("archsim.accounting.intervals.draw", lambda *_, **__: pytest.fail("drawn again"))
    assert known(run) == drawn


def test_a_run_of_an_earlier_version_has_no_intervals_and_they_are_drawn(run: Recorded, tmp_path: Path) -> None:
    older = Path(shutil.copytree(run.path, tmp_path / "older"))
    content = json.loads((older / "summary.json").read_text())
    del content["intervals"]
    (older / "summary.json").write_text(json.dumps(content))
    unseal(older)
    assert known(read(older)) == known(run)


def test_an_energy_drawn_at_random_lies_in_its_interval_nine_times_of_ten(run: Recorded) -> None:
    """Other 4,000 draws: the share inside is off by more than 2 points once in 1e4 or less."""
    told = known(run)
    assert told is not None
    for name in CHIPS:
        values = spread(read_spent(run, TECHNOLOGY, (name,)), seed=7, samples=4000).values
        each = told.chips[name].energy[TOTAL]
        assert np.mean((values >= each.low) & (values <= each.high)) == pytest.approx(0.9, abs=0.02)


def test_tables_and_json_show_every_interval(run: Recorded) -> None:
    sheets = ranges.intervals(run)
    assert [sheet.title.split(":")[0] for sheet in sheets] == [f"Intervals, {name}" for name in run.technologies]
    labels = [row[0] for row in sheets[0].rows]
    assert {"energy, update", "energy, total", "time, total", "area, total"} <= set(labels)
    assert labels[-1] == "energy ratio, digital32 over it"
    content = json.loads(json.dumps(contents(run)))
    mine = content["intervals"][run.technology]["architectures"]["mixed-precision"]
    assert set(mine["energy_per_step_J"]["total"]) == {"value", "low", "high"}
    assert set(mine) == {"energy_per_step_J", "latency_per_step_s", "area_m2"}

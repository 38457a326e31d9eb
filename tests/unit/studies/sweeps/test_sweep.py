"""A sweep as it is done: the bits of runs, whatever the order, the workers, and what died on the way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from grid_kit import TINY, planned

from archsim.api import estimate, run
from archsim.base import files
from archsim.base.errors import DoesNotFitError, InputError
from archsim.records.sweeps.sweep import Sweep, read_sweep
from archsim.studies.sweeps import hopeless, work
from archsim.studies.sweeps.store import owned
from archsim.studies.sweeps.sweep import carry_out, timed


@pytest.fixture
def here() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as one:
        yield one


def same(one: Sweep, other: Sweep) -> bool:
    left = ["run"]
    pd.testing.assert_frame_equal(one.frame.drop(columns=left), other.frame.drop(columns=left), check_exact=True)
    return True


def of_run(folder: Path, **options: Any) -> dict[str, Any]:
    summary = run(TINY, out=folder, **options).summary
    return {**summary["architectures"], "ratio": summary["ratio"]["energy"]}


def check(row: Any, chip: dict[str, Any]) -> None:
    assert row["energy_per_sample_J"] == chip["energy_per_sample_J"]["total"]
    assert row["latency_per_sample_s"] == chip["latency_per_sample_s"]["total"]
    assert row["area_m2"] == chip["area_m2"]["total"]["value"]
    assert row["test"] == chip["test"]
    assert row["edp_per_sample_Js"] == row["energy_per_sample_J"] * row["latency_per_sample_s"]


def test_a_point_that_is_priced_has_the_bits_of_a_run_by_its_technology(
    tmp_path: Path, here: ThreadPoolExecutor
) -> None:
    figures = ["adc.conversion=1pJ,3.3pJ", "sram.bit=0.104um^2/bit,0.15um^2/bit"]
    found = carry_out(planned(figures=figures), tmp_path / "sweep", on=here)
    assert list(found.finished["how"]) == [*["trained"] * 2, *["priced"] * 6]
    for number, (adc, bit) in enumerate((a, b) for a in ("1pJ", "3.3pJ") for b in ("0.104um^2/bit", "0.15um^2/bit")):
        told = of_run(tmp_path / f"run{number}", figures={"adc.conversion": adc, "sram.bit": bit})
        rows = found.frame.iloc[2 * number : 2 * number + 2]
        for _, row in rows.iterrows():
            check(row, told[row["chip"]])
        assert rows["energy_ratio"].iloc[0] == told["ratio"]
        assert pd.isna(rows["energy_ratio"].iloc[1])
        parts = [name for name in found.frame.columns if name.startswith("energy_per_sample_J:")]
        assert rows[parts].sum(axis=1).tolist() == pytest.approx(rows["energy_per_sample_J"].tolist(), rel=1e-12)


def test_a_technology_of_the_same_times_prices_as_a_run_by_it_does(tmp_path: Path, here: ThreadPoolExecutor) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text(
        "schema: 1\nkind: technology\nname: mine\nextends: bottom-up-14nm\n"
        "figures:\n  adc.conversion: {value: 2 pJ, basis: assumed, why: a test}\n"
    )
    found = carry_out(planned(techs=["bottom-up-14nm", str(mine)]), tmp_path / "sweep", on=here)
    assert list(found.frame["technology"]) == ["bottom-up-14nm"] * 2 + ["mine"] * 2
    told = of_run(tmp_path / "run", techs=[str(mine)])
    for _, row in found.frame.iloc[2:].iterrows():
        check(row, told[row["chip"]])


def test_the_mean_and_the_spread_are_those_of_the_seeds(tmp_path: Path, here: ThreadPoolExecutor) -> None:
    found = carry_out(planned(seeds=3, archs=["mixed-precision"]), tmp_path / "sweep", on=here).frame
    runs = [of_run(tmp_path / f"{seed}", seed=seed)["mixed-precision"] for seed in (1, 2, 3)]
    energies = pd.Series([each["energy_per_sample_J"]["total"] for each in runs])
    assert len(found) == 1
    assert found["seeds"][0] == 3
    assert found["energy_per_sample_J"][0] == pytest.approx(energies.mean(), rel=1e-14)
    assert found["energy_per_sample_J.std"][0] == pytest.approx(energies.std(), rel=1e-9)
    assert found["test"][0] == pytest.approx(pd.Series([each["test"] for each in runs]).mean())
    products = [each["energy_per_sample_J"]["total"] * each["latency_per_sample_s"]["total"] for each in runs]
    assert found["edp_per_sample_Js"][0] == pytest.approx(sum(products) / 3, rel=1e-14)
    assert found["energy_ratio"][0] > 1


def test_a_retimed_point_is_close_to_the_one_trained(tmp_path: Path, here: ThreadPoolExecutor) -> None:
    grid = {"figures": ["tile.adc.conversion=20ns,2us"], "archs": ["mixed-precision"], "reference": False}
    whole = carry_out(planned(**grid), tmp_path / "whole", on=here).frame
    short = carry_out(planned(**grid, retime=20), tmp_path / "short", on=here).frame
    assert list(short["how"]) == ["trained", "retimed"]
    assert short["energy_per_sample_J"][0] == whole["energy_per_sample_J"][0]
    for name in ("energy_per_sample_J", "latency_per_sample_s"):
        assert short[name][1] == pytest.approx(whole[name][1], rel=0.02)
    assert whole["latency_per_sample_s"][1] > 1.5 * whole["latency_per_sample_s"][0]


def test_an_estimated_point_is_what_archsim_estimate_says(tmp_path: Path, here: ThreadPoolExecutor) -> None:
    plan = planned(workload="mlp-mnist", estimate=True, settings=["tile.adc.bits=6,8"], batch=4)
    assert [point.how for point in plan.points] == ["estimated"] * 2
    assert len(plan.leaders) == 3
    found = carry_out(plan, tmp_path / "sweep", on=here)
    assert "test" not in found.frame.columns
    told = estimate("mlp-mnist", settings=["tile.adc.bits=6"], batch=4)["architectures"]
    for _, row in found.frame.iloc[:2].iterrows():
        training = told[row["chip"]]["training"]
        assert row["energy_per_sample_J"] == pytest.approx(training["energy_per_sample_J"]["total"], rel=1e-14)
        assert row["latency_per_sample_s"] == pytest.approx(training["latency_per_sample_s"]["total"], rel=1e-14)
        assert row["area_m2"] == told[row["chip"]]["area_m2"]["value"]
    macs = 784 * 250 + 250 * 10  # forward; as many for weight gradients; errors go back through the second layer alone
    operations = found.frame["ops_per_J"] * found.frame["energy_per_sample_J"]
    assert operations.tolist() == pytest.approx([2 * (2 * macs + 2510)] * 4, rel=0.01)


# --- resumed, failed, elsewhere ---------------------------------------------------------------------------------------
GRID: dict[str, Any] = {"settings": ["tile.adc.bits=4,6,8"], "archs": ["mixed-precision"]}


def test_what_was_interrupted_goes_on_and_has_the_same_bits(tmp_path: Path, here: ThreadPoolExecutor) -> None:
    whole = carry_out(planned(**GRID), tmp_path / "whole", on=here)
    trained: list[int] = []

    def going_on(name: str, finished: int, due: int) -> None:
        del name, finished
        trained.append(due)

    def interrupted(name: str, finished: int, due: int) -> None:
        del name, due
        if finished == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        carry_out(planned(**GRID), tmp_path / "sweep", on=here, done=interrupted)
    told = json.loads((tmp_path / "sweep" / "sweep.json").read_text())
    assert told["state"] == "partial"
    kept = sorted((tmp_path / "sweep" / "counts").rglob("*.json"))
    assert len(kept) == 2
    found = carry_out(planned(**GRID), tmp_path / "sweep", on=here, done=going_on)
    assert trained == [2, 2]
    assert same(whole, found)
    assert found.definition["state"] == "finished"
    again = carry_out(planned(**GRID), tmp_path / "sweep", on=here, done=lambda *_: pytest.fail("done twice"))
    assert same(whole, again)


def test_what_a_killed_process_left_half_written_is_done_again(tmp_path: Path, here: ThreadPoolExecutor) -> None:
    whole = carry_out(planned(**GRID), tmp_path / "sweep", on=here)
    one, *_ = sorted((tmp_path / "sweep" / "counts").rglob("*.json"))
    one.write_text(one.read_text()[:100])
    assert same(whole, carry_out(planned(**GRID), tmp_path / "sweep", on=here))


def test_two_processes_give_the_bits_of_one(tmp_path: Path, here: ThreadPoolExecutor) -> None:
    assert same(
        carry_out(planned(**GRID), tmp_path / "one", on=here),
        carry_out(planned(**GRID), tmp_path / "two", on="processes:2"),
    )


def test_a_point_that_fails_is_in_the_table_with_its_reason_and_the_others_go_on(
    tmp_path: Path, here: ThreadPoolExecutor
) -> None:
    linear = {
        **TINY,
        "network": {**TINY["network"], "layers": [{**TINY["network"]["layers"][0], "activation": "linear"}]},
    }
    plan = planned(workload=linear, settings=["training.learning_rate=0.001,1e6"], archs=["digital32"])
    found = carry_out(plan, tmp_path / "sweep", on=here)
    assert list(found.frame["state"]) == ["done", "failed"]
    assert "diverged" in found.frame["reason"][1]
    assert found.frame["test"].notna().tolist() == [True, False]
    assert len(found.finished) == 1


def test_a_point_whose_network_does_not_fit_is_in_the_table_with_its_reason_and_the_others_go_on(
    tmp_path: Path, here: ThreadPoolExecutor
) -> None:
    asked = {"archs": ["mixed-precision"], "reference": False}
    plan = planned(settings=["tile.count=10,300", "tile.rows=4,128"], **asked)
    told = plan.lines()
    assert told[0] == "points     4: 3 trained"
    assert told[1].startswith("no fit     1, the first: tile.count=10, tile.rows=4: tile.count: needs 197 tiles")
    assert list(timed(plan)) == ["mixed-precision"]
    found = carry_out(plan, tmp_path / "sweep", on=here)
    assert found.frame["state"].tolist() == ["failed", "done", "done", "done"]
    assert found.frame["reason"][0].startswith("tile.count: needs 197 tiles")
    assert found.frame["how"].fillna("").tolist() == ["", "trained", "trained", "trained"]
    assert hopeless.hopeless(plan, lambda _: None) == {}
    with pytest.raises(DoesNotFitError, match=r"point tile.count=1: tile.count: needs 197 tiles"):
        planned(settings=["tile.count=1,2", "tile.rows=4"], **asked)


def test_a_technology_that_cannot_price_a_chip_fails_its_points_alone(tmp_path: Path, here: ThreadPoolExecutor) -> None:
    other = tmp_path / "no-adc.yaml"
    other.write_text(
        (files.shipped("tech_params") / "bottom-up-14nm.yaml")
        .read_text()
        .replace("name: bottom-up-14nm", "name: no-adc")
        .replace("prices: [tile.adc.convert]", "prices: [tile.adc.nothing]")
    )
    plan = planned(techs=["bottom-up-14nm", str(other)], archs=["mixed-precision"], reference=False)
    found = carry_out(plan, tmp_path / "sweep", on=here)
    assert list(found.frame["state"]) == ["done", "failed"]
    assert "no figure prices 'tile.adc.convert'" in found.frame["reason"][1]


def test_another_sweep_and_a_second_writer_are_refused(tmp_path: Path, here: ThreadPoolExecutor) -> None:
    carry_out(planned(archs=["digital32"]), tmp_path / "sweep", on=here)
    with pytest.raises(InputError, match="another sweep.*differs in steps"):
        carry_out(planned(archs=["digital32"], steps=41), tmp_path / "sweep", on=here)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.txt").touch()
    with pytest.raises(InputError, match=r"or that of a sweep, but it holds mine\.txt"):
        carry_out(planned(archs=["digital32"]), tmp_path / "other", on=here)
    with (
        owned(tmp_path / "held", {"kind": "sweep"}),
        pytest.raises(InputError, match="no other study of rules is being written"),
        owned(tmp_path / "held", {"kind": "rules"}),
    ):
        pytest.fail("two writers")


def test_damaged_counts_are_done_again_and_a_damaged_definition_is_told(
    tmp_path: Path, here: ThreadPoolExecutor
) -> None:
    def again() -> bytes:
        carry_out(
            planned(settings=["training.learning_rate=0.1,0.2"], archs=["digital32"]), tmp_path / "sweep", on=here
        )
        return (tmp_path / "sweep/sweep.csv").read_bytes()

    whole = again()
    [file, *_] = (tmp_path / "sweep/counts").rglob("*.json")
    for damage in (b"", b'{"state": "done"', b'{"a":' * 9999, file.read_bytes()[:100]):
        file.write_bytes(damage)
        assert again() == whole
    (tmp_path / "sweep/sweep.csv").write_bytes(whole[:-20])
    with pytest.raises(InputError, match="is cut: its last line has no end.*writes it anew"):
        read_sweep(tmp_path / "sweep")
    assert again() == whole
    for damage in ("", "[]", '{"a":' * 9999):
        (tmp_path / "sweep/sweep.json").write_text(damage)
        with pytest.raises(InputError, match="is not what archsim writes.*Remove it: the same command writes it anew"):
            again()
    (tmp_path / "sweep/sweep.json").unlink()
    assert again() == whole
    (tmp_path / "sweep/sweep.json").unlink()
    (tmp_path / "sweep/mine.txt").touch()
    with pytest.raises(InputError, match="a new or empty directory, or that of a sweep"):
        again()


def test_the_runs_of_trainings_are_kept_if_asked_for(tmp_path: Path, here: ThreadPoolExecutor) -> None:
    found = carry_out(planned(archs=["mixed-precision"]), tmp_path / "sweep", on=here, keep_runs=True).frame
    from archsim.api import load

    kept = load(found["run"][0]).summary["architectures"]["mixed-precision"]
    assert kept["energy_per_sample_J"]["total"] == found["energy_per_sample_J"][0]
    assert kept["test"] == found["test"][0]


def test_a_hopeless_training_is_cut_and_the_table_says_why(
    tmp_path: Path, here: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hopeless, "LEAST", 100)
    grid = {"settings": ["training.learning_rate=0.2,1e-6"], "archs": ["digital32"], "steps": 1200}
    found = carry_out(planned(**grid), tmp_path / "sweep", on=here, stop_hopeless=True)
    whole = carry_out(planned(**grid), tmp_path / "whole", on=here)
    told = dict(zip(found.frame["state"], found.frame["reason"], strict=True))
    assert set(told) <= {"done", "stopped"}
    assert found.finished["test"].tolist() == whole.frame["test"].tolist()[: len(found.finished)]
    better, worse = whole.frame["test"]
    costs = whole.frame["energy_per_sample_J"]
    if better - worse > 0.05 and costs[0] <= costs[1]:
        assert "cut after 300 steps" in told["stopped"]


def test_other_data_than_the_sweep_s_are_refused_by_a_worker() -> None:
    unit = planned(archs=["digital32"]).leaders[0]
    with pytest.raises(InputError, match="the data of the sweep"):
        work.train(unit.task(planned().study, TINY), None, None, "another")


def test_parquet_has_what_the_csv_has(tmp_path: Path, here: ThreadPoolExecutor) -> None:
    pytest.importorskip("pyarrow")
    found = carry_out(planned(archs=["digital32"]), tmp_path / "sweep", on=here).frame
    whole = pd.read_parquet(tmp_path / "sweep" / "sweep.parquet")
    assert list(whole.columns) == list(found.columns)
    assert whole["energy_per_sample_J"][0] == found["energy_per_sample_J"][0]
    assert pd.read_csv(tmp_path / "sweep" / "sweep.csv")["energy_per_sample_J"][0] == found["energy_per_sample_J"][0]

"""A search as it is done: as good as a grid of four times the designs, the same bits again, trainings where they count."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from grid_kit import TINY, planned

from archsim.base.errors import InputError
from archsim.records.sweeps.fronts import front
from archsim.records.sweeps.sweep import QUANTITIES, read_sweep
from archsim.studies.search import asking
from archsim.studies.search.asked import search
from archsim.studies.search.search import Found, carry_out, definition
from archsim.studies.search.sharing import Sharing, joined
from archsim.studies.sweeps.store import LOCK, Store
from archsim.studies.sweeps.sweep import carry_out as sweep

pytest.importorskip("optuna")
SMALL: dict[str, Any] = {
    "settings": ["tile.rows=64,128,256,512", "tile.adc.count=1..4"], "minimise": ["time", "area"], "trials": 8,
    "at_a_time": 4,
}  # fmt: skip
TRAINED: dict[str, Any] = {
    "settings": ["tile.adc.bits=3..8", "training.learning_rate=0.05..0.5:log"], "minimise": ["energy"],
    "maximise": ["accuracy"], "trials": 8, "trainings": 4, "at_a_time": 3, "steps": 40,
}  # fmt: skip


@pytest.fixture
def here() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as one:
        yield one


def told(**options: Any) -> Any:
    return search(options.pop("workload", TINY), **options)


def same(one: Found, other: Found) -> bool:
    pd.testing.assert_frame_equal(one.frame, other.frame, check_exact=True)
    pd.testing.assert_frame_equal(one.front, other.front, check_exact=True)
    return True


# --- against a grid ---------------------------------------------------------------------------------------------------
SPACE = ["tile.rows=16,32,64,128,256,512", "tile.adc.count=1,2,4,8,16,32", "outer_product.lanes=1,2,4,8"]
OBJECTIVES = ["energy", "time", "area"]


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame]:
    """All 144 designs of a space, and where what was estimated is kept."""
    folder = tmp_path_factory.mktemp("grid") / "sweep"
    with ThreadPoolExecutor(1) as one:
        plan = planned(settings=SPACE, archs=["mixed-precision"], estimate=True, reference=False)
        found = sweep(plan, folder, on=one).finished
    return folder / "counts", found


COLUMNS = ["energy_per_sample_J", "latency_per_sample_s", "area_m2"]


def volume(rows: pd.DataFrame, whole: pd.DataFrame, *, near: bool) -> float:
    """Return the hypervolume of some designs as a share of that of all, by Optuna's own function.

    Objectives are logarithms. The reference point is the worst of the grid in each; or, `near`, the worst of the grid's
    front, and a tenth of the grid's range more.
    """
    from optuna._hypervolume import compute_hypervolume

    every, some = (np.log(each[COLUMNS].to_numpy(float)) for each in (whole, rows))
    best = every[front(whole, [QUANTITIES[name] for name in COLUMNS])]
    worst = best.max(axis=0) + np.ptp(every, axis=0) / 10 if near else every.max(axis=0)
    volumes = []
    for each in (some, every):
        inside = each[(each <= worst).all(axis=1)]
        volumes.append(float(compute_hypervolume(inside, worst)) if len(inside) else 0.0)
    return volumes[0] / volumes[1]


@pytest.mark.parametrize(
    "sampler", [pytest.param(name, marks=pytest.mark.long if name == "nsga2" else ()) for name in asking.SAMPLERS]
)
def test_a_quarter_of_the_grid_has_95_percent_of_its_hypervolume(
    sampler: str, grid: tuple[Path, pd.DataFrame], tmp_path: Path, here: ThreadPoolExecutor
) -> None:
    counts, whole = grid
    assert len(whole) == 144
    close = []
    for seed in (1, 2, 3):
        out = tmp_path / f"{seed}"
        what = told(settings=SPACE, minimise=OBJECTIVES, trials=36, sampler=sampler, seed=seed)
        with_counts(what, out, counts)
        found = carry_out(what, out, on=here).frame
        assert len(found) == 36
        far = volume(found, whole, near=False)
        close.append(volume(found, whole, near=True))
        print(f"{sampler}, seed {seed}: {far:.3f}, near {close[-1]:.3f}")
        assert far >= 0.95
    draws = [whole.iloc[np.random.default_rng(seed).permutation(144)[:36]] for seed in range(50)]
    at_random = np.mean([volume(each, whole, near=True) for each in draws])
    print(f"at random, near: {at_random:.3f}")
    assert np.mean(close) > at_random + 0.05


def with_counts(what: Any, out: Path, counts: Path) -> None:
    """Make a store that has what a grid has counted, so that a search estimates nothing twice."""
    shutil.copytree(counts, out / "counts")
    Store(out, definition(what)).mark("partial")


def test_a_whole_space_is_gone_through_once_and_its_front_is_the_grid_s(
    tmp_path: Path, here: ThreadPoolExecutor
) -> None:
    found = carry_out(told(**{**SMALL, "trials": 99}), tmp_path / "search", on=here)
    assert len(found.frame) == 16
    assert found.frame["point"].nunique() == 16
    objectives = [found.sweep.quantity(each) for each in SMALL["minimise"]]
    assert set(found.front["point"]) == set(found.frame[front(found.frame, objectives)]["point"])


# --- the same again ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("sampler", ["tpe", pytest.param("nsga2", marks=pytest.mark.long)])
def test_a_search_that_was_ended_goes_on_as_if_it_had_not_been(
    sampler: str, tmp_path: Path, here: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    what = told(**{**TRAINED, "sampler": sampler})
    whole = carry_out(what, tmp_path / "whole", on=here)
    for at in (0, 1, 4):  # ended in the middle of a batch, again and again
        with monkeypatch.context() as patch:
            left = [at]

            def broken(self: asking.Asker, *args: Any, left: list[int] = left, own: Any = asking.Asker.tell) -> None:
                if not left[0]:
                    raise KeyboardInterrupt
                left[0] -= 1
                own(self, *args)

            patch.setattr(asking.Asker, "tell", broken)
            with pytest.raises(KeyboardInterrupt):
                carry_out(what, tmp_path / "ended", on=here)
        assert read_sweep(tmp_path / "ended").definition["state"] == "partial"
    begun: list[str] = []
    found = carry_out(what, tmp_path / "ended", on=here, done=lambda name, *_: begun.append(name))
    assert same(whole, found)
    assert 0 < len(begun) < len(whole.frame) + 4
    again = carry_out(what, tmp_path / "ended", on=here, done=lambda *_: pytest.fail("done twice"))
    assert same(whole, again)


def test_the_number_of_processes_changes_nothing(tmp_path: Path, here: ThreadPoolExecutor) -> None:
    what = told(**SMALL)
    assert same(
        carry_out(what, tmp_path / "one", on=here), carry_out(what, tmp_path / "two", on="processes:2")
    )  # fmt: skip


def test_another_seed_proposes_other_designs_and_more_trials_go_on(tmp_path: Path, here: ThreadPoolExecutor) -> None:
    one = carry_out(told(**SMALL), tmp_path / "one", on=here)
    other = carry_out(told(**SMALL, seed=2), tmp_path / "other", on=here)
    assert set(one.frame["point"]) != set(other.frame["point"])
    more = carry_out(told(**{**SMALL, "trials": 11}), tmp_path / "one", on=here)
    assert len(more.frame) == 11
    assert list(more.frame["point"][:8]) == list(one.frame["point"])


def test_a_half_written_line_of_the_journal_is_taken_back(tmp_path: Path, here: ThreadPoolExecutor) -> None:
    whole = carry_out(told(**SMALL), tmp_path / "search", on=here)
    journal = tmp_path / "search" / asking.JOURNAL
    journal.write_bytes(journal.read_bytes() + b'{"op_code": 5, "wor')
    (tmp_path / "search" / f"{asking.JOURNAL}.lock").symlink_to(journal)
    assert same(whole, carry_out(told(**SMALL), tmp_path / "search", on=here))


# --- trainings --------------------------------------------------------------------------------------------------------
def test_few_of_the_estimates_are_trained_and_the_table_is_a_sweep_s(tmp_path: Path, here: ThreadPoolExecutor) -> None:
    found = carry_out(told(**TRAINED, subject_to=["tile.adc.bits >= 4"]), tmp_path / "search", on=here)
    rows = found.frame
    assert (rows["how"] == "trained").sum() == 4
    assert (rows["how"] == "estimated").sum() >= 4
    assert (rows["tile.adc.bits"] >= 4).all()
    assert rows["test"].notna().tolist() == (rows["how"] == "trained").tolist()
    assert rows["point"].is_unique
    assert set(found.front["how"]) == {"trained"}
    definition = json.loads((tmp_path / "search" / "sweep.json").read_text())
    assert (definition["kind"], definition["what"], definition["state"]) == ("search", "training", "finished")
    assert [axis["values"] for axis in definition["axes"]] == [[3, 4, 5, 6, 7, 8], [0.05, 0.5]]
    parquet = tmp_path / "search" / "sweep.parquet"
    assert not parquet.exists() or len(pd.read_parquet(parquet)) == len(rows)


def test_what_estimates_decide_is_not_trained(tmp_path: Path, here: ThreadPoolExecutor) -> None:
    options = {**TRAINED, "settings": ["tile.rows=128,256,512", "training.learning_rate=0.05..0.5:log"]}
    free = carry_out(told(**{**options, "trainings": 2}), tmp_path / "free", on=here).frame
    between = float(np.sort(free["area_m2"].unique())[:2].mean())
    found = carry_out(told(**options, subject_to=[f"area <= {between * 1e6:.6f} mm2"]), tmp_path / "search", on=here)
    rows = found.frame
    assert (rows["area_m2"] > between).any()
    assert not ((rows["how"] == "trained") & (rows["area_m2"] > between)).any()
    assert (found.front["area_m2"] <= between).all()


def test_with_train_each_design_is_trained_and_none_is_estimated(tmp_path: Path, here: ThreadPoolExecutor) -> None:
    found = carry_out(told(**{**TRAINED, "trials": 4}, train=True), tmp_path / "search", on=here)
    assert list(found.frame["how"]) == ["trained"] * 4
    assert found.frame["test"].notna().all()


def test_prices_are_drawn_from_a_range_and_cost_no_estimate_of_their_own(
    tmp_path: Path, here: ThreadPoolExecutor
) -> None:
    options = {"figures": ["adc.conversion=0.5pJ..5pJ:log"], "settings": ["tile.rows=128,256"], "minimise": ["energy"]}
    found = carry_out(told(**options, trials=10), tmp_path / "search", on=here)
    assert set(found.frame["how"]) == {"estimated", "priced"}
    assert (found.frame["how"] == "estimated").sum() <= 2
    prices = found.frame["adc.conversion [J]"]
    assert prices.between(0.5e-12, 5e-12).all()
    assert prices.nunique() > 5
    by_rows = found.frame.sort_values("adc.conversion [J]").groupby("tile.rows")["energy_per_sample_J"]
    assert by_rows.apply(lambda each: each.is_monotonic_increasing).all()


# --- several processes ------------------------------------------------------------------------------------------------
def test_a_process_that_joins_takes_part_and_the_table_has_what_both_did(
    tmp_path: Path, here: ThreadPoolExecutor
) -> None:
    what, out, other = told(**SMALL), tmp_path / "search", []

    def joining(*_: object) -> None:
        if not other:
            other.append(None)
            with ThreadPoolExecutor(1) as one:
                other.append(carry_out(told(**SMALL), out, on=one, join=True))

    found = carry_out(what, out, on=here, done=joining)
    assert len(other) == 2
    assert len(found.frame) == 8
    trials = [json.loads(line) for line in (out / asking.JOURNAL).read_text().splitlines()]
    by = {each["user_attr"]["by"] for each in trials if "by" in each.get("user_attr", {})}
    assert len(by) == 2
    assert LOCK in by
    assert not list(out.glob(".*"))


def test_who_joins_while_a_batch_is_taken_waits_and_no_more_is_done_than_was_asked_for(
    tmp_path: Path, here: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, others, take = tmp_path / "search", [], asking.Asker.take

    def join() -> None:
        with ThreadPoolExecutor(1) as one:
            carry_out(told(**SMALL), out, on=one, join=True)

    def taking(*of: Any) -> None:
        if not others:
            others.append(threading.Thread(target=join))
            others[0].start()
            others[0].join(1.0)  # long enough for it to take all that is left, if it did not wait
        take(*of)

    monkeypatch.setattr(asking.Asker, "take", taking)
    carry_out(told(**SMALL), out, on=here)
    others[0].join()
    assert len(read_sweep(out).finished) == 8


FIRST = """
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from test_search import SMALL, carry_out, told

def wait(*_):
    until = time.monotonic() + 120
    while Path("search/optuna.log").read_text().count(".join-") < 4 and time.monotonic() < until:
        time.sleep(0.01)

with ThreadPoolExecutor(1) as one:
    carry_out(told(**SMALL), "search", on=one, done=wait)
"""


def test_two_real_processes_share_a_search_and_do_no_design_twice(tmp_path: Path, here: ThreadPoolExecutor) -> None:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    out, what = tmp_path / "search", told(**SMALL)
    with subprocess.Popen(
        [sys.executable, "-c", FIRST], cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as other:
        until = time.monotonic() + 120
        while not list(out.glob("counts/*/*.json")) and time.monotonic() < until:
            time.sleep(0.01)
        carry_out(what, out, on=here, join=True)
        said = other.communicate(timeout=120)
    assert (other.returncode, *said) == (0, "", "")
    trials = [json.loads(line) for line in (out / asking.JOURNAL).read_text().splitlines()]
    by = [each["user_attr"]["by"] for each in trials if "by" in each.get("user_attr", {})]
    assert by.count(LOCK) == by.count(next(each for each in by if each != LOCK)) == 4
    table = read_sweep(out)
    assert table.definition["state"] == "finished"
    assert table.finished["point"].is_unique
    assert len(table.finished) == 8
    by_process = {json.loads(path.read_text())["by"] for path in out.glob("counts/*/*.json")}
    assert len(by_process) == 2
    assert not list(out.glob(".*"))


def test_what_a_dead_process_left_is_done_by_another_and_what_a_living_one_does_is_not(tmp_path: Path) -> None:
    (tmp_path / "sweep.json").write_text("{}")
    with joined(tmp_path) as own:
        seen = Sharing(tmp_path, LOCK)
        assert seen.alive(own.name)
        assert not own.alive(own.name)
        assert seen.others()
    assert not seen.alive(own.name)
    with pytest.raises(InputError, match=r"--join.*was begun"), joined(tmp_path / "none"):
        pytest.fail("there is no search")


@pytest.mark.parametrize("url", ["sqlite:///{}/search.db", "{}/trials.log"])
def test_trials_are_kept_where_storage_says(url: str, tmp_path: Path, here: ThreadPoolExecutor) -> None:
    place = url.format(tmp_path)
    found = carry_out(told(**SMALL), tmp_path / "search", on=here, storage=place)
    assert not (tmp_path / "search" / asking.JOURNAL).exists()
    assert same(found, carry_out(told(**SMALL), tmp_path / "own", on=here))
    with pytest.raises(InputError, match="--storage: has a search named 'estimates' of another space"):
        carry_out(told(**SMALL, seed=7), tmp_path / "other", on=here, storage=place)


@pytest.mark.parametrize("damage", ["hello\n{0}", '{{"op_code": NaN0}}\n{0}'])
def test_a_damaged_journal_is_told_and_without_it_the_search_begins_anew(
    tmp_path: Path, here: ThreadPoolExecutor, damage: str
) -> None:
    first = carry_out(told(**SMALL), tmp_path / "search", on=here)
    journal = tmp_path / "search" / asking.JOURNAL
    journal.write_text(damage.format(journal.read_text()))
    with pytest.raises(InputError, match=r"optuna\.log: cannot be read.*what was estimated and trained is kept"):
        carry_out(told(**SMALL), tmp_path / "search", on=here)
    journal.unlink()
    assert same(first, carry_out(told(**SMALL), tmp_path / "search", on=here))


# --- bad input --------------------------------------------------------------------------------------------------------
def test_impossible_constraints_are_told_at_once_or_with_what_comes_nearest(
    tmp_path: Path, here: ThreadPoolExecutor
) -> None:
    with pytest.raises(InputError, match="none of 16 designs fulfils it"):
        told(**SMALL, subject_to=["tile.rows > 512"])
    found = carry_out(told(**SMALL, subject_to=["area <= 1 um2"]), tmp_path / "search", on=here)
    assert (len(found.front), found.fulfilled) == (0, 0)
    assert found.nearest.startswith("none fulfils 'area <= 1 um2'; the nearest has area ")
    trained = told(**TRAINED, subject_to=["area <= 1 um2"])
    cut = carry_out(trained, tmp_path / "trained", on=here)
    assert set(cut.frame["how"]) == {"estimated"}


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"sampler": "tpee"}, "--sampler.*Did you mean 'tpe'"), ({"trials": 0}, "--trials: got 0"),
        ({"seed": -1}, "--seed: got -1"), ({"at_a_time": 0}, "--at-a-time: got 0"),
        ({"estimate": True, "train": True}, "--train"), ({"estimate": True, "steps": 5}, "--estimate"),
        ({"settings": ["tile.adc.bit=4,6"]}, "tile.adc.bit"), ({"settings": ["tile.adc.bits=4..99"]}, "got 99; expected"),
        ({"settings": (), "figures": ["adc.conversin=1pJ..2pJ"]}, "adc.conversion"),
        ({"settings": (), "figures": ["adc.conversion=1ns..2ns"]}, "adc.conversion"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_before_anything_is_done(options: dict[str, Any], error: str) -> None:
    with pytest.raises(InputError, match=error):
        told(**{**SMALL, **options})


def test_without_optuna_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(InputError, match=r"needs optuna.*pip install 'archsim\[search\]'"):
        told(**SMALL)


def test_another_search_in_the_store_and_a_storage_that_cannot_be_opened_are_refused(
    tmp_path: Path, here: ThreadPoolExecutor
) -> None:
    carry_out(told(**SMALL), tmp_path / "search", on=here)
    with pytest.raises(InputError, match="another search.*differs in search"):
        carry_out(told(**SMALL, sampler="nsga2"), tmp_path / "search", on=here)
    with pytest.raises(InputError, match="--storage: cannot be opened"):
        carry_out(told(**SMALL), tmp_path / "other", on=here, storage="nothing://here")

"""Run directories: which are accepted, what is in them, and in which state they are."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml

from archsim.base.errors import DoesNotFitError, InputError
from archsim.runs import layout, rundir
from archsim.runs.run import execute
from archsim.runs.spec import RunSpec, resolve

FILES = {"run.yaml", "summary.json", "activity.csv", "energy.csv", "area.csv", "training.csv", "state-digital32.npz"}


@pytest.fixture(scope="module")
def spec() -> RunSpec:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("ARCHSIM_DATA", raising=False)
        patch.setenv("XDG_CACHE_HOME", "/nonexistent")
        return resolve("mlp-mnist", steps=3, techs=("bottom-up-14nm",), archs=("digital32",))


def run_in(path: Path, state: str) -> Path:
    path.mkdir()
    (path / "run.yaml").write_text(f"schema: 1\nstate: {state}\n")
    return path


def test_a_new_directory_is_made_with_its_parents(tmp_path: Path) -> None:
    assert rundir.claim(tmp_path / "a" / "b").is_dir()


def test_an_empty_directory_will_do(tmp_path: Path) -> None:
    assert rundir.claim(tmp_path) == tmp_path


@pytest.mark.parametrize("state", ["running", "partial"])
def test_an_unfinished_run_may_be_replaced(tmp_path: Path, state: str) -> None:
    assert rundir.claim(run_in(tmp_path / "run", state)).is_dir()


def test_a_finished_run_is_kept(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--out: got .*; expected a new directory, but it has a finished run in it"):
        rundir.claim(run_in(tmp_path / "run", "finished"))


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    file = tmp_path / "run"
    file.write_text("mine")
    with pytest.raises(InputError, match="--out: got .*; expected a directory, but it is a file"):
        rundir.claim(file)
    with pytest.raises(InputError, match="--out: got .*; expected a directory, but .* is a file"):
        rundir.claim(file / "below")
    assert file.read_text() == "mine"


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(InputError, match="expected a new or empty directory, but it holds other files"):
        rundir.claim(tmp_path)
    with pytest.raises(InputError, match="but it holds thesis.tex"):
        rundir.claim_parent(tmp_path, ["seed-1"])


def test_a_parent_of_several_runs_is_claimed_with_each_of_them(tmp_path: Path) -> None:
    rundir.claim_parent(tmp_path / "runs", ["seed-1", "seed-2"])
    assert sorted(p.name for p in (tmp_path / "runs").iterdir()) == ["seed-1", "seed-2"]
    rundir.claim_parent(tmp_path / "runs", ["seed-1", "seed-2"])
    (tmp_path / "runs" / "seed-2" / "run.yaml").write_text("state: finished\n")
    with pytest.raises(InputError, match=r"seed-2.*finished run"):
        rundir.claim_parent(tmp_path / "runs", ["seed-1", "seed-2"])


def test_fresh_names_count_up(tmp_path: Path) -> None:
    names = []
    for _ in range(3):
        path = rundir.fresh(tmp_path, "run")
        path.mkdir()
        names.append(path.name)
    assert names == ["run", "run-2", "run-3"]


def test_what_is_no_run_has_no_state(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"DIR: got .*; expected a run directory, but it has no run.yaml"):
        layout.state(tmp_path)


@pytest.mark.parametrize("text", ["[", "- a list\n", "\xff\xfe"])
def test_a_broken_run_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.yaml").write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match=r"run.yaml: .*; expected the YAML that archsim wrote"):
        layout.state(tmp_path)


def test_a_run_is_running_until_it_is_finished(tmp_path: Path, spec: RunSpec) -> None:
    out, seen = tmp_path / "run", []
    execute(spec, out, progress=lambda _: seen.append(layout.state(out)))
    assert seen == ["running"]
    assert layout.state(out) == "finished"
    assert {p.name for p in out.iterdir()} == {*FILES, "inputs"}  # nothing half written is left beside them


def test_an_abandoned_run_has_a_run_file_and_its_inputs_alone(tmp_path: Path, spec: RunSpec) -> None:
    assert execute(spec, tmp_path / "run", stop=lambda: True) is None
    assert {p.name for p in (tmp_path / "run").iterdir()} == {"run.yaml", "inputs"}
    assert layout.state(tmp_path / "run") == "partial"


def test_a_run_that_dies_is_not_taken_for_finished(tmp_path: Path, spec: RunSpec) -> None:
    def die(report: object) -> None:
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        execute(spec, tmp_path / "run", progress=die)
    assert layout.state(tmp_path / "run") == "running"
    assert execute(spec, tmp_path / "run") is not None
    assert layout.state(tmp_path / "run") == "finished"


def test_a_new_run_does_not_keep_results_of_the_one_it_replaces(tmp_path: Path, spec: RunSpec) -> None:
    out = run_in(tmp_path / "run", "partial")
    for name in FILES - {"run.yaml"}:
        (out / name).write_text("of another run")
    assert execute(spec, out, stop=lambda: True) is None
    left = [p.name for p in out.iterdir() if p.is_file() and p.read_text() == "of another run"]
    assert left == []


def test_what_does_not_fit_leaves_no_directory(tmp_path: Path) -> None:
    with pytest.raises(DoesNotFitError):
        execute(resolve("mlp-mnist", steps=1, settings=("tile.count=3",)), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_columns_carry_their_units(tmp_path: Path, spec: RunSpec) -> None:
    execute(spec, tmp_path / "run")
    activity, energy, training = (
        pd.read_csv(tmp_path / "run" / name) for name in ("activity.csv", "energy.csv", "training.csv")
    )
    assert {"energy_J", "energy_per_step_J", "price_J_per_unit", "amount_unit"} <= set(energy)
    assert {"amount", "amount_unit", "key", "function", "what"} <= set(activity)
    assert {"simulated_time_s", "energy_J_bottom-up-14nm", "test_accuracy"} <= set(training)
    assert not activity.isna().any(axis=None) or set(activity.columns[activity.isna().any()]) == {"sizes"}
    assert (energy.energy_J >= 0).all()
    in_step = energy[energy.in_step].phase.unique()
    assert set(in_step) <= {"forward", "backward", "update", "refresh"}


def test_the_run_file_can_be_read_back_without_archsim(tmp_path: Path, spec: RunSpec) -> None:
    execute(spec, tmp_path / "run")
    content = yaml.safe_load((tmp_path / "run" / "run.yaml").read_text())
    assert content["seed"] == spec.seed
    assert content["workload"]["training"]["steps"] == 3
    assert content["architectures"][0]["bus"]["width"] == 32
    assert content["technologies"][0]["times_s"]["digital.cycle"] == 1e-9
    assert {"numpy", "numba", "simpy"} <= set(content["packages"])

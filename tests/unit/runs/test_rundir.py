"""Run directories: which are accepted, what is in them, and in which state they are."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import yaml

from archsim.base.errors import DoesNotFitError, InputError, SystemFault
from archsim.runs import layout, owner
from archsim.runs.run import execute
from archsim.runs.spec import RunSpec, resolve
from archsim.studies import seeds

FILES = {
    "run.yaml",
    "summary.json",
    "activity.csv",
    "energy.csv",
    "area.csv",
    "training.csv",
    "activity-course.csv",
    "state-digital32.npz",
}


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


def owned(path: Path) -> bool:
    """Own a directory for a moment; return whether it was one then."""
    with owner.owned(path):
        return path.is_dir() and owner.in_use(path)


def test_a_new_directory_is_made_with_its_parents_and_goes_if_it_stays_empty(tmp_path: Path) -> None:
    assert owned(tmp_path / "a" / "b")
    assert not (tmp_path / "a" / "b").exists()


def test_an_empty_directory_will_do(tmp_path: Path) -> None:
    assert owned(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("state", ["running", "partial"])
def test_an_unfinished_run_may_be_gone_on_with(tmp_path: Path, state: str) -> None:
    assert owned(run_in(tmp_path / "run", state))


def test_a_finished_run_is_kept(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--out: got .*; expected a new directory, but it has a finished run in it"):
        owned(run_in(tmp_path / "run", "finished"))


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    file = tmp_path / "run"
    file.write_text("mine")
    with pytest.raises(InputError, match="--out: got .*; expected a directory, but it is a file"):
        owned(file)
    with pytest.raises(InputError, match="--out: got .*; expected a directory, but .* is a file"):
        owned(file / "below")
    assert file.read_text() == "mine"


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(InputError, match="expected a new or empty directory, but it holds other files"):
        owned(tmp_path)
    with pytest.raises(InputError, match="but it holds thesis.tex"):
        seeds.check_folder(tmp_path)


def test_a_directory_in_use_is_refused_and_told_from_one_that_died(tmp_path: Path) -> None:
    path = run_in(tmp_path / "run", "running")
    assert not owner.in_use(path)
    with owner.owned(path):
        script = f"from archsim.runs import owner; from pathlib import Path; owner.check(Path({str(path)!r}))"
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
        assert "expected a directory that no other run is being written to" in done.stderr
    assert not owner.in_use(path)
    assert sorted(each.name for each in path.iterdir()) == ["run.yaml"]


def test_reserved_names_count_up_and_are_given_back_if_nothing_came(tmp_path: Path) -> None:
    with owner.reserved(tmp_path, "run") as first, owner.reserved(tmp_path, "run") as second:
        assert (first.name, second.name) == ("run", "run-2")
        (second / "kept").touch()
    assert [each.name for each in tmp_path.iterdir()] == ["run-2"]


def test_an_unfinished_run_of_other_inputs_is_replaced_by_force_alone(tmp_path: Path, spec: RunSpec) -> None:
    out = tmp_path / "run"
    execute(spec, out, stop=lambda: True)
    other = replace(spec, seed=9)
    with pytest.raises(InputError, match="has an unfinished run of other inputs. archsim resume .* --force replaces"):
        execute(other, out)
    assert layout.read_run(out)["seed"] == spec.seed
    assert execute(other, out, force=True) is not None
    assert layout.read_run(out)["seed"] == 9


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


def test_a_disk_that_fills_at_the_first_copy_leaves_a_directory_that_the_same_run_takes(
    tmp_path: Path, spec: RunSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        (tmp_path / "run" / "inputs" / "workload").mkdir(parents=True)
        raise SystemFault("cannot be written: no space left on device")

    with monkeypatch.context() as patch, pytest.raises(SystemFault):
        patch.setattr("archsim.runs.inputs.keep", full)
        execute(spec, tmp_path / "run")
    assert execute(spec, tmp_path / "run")


def test_a_new_run_does_not_keep_results_of_the_one_it_replaces(tmp_path: Path, spec: RunSpec) -> None:
    out = run_in(tmp_path / "run", "partial")
    for name in FILES - {"run.yaml"}:
        (out / name).write_text("of another run")
    assert execute(spec, out, stop=lambda: True, force=True) is None
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
    assert {"simulated_time_s", "energy_J_bottom-up-14nm", "test"} <= set(training)
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

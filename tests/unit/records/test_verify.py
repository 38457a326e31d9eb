"""`archsim verify`: what is equal bit for bit, what is not and where, and what keeps a run from being done again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from archsim.base import files
from archsim.base.errors import InputError
from archsim.records.verify import Item, check_inputs, compare, surroundings, verify
from archsim.runs.machine import description
from archsim.runs.run import execute
from archsim.runs.spec import resolve

Change = Callable[[Path], None]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with a setting and a device's noise, on mnist-5k whatever the user's data."""
    path = tmp_path_factory.mktemp("trained") / "run"
    settings = ("dataset=mnist-5k", "outer_product.error_bits=4")
    execute(resolve("mlp-mnist", steps=60, techs=("bottom-up-14nm",), settings=settings), path)
    return path


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(trained, tmp_path / "run"))


def items(run: Path, again: Path) -> dict[str, Item]:
    return {item.item: item for item in compare(run, again)}


def on_table(name: str, column: str, row: int, change: Callable[[Any], Any]) -> Change:
    def edit(run: Path) -> None:
        table = pd.read_csv(run / name, dtype=str, keep_default_na=False)
        table.loc[row, column] = change(table.loc[row, column])
        table.to_csv(run / name, index=False)

    return edit


def on_summary(change: Callable[[dict[str, Any]], Any]) -> Change:
    def edit(run: Path) -> None:
        content = json.loads((run / "summary.json").read_text())
        change(content)
        (run / "summary.json").write_text(json.dumps(content))

    return edit


def on_run(change: Callable[[dict[str, Any]], Any]) -> Change:
    def edit(run: Path) -> None:
        content = yaml.safe_load((run / "run.yaml").read_text())
        change(content)
        (run / "run.yaml").write_text(yaml.safe_dump(content, sort_keys=False))

    return edit


def on_state(name: str, change: Callable[[dict[str, Any]], Any]) -> Change:
    def edit(run: Path) -> None:
        with np.load(run / name) as archive:
            arrays = {key: archive[key] for key in archive.files}
        change(arrays)
        np.savez_compressed(run / name, **arrays)

    return edit


def contents(folder: Path) -> Iterator[tuple[str, bytes, int]]:
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        yield file.name, file.read_bytes(), file.stat().st_mtime_ns


# --- equal ------------------------------------------------------------------------------------------------------------
def test_a_run_done_again_is_equal_in_everything_and_its_directory_is_left_alone(run: Path) -> None:
    before = list(contents(run))
    found = verify(run)
    assert found is not None
    assert found.equal
    assert [item.item for item in found.items] == [
        "activity.csv", "activity-course.csv", "energy.csv", "area.csv", "training.csv", "programs", "summary.json", "state-digital32.npz",
        "state-mixed-precision.npz",
    ]  # fmt: skip
    assert all(item.difference is None for item in found.items)
    assert {each.state for each in found.inputs} == {"equal"}
    assert {each.name for each in found.inputs if each.needed} == {"pcm-nandakumar2018.yaml", "bottom-up-14nm.yaml"}
    assert found.surroundings == {}
    assert list(contents(run)) == before


def test_another_seed_in_run_yaml_is_found_out(run: Path) -> None:
    on_run(lambda content: content.update(seed=2))(run)
    found = verify(run)
    assert found is not None
    unequal = {item.item for item in found.items if not item.equal}
    assert {"training.csv", "summary.json"} <= unequal
    assert any("state-mixed-precision.npz: chip" in name for name in unequal)


def test_wall_time_and_speed_are_not_compared(run: Path, trained: Path) -> None:
    def slower(content: dict[str, Any]) -> None:
        content["wall_time_s"] *= 2
        content["steps_per_s"] = 1.0
        content["architectures"]["digital32"]["steps_per_s"] = 1.0
        content["architectures"]["digital32"]["first_steps_s"] = 9.0

    on_summary(slower)(run)
    assert items(run, trained)["summary.json"].equal


@pytest.mark.parametrize(
    "change",
    [
        lambda run: (run / "area.csv").unlink(),
        lambda run: [file.unlink() for file in run.glob("state-*.npz")],
        lambda run: (
            pd.read_csv(run / "energy.csv", dtype=str, keep_default_na=False)
            .drop(columns="price_low_J_per_unit")
            .to_csv(run / "energy.csv", index=False)
        ),
        on_summary(lambda content: content["architectures"]["digital32"].pop("area_m2")),
        on_summary(lambda content: content.pop("intervals")),
    ],
)
def test_what_an_earlier_version_did_not_write_is_no_difference(run: Path, trained: Path, change: Change) -> None:
    change(run)
    assert all(item.equal for item in items(run, trained).values())


def test_columns_that_joined_are_told(run: Path, trained: Path) -> None:
    table = pd.read_csv(run / "energy.csv", dtype=str, keep_default_na=False)
    table.drop(columns="price_low_J_per_unit").to_csv(run / "energy.csv", index=False)
    assert items(run, trained)["energy.csv"].where == "columns that this version adds: price_low_J_per_unit"


def test_keys_that_joined_the_summary_are_told_in_one_word(run: Path, trained: Path) -> None:
    on_summary(lambda content: content.pop("intervals"))(run)
    said = items(run, trained)["summary.json"].where
    assert said == "all but wall time and speed; keys that this version adds: intervals"


# --- not equal --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("change", "item", "difference", "where"),
    [
        (
            on_table("energy.csv", "energy_J", 3, lambda cell: repr(2 * float(cell))),
            "energy.csv",
            0.5,
            "energy_J at bott",
        ),
        (on_table("activity.csv", "what", 0, str.upper), "activity.csv", None, "what at mixed-precision forward chip"),
        (on_table("training.csv", "test", 1, lambda _: "0.5"), "training.csv", ..., "test at mixed-"),
        (on_summary(lambda s: s["ratio"].update(energy=1e9)), "summary.json", ..., "ratio.energy"),
        (on_summary(lambda s: s.update(seed=9, older=1)), "summary.json", None, "older is gone (and 1 more)"),
        (on_summary(lambda s: s["boundary"]["inside"].append("x")), "summary.json", None, "is gone"),
        (lambda run: (run / "summary.json").write_text("{"), "summary.json", None, "is not valid JSON"),
        (lambda run: (run / "state-digital32.npz").unlink(), "state-digital32.npz", None, "the run has none"),
        (lambda run: (run / "state-digital32.npz").write_bytes(b"PK"), "state-digital32.npz", None, "is not readable"),
        (lambda run: (run / "training.csv").unlink(), "training.csv", None, "the run has none"),
    ],
)
def test_a_difference_is_told_with_its_size_and_place(
    run: Path, trained: Path, change: Change, item: str, difference: Any, where: str
) -> None:
    change(run)
    found = items(run, trained)
    assert [name for name, each in found.items() if not each.equal] == [item]
    assert where in found[item].where
    if difference is not ...:
        assert found[item].difference == difference


def test_rows_that_are_missing_are_counted(run: Path, trained: Path) -> None:
    table = pd.read_csv(run / "activity.csv", dtype=str, keep_default_na=False)
    table.iloc[:-2].to_csv(run / "activity.csv", index=False)
    assert items(run, trained)["activity.csv"].where == f"{len(table) - 2} rows, now {len(table)}"


def test_the_last_bit_of_one_number_of_one_array_is_found(run: Path, trained: Path) -> None:
    name = "state-digital32.npz"
    with np.load(run / name) as archive:
        key = next(key for key in archive.files if archive[key].ndim == 2 and archive[key].dtype.kind == "f")
        place = np.unravel_index(np.argmax(np.abs(archive[key])), archive[key].shape)

    def nudge(arrays: dict[str, Any]) -> None:
        arrays[key][place] = np.nextafter(arrays[key][place], np.inf, dtype=arrays[key].dtype)

    on_state(name, nudge)(run)
    found = {label: each for label, each in items(run, trained).items() if not each.equal}
    assert list(found) == [f"{name}: {key}"]
    (one,) = found.values()
    assert 0 < (one.difference or 0) < 2e-7
    assert f"at [{place[0]}, {place[1]}]; 1 of" in one.where


def test_an_array_that_joined_left_or_has_another_shape_is_told(run: Path, trained: Path) -> None:
    name = "state-mixed-precision.npz"
    with np.load(run / name) as archive:
        first, second = [key for key in archive.files if archive[key].ndim][:2]

    def change(arrays: dict[str, Any]) -> None:
        arrays["extra"] = np.zeros(3)
        arrays[first] = arrays[first][:1]
        del arrays[second]

    on_state(name, change)(run)
    found = {label: each.where for label, each in items(run, trained).items() if not each.equal}
    assert found[f"{name}: extra"] == "only in the run"
    assert found[f"{name}: {second}"] == "only in the run again"
    assert "of shape" in found[f"{name}: {first}"]


def test_a_state_that_was_saved_with_another_run_file_is_told(run: Path) -> None:
    on_run(lambda content: content["inputs"].update({"mlp-mnist.yaml": "0" * 64}))(run)
    found = verify(run)
    assert found is not None
    assert {(item.item, item.where) for item in found.items if not item.equal} == {
        (f"state-{chip}.npz: run", "run.yaml is not the one it was saved with")
        for chip in ("digital32", "mixed-precision")
    }


def test_nothing_is_equal_to_nan_but_nan(run: Path, trained: Path) -> None:
    on_summary(lambda s: s["architectures"]["digital32"].update(test=float("nan")))(run)
    assert not items(run, trained)["summary.json"].equal
    shutil.copytree(run, run.parent / "same")
    assert items(run, run.parent / "same")["summary.json"].equal


# --- inputs and versions ----------------------------------------------------------------------------------------------
def test_every_input_that_is_needed_and_has_changed_is_named_before_anything_is_run(run: Path) -> None:
    on_run(lambda content: content.update(inputs=dict.fromkeys(content["inputs"], "0" * 64)))(run)
    with pytest.raises(InputError) as caught:
        verify(run)
    for name in ("pcm-nandakumar2018.yaml (changed)", "bottom-up-14nm.yaml (changed)"):
        assert name in str(caught.value)
    assert "mlp-mnist.yaml" not in str(caught.value)  # its values are in run.yaml


def test_a_workload_that_has_changed_is_told_but_not_needed(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = files.sha256
    monkeypatch.setattr(files, "sha256", lambda path: "0" * 64 if path.name == "mlp-mnist.yaml" else real(path))
    found = verify(run)
    assert found is not None
    assert found.equal
    assert [(each.name, each.needed) for each in found.inputs if each.state == "changed"] == [("mlp-mnist.yaml", False)]


def test_files_of_ones_own_are_told_apart(run: Path) -> None:
    def mine(content: dict[str, Any]) -> None:
        content["inputs"] = {"mine.yaml": "0" * 64, "my-tech.yaml": "1" * 64}
        content["workload"]["name"] = "mine"
        content["technologies"][0]["name"] = "my-tech"

    on_run(mine)(run)
    content = yaml.safe_load((run / "run.yaml").read_text())
    states = {each.name: (each.state, each.needed) for each in check_inputs(run, content)}
    assert states == {"mine.yaml": ("stored", False), "my-tech.yaml": ("missing", True)}
    with pytest.raises(InputError, match=r"my-tech\.yaml \(missing\).*--tech names"):
        verify(run)


def test_a_technology_of_ones_own_is_found_among_the_inputs_that_the_run_keeps(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text("schema: 1\nkind: technology\nname: mine\ntitle: Mine\nextends: bottom-up-14nm\n")
    settings = ("dataset=mnist-5k",)
    execute(
        resolve("mlp-mnist", steps=5, archs=("digital32",), techs=(str(mine),), settings=settings), tmp_path / "run"
    )
    mine.write_text(mine.read_text() + "# more\n")
    with pytest.raises(InputError, match=r"mine\.yaml: has changed since the run"):
        verify(tmp_path / "run", techs=(str(mine),))
    mine.unlink()
    found = verify(tmp_path / "run")  # by the copy that the run keeps
    assert found is not None
    assert found.equal
    assert {each.name for each in found.inputs if each.needed} == {"mine.yaml", "bottom-up-14nm.yaml"}


def test_other_data_are_refused(run: Path) -> None:
    on_run(lambda content: content["dataset"].update(sha256="0" * 64))(run)
    with pytest.raises(InputError, match="--data: the run was done on"):
        verify(run)


def test_versions_that_differ_are_told(run: Path) -> None:
    on_run(lambda content: content["packages"].update(numpy="0.1", gone="2"))(run)
    versions = surroundings(yaml.safe_load((run / "run.yaml").read_text()))
    assert versions["numpy"] == ("0.1", np.__version__)
    assert versions["gone"] == ("2", "not installed")
    assert set(versions) == {"numpy", "gone"}


def test_another_blas_or_other_threads_are_told(run: Path) -> None:
    then = "openblas 0.3.0 Haswell, threads 2"
    on_run(lambda content: content["machine"].update(blas=then))(run)
    differs = surroundings(yaml.safe_load((run / "run.yaml").read_text()))
    assert differs == {"blas": (then, description()["blas"])}


@pytest.mark.parametrize("state", ["partial", "running"])
def test_a_run_that_is_not_finished_is_refused(run: Path, state: str) -> None:
    on_run(lambda content: content.update(state=state))(run)
    with pytest.raises(InputError, match=f"its state is '{state}'; expected a finished run"):
        verify(run)


def test_a_run_file_that_lacks_something_is_refused(run: Path) -> None:
    on_run(lambda content: content.pop("inputs"))(run)
    with pytest.raises(InputError, match=r"run\.yaml: lacks something \('inputs'\)"):
        verify(run)


def test_a_verification_that_is_stopped_says_nothing(run: Path) -> None:
    assert verify(run, stop=lambda: True) is None


def test_hashes_are_those_of_the_files(run: Path) -> None:
    content = yaml.safe_load((run / "run.yaml").read_text())
    shipped = files.shipped("tech_params") / "bottom-up-14nm.yaml"
    assert content["inputs"]["bottom-up-14nm.yaml"] == files.sha256(shipped)

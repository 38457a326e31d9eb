"""The saved state of trained chips: what comes back, bit for bit, and what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archsim.analog.paired import PairedCells
from archsim.base.errors import InputError
from archsim.base.signal import STEP_PHASES
from archsim.base.streams import Streams
from archsim.devices import library
from archsim.devices.base import DeviceArray, Switches
from archsim.records.reopen import reopen, trained_chip
from archsim.runs import layout, rundir, state
from archsim.runs.run import execute
from archsim.runs.spec import resolve
from archsim.runs.train import Trainer, task_of

# The digits by name: a fixture of the module runs before the environment is cleared of the user's data.
OPTIONS: dict[str, Any] = {"steps": 120, "techs": ("bottom-up-14nm",), "settings": ("dataset=mnist-5k",)}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("state") / "run"
    execute(resolve("mlp-mnist", **OPTIONS), path)
    return path


def chips(path: Path) -> list[Any]:
    spec = reopen(path)
    return [trained_chip(path, spec, architecture) for architecture in spec.architectures]


def copy(run: Path, to: Path) -> Path:
    return Path(shutil.copytree(run, to))


def test_the_spec_comes_back_as_it_was(run: Path) -> None:
    before, after = resolve("mlp-mnist", **OPTIONS), reopen(run)
    assert after.workload.model_dump() == before.workload.model_dump()
    assert [a.model_dump() for a in after.architectures] == [a.model_dump() for a in before.architectures]
    assert [each.sha256 for each in after.network.programs] == [each.sha256 for each in before.network.programs]
    assert (after.seed, after.inputs) == (before.seed, before.inputs)
    assert [t.sha256 for t in after.technologies] == [t.sha256 for t in before.technologies]
    assert after.dataset.sha256 == before.dataset.sha256


@pytest.mark.parametrize("position", [0, 1])
def test_a_restored_chip_computes_the_same_bits_as_the_original(run: Path, position: int) -> None:
    spec = resolve("mlp-mnist", **OPTIONS)
    trainer = Trainer(spec, spec.architectures[position])
    trainer.run()
    original, restored = trainer.chip, chips(run)[position]
    assert restored.clock.now == original.clock.now
    one, other = original.arrays(), restored.arrays()
    assert list(one) == list(other)
    assert all(np.array_equal(one[name], other[name]) for name in one)
    for name, cells in original.cells().items():
        assert np.array_equal(cells.weight, restored.cells()[name].weight)
        assert np.array_equal(cells.variance, restored.cells()[name].variance)
    for phase in ("evaluation", "retention"):
        task = task_of(spec, Streams(spec.seed))
        assert task.test(original.twin(), phase) == task.test(restored.twin(), phase)


def test_without_read_noise_a_restored_chip_has_the_accuracy_of_the_summary(tmp_path: Path) -> None:
    path = tmp_path / "run"
    settings = (*OPTIONS["settings"], "nonidealities.read_noise=false")
    execute(resolve("mlp-mnist", **{**OPTIONS, "settings": settings}), path)
    summary = json.loads((path / "summary.json").read_text())
    for chip in chips(path):
        spec = reopen(path)
        assert (
            task_of(spec, Streams(spec.seed)).test(chip.twin())
            == summary["architectures"][chip.architecture.name]["test"]
        )


def test_a_cache_of_many_ages_comes_back_as_it_was() -> None:
    """Devices written at many times, across full renewals: each pair's cache dates from its own moment."""

    def cells() -> PairedCells:
        device = library.build(library.device_file("pcm-nandakumar2018"), Switches())
        made = PairedCells(device, (20, 12), scale=8e-6, streams=Streams(3), name="fc1/0,0")
        made.load(np.full((20, 12), 0.1, np.float32), 0)
        return made

    original, rng = cells(), np.random.default_rng(3)
    for now_ps in np.cumsum(rng.integers(1, 2 * 10**11, 60)).tolist():
        original.age(now_ps)
        index = rng.choice(240, 5, replace=False)
        original.set_pulses(index, rng.choice([-2, -1, 1, 2], 5), now_ps)
    original.refresh(np.arange(240), now_ps, saturated=1e-6, difference=5e-6, most_pulses=4)
    x = np.ones((4, 20), np.float32)
    original.multiply(x, STEP_PHASES[0], (0, 0, 1.0, False))  # the stream of training has moved on
    stored = {name: np.array(array) for name, array in original.arrays().items()}
    restored = cells()
    restored.restore(stored)
    assert np.array_equal(original.weight, restored.weight)
    assert np.array_equal(original.variance, restored.variance)
    for phase in ("forward", "update", "evaluation", "retention"):
        first, second = (one.multiply(x, phase, (127, 127, 8.0, True)) for one in (original, restored))
        assert np.array_equal(first[0], second[0])
        assert first[3] == pytest.approx(second[3], rel=1e-5)


def test_every_array_of_a_device_is_saved(run: Path) -> None:
    saved = state.load(run, layout.read_run(run), "mixed-precision")
    for name in DeviceArray.__slots__:
        assert saved.arrays[f"fc1/0,0/{name}"].size == 2 * np.prod(saved.arrays["fc1/0,0/shape"])
    assert saved.steps == 120
    assert saved.clock_ps > 0


def test_a_run_that_replaces_a_partial_one_removes_its_states(tmp_path: Path) -> None:
    spec = resolve("mlp-mnist", steps=20, techs=("bottom-up-14nm",), archs=("digital32",))
    path = tmp_path / "run"
    path.mkdir()
    rundir.begin(path, spec)
    (path / "state-mixed-precision.npz").write_bytes(b"old")
    execute(spec, path)
    assert [file.name for file in path.glob("state-*")] == ["state-digital32.npz"]


@pytest.mark.parametrize("damage", [b"", b"no zip at all", b"PK\x03\x04 half"])
def test_a_damaged_state_is_refused(run: Path, tmp_path: Path, damage: bytes) -> None:
    path = copy(run, tmp_path / "damaged")
    file = state.state_file(path, "digital32")
    file.write_bytes(damage)
    with pytest.raises(InputError, match=r"state-digital32.npz: is not readable"):
        chips(path)


def test_a_cut_or_altered_state_is_refused(run: Path, tmp_path: Path) -> None:
    path = copy(run, tmp_path / "cut")
    file = state.state_file(path, "mixed-precision")
    whole = file.read_bytes()
    for content in (whole[: len(whole) // 2], whole[:5000] + b"\x00" * 64 + whole[5064:]):
        file.write_bytes(content)
        with pytest.raises(InputError, match="is not readable"):
            state.load(path, layout.read_run(path), "mixed-precision")


def test_a_state_with_pickled_objects_is_refused(run: Path, tmp_path: Path) -> None:
    path = copy(run, tmp_path / "pickle")
    np.savez(state.state_file(path, "digital32"), schema=1, run=np.array([object()], object))
    with pytest.raises(InputError, match="holds Python objects"):
        state.load(path, layout.read_run(path), "digital32")


def test_the_state_of_another_run_is_refused(run: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    execute(resolve("mlp-mnist", **OPTIONS, seed=2, archs=("digital32",)), other)
    path = copy(run, tmp_path / "foreign")
    state.state_file(path, "digital32").write_bytes(state.state_file(other, "digital32").read_bytes())
    with pytest.raises(InputError, match="belongs to another run"):
        chips(path)


def test_a_state_that_does_not_fit_the_chip_is_refused(run: Path, tmp_path: Path) -> None:
    path = copy(run, tmp_path / "shape")
    for name, key, expected in (
        ("digital32", "chip/weights/fc1", r"weights/fc1: is an array of float32, \(3, 2\)"),
        ("mixed-precision", "chip/fc2/0,0/set_pulses", r"set_pulses: is an array of float32"),
    ):
        file = state.state_file(path, name)
        with np.load(file) as archive:
            content = {one: archive[one] for one in archive.files}
        np.savez(file, **{**content, key: np.zeros((3, 2), np.float32)})
        saved = state.load(path, layout.read_run(path), name)
        chip = next(one for one in chips(run) if one.architecture.name == name)
        with pytest.raises(InputError, match=expected):
            state.wake(chip, saved)


def test_a_state_of_a_later_version_is_refused(run: Path, tmp_path: Path) -> None:
    path = copy(run, tmp_path / "later")
    file = state.state_file(path, "digital32")
    with np.load(file) as archive:
        content = {one: archive[one] for one in archive.files}
    np.savez(file, **{**content, "schema": np.array(2)})
    with pytest.raises(InputError, match="schema: got 2; expected 1"):
        state.load(path, layout.read_run(path), "digital32")


def test_a_changed_device_file_or_technology_is_refused(run: Path, tmp_path: Path) -> None:
    for digest, what in (("inputs:\n  ", "pcm-nandakumar2018"), ("technologies:\n", "bottom-up-14nm")):
        path = copy(run, tmp_path / what)
        content = layout.read_run(run)
        if "inputs" in digest:
            old = content["inputs"]["pcm-nandakumar2018.yaml"]
        else:
            old = content["technologies"][0]["sha256"]
        file = path / "run.yaml"
        file.write_text(file.read_text().replace(old, "0" * 64))
        with pytest.raises(InputError, match=rf"{what}.yaml: has changed since the run"):
            reopen(path)


def test_a_damaged_run_file_is_named(run: Path, tmp_path: Path) -> None:
    path = copy(run, tmp_path / "run")
    file = path / "run.yaml"
    file.write_text(file.read_text().replace("chip: digital32", "chip: abacus"))
    with pytest.raises(InputError, match="abacus"):
        reopen(path)
    file.write_text("state: finished\n")
    with pytest.raises(InputError, match=r"run.yaml: lacks something \('architectures'\)"):
        reopen(path)

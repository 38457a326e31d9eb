"""What a run is made of: options, settings, and what does not go together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from archsim.base.errors import InputError
from archsim.base.files import shipped
from archsim.runs.spec import RunSpec, resolve


def small(**options: Any) -> RunSpec:
    return resolve("mlp-mnist", **{"steps": 5, "techs": ("bottom-up-14nm",), **options})


def copy(folder: Path, kind: str, name: str, *edits: tuple[str, str]) -> Path:
    text = (shipped(kind) / f"{name}.yaml").read_text()
    for old, new in edits:
        assert old in text, "the edit does not apply"
        text = text.replace(old, new, 1)
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.yaml"
    path.write_text(text)
    return path


def refused(**options: Any) -> str:
    with pytest.raises(InputError) as caught:
        small(**options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("tile.rows", "--set: got 'tile.rows'; expected \"key=value\""),
        ("=8", "--set: got '=8'; expected \"key=value\""),
        ("tile.rows=", "--set: got 'tile.rows='; expected \"key=value\""),
        ("tyle.rows=8", "--set tyle.rows: unknown key; expected one of boundary, bus, "),
        ("tile.rowz=8", "--set: tile.rowz: unknown key; expected one of adc, columns, count, dac, rows"),
        ("tile.dac.bits=99", "--set: tile.dac.bits: got 99; expected less than or equal to 16"),
        ("weight.unit=8", "--set: weight.unit: got 8, a number without a unit; expected a quantity in S"),
        ("weight.unit=8 V", "--set: weight.unit: got '8 V', which is no quantity in S"),
        ("training.batch=0", "--set: training.batch: got 0; expected greater than or equal to 1"),
        ("training.learning_rate=0", "--set: training.learning_rate: got 0; expected greater than 0"),
        ("network.layers.7.units=3", "--set: network.layers.7.units: got '3'; expected the path of an existing key"),
        ("network.layers.-1.units=3", "--set: network.layers.-1.units: got '3'; expected the path of an existing key"),
        ("network.layers.0.unitz=3", "--set: network.layers[0].unitz: unknown key; expected one of activation, "),
        ("network.inputs.x=3", "--set: network.inputs.x: got '3'; expected the path of an existing key"),
        ("digital32.tile.rows=8", "--set: tile: unknown key"),
    ],
)
def test_a_wrong_setting_is_named(setting: str, expected: str) -> None:
    assert refused(settings=(setting,)).startswith(expected)


@pytest.mark.parametrize(
    ("setting", "path"),
    [("tyle.rows=8", "tile.rows"), ("trainig.batch=8", "training.batch"), ("batch=16", "training.batch"), ("adc.bits=6", "tile.adc.bits"),
     ("drift=false", "nonidealities.drift"), ("units=30", "network.layers.0.units")],
)  # fmt: skip
def test_a_setting_of_an_unknown_key_brings_the_nearest_path_of_all_files(setting: str, path: str) -> None:
    assert refused(settings=(setting,)).endswith(f"Did you mean {path!r}?")


@pytest.mark.parametrize("value", ["[", "{a: 1", "'", "@", "%", "!!python/object:os.system x", "&a *b"])
def test_a_setting_that_is_no_yaml_is_one_line_too(value: str) -> None:
    assert refused(settings=(f"training.batch={value}",)).startswith("--set: training.batch: ")


def test_a_setting_reaches_into_lists() -> None:
    spec = small(settings=("network.layers.0.units=100", "network.layers.0.activation=relu"))
    assert spec.network.shapes == {"fc1": (785, 100), "fc2": (101, 10)}
    assert "relu(100)" in spec.network.training[0].text()


def test_the_name_of_an_architecture_narrows_a_setting() -> None:
    spec = small(settings=("bus.width=64 bit", "mixed-precision.bus.width=16 bit"))
    assert [architecture.bus.width for architecture in spec.architectures] == [16, 64]
    assert spec.settings == (("bus.width", "64 bit"), ("mixed-precision.bus.width", "16 bit"))


def test_the_last_of_two_settings_of_one_key_wins() -> None:
    assert small(settings=("training.batch=2", "training.batch=3")).training.batch == 3


def test_a_setting_of_a_chip_that_does_not_run_is_an_unknown_key() -> None:
    assert "tile.rows: unknown key" in refused(archs=("digital32",), settings=("tile.rows=8",))


def test_steps_and_presets_and_settings_in_that_order_of_strength() -> None:
    quick = resolve("mlp-mnist", preset="quick").training
    assert quick.steps == 3000
    assert resolve("mlp-mnist", preset="quick", settings=("training.steps=4",)).training.steps == 4
    assert resolve("mlp-mnist", preset="quick", settings=("training.steps=4",), steps=2).training.steps == 2
    untouched = resolve("mlp-mnist").training
    assert quick.learning_rate == untouched.learning_rate
    assert untouched.steps is None


def test_options_out_of_range_are_refused() -> None:
    assert refused(seed=-1) == "--seed: got -1; expected a whole number from 0 on"
    assert refused(steps=0) == "--steps: got 0; expected a whole number from 1 on"
    assert refused(archs=()).startswith("--arch")
    assert refused(techs=()).startswith("--tech")
    assert refused(preset="qick").endswith("has no preset 'qick'; expected one of full, quick. Did you mean 'quick'?")


def test_an_architecture_named_twice_runs_once() -> None:
    assert len(small(archs=("digital32", "digital32")).architectures) == 1


def test_two_architectures_of_one_name_are_refused(tmp_path: Path) -> None:
    """Results are told apart by name: one of them would be lost."""
    path = copy(tmp_path, "architectures", "digital32", ("lanes: 1, buffer", "lanes: 2, buffer"))
    assert "digital32" in refused(archs=("digital32", str(path)))


def test_two_technologies_of_one_name_are_refused(tmp_path: Path) -> None:
    path = copy(tmp_path, "tech_params", "bottom-up-14nm", ("value: 5.12 pJ", "value: 5.13 pJ"))
    assert "bottom-up-14nm" in refused(techs=("bottom-up-14nm", str(path)))


def test_unlike_boundaries_are_refused(tmp_path: Path) -> None:
    path = copy(
        tmp_path, "architectures", "digital32", ("outside: [host link, ", "outside: ["), ("[weight storage", "[host link, weight storage")
    )  # fmt: skip
    line = path.read_text().splitlines().index("boundary:") + 1
    assert refused(archs=("mixed-precision", str(path))) == (
        f"{path}:{line}: boundary: differs from that of mixed-precision in host link; "
        "expected the same boundary for all chips of a comparison"
    )
    assert small(archs=(str(path),)).architectures  # alone it compares with nothing


def test_a_chip_that_counts_the_memory_below_it_compares_with_one_that_has_none(tmp_path: Path) -> None:
    assert small(archs=("digital32-deep", "digital-bf16")).architectures
    inside, outside = ", off-chip memory]", "outside: [host link, "
    path = copy(
        tmp_path, "architectures", "digital32-large", (inside, "]"), (outside, f"{outside}off-chip memory, ")
    )  # fmt: skip
    assert "differs from that of digital-bf16 in off-chip memory" in refused(archs=("digital-bf16", str(path)))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("inputs: 784", "inputs: 64", "network.inputs: got 64; expected 784, the elements of a sample of mnist-5k"),
        ("units: 10,", "units: 12,", "network.layers[1]: the network ends in 12 units; expected 10, one for each class"),
        ("dataset: mnist", "dataset: minst", "dataset: got 'minst'; expected 'mnist', 'mnist-5k', 'fashion-mnist', 'kmnist', 'qmnist', 'emnist-mnist', 'emnist-digits', 'cifar10', 'shakespeare' or 'shakespeare-extract'. Did you mean 'mnist'?"),
        ("kind: dense, units: 250", "kind: conv, units: 250", "network.layers[0].kind: got 'conv'; expected one of "),
        ("units: 250, ", "", "network.layers[0].units: is missing; expected the key 'units'"),
        ("initial_std: 0.08", "", "network.initial_std: is missing; expected the key 'initial_std', a valid number or 'lecun' or 'he'"),
        ("units: 250", "neurons: 250", "network.layers[0].neurons: unknown key; expected one of activation, bias, initial_std, kind, name, of, rate, slope, units. Did you mean 'units'?"),
        ("units: 250", "unitz: 250", "network.layers[0].unitz: unknown key; expected one of activation, bias, initial_std, kind, name, of, rate, slope, units. Did you mean 'units'?"),
        ("units: 250", "units: -250", "network.layers[0].units: got -250; expected greater than or equal to 1"),
        ("name: fc2", "name: fc1", "network.layers[1].name: a layer is named 'fc1'; expected a name that nothing else has"),
        ("name: fc2", "name: chip", "network.layers[1].name: a layer is named 'chip'; expected a name that nothing else has"),
        ("name: fc2", "name: f/c", "network.layers[1].name: got 'f/c'"),
        ("activation: sigmoid", "activation: sigmod", "network.layers[0].activation: got 'sigmod'; expected 'sigmoid', "),
        ("batch: 1", "batch: 1.5", "training.batch: got 1.5; expected a valid integer"),
        ("batch: 1", "batch: true", "training.batch: got True; expected a number"),
        ("batch: 1", "batch: 1\n  batch: 2", "training.batch: duplicate key, first given in line"),
        ("learning_rate: 0.3", "learning_rate: .inf", "training.learning_rate: got inf; expected a finite number"),
        ("learning_rate: 0.3", "learning_rat: 0.3", "training.learning_rat: unknown key"),
        ("quick: {steps: 3000", "quick: {step: 3000", "presets.quick.step: unknown key"),
        ("name: mlp-mnist", "name: mlp", "name: got 'mlp'; expected the file's own name, 'mlp-mnist'"),
        ("kind: workload", "kind: architecture", "kind: got 'architecture'; expected 'workload'"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_workload_is_named_by_line(tmp_path: Path, old: str, new: str, expected: str) -> None:
    path = copy(tmp_path, "workloads", "mlp-mnist", (old, new))
    with pytest.raises(InputError) as caught:
        resolve(str(path), techs=("bottom-up-14nm",))
    where, _, rest = str(caught.value).partition(": ")
    assert where.startswith(f"{path}:")
    assert int(where.rpartition(":")[2]) >= 1
    assert rest.startswith(expected)


def test_every_file_that_decides_a_number_is_hashed() -> None:
    inputs = small(archs=("mixed-precision",)).inputs
    assert {"mlp-mnist.yaml", "mixed-precision.yaml", "bottom-up-14nm.yaml"} <= set(inputs)
    assert "pcm-nandakumar2018.yaml" in inputs, "the constants of the device"
    assert all(len(digest) == 64 for digest in inputs.values())


def test_two_files_of_one_name_are_both_hashed(tmp_path: Path) -> None:
    """A workload may be named as an architecture is."""
    path = copy(tmp_path, "workloads", "mlp-mnist")
    same = path.with_name("digital32.yaml")
    same.write_text(path.read_text().replace("name: mlp-mnist", "name: digital32", 1))
    spec = resolve(str(same), archs=("digital32",), techs=("bottom-up-14nm",))
    assert len(set(spec.inputs.values())) == 3


def test_a_workload_without_its_data_is_replaced_by_the_one_that_it_names_and_says_so() -> None:
    spec = resolve("cnn-cifar10", preset="quick", techs=("bottom-up-14nm",))
    assert (spec.workload.name, spec.instead_of, spec.preset) == ("lenet-mnist", "cnn-cifar10", "quick")


def test_data_that_are_asked_for_by_folder_and_missing_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cifar"):
        resolve("cnn-cifar10", data=tmp_path)

"""Every mistake gets one line that names file, line, key, value and what would be right, and a non-zero exit."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_kit import Cli

from archsim.base.files import shipped

Edit = Callable[[str], str]


def copy_of(kind: str, name: str, folder: Path, edit: Edit, file: str | None = None) -> Path:
    """Write an edited copy of a shipped file, under its own name unless told otherwise."""
    text = (shipped(kind) / f"{name}.yaml").read_text()
    changed = edit(text)
    assert changed != text, "the edit did not apply"
    path = folder / (file or f"{name}.yaml")
    path.write_text(changed)
    return path


def swap(old: str, new: str) -> Edit:
    return lambda text: text.replace(old, new, 1)


ARCHITECTURE = [
    (swap("error_bits: 3", "eror_bits: 3"), r"mixed-precision.yaml:\d+: outer_product.eror_bits: unknown key; .*Did you mean 'error_bits'"),
    (swap("  rows: 256", "  rows: 256\n  rows: 128"), r"mixed-precision.yaml:\d+: tile.rows: duplicate key, first given in line \d+"),
    (swap("unit: 8 uS", "unit: 8 us"), r"mixed-precision.yaml:\d+: weight.unit: got '8 us', which is no quantity in S"),
    (swap("unit: 8 uS", "unit: 8"), r"mixed-precision.yaml:\d+: weight.unit: got 8, a number without a unit; expected a quantity in S"),
    (swap("unit: 8 uS", "unit: -8 uS"), r"mixed-precision.yaml:\d+: weight.unit: got -8e-06; expected a positive quantity"),
    (swap("dac: {bits: 8", "dac: {bits: 99"), r"mixed-precision.yaml:\d+: tile.dac.bits: got 99; expected less than or equal to 16"),
    (swap("rows: 256 #", "rows: 2.5 #"), r"mixed-precision.yaml:\d+: tile.rows: got 2.5; expected a valid integer"),
    (swap("forward_full_scale: 8.0", "forward_full_scale: .nan"), r"mixed-precision.yaml:\d+: tile.adc.forward_full_scale: got nan; expected a finite number"),
    (swap("chip: mixed-precision", "chip: mixed-precison"), r"mixed-precision.yaml:\d+: chip: got 'mixed-precison'; expected one of .* Did you mean 'mixed-precision'"),
    (swap("device: pcm-nandakumar2018", "device: pcm-nandakumar2081"), r"weight.device: got 'pcm-nandakumar2081'; expected a file, or one of .*Did you mean 'pcm-nandakumar2018'"),
    (swap("weight update, programming", "weight updates, programming"), r"mixed-precision.yaml:\d+: boundary: got 'weight updates'; expected one of .*Did you mean 'weight update'"),
    (swap("programming, control and clock]", "control and clock]"), r"mixed-precision.yaml:\d+: boundary: nothing is said of programming"),
    (swap("host link, off-chip", "off-chip"), r"mixed-precision.yaml:\d+: boundary: nothing is said of host link"),
    (swap("read_noise: true", "read_noise: yes"), r"mixed-precision.yaml:\d+: nonidealities.read_noise: got 'yes'; expected a valid boolean"),
    (swap("schema: 1", "schema: 2"), r"mixed-precision.yaml:\d+: schema: got 2; expected 1"),
    (swap("tile:\n", "tile: [\n"), r"mixed-precision.yaml:\d+: is not valid YAML"),
    (swap("name: mixed-precision", "name: other"), r"mixed-precision.yaml:\d+: name: got 'other'; expected the file's own name"),
]  # fmt: skip


@pytest.mark.parametrize(("edit", "expected"), ARCHITECTURE)
def test_a_mistake_in_an_architecture_is_named(cli: Cli, tmp_path: Path, edit: Edit, expected: str) -> None:
    path = copy_of("architectures", "mixed-precision", tmp_path, edit)
    done = cli("run", "mlp-mnist", "--steps", 1, "--arch", path)
    assert done.code == 2
    assert re.search(expected, done.error), done.error
    assert not (tmp_path / "reports").exists()


TECHNOLOGY = [
    (swap("value: 5.12 pJ/conversion", "value: 5.12"), r"t.yaml:\d+: figures.adc.conversion.value: got 5.12, a number without a unit"),
    (swap("value: 5.12 pJ/conversion", "value: 5.12 ns"), r"t.yaml:\d+: figures.adc.conversion"),
    (swap("value: 5.12 pJ/conversion", "value: -5.12 pJ/conversion"), r"t.yaml:\d+: figures.adc.conversion.value: .*-5.12"),
    (swap("  adc.conversion:\n", "  adc.conversion:\n    valeu: 1 pJ\n"), r"t.yaml:\d+: figures.adc.conversion.valeu: unknown key; .*Did you mean 'value'"),
    (swap("prices: [tile.adc.convert]", "prices: [tile.adc.converts]"), r"tile.adc.convert"),
]  # fmt: skip


@pytest.mark.parametrize(("edit", "expected"), TECHNOLOGY)
def test_a_mistake_in_a_technology_is_named(cli: Cli, tmp_path: Path, edit: Edit, expected: str) -> None:
    def renamed(text: str) -> str:
        return edit(text.replace("name: bottom-up-14nm", "name: t", 1))

    path = copy_of("tech_params", "bottom-up-14nm", tmp_path, renamed, "t.yaml")
    done = cli("run", "mlp-mnist", "--steps", 1, "--tech", path)
    assert done.code == 2
    assert re.search(expected, done.error), done.error


def test_an_action_without_a_price_is_refused_before_training(cli: Cli, tmp_path: Path) -> None:
    path = copy_of(
        "tech_params", "bottom-up-14nm", tmp_path,
        lambda text: text.replace("name: bottom-up-14nm", "name: t", 1).replace("prices: [tile.adc.convert]", "prices: []", 1),
        "t.yaml",
    )  # fmt: skip
    assert "tile.adc.convert" in cli("tech", "lint", path).out
    assert cli("tech", "lint", path).code == 1
    done = cli("run", "mlp-mnist", "--steps", 1, "--tech", path)
    assert done.code == 2
    assert re.search(
        r"t.yaml: no figure prices 'tile.adc.convert' \(one line's result turned into a code\)", done.error
    )


def test_a_cycle_of_extends_is_named(cli: Cli, tmp_path: Path) -> None:
    for name, other in (("a", "b"), ("b", "a")):
        (tmp_path / f"{name}.yaml").write_text(
            f"schema: 1\nkind: technology\nname: {name}\ntitle: t\nnode: 14 nm\nextends: {other}\ntimes: {{}}\nfigures: {{}}\n"
        )
    done = cli("tech", "show", tmp_path / "a.yaml")
    assert done.code == 2
    assert "extends" in done.error


OPTIONS = [
    (("run", "mlp-mnits"), 2, r"WORKLOAD: got 'mlp-mnits'; .*Did you mean 'mlp-mnist'"),
    (("run", "no/such.yaml"), 2, r"WORKLOAD: got 'no/such.yaml'; expected an existing YAML file"),
    (("run", "mlp-mnist", "--preset", "ful"), 2, r"has no preset 'ful'; .*Did you mean 'full'"),
    (("run", "mlp-mnist", "--arch", "digital23"), 2, r"--arch: got 'digital23'; .*Did you mean 'digital32'"),
    (("run", "mlp-mnist", "--tech", "bottom-up-14mn"), 2, r"got 'bottom-up-14mn'.*Did you mean 'bottom-up-14nm'"),
    (("run", "mlp-mnist", "--steps", "0"), 2, r"--steps: got 0; expected a whole number from 1 on"),
    (("run", "mlp-mnist", "--seed", "-1"), 2, r"--seed: got -1; expected a whole number from 0 on"),
    (("run", "mlp-mnist", "--seeds", "0"), 2, r"--seeds: got 0"),
    (("run", "mlp-mnist", "--set", "tile.rows"), 2, r'--set: got .tile.rows.; expected "key=value"'),
    (("run", "mlp-mnist", "--set", "tyle.rows=8"), 2, r"tyle.rows: unknown key; .*Did you mean 'tile.rows'"),
    (("run", "mlp-mnist", "--set", "tile.rowz=8"), 2, r"--set: tile.rowz: unknown key; .*Did you mean 'rows'"),
    (("run", "mlp-mnist", "--set", "tile.rows=8 pJ"), 2, r"--set: tile.rows: got '8 pJ'; expected a valid integer"),
    (("run", "mlp-mnist", "--set", "training.learning_rate=nan"), 2, r"--set: training.learning_rate"),
    (("run", "mlp-mnist", "--set", "training.learning_rate=.nan"), 2, r"training.learning_rate: got nan; expected"),
    (("run", "mlp-mnist", "--set", "network.inputs=100"), 2, r"network.inputs: got 100; expected 784"),
    (("run", "mlp-mnist", "--set", "tile.count=2"), 3, r"needs 5 tiles of 256x256 .* the chip has 2: 3 short, from fc1 .*; expected at least 5"),
    (("run", "mlp-mnist", "--data", "nowhere"), 4, r"nowhere"),
    (("run", "mlp-mnist", "--set", "digital32.boundary.inside=[arithmetic]"), 2, r"boundary"),
    (("report", "nowhere"), 2, r"nowhere"),
    (("tech", "show", "nothing"), 2, r"got 'nothing'"),
    (("data", "fetch", "imagenet"), 2, r"imagenet"),
]  # fmt: skip

WRITERS = [
    ("workloads", "new"), ("workloads", "import", "net.onnx"), ("archs", "new"), ("tech", "new", "--arch", "digital32"),
    ("tech", "new", "--extends", "bottom-up-14nm"), ("tech", "scale", "bottom-up-14nm", "--node", "28nm"),
    ("tech", "calibrate", "nowhere"), ("tech", "import", "table.csv"), ("archs", "from-aihwkit", "made.json"),
    ("tech", "add-adc", "bottom-up-14nm", "--survey", "survey.csv"),
]  # fmt: skip


@pytest.mark.parametrize("args", WRITERS)
def test_a_file_is_written_under_no_name_by_which_it_could_not_be_read(
    cli: Cli, args: tuple[str, ...], tmp_path: Path
) -> None:
    for name in ("w.txt", "w"):
        done = cli(*args, "--out", name)
        assert done.code == 2, done.err
        assert done.error == f"--out: got '{name}'; expected a file that ends in .yaml. Write w.yaml"
    assert not list(tmp_path.glob("w*"))


@pytest.mark.parametrize(("args", "code", "expected"), OPTIONS)
def test_a_mistake_in_an_option_is_named(cli: Cli, args: tuple[str, ...], code: int, expected: str) -> None:
    done = cli(*args)
    assert done.code == code, done.err
    assert re.search(expected, done.error), done.error


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", "mlp-mnist", "--stepz", "5"), "No such option: --stepz (Possible options: --set, --steps"),
        (("sweep", "mlp-mnist", "--seeds", "1e3"), "Invalid value for '--seeds': "), (("nope",), "No such command 'nope'"),
        (("tech", "calibrate"), "Missing argument 'DIR'. archsim tech calibrate -h says what can be given"),
        (("run", "mlp-mnist", "--out", "a\0b"), "Invalid value for '--out': "),
    ],
)  # fmt: skip
def test_arguments_that_cannot_be_are_one_line_too(cli: Cli, words: tuple[str, ...], said: str) -> None:
    done = cli(*words)
    assert (done.code, done.out) == (2, "")
    assert done.error.startswith(said)


def test_an_output_that_is_a_file_is_refused_and_left_alone(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    done = cli("run", "mlp-mnist", "--steps", 1, "--out", "out")
    assert (done.code, (tmp_path / "out").read_text()) == (2, "mine")
    assert "--out: got 'out'; expected a directory, but it is a file" in done.error


def test_a_finished_run_is_refused_and_left_alone(cli: Cli, tmp_path: Path) -> None:
    run = ("run", "mlp-mnist", "--steps", 5, "--out", "out", "--quiet", "--arch", "digital32")
    assert cli(*run).code == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir() if path.is_file()}
    done = cli(*run)
    assert done.code == 2
    assert "it has a finished run in it" in done.error
    assert before == {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir() if path.is_file()}


def test_a_folder_of_other_files_is_refused_and_left_alone(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/thesis.tex").write_text("mine")
    done = cli("run", "mlp-mnist", "--steps", 1, "--out", "out")
    assert done.code == 2
    assert "it holds other files" in done.error
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["thesis.tex"]


def test_a_broken_idx_file_is_named_with_what_is_wrong(cli: Cli, tmp_path: Path) -> None:
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (tmp_path / f"{name}-ubyte").write_bytes(b"\x00\x00\x08\x03\x00")
    done = cli("run", "mlp-mnist", "--steps", 1, "--data", tmp_path)
    assert done.code == 4
    assert "idx3-ubyte" in done.error

"""Architectures and workloads as files: extending, beginning with, linting, comparing, and the paths one may set."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from archsim.base.errors import InputError
from archsim.base.files import shipped, shipped_names
from archsim.base.yamlfile import paths, read
from archsim.chips import architecture as architectures
from archsim.runs import workload
from archsim.runs.identity import point_key
from archsim.runs.spec import resolve
from archsim.studies.structure import diff, lint_architecture, listing, places, write_short, write_workload


def chip(folder: Path, text: str, name: str = "mine", extends: str = "mixed-precision") -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(f"schema: 1\nkind: architecture\nextends: {extends}\n{text}")
    return path


def test_an_architecture_takes_over_what_it_does_not_say(tmp_path: Path) -> None:
    path = chip(tmp_path, "tile:\n  adc: {bits: 6}\n")
    mine, parent = (architectures.parse(architectures.document(name)) for name in (str(path), "mixed-precision"))
    changed = parent.model_dump()
    changed["name"] = "mine"
    changed["tile"]["adc"]["bits"] = 6
    assert mine.model_dump() == changed


def test_an_error_names_the_file_in_which_the_key_stands(tmp_path: Path) -> None:
    chip(tmp_path, "tile: {rows: 0}\n", "below")
    path = chip(tmp_path, "tile: {columns: 128}\n", extends="below")
    with pytest.raises(InputError, match=r"below.yaml:4: tile.rows: got 0; expected greater than"):
        architectures.parse(architectures.document(str(path)))
    path = chip(tmp_path, "tile: {colums: 128}\n")
    with pytest.raises(InputError, match=r"mine.yaml:4: tile.colums: unknown key; .*Did you mean 'columns'"):
        architectures.parse(architectures.document(str(path)))


@pytest.mark.parametrize(
    ("extends", "expected"),
    [
        (
            "mixed",
            r"mine.yaml:3: extends: got 'mixed'; expected a file, or one of .*digital32, digital32-deep, .*hybrid, in-array, in-array-pcm, in-array-sgd, in-array-sgd-deep, mixed",
        ),
        ("mine", r"mine.yaml:3: extends: runs in a circle: mine -> mine"),
        ("[a]", r"mine.yaml:3: extends: got \['a'\]; expected the name or the file of what is extended"),
        ("tech.yaml", r"tech.yaml:2: kind: got 'technology'; expected 'architecture'"),
    ],
)
def test_what_cannot_be_extended_is_named(tmp_path: Path, extends: str, expected: str) -> None:
    (tmp_path / "tech.yaml").write_text("schema: 1\nkind: technology\n")
    path = chip(tmp_path, "", extends=extends)
    with pytest.raises(InputError, match=expected):
        architectures.document(str(path))


def test_a_circle_over_two_files_and_a_chain_too_long_are_one_line(tmp_path: Path) -> None:
    chip(tmp_path, "", "a", extends="b")
    path = chip(tmp_path, "", "b", extends="a")
    with pytest.raises(InputError, match=r"a.yaml:3: extends: runs in a circle: b -> a -> b"):
        architectures.document(str(path))
    for number in range(30):
        path = chip(tmp_path, "", f"c{number}", extends=f"c{number - 1}" if number else "mixed-precision")
    with pytest.raises(InputError, match=r"c29.yaml:3: extends: goes on through more than 20 files"):
        architectures.document(str(path))


def test_the_hashes_of_a_run_include_the_parents_file(tmp_path: Path) -> None:
    chip(tmp_path, "tile: {rows: 128}\n", "below")
    path = chip(tmp_path, "", extends="below")
    before = resolve("mlp-mnist", archs=(str(path),), techs=("bottom-up-14nm",), steps=5)
    assert {"mine.yaml", "below.yaml", "mixed-precision.yaml"} <= set(before.inputs)
    assert {name for name in before.copies if name.startswith("architectures/mine/")} >= {
        f"architectures/mine/{name}.yaml" for name in ("mine", "below", "mixed-precision")
    }
    chip(tmp_path, "tile: {rows: 128} # a remark\n", "below")
    after = resolve("mlp-mnist", archs=(str(path),), techs=("bottom-up-14nm",), steps=5)
    assert point_key(before) != point_key(after)


def test_a_device_is_looked_for_beside_the_file_that_names_it(tmp_path: Path) -> None:
    far = tmp_path / "far"
    far.mkdir()
    shutil.copy(shipped("tech_params") / "devices" / "pcm-nandakumar2018.yaml", far / "own.yaml")
    (far / "own.yaml").write_text((far / "own.yaml").read_text().replace("name: pcm-nandakumar2018", "name: own", 1))
    chip(far, "weight: {device: own.yaml}\n", "below")
    path = chip(tmp_path, "", extends="far/below.yaml")
    found = architectures.parse(architectures.document(str(path)))
    assert found.files() == [far / "own.yaml"]


def test_a_name_may_be_left_out_but_not_differ(tmp_path: Path) -> None:
    assert architectures.parse(architectures.document(str(chip(tmp_path, "")))).name == "mine"
    with pytest.raises(InputError, match=r"mine.yaml:4: name: got 'other'; expected the file's own name, 'mine'"):
        architectures.parse(architectures.document(str(chip(tmp_path, "name: other\n"))))


# --- files to begin with ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", shipped_names("architectures"))
def test_a_short_file_is_its_parent_until_a_value_is_uncommented(tmp_path: Path, name: str) -> None:
    out = tmp_path / "mine.yaml"
    write_short(name, out)
    assert diff(name, str(out)) == []
    text = out.read_text()
    edited = re.sub(r"# digital_unit: \{lanes: \d+,", "digital_unit: {lanes: 2,", text)
    edited = re.sub(r"# digital_unit:\n#   lanes: \d+", "digital_unit:\n  lanes: 2", edited)  # where the parent extends
    out.write_text(edited)
    assert [(each.path, each.b) for each in diff(name, str(out))] == [("digital_unit.lanes", "2")]


def test_a_short_file_of_ones_own_chip_extends_it_by_its_path(tmp_path: Path) -> None:
    parent = chip(tmp_path, "tile: {rows: 128}\n")
    (tmp_path / "deeper").mkdir()
    write_short(str(parent), tmp_path / "deeper" / "next.yaml")
    assert "extends: ../mine.yaml" in (tmp_path / "deeper" / "next.yaml").read_text()
    assert "#   rows: 128" in (tmp_path / "deeper" / "next.yaml").read_text()
    with pytest.raises(InputError, match=r"--out: .*expected another name than that of mine"):
        write_short(str(parent), tmp_path / "deeper" / "mine.yaml")


def test_a_new_workload_is_complete(tmp_path: Path) -> None:
    write_workload(tmp_path / "mine.yaml")
    spec = resolve(str(tmp_path / "mine.yaml"), archs=("mixed-precision",), techs=("bottom-up-14nm",), preset="quick")
    assert spec.workload.name == "mine"
    assert spec.training.steps == 3000


# --- show, lint, diff -------------------------------------------------------------------------------------------------
def test_the_listing_names_every_value_and_the_file_it_is_from(tmp_path: Path) -> None:
    document = architectures.document(str(chip(tmp_path, "tile: {rows: 128}\n")))
    read_ = architectures.parse(document)
    rows = {row.path: row for row in places(document, read_)}
    assert (rows["tile.rows"].text, rows["tile.rows"].where.rpartition("/")[2]) == ("128", "mine.yaml:4")
    assert (rows["tile.columns"].text, rows["tile.columns"].where) == ("256", "mixed-precision.yaml:21")
    assert rows["digital_unit.buffer_banks"].where == "by default"
    text = listing(document, read_)
    (tmp_path / "whole.yaml").write_text(text)
    assert paths(read(tmp_path / "whole.yaml").data)["tile.rows"] == 128


@pytest.mark.parametrize("name", ["mlp-mnist"])
def test_every_path_listed_of_a_workload_may_be_set(name: str) -> None:
    document = workload.document(name)
    rows = places(document, workload.parse(document))
    assert {"training.batch", "training.steps", "network.layers.0.units"} <= {row.path for row in rows}
    settings = [f"{row.path}={row.text}" for row in rows if not row.path.startswith("presets.")]
    spec = resolve(name, archs=("mixed-precision",), techs=("bottom-up-14nm",), settings=settings)
    assert spec.workload == workload.parse(document)


def test_lint_tells_what_is_changed_and_what_has_no_price(tmp_path: Path) -> None:
    right = lint_architecture(str(chip(tmp_path, "tile: {adc: {bits: 6}}\n")), ["bottom-up-14nm"])
    assert any(line.endswith("takes over mixed-precision.yaml and changes tile.adc.bits 8 -> 6") for line in right)
    assert all(line.startswith("note: ") for line in right)
    wrong = lint_architecture(str(chip(tmp_path, "tile: {adc: {bits: 14}}\n")), ["bottom-up-14nm"])
    assert any("law per-2^bits holds for bits from 3 to 12, not for 14" in line for line in wrong)


def test_two_architectures_differ_in_values_not_in_how_they_are_written(tmp_path: Path) -> None:
    path = chip(tmp_path, "bus: {length: 1000 um}\ndigital_unit: {buffer_banks: 1}\nrefresh: {every: 50}\n")
    assert [(each.path, each.a, each.b) for each in diff("mixed-precision", str(path))] == [
        ("refresh.every", "100", "50")
    ]
    assert {each.path for each in diff("mixed-precision", "digital32")} >= {"chip", "tile.rows", "mac_array.lanes"}

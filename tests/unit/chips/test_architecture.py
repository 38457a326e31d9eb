"""Architecture files: what is read, what is refused, each with file, line and key."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from archsim.accounting.ledger import FUNCTIONS
from archsim.base.errors import InputError
from archsim.base.files import shipped, shipped_names
from archsim.base.units import parse
from archsim.chips import architecture as architectures
from archsim.runs.run import execute
from archsim.runs.spec import resolve

MIXED, DIGITAL = "mixed-precision", "digital32"


def edited(folder: Path, name: str, old: str, new: str) -> tuple[Path, int]:
    """Write a shipped file with one edit; return its path and the line of the edit."""
    text = (shipped("architectures") / f"{name}.yaml").read_text()
    assert text.count(old) >= 1, "the edit does not apply"
    path = folder / f"{name}.yaml"
    path.write_text(text.replace(old, new, 1))
    return path, text[: text.index(old)].count("\n") + 1


BAD = [
    (MIXED, "arbitration_cycles: 1", "arbitration: 1", "bus.arbitration: unknown key; expected one of arbitration_cycles, length, width"),
    (MIXED, "style: pulse-width", "style: bit-serial", "tile.dac.style: got 'bit-serial'; expected 'pulse-width'"),
    (MIXED, "dac: {bits: 8", "dac: {bits: 1", "tile.dac.bits: got 1; expected greater than or equal to 2"),
    (MIXED, "error_bits: 3", "error_bits: 17", "outer_product.error_bits: got 17; expected less than or equal to 16"),
    (MIXED, "error_bits: 3", "error_bits: 3.0", "outer_product.error_bits: got 3.0; expected a valid integer"),
    (MIXED, "chi: {bits: 16", "chi: {bits: 33", "outer_product.chi.bits: got 33; expected less than or equal to 32"),
    (MIXED, "limit: 64", "limit: 1", "outer_product.chi.limit: got 1; expected greater than or equal to 2"),
    (MIXED, "device: pcm", "devise: pcm", "weight.devise: unknown key; expected one of copies, device, drift_tolerance, selection, spread, unit. Did you mean 'device'?"),
    (MIXED, "difference: 7 uS", "difference: 7", "refresh.difference: got 7, a number without a unit; expected a quantity in S"),
    (MIXED, "saturated: 9.5 uS", "saturated: 9.5 uV", "refresh.saturated: got '9.5 uV', which is no quantity in S"),
    (MIXED, "saturated: 9.5 uS", "saturated: 9.5 uSS", "refresh.saturated: got '9.5 uSS', whose unit is unknown"),
    (MIXED, "drift_tolerance: 0.01", "drift_tolerance: 0.5", "weight.drift_tolerance: got 0.5; expected less than 0.5"),
    (MIXED, "every: 100", "every: 0", "refresh.every: got 0; expected greater than or equal to 1"),
    (MIXED, "  drift: true", "  drift: 1", "nonidealities.drift: got 1; expected a valid boolean"),
    (MIXED, "device: pcm-nandakumar2018", "device: pcm-nandakumar2081", "weight.device: got 'pcm-nandakumar2081'; expected a file, or one of "),
    (DIGITAL, "width: 32 bit, length", "width: 32, length", "bus.width: got 32, a number without a unit; expected a quantity in bit"),
    (DIGITAL, "length: 1 mm", "length: -1 mm", "bus.length: got -0.001; expected a positive quantity"),
    (DIGITAL, "skip_zero_inputs: false", "skip_zero_inputs: no", "mac_array.skip_zero_inputs: got 'no'; expected a valid boolean"),
    (DIGITAL, "weight_banks: 1", "weight_banks: none", "mac_array.weight_banks: got 'none'; expected a valid integer"),
    (DIGITAL, "kind: architecture", "kind: technology", "kind: got 'technology'; expected 'architecture'"),
    (DIGITAL, "name: digital32", "name: digital16", "name: got 'digital16'; expected the file's own name, 'digital32'"),
    (DIGITAL, "chip: digital32", "chip: digital", "chip: got 'digital'; expected one of digital32, in-array, mixed-precision. Did you mean 'digital32'?"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "old", "new", "expected"), BAD)
def test_what_is_wrong_is_named_with_file_line_and_key(
    tmp_path: Path, name: str, old: str, new: str, expected: str
) -> None:
    path, line = edited(tmp_path, name, old, new)
    with pytest.raises(InputError) as caught:
        execute(resolve("mlp-mnist", steps=1, archs=(str(path),), techs=("bottom-up-14nm",)), tmp_path / "run")
    assert str(caught.value).startswith(f"{path}:{line}: {expected}")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("weight storage, ", "", "boundary: nothing is said of weight storage; expected each function inside or outside"),
        ("weight storage, ", "weight storage, arithmetic, ", "boundary: 'arithmetic' is named twice; expected each function once"),
        ("weight storage, ", "weights storage, ", "boundary: got 'weights storage'; expected one of"),
        ("[host link, ", "[weight storage, host link, ", "boundary: 'weight storage' is named twice"),
    ],
)  # fmt: skip
def test_an_incomplete_boundary_is_refused(tmp_path: Path, old: str, new: str, expected: str) -> None:
    path, _ = edited(tmp_path, DIGITAL, old, new)
    with pytest.raises(InputError) as caught:
        architectures.parse(architectures.document(str(path)))
    where, _, rest = str(caught.value).partition(": ")
    line = int(where.removeprefix(f"{path}:"))
    assert path.read_text().splitlines()[line - 1].startswith("boundary:")
    assert rest.startswith(expected)


def test_a_boundary_says_something_of_each_function() -> None:
    for name in (MIXED, DIGITAL):
        boundary = architectures.parse(architectures.document(name)).boundary
        assert sorted(boundary.inside + boundary.outside) == sorted(FUNCTIONS)


def test_an_unknown_architecture_brings_the_known_and_the_nearest() -> None:
    with pytest.raises(
        InputError,
        match=r"--arch: got 'digital'; expected a file, or one of agad, chopped-tiki-taka, digital-bf16, digital-fp8, .*digital32-strong, hybrid, in-array, in-array-pcm, in-array-sgd, in-array-sgd-deep, mixed-precision.*multi-device, multi-pcm.*Did you mean 'digital",
    ):
        architectures.document("digital")


def test_settings_lie_over_the_file_and_leave_it_alone() -> None:
    changed = architectures.parse(architectures.document(DIGITAL, {("bus", "width"): "64 bit"}))
    assert changed.bus.width == 64
    assert architectures.parse(architectures.document(DIGITAL)).bus.width == 32


def test_a_perfect_architecture_has_nothing_switched_on() -> None:
    names = architectures.parse(architectures.document(MIXED)).switched_on()
    off = {("nonidealities", name): "false" for name in names}
    perfect = architectures.parse(architectures.document(MIXED, off))
    assert perfect.switched_on() == []
    assert perfect.switched_off() == names
    assert architectures.parse(architectures.document(DIGITAL)).switched_on() == []


SETTING = re.compile(r"--set ([\w.]+)=([\w.]+)")


@pytest.mark.parametrize("name", shipped_names("architectures"))
def test_no_shipped_chip_has_a_note(name: str) -> None:
    assert architectures.parse(architectures.document(name)).notes() == []


def proposed(arch: str, device: Path) -> tuple[list[str], dict[tuple[str, ...], str]]:
    """Return the notes of a chip with another device, and the settings they propose."""
    notes = architectures.parse(architectures.document(arch, {("weight", "device"): str(device)})).notes()
    return notes, {tuple(key.split(".")): value for note in notes for key, value in SETTING.findall(note)}


@pytest.mark.parametrize(
    ("arch", "ends", "about"),
    [
        ("mixed-precision", ("0.1 uS", "17 uS"), ["weight.unit is 8 uS, 0.47 of", "refresh.saturated is 9.5 uS, at 0.56 of"]),
        ("mixed-precision", ("1 uS", "4 uS"), ["weight.unit is 8 uS, 2.7 of", "refresh.saturated is 9.5 uS, at 2.8 of"]),
        ("mixed-precision", ("0.1 uS", "9.4 uS"), ["refresh.saturated is 9.5 uS, at 1 of"]),
        ("mixed-precision", ("3 nS", "40 nS"), ["weight.unit", "refresh.saturated"]),
        ("in-array", ("1 uS", "4 uS"), ["weight.unit is 6 uS, 2 of the range of mine, 1 uS to 4 uS; 0.5 of it is usual"]),
        ("in-array", ("0.1 uS", "30 uS"), ["weight.unit is 6 uS, 0.2 of"]),
    ],
)  # fmt: skip
def test_a_range_that_does_not_suit_is_noted_and_what_the_note_proposes_ends_it(
    tmp_path: Path, arch: str, ends: tuple[str, str], about: list[str]
) -> None:
    text = (shipped("tech_params") / "devices" / "linear.yaml").read_text().replace("name: linear", "name: mine")
    low, high = (parse(each, "S") for each in ends)
    for key, value in (("low", low), ("high", high), ("common", low + (high - low) / 8), ("mean", low)):
        text = re.sub(rf"(?m)\b{key}: [\d.]+ [un]S", f"{key}: {value:.7g} S", text)
    (tmp_path / "mine.yaml").write_text(text)
    notes, settings = proposed(arch, tmp_path / "mine.yaml")
    assert len(notes) == len(about)
    for note, words in zip(notes, about, strict=True):
        assert note.startswith(words)
    changed = architectures.document(arch, {("weight", "device"): str(tmp_path / "mine.yaml"), **settings})
    assert architectures.parse(changed).notes() == []

"""Device files: found, validated, built."""

from __future__ import annotations

from pathlib import Path

import pytest

from archsim.base.errors import InputError
from archsim.base.yamlfile import read
from archsim.devices.base import Switches
from archsim.devices.library import build, device_file, shipped_devices


def edited(folder: Path, old: str, new: str) -> Path:
    text = device_file("pcm-nandakumar2018").read_text()
    assert old in text
    path = folder / "mine.yaml"
    path.write_text(text.replace(old, new, 1))
    return path


@pytest.mark.parametrize("name", shipped_devices())
def test_a_shipped_device_is_found_by_name_and_named_as_its_file(name: str) -> None:
    device = build(device_file(name), Switches())
    assert device.file.name == name  # type: ignore[attr-defined]


def test_an_unknown_device_brings_the_nearest() -> None:
    with pytest.raises(InputError, match=r"device: got 'ideel'; expected a file, or one of .*Did you mean 'ideal'"):
        device_file("ideel")


def test_a_device_of_ones_own_is_a_file(tmp_path: Path) -> None:
    path = edited(tmp_path, "exponent: 0.04", "exponent: 0.05")
    assert build(device_file(str(path)), Switches()).reading.exponent == 0.05


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "model: pcm",
            "model: rram",
            r"mine.yaml:5: model: got 'rram'; expected one of ideal, linear, pcm, soft-bounds, table",
        ),
        ("low: 0.1 uS", "low: 0.1", "bounds.low: got 0.1, a number without a unit"),
        ("low: 0.1 uS", "low: -1 uS", "bounds.low: got -1e-06; expected a positive quantity"),
        ("low: 0.1 uS", "low: 1 V", "bounds.low: got '1 V', which is no quantity in S"),
        ("exponent: 0.04", "exponent: .inf", "drift.exponent: got inf; expected a finite number"),
        ("slope: 0.03,", "slop: 0.03,", "read_noise.slop: unknown key; expected one of"),
        ("kind: device", "kind: chip", "kind: got 'chip'; expected 'device'"),
    ],
)
def test_a_mistake_in_a_device_file_is_named(tmp_path: Path, old: str, new: str, words: str) -> None:
    with pytest.raises(InputError, match=r"mine\.yaml:\d+: ") as caught:
        build(edited(tmp_path, old, new), Switches())
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("pulses: 2.6", "pulses: 0"), ("pulses: 2.6", "pulses: -1"), ("high: 12 uS", "high: 0.05 uS"),
        ("exponent: 0.04", "exponent: -0.04"), ("std: 0.01 uS", "std: -0.01 uS"),
        ("{slope: 0.03, offset: 0.13 uS", "{slope: 0.03, offset: -0.13 uS"),
    ],
)  # fmt: skip
def test_numbers_no_device_can_have_are_bad_input(tmp_path: Path, old: str, new: str) -> None:
    with pytest.raises(InputError, match=r"mine\.yaml:\d+: "):
        build(edited(tmp_path, old, new), Switches())


@pytest.mark.parametrize("name", shipped_devices())
def test_every_source_of_a_shipped_device_stands_in_the_bibliography(name: str) -> None:
    from archsim.base.bibtex import read_references
    from archsim.base.files import shipped

    known = read_references(shipped("tech_params") / "references.bib")
    records = [record for record in read(device_file(name)).data.values() if isinstance(record, dict)]
    sources = {record["source"] for record in records if "source" in record}
    assert sources <= set(known)
    assert all("basis" in record for record in records)

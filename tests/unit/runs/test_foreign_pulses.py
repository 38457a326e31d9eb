"""Pulses that are priced and clocked as those of another memory are said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from archsim.accounting.technology import read_technology
from archsim.base.errors import InputError
from archsim.base.files import shipped
from archsim.chips import architecture as architectures
from archsim.runs.suited import notes
from archsim.studies.structure import lint_architecture


@pytest.mark.parametrize(
    ("arch", "device", "technology", "said", "own"),
    [
        ("agad", None, "bottom-up-14nm", True, "reram-14nm"),
        ("agad", None, "reram-14nm", False, None),
        ("agad", "ecram-soft-bounds", "reram-14nm", True, "ecram-14nm"),
        ("in-array", None, "bottom-up-14nm", False, None),
        ("in-array", None, "digital-28nm", False, None),
        ("in-array", "capacitor", "bottom-up-14nm", True, "hybrid-14nm"),
        ("hybrid", None, "bottom-up-14nm", True, "hybrid-14nm"),
        ("hybrid", None, "hybrid-14nm", False, None),
        ("mixed-precision", None, "bottom-up-14nm", False, None),
        ("mixed-precision", None, "hybrid-14nm", False, None),
        ("mixed-precision", None, "reram-14nm", True, "bottom-up-14nm"),
        ("mixed-precision", "epiram-neurosim", "bottom-up-14nm", True, "reram-14nm"),
        ("mixed-precision", "capacitor", "bottom-up-14nm", True, None),
        ("mixed-precision", "idealised", "reram-14nm", False, None),
        ("digital32", None, "reram-14nm", False, None),
    ],
)
def test_pulses_of_another_memory_are_said_with_the_technology_that_has_them(
    arch: str, device: str | None, technology: str, said: bool, own: str | None
) -> None:
    settings = {("weight", "device"): device} if device else None
    found = of_pulses(architectures.parse(architectures.document(arch, settings)), technology)
    assert len(found) == said
    if said:
        assert found[0].startswith(f"{technology} prices")
        assert (f"--tech {own} has" if own else "no technology that ships") in found[0]


def of_pulses(chip: Any, technology: str | Path) -> list[str]:
    return [note for note in notes(chip, [read_technology(str(technology))]) if "pulses of another memory" in note]


def with_device(folder: Path, memory: str) -> Any:
    """AGAD with a device of one's own, which says what kind of memory it is, or nothing."""
    text = (shipped("tech_params") / "devices/reram-array.yaml").read_text(encoding="utf-8")
    own = folder / "pcm-mine.yaml"
    own.write_text(text.replace("memory: reram\n", memory), encoding="utf-8")
    return architectures.parse(architectures.document("agad", {("weight", "device"): str(own)}))


def test_of_a_device_of_ones_own_its_file_tells_and_not_its_name(tmp_path: Path) -> None:
    assert not of_pulses(with_device(tmp_path, ""), "bottom-up-14nm")
    assert not of_pulses(with_device(tmp_path, "memory: reram\n"), "reram-14nm")
    [note] = of_pulses(with_device(tmp_path, "memory: ecram\n"), "reram-14nm")
    assert "--tech ecram-14nm has" in note
    [note] = of_pulses(with_device(tmp_path, "memory: fefet\n"), "reram-14nm")
    assert "no technology that ships" in note


def test_a_kind_of_memory_is_one_word(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"pcm-mine.yaml:\d+: memory: got 'Phase Change'; expected one word"):
        with_device(tmp_path, "memory: Phase Change\n")


def test_of_a_technology_of_ones_own_its_figures_tell(tmp_path: Path) -> None:
    chip = architectures.parse(architectures.document("mixed-precision"))
    own = tmp_path / "mine.yaml"
    head = "schema: 1\nkind: technology\nname: mine\nextends: bottom-up-14nm\nfigures:\n"
    price = "    value: 2 pJ/pulse\n    range: [1 pJ/pulse, 4 pJ/pulse]\n    basis: assumed\n    why: a test\n"
    own.write_text(f"{head}  set.pulse:\n{price}    memory: fefet\n", encoding="utf-8")
    assert len(of_pulses(chip, own)) == 1
    own.write_text(f"{head}  set.pulse:\n{price}", encoding="utf-8")  # another's price, of nobody knows which memory
    assert not of_pulses(chip, own)
    assert read_technology(str(own)).figures["reset.pulse"].memories == ("pcm",)


def test_the_lint_of_an_architecture_tells_of_a_device_without_a_kind(tmp_path: Path) -> None:
    def told(chip: Any) -> list[str]:
        chip_file = tmp_path / "mine.yaml"
        chip_file.write_text(
            f"schema: 1\nname: mine\nextends: agad\nweight: {{device: {chip.weight.device}}}\n", encoding="utf-8"
        )
        return [line for line in lint_architecture(str(chip_file), ["reram-14nm"]) if "kind of `memory`" in line]

    assert told(with_device(tmp_path, "memory: reram\n")) == []
    [note] = told(with_device(tmp_path, ""))
    assert note.startswith("note: ")
    assert "pcm-mine.yaml" in note

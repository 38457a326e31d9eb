"""Pulses that are priced and clocked as those of another memory are said."""

from __future__ import annotations

from pathlib import Path

import pytest

from archsim.base.files import shipped
from archsim.chips import architecture as architectures
from archsim.runs.suited import notes


@pytest.mark.parametrize(
    ("arch", "device", "technology", "own"),
    [
        ("agad", None, "bottom-up-14nm", "reram-14nm"),
        ("agad", None, "reram-14nm", None),
        ("agad", "ecram-soft-bounds", "reram-14nm", "ecram-14nm"),
        ("agad", None, "my-own", None),
        ("in-array", None, "bottom-up-14nm", None),
        ("hybrid", None, "bottom-up-14nm", "hybrid-14nm"),
        ("hybrid", None, "hybrid-14nm", None),
        ("mixed-precision", None, "bottom-up-14nm", None),
        ("mixed-precision", None, "reram-14nm", "bottom-up-14nm"),
        ("mixed-precision", "epiram-neurosim", "bottom-up-14nm", "reram-14nm"),
        ("digital32", None, "reram-14nm", None),
        ("mixed-precision", "idealised", "reram-14nm", None),
    ],
)
def test_pulses_of_another_memory_are_said_with_the_technology_that_has_them(
    arch: str, device: str | None, technology: str, own: str | None
) -> None:
    settings = {("weight", "device"): device} if device else None
    file = architectures.parse(architectures.document(arch, settings))
    found = [note for note in notes(file, [technology]) if "pulses of another memory" in note]
    assert len(found) == (own is not None)
    assert own is None or (found[0].startswith(f"{technology} prices") and f"--tech {own} " in found[0])


def test_of_a_device_of_ones_own_nothing_is_said(tmp_path: Path) -> None:
    own = tmp_path / "pcm-mine.yaml"
    own.write_text((shipped("tech_params") / "devices/reram-array.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    file = architectures.parse(architectures.document("agad", {("weight", "device"): str(own)}))
    assert not [note for note in notes(file, ["reram-14nm"]) if "another memory" in note]

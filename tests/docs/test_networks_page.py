"""The page on networks: its file is read and runs, and its table names every kind of layer and every activation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from docs_kit import carried_out

import archsim
from archsim.base import registry
from archsim.learning.maths import ACTIVATIONS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "networks.md").read_text(encoding="utf-8")


def test_the_example_runs_as_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    [(name, text)] = re.findall(r"```yaml\n# file: (\S+)\n(.*?)```", PAGE, flags=re.DOTALL)
    (tmp_path / name).write_text(text, encoding="utf-8")
    commands = re.findall(r"^\$ archsim (.*)$", PAGE, flags=re.MULTILINE)
    assert len(commands) == 2
    for command in commands:
        carried_out(f"archsim {command}")


def test_what_a_burst_saves_is_what_is_estimated() -> None:
    """Within 5 %: activity is assumed anew where more trainings are known."""
    [said] = re.findall(
        r"update takes\n +(\d+) nJ and (\d+) us an image at 1, (\d+) nJ and ([\d.]+) us at 64 \(`archsim ", PAGE
    )
    found: list[float] = []
    for burst in (1, 64):
        made = archsim.estimate(
            "lenet-mnist", batch=16, archs=["mixed-precision-deep"], settings=[f"outer_product.burst={burst}"]
        )
        training = made["architectures"]["mixed-precision-deep"]["training"]
        found += [training["energy_per_sample_J"]["update"] * 1e9, training["latency_per_sample_s"]["update"] * 1e6]
    assert [float(each) for each in said] == pytest.approx(found, rel=0.05)


def test_every_kind_of_layer_and_every_activation_is_named() -> None:
    assert [kind for kind in registry.names("layer") if f"`{kind}`" not in PAGE] == []
    assert [name for name in ACTIVATIONS if name not in PAGE] == []

"""The page on learning rules: its commands exist, its words alive are right, its energies are those of short runs."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

import archsim
from archsim.base import registry
from archsim.runs import workload as workloads

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "learning-rules.md").read_text(encoding="utf-8")
RULE = r"^\| ([a-z-]+)(, in a memory|, of a generator)? \| (mixed-precision|digital32) \|"
ROWS = re.findall(RULE + r" ([\d.]+) nJ \| ([\d.]+) nJ \| ([\d.]+) nJ \|", PAGE, re.MULTILINE)
AT = {", in a memory": "memory", ", of a generator": "generator"}
COMMANDS = [line.removeprefix("$ archsim ") for line in PAGE.splitlines() if line.startswith("$ archsim ")]


def words_alive(name: str, rule: str) -> int:
    built = workloads.parse(workloads.document(name, {("network", "learning"): rule})).network.build()
    return max(program.words_alive() for program in built.training)


def test_every_rule_has_a_row_of_each_table() -> None:
    rules = set(registry.names("rule"))
    assert {row[0] for row in ROWS} == rules
    assert rules <= set(re.findall(r"^\| ([a-z-]+) \| [^|]*\|[^|]*\|[^|]*\|$", PAGE, re.MULTILINE))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page_exists_with_its_options_and_settings(command: str) -> None:
    words = shlex.split(command)
    name = words[2] if words[0] == "workloads" else words[1]
    settings = [words[k + 1] for k, word in enumerate(words) if word == "--set"]
    spec = archsim.resolve(name, settings=settings, preset="quick")
    assert {type(spec.workload.network).__name__} == {"NetworkFile"}
    assert f"kind='{settings[0].partition('=')[2]}'" in repr(spec.workload.network)


@pytest.mark.parametrize("row", [row for row in ROWS if row[2] == "digital32"], ids=lambda row: "".join(row[:2]))
def test_digital_energies_are_those_of_a_short_run(row: tuple[str, ...], tmp_path: Path) -> None:
    """Counts do not hang on what is learnt there, but for changed signs."""
    rule, how, chip, *told = row
    settings = [f"network.learning={rule}", *([f"feedback.at={AT[how]}"] if how else [])]
    run = archsim.run("mlp-mnist", steps=10, archs=[chip], settings=settings, out=tmp_path / "run")
    found = run.summary["architectures"][chip]["energy_per_step_J"]
    for phase, nanojoules in zip(("forward", "backward", "update"), told, strict=True):
        assert found[phase] * 1e9 == pytest.approx(float(nanojoules), rel=0.01), phase


def test_words_alive_are_those_of_the_programs() -> None:
    for name, rules in (
        ("mlp-mnist", {"backpropagation": 1555, "local-losses": 1544, "weight-perturbation": 1307}),
        ("lenet-mnist", {"backpropagation": 25368, "direct-feedback-alignment": 18500, "local-losses": 16082}),
    ):
        for rule, words in rules.items():
            assert words_alive(name, rule) == words
            assert f"{words:,}" in PAGE

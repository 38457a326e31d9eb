"""The page on published designs: its files are read, its commands run, and it comes to what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from docs_kit import carried_out

from archsim.chips.published.published_file import STEPS, PublishedArchitecture

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "designs.md").read_text(encoding="utf-8")


def files() -> dict[str, str]:
    """Return the files of the page, by the name in their first line."""
    found = re.findall(r"```(?:yaml|bib)\n[#%] file: (\S+)\n(.*?)```", PAGE, flags=re.DOTALL)
    assert len(found) == len(re.findall(r"```(?:yaml|bib)\n", PAGE)), "a block without `file:` in its first line"
    return dict(found)


def commands() -> list[str]:
    blocks = re.findall(r"```console\n(.*?)```", PAGE, flags=re.DOTALL)
    return [line.removeprefix("$ archsim ") for block in blocks for line in block.splitlines() if line.startswith("$ ")]


def test_the_design_of_the_page_comes_to_the_prediction_that_it_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in files().items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert len(commands()) == 2
    for command in commands():
        carried_out(f"archsim {command}")
    kept = yaml.safe_load((tmp_path / "jia" / "results.yaml").read_text(encoding="utf-8"))["results"]
    assert kept["efficiency"]["value"] == "201.2 Top/s/W"
    assert kept["efficiency"]["value"] in PAGE


def test_the_page_names_every_part_that_a_design_can_have() -> None:
    told = PAGE.partition("## What a design can say")[2]
    for key in PublishedArchitecture.model_fields:
        if key not in ("schema_version", "kind", "chip", "name", "title", "boundary"):
            assert f"`{key}" in told, key
    for step in STEPS:
        assert f"`kind: {step}`" in told

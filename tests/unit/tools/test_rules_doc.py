"""The tool that fills the page on rules: what stands between two marks is its own, the rest stays."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest
from rules_kit import refused, result, results

from archsim.studies.rules.asked import asked

SCRIPT = Path(__file__).parents[3] / "tools/rules_doc.py"
FOUND = results(result("agad", (0.95, 0.96, 0.94), (1e-6, 1.1e-6, 0.9e-6)), refused("agad", "pcm2"))


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    spec = importlib.util.spec_from_file_location("rules_doc", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "PAGE", tmp_path / "rules.md")
    return module


def test_a_part_is_put_between_its_marks_again_and_again(tool: Any) -> None:
    tool.PAGE.write_text("before\n<!-- rules: mlp-mnist -->\nold\n<!-- end: mlp-mnist -->\nafter\n")
    for text in ("new", "newer"):
        tool.put("mlp-mnist", text)
    assert tool.PAGE.read_text() == ("before\n<!-- rules: mlp-mnist -->\n\nnewer\n\n<!-- end: mlp-mnist -->\nafter\n")
    with pytest.raises(SystemExit, match="has no marks of lstm-text"):
        tool.put("lstm-text", "new")


def test_a_part_has_what_was_done_its_tables_and_its_pictures(tool: Any) -> None:
    tool.STUDIES["mlp-mnist"] = {"devices": ["pcm2"], "steps": 1000}
    text = tool.part(FOUND, "mlp-mnist", "quick")
    assert text.startswith(
        "`archsim rules mlp-mnist --preset quick --device pcm2 --steps 1000`: MNIST, 1,000 steps of batch 1, seeds 1, 2, 3."
    )
    assert re.findall(r"\]\((\S+)\)", text) == [f"rules-mlp-mnist-{name}.png" for name in ("front", "parts", "wear")]
    assert "### What is not possible, and what failed" in text


def test_every_study_of_the_page_can_be_asked_for_and_has_its_marks(tool: Any) -> None:
    page = (SCRIPT.parents[1] / "docs/rules.md").read_text(encoding="utf-8")
    for name, options in tool.STUDIES.items():
        assert asked(name, **options).workload == name
        assert f"<!-- rules: {name} -->" in page

"""The tool that asks the package index: which Pythons, and what each extra asks for. The index itself is not asked."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("resolve", ROOT / "tools" / "resolve.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_pythons_of_the_classifiers_begin_with_the_lowest_and_leave_none_out(
    tool: ModuleType, project: dict[str, Any]
) -> None:
    lowest = re.fullmatch(r">=3\.(\d+)", project["requires-python"])
    assert lowest
    minors = [int(each.partition(".")[2]) for each in tool.pythons(project)]
    assert minors == list(range(int(lowest[1]), 15))


def test_an_extra_of_extras_asks_for_what_they_ask_and_never_for_archsim(
    tool: ModuleType, project: dict[str, Any]
) -> None:
    extras = project["optional-dependencies"]
    found = tool.wanted(project, "dev")
    for extra in re.fullmatch(r"archsim\[(.+)\]", extras["dev"][0])[1].split(","):
        assert set(extras[extra]) <= set(found)
    assert set(project["dependencies"]) <= set(found)
    assert not [each for each in found if each.startswith("archsim")]
    assert tool.wanted(project, "") == project["dependencies"]


def test_a_version_that_nobody_can_have_is_told(
    tool: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = {"3.11": "", "3.14": "ERROR: No matching distribution found for numba>=0.59"}
    monkeypatch.setattr(tool, "resolve", lambda _, python: told[python])
    monkeypatch.setattr("sys.argv", ["resolve.py", "--python", "3.11", "--python", "3.14", "--extra", "core"])
    assert tool.main() == 1
    assert capsys.readouterr().out == f"Python 3.11, core: ok\nPython 3.14, core: {told['3.14']}\n"


def test_what_has_no_wheel_but_can_be_built_is_told_and_the_rest_is_asked_for(
    tool: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tool, "resolve", lambda asked, _: ", ".join(each for each in asked if "aihwkit" in each))
    monkeypatch.setattr("sys.argv", ["resolve.py", "--python", "3.11", "--python", "3.12", "--extra", "aihwkit"])
    assert tool.main() == 1
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("Python 3.11, aihwkit: ok; from source: aihwkit>=")
    assert second.startswith("Python 3.12, aihwkit: aihwkit>=")

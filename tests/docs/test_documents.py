"""What the documents say is run: the Python example, every command named, tables, links."""

from __future__ import annotations

import ast
import json
import re
import shlex
import tomllib
from pathlib import Path

import pytest

from archsim.base import registry
from archsim.base.errors import EXIT_CODES

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_the_python_example_runs_as_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (example,) = blocks("python")
    assert len(example.strip().splitlines()) <= 12
    shorter = example.replace('preset="quick"', "steps=50")
    assert shorter != example
    exec(compile(shorter, "README.md", "exec"), {})  # noqa: S102  that is the test


@pytest.mark.parametrize("notebook", sorted((ROOT / "docs").glob("*.ipynb")), ids=lambda path: path.name)
def test_a_notebook_runs_from_its_first_cell_to_its_last(
    notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    cells = [cell for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    assert len(cells) > 3
    names: dict[str, object] = {}
    for number, cell in enumerate(cells, start=1):
        *body, last = ast.parse("".join(cell["source"])).body
        exec(compile(ast.Module(body, []), f"cell {number}", "exec"), names)  # noqa: S102  that is the test
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), f"cell {number}", "eval"), names)  # noqa: S307  likewise
            assert value is not None
            getattr(value, "_repr_html_", lambda: "")()
        else:
            exec(compile(ast.Module([last], []), f"cell {number}", "exec"), names)  # noqa: S102  likewise


def commands() -> list[str]:
    lines = [line for block in blocks("console") for line in block.splitlines()]
    return [line.removeprefix("$ ").split("  #")[0].strip() for line in lines if line.startswith("$ archsim")]


@pytest.mark.parametrize("command", commands())
def test_every_command_named_exists_with_its_options(command: str) -> None:
    import typer

    from archsim.cli import app

    group = typer.main.get_command(app)
    words = shlex.split(command)[1:]
    if words[0] == "device" and words[1] not in group.commands["device"].commands:
        words.insert(1, "show")  # `archsim device NAME` is short for it
    while words and hasattr(group, "commands") and words[0] in group.commands:
        group = group.commands[words.pop(0)]
    assert not hasattr(group, "commands"), f"{command}: no such command"
    known = {option for parameter in group.params for option in (*parameter.opts, "--help")}
    for word in words:
        if word.startswith("--"):
            assert word in known, f"{command}: {word} is no option"


def test_the_exit_codes_are_those_of_the_program() -> None:
    for code, meaning in EXIT_CODES.items():
        assert f"| {code} | {meaning} |" in README


def test_the_published_schema_is_that_of_the_program() -> None:
    from archsim.runs.summary import json_schema

    assert json.loads((ROOT / "archsim/runs/summary.schema.json").read_text()) == json_schema()


def test_every_link_into_the_repository_leads_somewhere() -> None:
    for name in ("README.md", "CONTRIBUTING.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / name).read_text()):
            if "://" not in target:
                assert (ROOT / target).exists(), f"{name} points to {target}"


@pytest.mark.parametrize("kind", ["device", "chip", "rule", "chart"])
def test_everything_registered_loads(kind: str) -> None:
    assert registry.names(kind)
    for name in registry.names(kind):
        assert registry.load(kind, name) is not None


def test_dependencies_have_lower_bounds_and_no_pins() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    for requirement in [*project["dependencies"], *(each for extra in extras.values() for each in extra)]:
        if own := re.fullmatch(r"archsim\[(.+)\]", requirement):
            assert {*own[1].split(",")} < {*extras}
        else:
            assert re.fullmatch(r"[A-Za-z0-9-]+>=[\d.]+", requirement), requirement


def test_importing_the_package_does_not_import_the_slow_ones() -> None:
    import subprocess
    import sys

    code = "import sys, archsim; print([m for m in ('pandas', 'matplotlib', 'numba', 'pint') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_modules_functions_and_classes_stay_small() -> None:
    import ast

    for path in (ROOT / "archsim").rglob("*.py"):
        text = path.read_text()
        assert len(text.splitlines()) <= 460, f"{path}: more than one idea?"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                assert node.end_lineno - node.lineno <= 75, f"{path}: {node.name}"
            if isinstance(node, ast.ClassDef):
                assert node.end_lineno - node.lineno <= 260, f"{path}: {node.name}"

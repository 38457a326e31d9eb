"""What the documents say is so: every command named exists, tables are the program's, links lead somewhere."""

from __future__ import annotations

import ast
import json
import re
import shlex
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from docs_kit import site

from archsim import api
from archsim.accounting.laws import LAWS
from archsim.base import registry
from archsim.base.errors import EXIT_CODES
from archsim.cli.examples import EXAMPLES

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


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


PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_FENCED = re.compile(r"^```(?:console|sh)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def commands() -> list[str]:
    """Return every command of archsim that the README or a page names, in a block or in a line, once."""
    found: dict[str, None] = {}
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        lines = [line for block in _FENCED.findall(text) for line in block.splitlines()]
        lines += re.findall(r"`(archsim [a-z][^`]+)`", text)
        found |= dict.fromkeys(re.split(r"\s+#", line.removeprefix("$ "))[0].strip() for line in lines)
    return [line for line in found if re.match(r"archsim [a-z]", line)]


def test_the_readme_is_short_and_has_what_it_is_for() -> None:
    assert len(README.splitlines()) <= 150
    assert "make reproduce" in README
    assert "make test" in README
    assert README.count("![") == 1


def test_the_results_of_the_readme_are_those_of_the_page() -> None:
    """Each number in the README's table stands in what `archsim reproduce` printed, or in the paper's columns."""
    page = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    [table] = re.findall(r"^\| a training image .*?\n\n", README, re.DOTALL | re.MULTILINE)
    numbers = re.findall(r"\d+\.\d+", table.partition("the paper |")[2])
    assert len(numbers) > 20
    assert [number for number in numbers if number not in page] == []


def test_how_fast_a_step_is_by_the_readme_is_what_the_page_has() -> None:
    page = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+?) \| .+? \| ([\d.]+) \| [\d.]+ \| `python tests/bench", page, re.MULTILINE)
    of = {kind: [float(times) for what, times in rows if kind in what] for kind in ("cnn", "lstm", "gpt", "576", "784")}
    low, high = sorted(of["cnn"])
    told = " ".join(README.split())
    assert f"takes {low + 1e-9:.1f} to {high:.1f} times PyTorch's for the CNN" in told
    assert f"{of['lstm'][0]:.1f} for the LSTM and {of['gpt'][0]:.1f} for the GPT" in told
    assert f"products {max(of['576'] + of['784']):.1f} times `sgemm`'s" in told


@pytest.mark.parametrize("command", commands())
def test_every_command_named_exists_with_its_options(command: str) -> None:

    from archsim.cli import commands as all_commands

    group = all_commands()
    words = shlex.split(command)[1:]
    if words[0] == "device" and words[1:2] and words[1] not in group.commands["device"].commands:
        words.insert(1, "show")  # `archsim device NAME` is short for it
    while words and hasattr(group, "commands") and words[0] in group.commands:
        group = group.commands[words.pop(0)]
    assert not hasattr(group, "commands"), f"{command}: no such command"
    known = {"--help"} | {
        option for parameter in group.params for option in (*parameter.opts, *parameter.secondary_opts)
    }
    for word in words:
        if word.startswith("--"):
            assert word.partition("=")[0] in known, f"{command}: {word} is no option"


def test_every_command_stands_under_a_question() -> None:
    page = (ROOT / "docs/by-question.md").read_text(encoding="utf-8")
    assert [name for name in EXAMPLES if f"`archsim {name}" not in page] == []


def test_the_reference_has_everything_that_python_does() -> None:
    page = (ROOT / "docs/reference/python.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"^::: (\S+)$", page, flags=re.MULTILINE))
    for name in api.__all__:
        one = getattr(api, name)
        homes = {one.__name__} if isinstance(one, ModuleType) else {one.__module__, f"{one.__module__}.{one.__name__}"}
        assert shown & homes, f"archsim.{name}"


def test_a_bar_in_a_cell_of_code_is_shown_as_it_is() -> None:
    markdown = pytest.importorskip("markdown").markdown
    shown = markdown(site("text").table(["a", "b"], [[site("text").code("show | report"), "c"]]), extensions=["tables"])
    assert "<td><code>show | report</code></td>\n<td>c</td>" in shown


def test_the_exit_codes_of_the_site_are_those_of_the_program() -> None:
    tables = site("commands").exit_codes()
    for code, meaning in EXIT_CODES.items():
        assert f"| {code} | {meaning} |" in tables


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/my-technology.md", "docs/model/figures.md"])
def test_every_law_is_named_where_laws_are_listed(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert [name for name in LAWS if not re.search(rf"[ `]{re.escape(name)}[`,. |]", text)] == []


def test_the_published_schema_is_that_of_the_program() -> None:
    from archsim.runs.summary import json_schema

    assert json.loads((ROOT / "archsim/runs/summary.schema.json").read_text()) == json_schema()


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page: what the site, and those who show Markdown, make of its headings."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_every_link_of_the_readme_leads_somewhere() -> None:
    for name in ("README.md", "CONTRIBUTING.md"):
        for target in re.findall(r"\]\(([^)]+)\)", (ROOT / name).read_text(encoding="utf-8")):
            file, _, anchor = target.partition("#")
            if "://" not in target:
                assert (ROOT / (file or name)).exists(), f"{name} points to {target}"
                assert not anchor or anchor in anchors(ROOT / (file or name)), f"{name} points to {target}"


def test_what_is_cited_is_what_the_package_says_of_itself() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert (cited["title"], cited["version"], cited["license"]) == (
        project["name"],
        project["version"],
        project["license"],
    )
    assert cited["abstract"] == project["description"]
    assert cited["references"][0]["doi"] in (ROOT / "tech_params" / "references.bib").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["device", "chip", "rule", "chart"])
def test_everything_registered_loads(kind: str) -> None:
    assert registry.names(kind)
    for name in registry.names(kind):
        assert registry.load(kind, name) is not None


def test_dependencies_have_lower_bounds_and_no_pins() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    apart = {"aihwkit", "dev", "sbatch", "torch", "trace"}
    assert extras["dev"][0] == f"archsim[{','.join(sorted(set(extras) - apart))}]"
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
        assert len(text.splitlines()) <= 400, f"{path}: more than one idea?"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                assert node.end_lineno - node.lineno <= 75, f"{path}: {node.name}"
            if isinstance(node, ast.ClassDef):
                assert node.end_lineno - node.lineno <= 260, f"{path}: {node.name}"

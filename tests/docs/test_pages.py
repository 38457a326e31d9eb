"""Every page of docs/ runs as printed, is in the navigation, and leads nowhere wrong."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from docs_kit import DOCS, ROOT, alike, blocks, run_page, site

import archsim

PAGES = sorted(path.relative_to(DOCS) for path in DOCS.rglob("*.md"))
TESTS = Path(__file__).parent
OWN = [page for page in PAGES if (TESTS / f"test_{page.stem.replace('-', '_')}_page.py").is_file()]
"""Pages that a test of their own runs."""
RUN = [
    page for page in PAGES if page not in OWN and any(b.language in ("console", "python") for b in blocks(DOCS / page))
]
LONG = [page for page in PAGES if any(block.mark == "long" for block in blocks(DOCS / page))]


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("page", RUN, ids=str)
def test_a_page_runs_as_printed(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run_page(DOCS / page)


@pytest.mark.long
@pytest.mark.parametrize("page", LONG, ids=str)
def test_a_page_runs_with_what_takes_long(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run_page(DOCS / page, long=True)


def test_numbers_that_are_off_by_a_fifth_are_told() -> None:
    assert alike("mixed-precision: 53.61 nJ", "  mixed-precision:   50.1 nJ ")
    assert not alike("mixed-precision: 53.61 nJ", "mixed-precision: 64.3 nJ")
    assert not alike("mixed-precision: 53.61 nJ", "mixed-precision: 53.61 uJ")
    assert not alike("1,000 samples", "1 samples")
    assert alike("chip: 53.61 nJ ...", "chip: 53.7 nJ and 13 us")
    assert not alike("chip: 53.61 nJ ...", "chip: 90 nJ and 13 us")


def navigation() -> set[str]:
    """Return the pages of docs/ that the navigation names."""
    named: set[str] = set()

    def walk(entry: object) -> None:
        for each in entry if isinstance(entry, list) else entry.values() if isinstance(entry, dict) else [entry]:
            walk(each) if isinstance(each, list | dict) else named.add(str(each))

    walk(yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"])
    return {name for name in named if not name.startswith("generated:")}


def test_every_page_is_in_the_navigation_and_every_entry_is_a_page() -> None:
    assert sorted(navigation()) == sorted(map(str, PAGES))


def test_every_page_asks_its_question_first() -> None:
    """Newer pages begin with what a reader wants to know, in bold, ending in a question mark."""
    asking = [
        page for page in PAGES if re.search(r"^# .+\n\n\*\*[^*]+\?\*\*", (DOCS / page).read_text(encoding="utf-8"))
    ]
    assert {"start.md", "my-network.md", "my-technology.md", "my-device.md", "my-chip.md"} <= {str(p) for p in asking}


VALIDATION = (DOCS / "validation.md").read_text(encoding="utf-8")


def test_the_table_of_checks_has_what_was_recorded() -> None:
    recorded = {(row.published, row.found) for row in site("checks").rows()}
    table = re.findall(
        r"^\| .+ \| (?:independent|the case's own) \| (.+?) \| (.+?) \| [-+][\d.]+ %", VALIDATION, re.MULTILINE
    )
    assert len(table) >= 25
    assert [row for row in table if row not in recorded] == []


def test_the_counts_of_checks_are_those_of_the_record() -> None:
    """README and page say how many designs, checks and predictions there are; the table's rows add up to them."""
    rows = site("checks").rows()
    predictions = [row for row in rows if row.kind == "prediction"]
    designs = len({row.case for row in rows})
    assert f"{designs} published designs" in VALIDATION
    assert f"of {len(rows)} checks {len(predictions)} are predictions" in VALIDATION
    assert f"{designs} published designs {len(predictions)} checks" in (ROOT / "README.md").read_text(encoding="utf-8")
    told = re.findall(
        r"^\| (measured|simulated).*? \| .+? \| (\d+) \| [\d.]+ \| ([\d.]+) \| \d+ \|$", VALIDATION, re.MULTILINE
    )
    for kind in ("measured", "simulated"):
        factors = [
            max(r.factor, 1 / r.factor) for r in predictions if (r.evidence == "measured") == (kind == "measured")
        ]
        assert sum(int(number) for which, number, _ in told if which == kind) == len(factors)
        worst = max(float(factor) for which, _, factor in told if which == kind)
        assert worst == pytest.approx(max(factors), abs=0.01)


def test_every_generated_part_that_a_page_asks_for_is_there_and_says_something() -> None:
    asked = {
        name
        for page in PAGES
        for name in re.findall(r"^<!-- generated: (\S+) -->$", (DOCS / page).read_text(), re.MULTILINE)
    }
    parts = site("").PARTS
    assert asked == set(parts)
    for name in asked:
        assert parts[name]().count("\n") >= 2, name


def test_every_command_and_every_kind_of_file_has_its_page() -> None:

    from archsim.cli import commands as all_commands
    from archsim.studies.schemas import schemas

    found = site("").pages()
    for command in all_commands().commands:
        assert f"# archsim {command}" in found[f"reference/commands/{command}.md"]
    for name in schemas():
        kind = name.removesuffix(".schema.json")
        assert kind in ("architecture", "device") or f"reference/files/{kind}.md" in found
    assert "| `--steps NUMBER` | Training steps" in found["reference/commands/run.md"]
    assert "| `learning_rate` | number, above 0" in found["reference/files/workload.md"]
    assert "5.12&nbsp;pJ" in found["model/technologies/bottom-up-14nm.md"]


def test_the_keys_of_the_summary_that_the_page_promises_are_those_of_the_program() -> None:
    from archsim.runs.summary import json_schema

    page = (DOCS / "runs.md").read_text(encoding="utf-8").partition("## summary.json")[2].partition("\n## ")[0]
    named = set(re.findall(r"`(\w+)`", page))
    schema = json_schema()
    of_chip = set(schema["$defs"]["ChipSummary"]["properties"])
    assert named >= set(schema["properties"]) | of_chip


def test_the_ratio_of_the_results_is_the_one_that_the_workload_records() -> None:
    recorded = yaml.safe_load((ROOT / "workloads" / "mlp-mnist.yaml").read_text(encoding="utf-8"))["recorded"]
    ratio = recorded["energy_ratio"]
    assert f"{ratio:g} in energy" in (DOCS / "results.md").read_text(encoding="utf-8")
    assert f"{ratio:.0f} times the energy" in (DOCS / "index.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["resnet18", "lstm-ptb"])
def test_a_row_of_the_large_networks_is_what_is_estimated(name: str) -> None:
    [row] = re.findall(rf"^\| {name} \|.*?\|.*?\| ([\d.]+) mJ, ([\d.]+) mJ \| ([\d.]+) ",
                       (DOCS / "other-networks.md").read_text(encoding="utf-8"), re.MULTILINE)  # fmt: skip
    found = archsim.estimate(name, batch=1, archs=["mixed-precision-large", "digital32-large"])["architectures"]
    energies = [found[chip]["training"]["energy_per_sample_J"]["total"] for chip in found]
    assert [float(row[0]) * 1e-3, float(row[1]) * 1e-3] == pytest.approx(energies, rel=0.02)
    assert float(row[2]) == pytest.approx(energies[1] / energies[0], rel=0.02)


@pytest.mark.long
def test_the_site_builds_without_a_warning_and_asks_nobody_when_it_is_read(tmp_path: Path) -> None:
    """Twelve seconds; `.ci/run` builds it, too. Links that a reader follows may lead out, what a page loads may not."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stdout + done.stderr
    for page in (tmp_path / "site").rglob("*.html"):
        loaded = re.findall(
            r"<(?:script|img|iframe|link)[^>]* (?:src|href)=[\"']?(https?:[^\"' >]+)", page.read_text("utf-8")
        )
        assert loaded == [], page

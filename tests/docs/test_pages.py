"""Every page of docs/ runs as printed, is in the navigation, and leads nowhere wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from docs_kit import DOCS, ROOT, alike, blocks, run_page

PAGES = sorted(path.relative_to(DOCS) for path in DOCS.rglob("*.md"))
TESTS = Path(__file__).parent
OWN = [page for page in PAGES if (TESTS / f"test_{page.stem.replace('-', '_')}_page.py").is_file()]
"""Pages that a test of their own runs."""
RUN = [
    page for page in PAGES if page not in OWN and any(b.language in ("console", "python") for b in blocks(DOCS / page))
]
LONG = [page for page in PAGES if any(block.mark == "long" for block in blocks(DOCS / page))]


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

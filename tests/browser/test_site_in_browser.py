"""The site opened from a folder, in a real Chromium: it is searched without a server, and asks nobody for anything."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import browser_kit
import pytest
import yaml

pytestmark = browser_kit.needed

ROOT = Path(__file__).parents[2]


def test_pages_are_searched_where_they_are_opened_from_a_folder(tmp_path: Path) -> None:
    pytest.importorskip("material", reason="needs mkdocs-material, of the extra docs")
    own = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    plugins = [each for each in own["plugins"] if isinstance(each, str)]
    kept = {key: own[key] for key in ("site_name", "use_directory_urls", "theme", "extra")}
    (tmp_path / "mkdocs.yml").write_text(yaml.safe_dump({**kept, "plugins": plugins}), encoding="utf-8")
    (tmp_path / "docs/model").mkdir(parents=True)
    for name in ("chip.svg", *own["extra"]["polyfills"]):
        shutil.copy(ROOT / "docs" / name, tmp_path / "docs")
    (tmp_path / "docs/index.md").write_text("# Beginning\n\nNothing of it.\n", encoding="utf-8")
    (tmp_path / "docs/model/deep.md").write_text("# Crossbars\n\nA zebra.\n", encoding="utf-8")
    subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "-q"], cwd=tmp_path, check=True,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
    )  # fmt: skip
    with browser_kit.started() as browser:
        for page in ("index.html", "model/deep.html"):
            tab = browser.new_page()
            asked: list[str] = []
            tab.on("request", lambda request, asked=asked: asked.append(request.url))
            tab.goto((tmp_path / "site" / page).as_uri())
            tab.keyboard.press("f")
            tab.keyboard.type("zebra")
            found = tab.locator(".md-search-result__item h1").first
            found.wait_for(timeout=30_000)
            assert found.inner_text() == "Crossbars"
            assert [each for each in asked if not each.startswith("file:")] == []

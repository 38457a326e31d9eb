"""What MkDocs does beside reading docs/: pages made from the program, and their place in the navigation."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

import generated

FROM_HERE = "generated:"
"""What an entry of the navigation begins with that stands for all generated pages in a folder."""
_MARK = re.compile(r"^<!-- generated: ([a-z-]+) -->$", re.MULTILINE)


@cache
def _pages() -> dict[str, str]:
    return generated.pages()


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put generated pages in place of the entries of the navigation that stand for them."""
    config.nav = _filled(config.nav)
    return config


def _filled(entry: Any) -> Any:
    if isinstance(entry, list):
        filled = [_filled(each) for each in entry]
        return [each for some in filled for each in (some if isinstance(some, list) else [some])]
    if isinstance(entry, dict):
        return {title: _filled(each) for title, each in entry.items()}
    if isinstance(entry, str) and entry.startswith(FROM_HERE):
        folder = entry.removeprefix(FROM_HERE)
        return [page for page in _pages() if page.startswith(f"{folder}/")]
    return entry


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages."""
    for place, text in _pages().items():
        files.append(File.generated(config, place, content=text))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Fill in what a page asks for by a line `<!-- generated: NAME -->`."""
    return _MARK.sub(lambda found: _part(found[1]), markdown)


@cache
def _part(name: str) -> str:
    if name not in generated.PARTS:
        raise PluginError(f"generated: got {name}; expected one of {', '.join(generated.PARTS)}")
    return generated.PARTS[name]()

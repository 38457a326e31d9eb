"""Markdown from values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def cell(text: object) -> str:
    """Return text as it may stand in a cell of a table."""
    return " ".join(str(text).split()).replace("|", "\\|").replace("<", "&lt;")


def code(text: object) -> str:
    """Return text as code in a cell, where a bar needs no backslash and would show it; nothing for nothing."""
    shown = " ".join(str(text).split())
    return f"`{shown}`" if shown else ""


def whole(text: str) -> str:
    """Return a quantity whose number and unit stay on one line."""
    return cell(text).replace(" ", "&nbsp;")


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of cells that are Markdown already."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def below_others(text: str) -> str:
    """Return a page that the search shows below others."""
    return f"---\nsearch:\n  boost: 0.1\n---\n\n{text}"


def hidden_from_search(text: str) -> str:
    """Return a page that the search passes over."""
    return f"---\nsearch:\n  exclude: true\n---\n\n{text}"

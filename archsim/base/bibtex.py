"""Bibliographies: the entries of .bib files, checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from archsim.base import files
from archsim.base.errors import InputError


@dataclass(frozen=True, slots=True)
class Reference:
    """An entry of a .bib file: key, kind ("article"), fields (title, author, year, doi, note), and its line."""

    key: str
    kind: str
    fields: Mapping[str, str]
    file: Path
    line: int


def read_references(path: Path) -> dict[str, Reference]:
    """Read a .bib file: entries `@kind{key, field = {value}, ...}`; braces inside a value are dropped.

    Raises
    ------
    InputError
        If an entry is not closed, has no key, or repeats one; with file and line.
    """
    return dict(_entries(files.read_text(path, "bib", "BibTeX"), path))


@lru_cache(maxsize=32)
def _entries(text: str, path: Path) -> Mapping[str, Reference]:
    found: dict[str, Reference] = {}
    for match in re.finditer(r"^[ \t]*@(\w+)\s*\{\s*([^,\s{}]*)\s*,", text, re.MULTILINE):
        kind, key = match.groups()
        line = text.count("\n", 0, match.start()) + 1
        if not re.fullmatch(r"[\w:.+/-]+", key):
            raise InputError(
                "entry without a key of letters, digits and :.+/-",
                file=files.display(path),
                line=line,
                expected="@kind{key, ...}",
            )
        if key in found:
            raise InputError(
                f"key given before, in line {found[key].line}", file=files.display(path), line=line, key=key
            )
        end = closing(text, text.index("{", match.start()))
        if end is None:
            raise InputError("entry is not closed", file=files.display(path), line=line, key=key, expected="}")
        found[key] = Reference(key, kind.lower(), fields(text[match.end() : end]), path, line)
    return found


def closing(text: str, start: int) -> int | None:
    """Return the place of the brace that closes the one at `start`, or None."""
    depth = 0
    for brace in re.compile(r"[{}]").finditer(text, start):
        depth += 1 if brace.group() == "{" else -1
        if depth == 0:
            return brace.start()
    return None


def fields(body: str) -> dict[str, str]:
    """Return name -> value of the fields of an entry; braces inside a value are dropped."""
    found: dict[str, str] = {}
    place = 0
    while match := re.compile(r"\s*,?\s*(\w+)\s*=\s*").match(body, place):
        start = match.end()
        if body[start : start + 1] == "{":
            end = closing(body, start)
            end = len(body) if end is None else end
            value, place = body[start + 1 : end], end + 1
        else:
            plain = re.compile(r'"([^"]*)"|([^,\s]+)').match(body, start)
            if plain is None:
                break
            value, place = plain.group(1) or plain.group(2) or "", plain.end()
        found[match.group(1).lower()] = " ".join(value.replace("{", "").replace("}", "").split())
    return found

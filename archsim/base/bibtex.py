"""Pieces of BibTeX: the end of an entry, and its fields."""

from __future__ import annotations

import re


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

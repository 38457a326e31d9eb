"""Reference of archsim's files, from the JSON Schemas of the models that read them."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from archsim.studies.schemas import schemas
from generated.text import below_others, cell, code, table

HOME = "reference/files"
OF_ALL = ("architecture", "device")
"""Schemas that only choose one of the others."""
MOST = 12
"""Choices that are written out in one cell."""


@cache
def _schemas() -> dict[str, dict[str, Any]]:
    found = {name.removesuffix(".schema.json"): schema for name, schema in schemas().items()}
    return {name: schema for name, schema in found.items() if name not in OF_ALL}


def contents() -> str:
    """Return the table of kinds of file."""
    rows = [[f"[{name}](files/{name}.md)", cell(schema["title"])] for name, schema in _schemas().items()]
    return table(["file", "what it says"], rows)


def pages() -> dict[str, str]:
    """Return a page for each kind of file: its keys, and those of each block in it."""
    return {f"{HOME}/{name}.md": below_others(_page(name, schema)) for name, schema in _schemas().items()}


def _page(name: str, schema: dict[str, Any]) -> str:
    whole = {**schema, **schema["else"]} if "properties" not in schema else schema
    blocks = {
        key: block for key, block in schema.get("$defs", {}).items()
        if not key.startswith("extending.") and "properties" in block
    }  # fmt: skip
    told = f"`archsim schema` writes this as `{name}.schema.json`, for completion in editors."
    if "extending" in json.dumps(schema):
        told += " A file that `extends` another says only what differs."
    lines = [f"# {schema['title']}", "", told, "", _intro(whole), _keys(whole, blocks)]
    for key, block in blocks.items():
        lines += [f"## {_title(key)} {{ #{_anchor(key)} }}", "", _intro(block), _keys(block, blocks)]
    return "\n".join(lines)


def _intro(schema: dict[str, Any]) -> str:
    text = str(schema.get("description", "")).replace("<", "&lt;")
    return f"{text}\n" if text else ""


def _keys(schema: dict[str, Any], blocks: dict[str, Any]) -> str:
    needed = schema.get("required", [])
    rows = []
    for key, value in schema.get("properties", {}).items():
        default = "required" if key in needed else _default(value)
        rows.append([code(key), _kind(value, blocks), default])
    return table(["key", "value", "if not given"], rows) if rows else ""


def _default(value: dict[str, Any]) -> str:
    if "default" not in value:
        return ""
    return "nothing" if value["default"] is None else code(json.dumps(value["default"], ensure_ascii=False))


def _kind(value: dict[str, Any], blocks: dict[str, Any]) -> str:
    """Return what a value has to be, in words."""
    if reference := value.get("$ref"):
        name = reference.rpartition("/")[2]
        return f"[{_title(name)}](#{_anchor(name)})" if name in blocks else cell(name)
    if choices := value.get("anyOf") or value.get("oneOf"):
        kinds = [_kind(each, blocks) for each in choices if each.get("type") != "null"]
        return " or ".join(dict.fromkeys(kind for kind in kinds if kind))
    if "const" in value or "enum" in value:
        allowed = value.get("enum", [value.get("const")])
        return ", ".join(code(each) for each in allowed[:MOST]) + (", ..." if len(allowed) > MOST else "")
    if value.get("type") in ("array", "object"):
        return _many(value, blocks)
    told = cell(value.get("description", ""))
    return told if told and "pattern" in value else _plain(value) + (f": {told}" if told else "")


def _many(value: dict[str, Any], blocks: dict[str, Any]) -> str:
    """Return what a list or a mapping holds."""
    if value["type"] == "array":
        return f"list of {_kind(value['items'], blocks)}" if value.get("items") else "list"
    inner = value.get("additionalProperties")
    return f"name: {_kind(inner, blocks)}" if isinstance(inner, dict) and inner else "keys and values"


def _plain(value: dict[str, Any]) -> str:
    kind = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}
    bounds = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}
    said = [f"{words} {value[key]:g}" for key, words in bounds.items() if key in value]
    name = kind.get(str(value.get("type")), "any value")
    return f"{name}, {', '.join(said)}" if said else name


def _title(key: str) -> str:
    return key.removesuffix("File").removesuffix("Text")


def _anchor(key: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in key.lower())

"""The files that archsim ships, as pages: architectures and workloads, and what their accounts count."""

from __future__ import annotations

from functools import cache

from archsim.base.files import shipped, shipped_names
from archsim.chips.architecture import Architecture, document, parse
from archsim.runs import workload as workloads
from generated.text import cell, hidden_from_search, table

HOME = "reference/shipped"


@cache
def _architectures() -> dict[str, Architecture]:
    return {name: parse(document(name)) for name in shipped_names("architectures")}


def boundary() -> str:
    """Return which functions are inside the account of each chip, and which are not."""
    rows = []
    for inside, outside in dict.fromkeys(_account(each) for each in _architectures().values()):
        names = [name for name, each in _architectures().items() if _account(each) == (inside, outside)]
        rows.append([", ".join(names), inside, outside])
    return table(["chips", "inside", "outside"], rows)


def _account(architecture: Architecture) -> tuple[str, str]:
    return ", ".join(architecture.boundary.inside), ", ".join(architecture.boundary.outside)


def _titles() -> dict[str, dict[str, str]]:
    return {
        "architectures": {name: each.title for name, each in _architectures().items()},
        "workloads": {name: workloads.document(name).data["title"] for name in shipped_names("workloads")},
    }


def contents() -> str:
    """Return the tables of architectures and workloads."""
    text = ""
    for kind, titles in _titles().items():
        rows = [[f"[{name}](shipped/{kind}/{name}.md)", cell(title)] for name, title in titles.items()]
        text += f"## {kind.capitalize()}\n\n{table([kind.removesuffix('s'), 'what it is'], rows)}\n"
    return text


def pages() -> dict[str, str]:
    """Return each shipped architecture and workload as its file."""
    found = {}
    for kind, titles in _titles().items():
        for name, title in titles.items():
            file = (shipped(kind) / f"{name}.yaml").read_text(encoding="utf-8")
            found[f"{HOME}/{kind}/{name}.md"] = hidden_from_search(f"# {name}\n\n{title}.\n\n```yaml\n{file}```\n")
    return found

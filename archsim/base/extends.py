"""Files that extend others: the chain from a file to the last it extends, and their mappings laid over each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from archsim.base import files, finding
from archsim.base.errors import InputError
from archsim.base.yamlfile import Document, Key, read

DEPTH = 20
"""Files that one may extend, one through the other."""


def chain(start: Path | Document, kind: str, check: Callable[[Document], object]) -> list[Document]:
    """Return a file and those it extends, nearest first; each has a name, by default that of its file.

    Parameters
    ----------
    start : the file, or what stands in for one
    kind : folder of shipped files in which the name of a parent is looked up ("tech_params", "architectures")
    check : called with each document before its parent is looked for

    Raises
    ------
    InputError
        If a parent is missing, if `extends` runs in a circle or goes on through more than `DEPTH` files; with file
        and line.
    """
    documents: list[Document] = []
    seen: list[Path] = []
    document = named(start if isinstance(start, Document) else read(start))
    while True:
        check(document)
        documents.append(document)
        seen.append(document.path.resolve())
        if (name := document.data.get("extends")) is None:
            return documents
        if not isinstance(name, str):
            raise document.error(("extends",), value=name, expected="the name or the file of what is extended")
        if len(documents) > DEPTH:
            raise documents[0].error(
                ("extends",), f"goes on through more than {DEPTH} files", expected=f"at most {DEPTH}",
                hint=f"The last one read is {files.display(document.path)}",
            )  # fmt: skip
        try:
            near = None if document.text else document.path.parent
            path = finding.find(name, kind, option="extends", near=near)
        except InputError as error:
            raise document.error(("extends",), value=error.value, expected=error.expected, hint=error.hint) from error
        if path.resolve() in seen:
            names = [each.data["name"] for each in documents[seen.index(path.resolve()) :]]
            circle = " -> ".join(map(str, [*names, names[0]]))
            raise document.error(("extends",), f"runs in a circle: {circle}")
        document = named(read(path))


def named(document: Document) -> Document:
    """Return the document with the name of its file where it gives none."""
    return replace(document, data={"name": document.path.stem, **document.data})


def merge(documents: Sequence[Document]) -> Document:
    """Return the first document laid over the second, and so on: mappings key by key, all else replaced.

    The name is the first one's. Each key keeps the file and the line where it stands, for errors. A block without
    content leaves that of the parent as it is.
    """
    first = documents[0]
    data: dict[str, Any] = {}
    lines: dict[Key, int] = {}
    homes: dict[Key, Path] = {}
    for document in reversed(documents):
        data = _over(data, document.data)
        lines |= document.lines
        homes |= dict.fromkeys(document.lines, document.path)
    del data["name"]
    data = {"name": first.data["name"], **{key: value for key, value in data.items() if key != "extends"}}
    ancestors = tuple(document.path for document in documents[1:])
    return replace(first, data=data, lines=lines, homes=homes, ancestors=ancestors)


def _over(below: Any, above: Any) -> Any:
    if not isinstance(below, dict):
        return above
    if above is None:
        return below
    if not isinstance(above, dict):
        return above
    return {**below, **{key: _over(below.get(key), value) for key, value in above.items()}}

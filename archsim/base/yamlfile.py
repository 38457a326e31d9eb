"""Read YAML strictly and validate it with a model; every error names file, line and key.

PyYAML alone reads `1e-9` as text, `no` as False and lets a duplicate key win silently. This loader reads YAML 1.2
scalars, refuses duplicate keys and keeps the line of every key.
"""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from archsim.base import model_keys, units
from archsim.base.errors import FaultBelow, InputError, folded, nearest, shown
from archsim.base.files import display, read_text

Key = tuple[str | int, ...]
M = TypeVar("M", bound=BaseModel)


class Record(BaseModel):
    """A validated piece of a file: frozen, no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)
    ELSEWHERE: ClassVar[Mapping[str, str]] = {}
    """Keys of other tools and what they are called here, for the hint where one is met."""
    KINDS: ClassVar[Mapping[str, str]] = {}
    """Likewise kinds of block, of which this is one, `folded`: the kind here, or what to do in its place."""

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_for_a_number(cls, value: object, info: ValidationInfo) -> object:
        """Refuse True and False where a number is asked for: Python would take them for 1 and 0."""
        if isinstance(value, bool) and info.field_name in cls.model_fields:
            kind = cls.model_fields[info.field_name].annotation
            if kind in (int, float) or {int, float} & set(getattr(kind, "__args__", ())):
                raise ValueError(f"got {value}; expected a number")
        return value


class FileRecord(Record):
    """A whole file: says which version of its schema it follows."""

    schema_version: Literal[1] = Field(alias="schema")


STORED = {"quantities": "SI"}
"""Validation context of what archsim itself wrote into a run directory: its quantities are numbers in SI."""


LARGEST = {"S": 1.0, "V": 1e3, "m": 10.0, "s": 1e9}
"""Quantities of a chip or a device that are larger than these are slips of a unit."""


def quantity(unit: str) -> BeforeValidator:
    """Return what makes `Annotated[float, quantity("s")]` a quantity: text with a unit in the file, SI in the model."""
    return BeforeValidator(partial(read_quantity, unit=unit))


def read_quantity(value: object, info: ValidationInfo, *, unit: str) -> float:
    """Return a quantity in SI; the validator behind `quantity`, which names its unit to JSON Schemas."""
    if info.context is STORED and isinstance(value, int | float):
        return value
    try:
        found = units.parse(value, unit)
    except InputError as error:
        raise ValueError(error.message) from error
    most = LARGEST.get(unit)
    if most is not None and abs(found) > most:
        raise ValueError(f"got {shown(value)}; expected at most {units.show(most, unit)}, more than any chip has")
    return found


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """SafeLoader, the one in C where there is one, with YAML 1.2 scalars."""


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"true|false|True|False", "tfTF"),
    ("null", r"null|~|", ["n", "~", ""]),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.inf|\.nan", "-+.0123456789"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first))
_Loader.add_constructor("tag:yaml.org,2002:float", lambda _, node: _float(node.value))
_Loader.add_constructor("tag:yaml.org,2002:int", lambda _, node: int(node.value))


def _float(text: Any) -> float:
    return math.nan if text == ".nan" else float(str(text).replace(".inf", "inf"))


@dataclass(frozen=True)
class Document:
    """A YAML file's content and the line of each key; `homes` where keys stand that are not the file's own.

    `ancestors` are the documents that it extends, nearest first; `text` is what stands in for a file that is none.
    """

    path: Path
    data: dict[str, Any]
    lines: dict[Key, int] = field(repr=False)
    settings: dict[Key, str] = field(default_factory=dict, repr=False)
    text: str | None = field(default=None, repr=False)
    homes: dict[Key, Path] = field(default_factory=dict, repr=False)
    ancestors: tuple[Path, ...] = ()

    @property
    def source(self) -> Path | bytes:
        """The file, or the bytes that stand in for it."""
        return self.path if self.text is None else self.text.encode()

    def with_settings(self, settings: dict[Key, str], option: str = "--set") -> Document:
        """Return a copy in which keys have the given texts as values (read as YAML scalars); errors name the option."""
        data = copy.deepcopy(self.data)
        known: dict[Key, str] = {}
        for key, text in settings.items():
            place: Any = data
            path: list[str | int] = []
            for part in key:
                step = int(part) if isinstance(place, list) and str(part).isdecimal() else part
                path.append(step)
                inside = isinstance(place, dict) or (isinstance(place, list) and step in range(len(place)))
                if not inside:
                    raise InputError(file=option, key=dotted(key), value=text, expected="the path of an existing key")
                if len(path) == len(key):
                    place[step] = _value(text, option, key)
                elif isinstance(place, dict):
                    place = place.setdefault(step, {})
                else:
                    place = place[step]
            known[tuple(path)] = text
        return replace(self, data=data, settings={**self.settings, **known})

    def line(self, key: Key) -> int | None:
        """Return the line of a key, or of the nearest key above it that stands in the file."""
        return self.lines.get(self._standing(key))

    def home(self, key: Key) -> Path:
        """Return the file in which a key stands, or the nearest key above it."""
        return self.homes.get(self._standing(key), self.path)

    def _standing(self, key: Key) -> Key:
        while key and key not in self.lines:
            key = key[:-1]
        return key

    def error(self, key: Key, message: str = "", **fields: Any) -> InputError:
        """Return an error that names this file, the key and its line, or the option that set the key."""
        if any(key[: len(given)] == given or given[: len(key)] == key for given in self.settings if key):
            return InputError(message, file="--set", key=dotted(key) or None, **fields)
        file = display(self.home(key))
        return InputError(message, file=file, line=self.line(key), key=dotted(key) or None, **fields)


def _value(text: str, option: str, key: Key) -> Any:
    """Read the text of a setting as a YAML value."""
    try:
        node = yaml.compose(text, Loader=_Loader)
        return None if node is None else _built(node, key, {}, Path(option))
    except (
        yaml.YAMLError,
        ValueError,
        TypeError,
        RecursionError,
    ) as error:  # InputError, for a duplicate key, is a ValueError
        raise InputError(file=option, key=dotted(key), value=text, expected="a YAML value") from error


def dotted(key: Key) -> str:
    """Return ("layers", 0, "units") as "layers[0].units"."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key).lstrip(".")


def given(content: Mapping[str, Any], what: str) -> Document:
    """Return what a program gave in place of a file, as a document whose text is that mapping as YAML.

    Raises
    ------
    InputError
        If it is no mapping that YAML can hold, or has no `name`.
    """
    name = content.get("name") if isinstance(content, Mapping) else None
    if not isinstance(name, str) or not re.fullmatch(r"[\w.-]+", name):
        raise InputError(key=f"{what}: name", value=name, expected="a name of letters, digits, dots and dashes")
    try:
        text = yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True)
    except yaml.YAMLError as error:
        raise InputError("holds what YAML does not", key=f"{what} {name}", expected="texts, numbers, lists") from error
    return replace(parsed(text, Path(f"{name}.yaml")), text=text)


def paths(data: object, above: str = "") -> dict[str, Any]:
    """Return dotted path -> value of all values and blocks below a mapping, in order; items of lists by number."""
    items: Any = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    found: dict[str, Any] = {}
    for name, value in items:
        here = f"{above}.{name}" if above else str(name)
        found |= {here: value, **paths(value, here)}
    return found


def read(path: Path) -> Document:
    """Read a YAML mapping.

    Raises
    ------
    InputError
        If the file is missing, not UTF-8, no YAML, no mapping, or repeats a key.
    """
    return parsed(read_text(path, "yaml", "a YAML file"), path)


@lru_cache(maxsize=128)
def parsed(text: str, path: Path) -> Document:
    """Return the document that a text is, or will be in the file `path`; raises what `read` does.

    Whoever reads the same text again shares the document: no one changes it.
    """
    try:
        node = yaml.compose(text, Loader=_Loader)
    except RecursionError as error:
        raise InputError(
            "is nested too deeply", file=display(path), expected="what archsim's files look like"
        ) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else None
        problem = getattr(error, "problem", None) or str(error)
        raise InputError(f"is not valid YAML: {' '.join(problem.split())}", file=display(path), line=line) from error
    lines: dict[Key, int] = {}
    if not isinstance(node, yaml.MappingNode):
        raise InputError("holds no mapping", file=display(path), expected="keys and values", line=1)
    try:
        _count(node, path)
        data = _built(node, (), lines, path)
    except InputError:
        raise
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:  # odd tags, keys and aliases
        raise InputError(
            "holds what no archsim file has: a tag, an alias of itself or a key that is no text",
            file=display(path),
            line=1,
        ) from error
    return Document(path=path, data=data, lines=lines)


MOST = 100_000
"""Values and blocks that a file may hold, each alias counted as often as it is used."""


def _count(node: yaml.Node, path: Path) -> None:
    """Refuse a file whose aliases unfold to more than any file holds."""
    sizes: dict[int, int] = {}

    def size(one: yaml.Node) -> int:
        if id(one) not in sizes:
            sizes[id(one)] = 1  # an alias of itself is refused later
            inside = one.value if isinstance(one, yaml.MappingNode | yaml.SequenceNode) else ()
            parts = (each for pair in inside for each in (pair if isinstance(pair, tuple) else (pair,)))
            sizes[id(one)] = 1 + sum(size(each) for each in parts)
        return sizes[id(one)]

    if (found := size(node)) > MOST:
        raise InputError(
            f"holds {found:,} values and blocks, aliases counted as often as they are used", file=display(path),
            expected=f"at most {MOST:,}",
        )  # fmt: skip


def _built(node: yaml.Node, key: Key, lines: dict[Key, int], path: Path) -> Any:
    """Return what a node holds, and add the line of each key to `lines`."""
    loader = _Loader("")
    try:
        return _build(node, key, lines, path, loader)
    finally:
        loader.dispose()


def _build(node: yaml.Node, key: Key, lines: dict[Key, int], path: Path, loader: Any) -> Any:
    lines.setdefault(key, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        result: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            name = loader.construct_object(key_node, deep=True)
            line = key_node.start_mark.line + 1
            if name in result:
                where = dotted((*key, name))
                first = lines[(*key, name)]
                raise InputError(
                    f"duplicate key, first given in line {first}", file=display(path), line=line, key=where,
                    expected="each key once",
                )  # fmt: skip
            lines[(*key, name)] = line
            result[name] = _build(value_node, (*key, name), lines, path, loader)
        return result
    if isinstance(node, yaml.SequenceNode):
        return [_build(item, (*key, index), lines, path, loader) for index, item in enumerate(node.value)]
    return loader.construct_object(node, deep=True)


def validate(document: Document, model: type[M], data: dict[str, Any] | None = None, *, at: Key = ()) -> M:
    """Validate a document (or `data`, a part of it at the key `at`) with a pydantic model.

    Raises
    ------
    InputError
        For the first thing wrong, with file, line, key, value and what would be right.
    """
    try:
        return model.model_validate(document.data if data is None else data)
    except ValidationError as error:
        raise _input_error(document, model, error, at, data) from None


def _input_error(
    document: Document, model: type[BaseModel], error: ValidationError, at: Key, data: dict[str, Any] | None
) -> InputError:
    def order(found: Any) -> tuple[bool, int]:  # a misspelt key explains the missing one
        return found["type"] == "missing", document.line((*at, *found["loc"])) or 0

    first = min(error.errors(), key=order)
    kind, value = first["type"], first.get("input")
    loc: Key = (*at, *_keys(first["loc"], document.data if data is None else data, absent=kind == "missing"))
    if kind == "extra_forbidden":
        record = model_keys.model_at(model, first["loc"][:-1])
        known = list(model_keys.by_key(record)) if record else []
        called = getattr(record, "ELSEWHERE", {}).get(str(loc[-1]))
        hint = f"Did you mean {called!r}?" if called in known else nearest(str(loc[-1]), known)
        return document.error(loc, "unknown key", expected=f"one of {', '.join(sorted(known))}", hint=hint)
    if kind == "missing":
        wanted = model_keys.wanted(model_keys.model_at(model, first["loc"][:-1]), str(loc[-1]))
        return document.error(loc, "is missing", expected=f"the key {loc[-1]!r}{wanted and ', ' + wanted}")
    if kind == "value_error":
        fault = first["ctx"]["error"]
        return document.error((*loc, *fault.at) if isinstance(fault, FaultBelow) else loc, str(fault))
    if kind == "literal_error":
        expected = first["ctx"]["expected"]
        hint = nearest(str(value), re.findall(r"'([^']*)'", expected))
        return document.error(loc, value=value, expected=expected, hint=hint)
    if kind.startswith("union_tag"):
        return _kind_error(document, model, first, loc)
    return document.error(loc, f"got {shown(value)}", expected=model_keys.said(first["msg"]))


def _keys(loc: Key, content: Any, *, absent: bool) -> Key:
    """Return the keys that pydantic's place of an error goes through: without tags and names of a union's parts.

    With `absent` the last of them does not stand in the content.
    """
    found: list[str | int] = []
    for index, part in enumerate(loc):
        listed = isinstance(content, list) and isinstance(part, int) and part < len(content)
        if listed or (isinstance(content, Mapping) and part in content):
            content = content[part]
        elif str(part).startswith("<") or not absent or index < len(loc) - 1:
            continue
        found.append(part)
    return tuple(found)


def _kind_error(document: Document, model: type[BaseModel], found: Any, loc: Key) -> InputError:
    """Return the error for a block of no known kind; tags of a union are "<name>", of what stands under "kind"."""
    if found["type"] == "union_tag_not_found":
        return document.error(loc, "is missing its kind", expected="a key 'kind'")
    known = sorted(re.findall(r"'<([^']*)>'", found["ctx"]["expected_tags"]))
    tag = found["ctx"]["tag"].strip("<>")
    alike = {folded(name): name for name in known}
    said = alike.get(folded(tag)) or getattr(model_keys.model_at(model, found["loc"]), "KINDS", {}).get(folded(tag))
    hint = f"Did you mean {said!r}?" if said in known else said or nearest(tag, known)
    return document.error((*loc, "kind"), value=tag, expected=f"one of {', '.join(known)}", hint=hint)

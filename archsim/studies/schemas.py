"""JSON Schemas of archsim's files, from the models that read them, for completion and checks in editors.

A quantity is a string with a unit there: number, then unit. What a schema cannot say (that a unit fits, that a source
stands in references.bib) the reader and `archsim tech lint` still check.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from archsim.accounting.area import AREA_UNITS
from archsim.accounting.figure_text import AreaText, FigureText, TimeText
from archsim.accounting.laws import LAWS
from archsim.accounting.technology import Header
from archsim.base import registry
from archsim.base.files import shipped_names, write_text
from archsim.base.units import like
from archsim.base.yamlfile import read_quantity
from archsim.chips.architecture import Architecture
from archsim.chips.published.published_file import PublishedArchitecture
from archsim.runs.workload import Workload
from archsim.studies.inventory import AskedTimes, small_chip
from archsim.studies.sweeps.study import StudyFile
from archsim.studies.validation.case_file import CaseFile

DIALECT = "https://json-schema.org/draft/2020-12/schema"
QUANTITY = r"^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*[A-Za-zµμ%].*$"
"""What a quantity looks like: a number, then a unit."""
_PRICE = {
    "type": "string", "pattern": QUANTITY,
    "examples": ["5.12 pJ/conversion", "4 pJ/bit", "69 fJ/bit/mm", "0.3 uW/KiB"],
    "description": "A price with its unit: J, J/bit, J/bit/m, V^2, W or W/bit, any prefix; counts (/op) may stand",
}  # fmt: skip
_AREA = {
    "type": "string", "pattern": QUANTITY, "examples": ["40 um^2", "0.12 um^2/bit"],
    "description": "An area with its unit: m^2 or m^2/bit, any prefix",
}  # fmt: skip
_KEY = r"^[a-z0-9_]+(\.[a-z0-9_]+)+$"


class _Generator(GenerateJsonSchema):
    """Generator in which a quantity is a string with a unit."""

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        """Return a quantity's schema, or that of the model behind another validator."""
        function: Any = schema["function"]["function"]
        if isinstance(function, partial) and function.func is read_quantity:
            return _quantity(function.keywords["unit"])
        return super().function_before_schema(schema)


def schemas() -> dict[str, dict[str, Any]]:
    """Return file name -> JSON Schema: technology, workload, case, sweep, one for each kind of chip and device."""
    found = {
        "technology": _technology(),
        "workload": _nameless(_model(Workload, "A network, its data set and its training")),
        "sweep": _nameless(_model(StudyFile, "A sweep: what is trained or estimated, over which values")),
        "case": _model(CaseFile, "A published design: its numbers as inputs and checks"),
    }
    chips = registry.each("chip", lambda chip: _schemed(chip.SCHEMA))
    chips["kernels"] = PublishedArchitecture
    devices = registry.each("device", lambda device: _schemed(device.FILE))
    for kind, models, key in (("architecture", chips, "chip"), ("device", devices, "model")):
        for name, model in models.items():
            schema = _nameless(_model(model, f"{kind.capitalize()} file with {key}: {name}"))
            found[f"{kind}-{name}"] = _extensible(schema) if issubclass(model, Architecture) else schema
        found[kind] = _one_of(kind, key, {name: found[f"{kind}-{name}"] for name in models})
    return {f"{name}.schema.json": schema for name, schema in sorted(found.items())}


def _schemed(model: type[BaseModel]) -> type[BaseModel]:
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        raise TypeError(f"{model!r} is no schema")
    return model


def write_schemas(out: Path) -> list[Path]:
    """Write all schemas into a folder and return their paths."""
    paths = []
    for name, schema in schemas().items():
        write_text(out / name, json.dumps(schema, indent=2, ensure_ascii=False) + "\n")
        paths.append(out / name)
    return paths


def _quantity(unit: str) -> dict[str, Any]:
    text = like(unit)
    schema: dict[str, Any] = {"type": "string", "pattern": QUANTITY, "description": text[:1].upper() + text[1:]}
    if '"' in text:
        schema["examples"] = [text.split('"')[1]]
    return schema


def _model(model: type[BaseModel], title: str) -> dict[str, Any]:
    schema = model.model_json_schema(by_alias=True, schema_generator=_Generator)
    for part in [schema, *schema.get("$defs", {}).values()]:
        _say_origin(part)
    return {"$schema": DIALECT, **schema, "title": title}


def _nameless(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema of files that have the name of their file if they give none."""
    return {**schema, "required": [key for key in schema["required"] if key != "name"]}


EXTENDS = {"type": "string", "description": "Name or file of what is taken over; what stands here replaces"}


def _extensible(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema that asks nothing of a file that extends another but that what stands there is right."""
    whole = {part: value for part, value in schema.items() if part not in ("$schema", "$defs", "title")}
    extending = _renamed(_lenient(whole), "extending")
    extending["properties"]["extends"] = EXTENDS
    definitions = schema.get("$defs", {})
    return {
        "$schema": DIALECT, "title": schema["title"], "type": "object",
        "if": {"required": ["extends"]}, "then": extending, "else": whole,
        "$defs": definitions | {
            f"extending.{name}": _renamed(_lenient(part), "extending") for name, part in definitions.items()
        },
    }  # fmt: skip


def _lenient(schema: Any) -> Any:
    """Return a copy of a schema in which nothing is required, but by what stands beside it."""
    if isinstance(schema, dict):
        return {
            key: value if key in ("allOf", "if", "then") else _lenient(value)
            for key, value in schema.items()
            if not (key == "required" and isinstance(value, list))
        }
    return [_lenient(each) for each in schema] if isinstance(schema, list) else schema


def _say_origin(schema: dict[str, Any]) -> None:
    """Add what each basis demands beside it."""
    if "basis" not in schema.get("properties", {}):
        return

    def demand(bases: list[str], keys: list[str]) -> dict[str, Any]:
        return {"if": {"properties": {"basis": {"enum": bases}}, "required": ["basis"]}, "then": {"required": keys}}

    rules = [
        demand(["measured", "published", "derived"], ["where"]),
        demand(["published", "derived"], ["source"]),
        {**demand(["measured"], []), "then": {"oneOf": [{"required": ["source"]}, {"required": ["data"]}]}},
        {"if": {"required": ["data"]}, "then": {"properties": {"basis": {"const": "measured"}}}},
        demand(["derived"], ["derived_by"]),
        demand(["assumed"], ["why"]),
    ]
    if "calibrated" in schema["properties"]:
        rules.append(demand(["calibrated"], ["source", "calibrated"]))
    schema["allOf"] = [*schema.get("allOf", []), *rules]


def _one_of(kind: str, key: str, members: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Return a schema that asks of a file what its kind of chip or model asks, by the name it gives."""
    schema: dict[str, Any] = {
        "$schema": DIALECT, "title": f"{kind.capitalize()} file; the rest follows from `{key}`", "type": "object",
        "properties": {key: {"enum": list(members)}},
        "anyOf": [{"required": [key]}, {"required": ["extends"]}] if kind == "architecture" else [{"required": [key]}],
    }  # fmt: skip
    definitions: dict[str, Any] = {}
    branches = []
    for name, member in members.items():
        body = {part: value for part, value in member.items() if part not in ("$schema", "$defs")}
        inner = {f"{name}.{each}": value for each, value in member.get("$defs", {}).items()}
        definitions |= _renamed({**inner, name: body}, name)
        test = {"properties": {key: {"const": name}}, "required": [key]}
        branches.append({"if": test, "then": {"$ref": f"#/$defs/{name}"}})
    if kind == "architecture":  # the kind of chip is then the parent's
        any_of = [{"$ref": f"#/$defs/{name}"} for name in members]
        branches.append({"if": {"not": {"required": [key]}}, "then": {"anyOf": any_of}})
    return {**schema, "allOf": branches, "$defs": definitions}


def _renamed(schema: Any, name: str) -> Any:
    """Return a schema whose references lead to definitions under another name."""
    if isinstance(schema, dict):
        return {
            key: value.replace("#/$defs/", f"#/$defs/{name}.") if key == "$ref" else _renamed(value, name)
            for key, value in schema.items()
        }
    return [_renamed(each, name) for each in schema] if isinstance(schema, list) else schema


def _technology() -> dict[str, Any]:
    """Return the schema of technologies: the header, and of each time, figure and area what its reader asks."""
    actions, parts = _known()
    header = _model(Header, "Technology: figures with units and sources")
    time, figure, area = (_model(each, "") for each in (TimeText, FigureText, AreaText))
    _fill(time, _quantity("s"), {})
    _fill(figure, _PRICE, {"prices": actions, "covers": actions})
    _fill(area, _AREA, {"prices": parts, "covers": parts})
    figure["properties"]["law"]["enum"] = list(LAWS)
    size = {"anyOf": [{"type": "integer"}, _quantity("bit")]}
    figure["properties"]["at"]["additionalProperties"] = size
    pair = {"type": "array", "prefixItems": [_quantity("bit"), _PRICE], "minItems": 2, "maxItems": 2}
    figure["properties"]["points"]["items"] = pair
    definitions = dict(header.pop("$defs", {}))
    for name, part in (("time", time), ("figure", figure), ("area", area)):
        definitions |= part.pop("$defs", {})
        del part["$schema"], part["title"]
        definitions[name] = part
        definitions[f"extending.{name}"] = {"anyOf": [part["properties"]["value"], _lenient(part)]}
    sections = {name: f"{name}s" for name in ("time", "figure", "area")}

    def items(prefix: str) -> dict[str, Any]:
        return {
            "properties": {key: {"additionalProperties": {"$ref": f"#/$defs/{prefix}{name}"}}
                           for name, key in sections.items()}
        }  # fmt: skip

    header["properties"] |= {"title": {"type": "string"}, "extends": EXTENDS}
    whole = {**items(""), "required": ["title"]}
    choice = {"if": {"required": ["extends"]}, "then": items("extending."), "else": whole}
    return _nameless({**header, **choice, "$defs": definitions})


def _fill(schema: dict[str, Any], quantity: dict[str, Any], keys: dict[str, list[str]]) -> None:
    """Put quantities in place of what the model leaves to its reader, and the known keys of actions or parts."""
    properties = schema["properties"]
    properties["value"] = quantity
    properties["range"] = {"type": "array", "items": quantity, "minItems": 2, "maxItems": 2,
                           "description": "[low, high], around the value"}  # fmt: skip
    for name, known in keys.items():
        properties[name]["items"] = {"anyOf": [{"enum": known}, {"type": "string", "pattern": _KEY}]}


def _known() -> tuple[list[str], list[str]]:
    """Return the actions and the parts of the shipped architectures, sorted."""
    chips = [small_chip(name, AskedTimes()) for name in shipped_names("architectures")]
    actions = {entry.key for chip in chips for entry in chip.entries()}
    parts = {part.key for chip in chips for part in chip.parts() if part.unit in AREA_UNITS}
    return sorted(actions), sorted(parts)

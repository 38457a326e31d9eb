"""Every shipped file follows its JSON Schema, and every key that technologies price has a kind of circuit."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from archsim.accounting.technology import list_technologies, read_technology
from archsim.base.files import shipped, shipped_names
from archsim.base.yamlfile import read
from archsim.studies.inventory import AskedTimes, declared, entries, parts
from archsim.studies.schemas import schemas
from archsim.technologies.declared import circuit
from archsim.technologies.imports import read_mapping

KINDS = {"technology", "architecture", "workload", "device", "case"}
FOLDERS = ("tech_params", "architectures", "workloads")
FILES = sorted(path for kind in FOLDERS for path in shipped(kind).rglob("*.yaml"))
all_schemas = cache(schemas)


@cache
def validator(name: str) -> Any:
    """Return what checks a file by a schema, itself checked below."""
    return jsonschema.Draft202012Validator(all_schemas()[f"{name}.schema.json"])


def test_every_schema_is_one() -> None:
    assert len(all_schemas()) > len(KINDS)
    assert all(schema["title"] for schema in all_schemas().values())
    for name, schema in all_schemas().items():
        if name.partition("-")[0] in ("architecture", "device"):
            continue  # these are in those of all chips and of all devices, which are checked
        jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_shipped_file_follows_its_schema(path: Path) -> None:
    data = read(path).data
    if data["kind"] not in KINDS:
        own = {"scaling", "import", "bands", "known-misses", "results", "recorded", "measured"}  # archsim's own tables
        assert data["kind"] in own
        return
    validator(data["kind"]).validate(data)
    if data["kind"] in ("architecture", "device") and "extends" not in data:
        kind = data["chip" if data["kind"] == "architecture" else "model"]
        validator(f"{data['kind']}-{kind}").validate(data)


def test_every_kind_of_file_has_a_shipped_example() -> None:
    assert {read(path).data["kind"] for path in FILES} >= KINDS


@pytest.mark.parametrize("name", shipped_names("architectures"))
def test_every_action_part_and_time_has_a_kind_of_circuit(name: str) -> None:
    times = AskedTimes()
    known = declared()
    assert {entry.key for entry in entries(name, times)} <= set(known.actions)
    assert {part.key for part in parts(name, times)} <= set(known.parts)
    assert set(times.keys) <= set(known.times)


@pytest.mark.parametrize("name", list_technologies())
def test_every_figure_of_a_shipped_technology_is_of_one_kind_of_circuit(name: str) -> None:
    technology, units = read_technology(name), declared()
    for section, known in (("figures", units.actions), ("areas", units.parts)):
        for item in getattr(technology, section).values():
            assert circuit(item.prices + item.covers, known, item.name)


def test_imports_price_what_some_chip_does() -> None:
    known, mapping = declared(), read_mapping("accelergy")
    for rule in [*mapping.figures.values(), *mapping.memories.values()]:
        assert set(rule.prices) <= set(known.actions)
    for area in mapping.areas.values():
        assert set(area.prices) <= set(known.parts)

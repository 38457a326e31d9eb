"""JSON Schemas: what they accept and what they refuse."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from archsim.base.files import shipped
from archsim.base.yamlfile import read
from archsim.studies.schemas import schemas, write_schemas

cached = cache(schemas)


def errors(kind: str, data: dict[str, Any]) -> list[str]:
    validator = jsonschema.Draft202012Validator(cached()[f"{kind}.schema.json"])
    return [error.message for error in validator.iter_errors(data)]


def changed(data: dict[str, Any], change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    made = copy.deepcopy(data)
    change(made)
    return made


TECHNOLOGY = read(shipped("tech_params") / "bottom-up-14nm.yaml").data
ARCHITECTURE = read(shipped("architectures") / "mixed-precision.yaml").data


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["figures"]["fp32.add"].update(value=5.12),  # a number without a unit
        lambda d: d["figures"]["fp32.add"].update(value="0.5"),
        lambda d: d["figures"]["fp32.add"].pop("source"),  # derived, without its source
        lambda d: d["figures"]["fp32.add"].pop("derived_by"),
        lambda d: d["figures"]["fp32.add"].update(data="mine.csv"),  # not of a derived figure
        lambda d: d["figures"]["fp32.add"].update(basis="guessed"),
        lambda d: d["figures"]["fp32.add"].update(law="sram"),
        lambda d: d["figures"]["fp32.add"].update(valeu="1 pJ"),
        lambda d: d["figures"]["fp32.add"].update(range=["1 pJ"]),
        lambda d: d["figures"]["fp32.add"].update(prices=["everything"]),
        lambda d: d["figures"]["sram.read"].update(points=[["1 KiB"]]),
        lambda d: d["times"]["digital.cycle"].update(value="one ns"),
        lambda d: d["times"]["digital.cycle"].pop("why"),  # assumed, without a reason
        lambda d: d.update(kind="architecture"),
        lambda d: d.update(schema=2),
    ],
)
def test_a_technology_with_a_mistake_is_marked(change: Callable[[dict[str, Any]], Any]) -> None:
    assert errors("technology", TECHNOLOGY) == []
    assert errors("technology", changed(TECHNOLOGY, change))


def test_a_measured_figure_may_name_own_data_in_place_of_a_source() -> None:
    own = {"basis": "measured", "data": "mine.csv", "where": "sheet 1"}

    def change(figure: dict[str, Any]) -> None:
        for key in ("source", "where", "derived_by"):
            figure.pop(key)
        figure.update(own)

    assert errors("technology", changed(TECHNOLOGY, lambda d: change(d["figures"]["fp32.add"]))) == []
    both = changed(TECHNOLOGY, lambda d: d["figures"]["fp32.add"].update(own))
    assert errors("technology", both)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["bus"].update(length=1e-3),
        lambda d: d["weight"].update(unit="8"),
        lambda d: d["tile"].update(cuont=4),
        lambda d: d["nonidealities"].update(drift="yes"),
        lambda d: d.update(chip="abacus"),
        lambda d: d.pop("refresh"),
    ],
)
def test_an_architecture_follows_the_chip_it_names(change: Callable[[dict[str, Any]], Any]) -> None:
    assert errors("architecture", ARCHITECTURE) == []
    assert errors("architecture", changed(ARCHITECTURE, change))
    assert errors("architecture-digital32", ARCHITECTURE)


def test_editors_are_told_units_laws_and_actions() -> None:
    schema = cached()["technology.schema.json"]
    figure = schema["$defs"]["figure"]["properties"]
    assert "sram-capacity" in figure["law"]["enum"]
    assert "tile.adc.convert" in figure["prices"]["items"]["anyOf"][0]["enum"]
    assert "5.12 pJ/conversion" in figure["value"]["examples"]
    length = cached()["architecture-mixed-precision.schema.json"]["$defs"]["BusFile"]["properties"]["length"]
    assert length["type"] == "string"
    assert length["examples"] == ["2 mm"]
    assert length["description"].startswith("A quantity in m with its unit")


def test_references_lead_somewhere() -> None:
    for name, schema in cached().items():
        text = json.dumps(schema)
        for reference in set(text.split('"$ref": "')[1:]):
            target = reference.split('"')[0].removeprefix("#/$defs/")
            assert target in schema["$defs"], (name, target)


def test_schemas_are_written_as_json(tmp_path: Path) -> None:
    paths = write_schemas(tmp_path / "schemas")
    assert {path.name for path in paths} == set(cached())
    assert json.loads(paths[0].read_text(encoding="utf-8")) == cached()[paths[0].name]


def test_a_file_that_extends_another_may_say_a_part_and_nothing_wrong() -> None:
    chip = {"schema": 1, "kind": "architecture", "extends": "mixed-precision", "tile": {"adc": {"bits": 6}}}
    for kind in ("architecture", "architecture-mixed-precision"):
        assert errors(kind, chip) == []
        assert errors(kind, {**chip, "tile": {"adc": {"bits": "6"}}})
        assert errors(kind, {**chip, "tile": {"adcs": {}}})
        assert errors(kind, {key: value for key, value in chip.items() if key != "extends"})
    tech = {"schema": 1, "kind": "technology", "extends": "bottom-up-14nm", "figures": {"adc.conversion": "1.2 pJ"}}
    assert errors("technology", tech) == []
    assert errors("technology", {**tech, "figures": {"adc.conversion": {"range": ["1 pJ", "2 pJ"]}}}) == []
    assert errors("technology", {**tech, "figures": {"adc.conversion": 1.2}})
    assert errors("technology", {**tech, "figures": {"adc.conversion": {"valeu": "1 pJ"}}})
    assert errors("technology", {key: value for key, value in tech.items() if key != "extends"})


def test_the_name_of_a_file_may_be_left_out() -> None:
    for kind, data in (("technology", TECHNOLOGY), ("architecture", ARCHITECTURE)):
        assert errors(kind, changed(data, lambda d: d.pop("name"))) == []

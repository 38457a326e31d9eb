"""Every component of every shipped architecture declares its parts; each has an area or is listed as without one."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from network_kit import chain, dense

from archsim.accounting.area import AREA_UNITS, Part, area, lint_areas
from archsim.accounting.technology import read_technology
from archsim.base import registry
from archsim.base.files import shipped_names
from archsim.base.streams import Streams
from archsim.chips import architecture as architectures
from archsim.chips.chip import Chip
from archsim.chips.execute import training_step
from archsim.studies.inventory import parts

NETWORK = chain(12, dense("fc1", 9, "relu"), dense("fc2", 3, "sigmoid"), std=0.3)
ARCHITECTURES = shipped_names("architectures")
TECHNOLOGIES = shipped_names("tech_params")
technology = cache(read_technology)


def chip_of(name: str, **settings: str) -> Chip:
    document = architectures.document(name)
    changed = {tuple(key.split("__")): value for key, value in settings.items()}
    parsed = architectures.parse(document.with_settings(changed))
    chip: Chip = registry.load("chip", parsed.chip).start(parsed, NETWORK, technology("bottom-up-14nm"), Streams(5))
    return chip


def amounts(found: list[Part]) -> dict[str, float]:
    return {part.key: part.amount for part in found}


@pytest.mark.parametrize("given", TECHNOLOGIES)
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_part_has_an_area_or_is_listed_as_without_one(name: str, given: str) -> None:
    priced = technology(given)
    declared = parts(name, priced)
    found = area(declared, priced)
    assert [line.key for line in found.lines] == [part.key for part in declared]
    with_area = {line.key for line in found.lines if line.area_m2 is not None and line.figure}
    assert with_area | set(found.unpriced) == {part.key for part in declared}
    assert not with_area & set(found.unpriced)
    assert 0 < found.low < found.total < found.high
    assert [line for line in lint_areas(priced, declared) if not line.startswith("note: ")] == []


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_component_has_what_it_declares_in_a_unit_that_has_an_area(name: str) -> None:
    chip = chip_of(name)
    for component in chip.components():
        assert set(component.parts()) == set(component.PARTS)
        assert {part.unit for part in component.PARTS.values()} <= set(AREA_UNITS)
        assert all(amount > 0 and amount == int(amount) for amount in component.parts().values())
    keys = [(part.component, part.key) for part in chip.parts()]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_training_leaves_the_parts_alone(name: str) -> None:
    chip = chip_of(name)
    before = chip.parts()
    assert chip.twin().parts() == before
    x, target = np.full((1, 12), 0.5, np.float32), np.eye(3, dtype=np.float32)[:1]
    for _ in range(5):
        chip.run(training_step(chip, NETWORK, {"x": x, "target": target}, 1.0))
    chip.settle()
    assert chip.ledger.rows()
    assert chip.parts() == before


def test_all_tiles_of_the_chip_count_in_full_whatever_the_network_takes() -> None:
    found = amounts(chip_of("mixed-precision", tile__count="7", tile__rows="32", tile__columns="16").parts())
    assert found["tile.cells"] == 2 * 7 * 32 * 16
    assert found["tile.dac"] == 7 * (32 + 16)
    assert found["tile.adc"] == 7 * 8


@pytest.mark.parametrize(("shared", "banks"), [(1, 7), (2, 4), (3, 3), (7, 1)])
def test_a_bank_of_converters_that_tiles_share_counts_once(shared: int, banks: int) -> None:
    chip = chip_of("mixed-precision", tile__count="7", tile__adc__tiles_per_bank=str(shared))
    assert amounts(chip.parts())["tile.adc"] == 8 * banks


def test_memories_count_all_their_bits_and_logic_its_lanes() -> None:
    found = amounts(chip_of("digital32", mac_array__lanes="4", mac_array__operand_words="4096").parts())
    assert found["mac_array.logic"] == 4
    assert found["mac_array.operand"] == 4096 * 32
    assert found["mac_array.weights"] == 1024 * 8  # the smallest memory holds a KiB
    assert found["digital_unit.buffer"] == 2048 * 32

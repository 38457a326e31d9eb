"""Every component of every architecture counts what it declares, declares what it counts, and can be priced."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from functools import cache
from typing import Any, ClassVar

import numpy as np
import pytest
from network_kit import chain, dense

from archsim import hardware
from archsim.accounting.area import lint_areas
from archsim.accounting.circuits import CHIP_PARTS, CIRCUITS, PartKind
from archsim.accounting.laws import PRICE_UNITS, SIZE_UNITS
from archsim.accounting.ledger import Action, Ledger
from archsim.accounting.technology import lint, list_technologies, read_technology
from archsim.base import registry
from archsim.base.errors import ModelError
from archsim.base.files import shipped_names
from archsim.base.signal import Tag
from archsim.base.streams import Streams
from archsim.chips import architecture as architectures
from archsim.chips.execute import training_step
from archsim.chips.published.published import PublishedBoard, parse
from archsim.hardware.clock import Clock
from archsim.hardware.component import Component
from archsim.hardware.dram import STANDARDS
from archsim.learning.optimisers.rules import Adam
from archsim.studies.inventory import declared, small_entries_and_parts
from archsim.studies.validation.cases import read_case, shipped_cases

NETWORK = chain(12, dense("fc1", 9, "relu"), dense("fc2", 3, "sigmoid"), std=0.3)
BUSY = {("refresh", "every"): "5", ("refresh", "saturated"): "1.2 uS", ("tile", "rows"): "8",
        ("pairs", "every"): "20", ("pairs", "saturated"): "1.2 uS"}  # fmt: skip
"""So that layers are cut and a few steps bring every action about."""


BURSTS = "mixed-precision in bursts"
LARGE = "mixed-precision-large with "
"""Several chips of one tile and little buffer, with memory of a standard below."""
ADAM = (
    "mixed-precision with adam", "digital32 with adam", "digital-bf16 with adam", "digital-fp8 with adam",
    "digital-int8 with adam",
)  # fmt: skip


@cache
def exercised(name: str) -> Any:
    """Return the chip of an architecture after a few steps, with layers on several tiles and refresh."""
    document = architectures.document(name.partition(" ")[0])
    settings = {key: value for key, value in BUSY.items() if key[0] in document.data}
    if name.startswith(LARGE):
        settings |= {
            ("dram", "kind"): name.removeprefix(LARGE), ("tile", "count"): "1", ("digital_unit", "buffer_words"): "10",
        }  # fmt: skip
    if name == BURSTS:
        settings["outer_product", "burst"] = "4"
    parsed = architectures.parse(document.with_settings(settings))
    decay = 0.01 if name.startswith("digital-") else 0.0
    optimiser = Adam(beta1=0.9, beta2=0.999, epsilon=1e-8, decay=decay) if name in ADAM else None
    chip = registry.load("chip", parsed.chip).start(
        parsed, NETWORK, read_technology("bottom-up-14nm"), Streams(5), optimiser=optimiser
    )
    rng = np.random.default_rng(0)

    def work() -> Any:
        for _ in range(60):
            target = np.eye(3, dtype=np.float32)[rng.integers(0, 3, 1)]
            yield from training_step(
                chip,
                NETWORK,
                {"x": rng.uniform(0, 1, (1, 12)).astype(np.float32), "target": target},
                0.01 if optimiser else 1.0,
            )

    chip.run(work())
    chip.settle()
    return chip


def component_classes() -> list[type[Component]]:
    for module in pkgutil.walk_packages(hardware.__path__, "archsim.hardware."):
        importlib.import_module(module.name)

    def below(kind: type[Component]) -> list[type[Component]]:
        return [each for sub in kind.__subclasses__() for each in (sub, *below(sub))]

    found = [kind for kind in below(Component) if kind.__module__.startswith("archsim.")]
    return [kind for kind in found if not inspect.isabstract(kind)]


@cache
def boards() -> list[PublishedBoard]:
    """Return the boards of all designs of published cases after their kernels."""
    made = []
    for case in map(read_case, shipped_cases()):
        for kernel in case.file.kernels.values():
            settings = {tuple(key.split(".")): str(value) for key, value in kernel.set.items()}
            document = case.architecture(kernel.design).with_settings(settings)
            made.append(PublishedBoard(parse(document), case.technology(kernel.design)))
            made[-1].run_operation(kernel.kernel, density=kernel.density)
    return made


CLASSES = component_classes()
ARCHITECTURES = [*shipped_names("architectures"), BURSTS, *ADAM, *(f"{LARGE}{standard}" for standard in STANDARDS)]


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_declared_action_is_counted_somewhere(kind: type[Component]) -> None:
    counted = {
        row.action
        for chip in [*map(exercised, ARCHITECTURES), *boards()]
        for component in chip.components()
        if type(component) is kind
        for row in chip.ledger.rows()
        if row.component == component.name
    }
    assert counted == set(kind.ACTIONS)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_counted_row_is_declared_by_its_component(name: str) -> None:
    chip = exercised(name)
    declared = {(component.name, action) for component in chip.components() for action in component.ACTIONS}
    assert {(row.component, row.action) for row in chip.ledger.rows()} <= declared
    assert len(chip.entries()) == len(declared)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_amounts_are_finite_positive_and_whole_where_things_are_counted(name: str) -> None:
    chip = exercised(name)
    units = {(e.component, e.key.partition(".")[2]): e.action.unit for e in chip.entries()}
    for row in chip.ledger.rows():
        assert 0 < row.amount < float("inf")
        if units[row.component, row.action] in {"", "bit"}:
            assert row.amount == int(row.amount), row


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_what_leaks_is_declared_in_units_of_time(name: str) -> None:
    for component in exercised(name).components():
        timed = {action for action, each in component.ACTIONS.items() if each.unit in {"s", "bit*s"}}
        assert set(component.powered()) == timed
        assert all(rate > 0 for rate in component.powered().values())


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_leakage_is_the_powered_units_times_the_time_booked(name: str) -> None:
    chip = exercised(name)
    found = {(r.phase, r.component, r.action): r.amount for r in chip.ledger.rows() if r.layer == "chip"}
    rates: dict[tuple[str, str], float] = {}
    for component in chip.components():
        for action, rate in component.powered().items():
            whole = rate * chip.copies(component)
            rates[component.name, action] = rates.get((component.name, action), 0) + whole
    for phase, time_ps in chip.ledger.time_ps.items():
        for (component, action), rate in rates.items():
            assert found.get((phase, component, action), 0) == pytest.approx(rate * time_ps * 1e-12, rel=1e-12)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_sizes_and_units_are_those_that_cost_laws_know(name: str) -> None:
    for entry in exercised(name).entries():
        assert set(entry.sizes) <= set(SIZE_UNITS), entry
        assert all(size > 0 for key, size in entry.sizes.items() if key != "length_m")
        assert entry.action.unit in PRICE_UNITS, entry
        assert entry.action.what


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_units_of_one_name_share_actions_and_sizes(name: str) -> None:
    seen: dict[str, Any] = {}
    for component in exercised(name).components():
        entries = component.entries()
        assert seen.setdefault(component.name, entries) == entries
    kinds: dict[str, type[Component]] = {}
    for kind in CLASSES:
        other = kinds.setdefault(getattr(kind, "kind", kind.__name__), kind)
        assert set(other.ACTIONS) <= set(kind.ACTIONS) or set(kind.ACTIONS) <= set(other.ACTIONS), (
            "one kind, other words"
        )


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_resource_is_at_rest_after_a_run_and_has_a_name_of_its_own(name: str) -> None:
    slots = list(exercised(name).slots())
    assert not [slot.state for slot in slots if slot.state]
    assert len({slot.name for slot in slots}) == len(slots)


@pytest.mark.parametrize("name", list_technologies())
@pytest.mark.parametrize("setting", ["outer_product.burst=4"])
def test_every_technology_prices_what_an_option_of_a_chip_adds(name: str, setting: str) -> None:
    key, value = setting.split("=")
    document = architectures.document("mixed-precision").with_settings({tuple(key.split(".")): value})
    technology = read_technology(name)
    entries, parts = small_entries_and_parts(architectures.parse(document), technology)
    found = [*lint(technology, entries), *lint_areas(technology, parts)]
    assert not [line for line in found if "operand" in line]


@pytest.mark.parametrize("name", list_technologies())
@pytest.mark.parametrize("chip", ADAM)
def test_every_technology_prices_the_memories_and_lanes_of_an_optimiser(name: str, chip: str) -> None:
    technology, made = read_technology(name), exercised(chip)
    found = [*lint(technology, made.entries()), *lint_areas(technology, made.parts())]
    assert not [line for line in found if "optimiser" in line]
    assert {"optimiser_unit.gradient", "optimiser_unit.state"} <= {part.key for part in made.parts()}


class Careless(Component):
    kind = "careless"
    ACTIONS = CLASSES[0].ACTIONS


def test_a_component_that_counts_what_it_has_not_declared_is_found_out() -> None:
    ledger = Ledger()
    component = Careless(Clock(), ledger, "careless")
    with pytest.raises((KeyError, ModelError)):
        component.count(Tag("forward", "fc1"), {"undeclared": 1})
    component.clock.run(
        component.clock.process(
            component.perform(component.job("x", 0, {"undeclared": 1}), Tag("forward", "fc1"), None)
        )
    )
    with pytest.raises(ModelError, match="action 'undeclared' is not one of"):
        ledger.rows()


def test_a_row_under_an_unknown_phase_is_found_out() -> None:
    ledger = Ledger()
    component = Careless(Clock(), ledger, "careless")
    component.count(Tag("backwards", "fc1"), {next(iter(Careless.ACTIONS)): 1})
    with pytest.raises(ModelError, match="phase 'backwards' is not one of forward, backward"):
        ledger.rows()


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_unit_says_of_each_action_part_and_time_what_it_is(kind: type[Component]) -> None:
    for each in (*kind.ACTIONS.values(), *kind.PARTS.values()):
        assert each.part in CHIP_PARTS
        assert each.circuit in CIRCUITS
    assert set(kind.TIMES.values()) <= set(CIRCUITS)


def test_an_action_of_an_unknown_part_or_circuit_is_refused_with_the_nearest_word() -> None:
    with pytest.raises(ModelError, match="action 'one': 'ADCs' is not one of chi memory.* Did you mean 'ADC'"):
        Action("one", "arithmetic", part="ADCs", circuit="analog")
    with pytest.raises(ModelError, match=r"part 'ADC': 'analogue' is not one of .* Did you mean 'analog'"):
        PartKind(part="ADC", circuit="analogue")  # type: ignore[arg-type]


def test_the_unit_of_a_plug_in_declares_all_of_itself_in_one_place() -> None:
    class Comparator(Component):
        kind = "comparator"
        ACTIONS: ClassVar = {"compare": Action("one comparison", "arithmetic", part="ADC", circuit="logic", row="x")}
        PARTS: ClassVar = {"latch": PartKind(part="ADC", circuit="analog")}
        TIMES: ClassVar = {"comparator.delay": "logic"}

    known = declared()
    assert known.actions["comparator.compare"] == "logic"
    assert known.parts["comparator.latch"] == "analog"
    assert known.times["comparator.delay"] == "logic"
    assert known.row(["comparator.compare"]) == ("x", True)
    del Comparator

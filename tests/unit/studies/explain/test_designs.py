from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from explain_kit import figure, small_run, spent
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from archsim.accounting.technology import read_technology
from archsim.api import run as run_once
from archsim.base.bibtex import read_references
from archsim.base.files import shipped, shipped_names
from archsim.chips.architecture import document, parse
from archsim.chips.fitting.demands import require
from archsim.chips.fitting.placement import tiles_demand
from archsim.records.recorded import read
from archsim.records.ruled import ruled
from archsim.records.technologies import find
from archsim.studies.explain import designs
from archsim.studies.explain.designs import NOT_VARIED, SPACE, Axis, Choice, Design, Designs, Space, axes_of, explore
from archsim.studies.explain.sensitivity import read_spent
from archsim.studies.explain.totals import total

FEW = (
    Axis("chi's memory", (
        Choice("one bank", (("outer_product.at", "digital-unit"), ("outer_product.chi.banks", "1"))),
        Choice("at the tiles", (("outer_product.at", "tiles"), ("outer_product.chi.banks", "1"))),
    )),
    Axis("zero inputs", (
        Choice("multiplied", (("mac_array.skip_zero_inputs", "false"),)),
        Choice("skipped", (("mac_array.skip_zero_inputs", "true"),)),
    )),
)  # fmt: skip


def axis(name: str, choices: int) -> Axis:
    return Axis(name, tuple(Choice(f"{name}{k}", ()) for k in range(choices)))


def made(chip: str, shape: tuple[int, ...], factors: np.ndarray, energy: float) -> Designs:
    axes = tuple(axis(f"{chip}-{k}", size) for k, size in enumerate(shape))
    every = tuple(
        Design(tuple(a.choices[i] for a, i in zip(axes, place, strict=True)), float(factors[place]), 0.9, own=False)
        for place in np.ndindex(shape)
    )
    return Designs(chip, axes, every, energy, 0.9)


def test_every_choice_is_one_that_some_shipped_chip_can_be_built_with() -> None:
    """Each setting is known, its value of the right kind, and no choice of an axis is another one."""
    chips = {name: parse(document(name)) for name in shipped_names("architectures")}
    dumped = {name: chip.model_dump(by_alias=True, mode="json") for name, chip in chips.items()}
    for each in SPACE:
        having = [name for name, content in dumped.items() if each in axes_of(content)]
        assert having, each.name
        built = [
            parse(document(having[0]).with_settings({tuple(k.split(".")): v for k, v in choice.settings}))
            for choice in each.choices
        ]
        assert len({repr(one) for one in built}) == len(each.choices), each.name


def test_designs_of_other_tiles_hold_a_network_of_many_tiles() -> None:
    tiles = next(each for each in SPACE if each.name == "tiles")
    for choice in tiles.choices:
        settings = {tuple(key.split(".")): value for key, value in choice.settings}
        tile: Any = parse(document("mixed-precision").with_settings(settings)).tile  # type: ignore[attr-defined]
        require(
            {"chip": [tiles_demand({"fc": (5000, 9000)}, rows=tile.rows, columns=tile.columns, available=tile.count)]}
        )


def test_the_shipped_chips_are_among_their_own_designs() -> None:
    for name in ("mixed-precision", "mixed-precision-one-bank", "digital32"):
        content = parse(document(name)).model_dump(by_alias=True, mode="json")
        own = [choices for _, choices in designs._labelled(name, axes_of(content)) if designs._own(content, choices)]
        assert len(own) == 1, name


@given(b=st.lists(st.floats(0.1, 10), min_size=6, max_size=6), c=st.lists(st.floats(0.1, 10), min_size=4, max_size=4))
@limits(max_examples=50, deadline=None)
def test_shares_of_decisions_are_those_of_an_analysis_of_variance(b: list[float], c: list[float]) -> None:
    """Main effects over a full factorial of all pairs: of a design without effects together they add up to one."""
    over, under = np.outer(b[:3], b[3:5]), np.outer(c[:2], c[2:])
    space = Space(100, (made("base", (3, 2), over, 2.0), made("chip", (2, 2), under, 0.5)))
    found = space.deciding()
    logs = np.log(space.values)
    assert space.values == pytest.approx(4 * over.ravel()[:, None] / under.ravel()[None, :])
    if float(np.var(logs)) < 1e-6:
        return
    assert math.fsum(each.share for each in found) == pytest.approx(1)
    lanes = next(each for each in found if each.axis.name == "base-0")
    by_hand = logs.reshape(3, 2, 4).mean(axis=(1, 2))
    assert np.log(lanes.means) == pytest.approx(by_hand)
    assert lanes.share == pytest.approx(float(np.var(by_hand)) / float(np.var(logs)))


def test_what_is_said_of_the_memory_cell_that_is_not_varied_holds_of_the_figures() -> None:
    (held,) = NOT_VARIED
    figures = read_technology("bottom-up-14nm").figures
    assert set(held.sources) <= set(read_references(shipped("tech_params") / "references.bib"))
    megabit = {"capacity_bit": 2.0**20}
    leakage = figures["sram.leakage"].price(megabit) * megabit["capacity_bit"]
    assert f"{381e-6 / leakage:.1f} times SRAM's leakage" in held.why
    sizes = {"capacity_bit": 64 * 8192.0, "word_bit": 32.0}
    read_, written = (figures[name].price(sizes) for name in ("sram.read", "sram.write"))
    assert f"SRAM's {1e12 * math.sqrt(read_ * written):.1f} pJ of that capacity" in held.why
    assert 54 / 0.29 > 100, "uW a KiB of low-operating-power and of low-standby-power cells at 22 nm, CACTI 7"


def test_pairs_within_a_factor_of_the_published_value_are_counted() -> None:
    space = Space(100, (made("base", (2,), np.array([1.0, 10.0]), 1.0), made("chip", (3,), np.array([1, 2, 4]), 1.0)))
    assert sorted(space.values.ravel().tolist()) == [0.25, 0.5, 1, 2.5, 5, 10]
    assert space.reaching(1.19) == 1
    assert space.reaching(1.21) == 0
    assert space.reaching(2.2) == 1


def test_designs_are_runs_with_their_settings_and_the_own_one_is_the_reference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(designs, "SPACE", FEW)
    run = small_run(tmp_path / "run", techs=("bottom-up-14nm",))
    technology = read_technology("bottom-up-14nm")
    parts = read_spent(read(run), technology, ("digital32", "mixed-precision"))
    options: dict[str, Any] = {"spent": parts, "technology": technology, "steps": 120}
    with ThreadPoolExecutor(1) as pool:
        space = explore(run, tmp_path / "points", on=pool, **options)
    assert space is not None
    (many, skipping), (bank, tiles) = (one.every for one in space.chips)
    assert [one.own for one in (many, skipping, bank, tiles)] == [True, False, False, True]
    assert (many.factor, tiles.factor) == (1, 1)
    again = run_once(
        "mlp-mnist", out=tmp_path / "again", steps=120, techs=("bottom-up-14nm",), archs=("mixed-precision",),
        settings=("outer_product.at=digital-unit",),
    )  # fmt: skip
    whole = again.summary["architectures"]["mixed-precision"]["energy_per_step_J"]["total"]
    assert space.chips[1].energies[0] == pytest.approx(whole, rel=1e-12)
    alone = replace(parts, chips=("digital32",), energy=parts.energy[:1])
    with ThreadPoolExecutor(1) as pool:  # nothing is run again
        one = explore(run, tmp_path / "points", on=pool, **{**options, "spent": alone})
    assert one is not None
    assert one.values == pytest.approx(space.chips[0].energies)


def test_designs_by_another_scaling_rule_are_runs_by_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(designs, "SPACE", FEW)
    run = small_run(tmp_path / "run", techs=("bottom-up-14nm",))
    older = ruled(read(run), "stillmaker-baas-older")
    technology = find(run, older.named).as_it_is()
    options: dict[str, Any] = {
        "spent": read_spent(older, technology, ("mixed-precision",)), "technology": read_technology("bottom-up-14nm"),
        "steps": 120, "rule": "stillmaker-baas-older",
    }  # fmt: skip
    with ThreadPoolExecutor(1) as pool:
        space = explore(run, tmp_path / "points", on=pool, **options)
    assert space is not None
    again = run_once(
        "mlp-mnist", out=tmp_path / "again", steps=120, techs=("bottom-up-14nm",), archs=("mixed-precision",),
        settings=("outer_product.at=digital-unit",), figures=("scaling=stillmaker-baas-older",),
    )  # fmt: skip
    whole = again.summary["architectures"]["mixed-precision"]["energy_per_step_J"]["total"]
    assert space.chips[0].energies[0] == pytest.approx(whole, rel=1e-9)


def test_a_total_is_reached_by_moving_one_figure_as_far_as_its_share_asks() -> None:
    figures = [figure("large", 0.5, 3), figure("small", 0.5, 3), figure("none", 0.5, 3)]
    pair = spent(figures, [8.0, 2.0, 0.0], [1.0, 1.0, 1.0])
    alone = replace(pair, chips=("digital32",), energy=pair.energy[:1])
    found = total(alone, 14.0, samples=500, distribution="log-uniform", seed=1)
    assert [(one.figure.name, one.factor, one.within) for one in found.alone] == [
        ("large", pytest.approx(1.5), True), ("small", pytest.approx(3.0), True),
    ]  # fmt: skip
    assert found.bounds == pytest.approx((5.0, 30.0))
    assert found.bounds[0] < found.interval[0] < found.interval[1] < found.bounds[1]
    less = total(alone, 1.0, samples=500, distribution="log-uniform", seed=1)
    assert less.alone == (), "neither can fall below nothing"

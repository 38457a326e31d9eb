"""What is trained for a grid, and what is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from grid_kit import TINY, planned, study

from archsim.base.errors import InputError


def trainings(**options: object) -> dict[str, int]:
    found: dict[str, int] = {}
    for unit in planned(**options).leaders:
        found[unit.asked.chip.name] = found.get(unit.asked.chip.name, 0) + 1
    return found


def hows(**options: object) -> list[str]:
    return [point.how for point in planned(**options).points]


def test_points_that_differ_in_prices_alone_are_priced_from_one_training() -> None:
    prices = {"figures": ["adc.conversion=0.5pJ..5pJ:log:5"]}
    assert trainings(**prices) == {"mixed-precision": 1, "digital32": 1}
    assert hows(**prices) == ["trained", *["priced"] * 4]


def test_a_chip_that_a_setting_does_not_change_is_trained_once() -> None:
    assert trainings(settings=["tile.adc.bits=4,6,8"], seeds=2) == {"mixed-precision": 6, "digital32": 2}


def test_times_are_trained_with_each_where_a_training_is_short_and_retimed_where_it_is_long() -> None:
    times = {"figures": ["tile.adc.conversion=10ns,20ns,40ns"], "archs": ["mixed-precision"], "reference": False}
    assert hows(**times) == ["trained"] * 3
    plan = planned(**times, retime=10)
    assert [point.how for point in plan.points] == ["trained", "retimed", "retimed"]
    assert (len(plan.leaders), len(plan.retimed), len(plan.again())) == (1, 2, 3)
    assert "the first 10 steps again" in plan.lines()[-1]
    assert hows(**times, retime=0) == ["trained"] * 3


def test_prices_of_a_retimed_point_are_said_to_be_retimed() -> None:
    grid = {"figures": ["tile.adc.conversion=10ns,20ns", "adc.conversion=1pJ,2pJ"], "archs": ["mixed-precision"]}
    assert hows(**grid, retime=10) == ["trained", "priced", "retimed", "retimed"]


def test_technologies_of_the_same_times_price_one_training(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(
        "schema: 1\nkind: technology\nname: mine\nextends: bottom-up-14nm\n"
        "figures:\n  adc.conversion: {value: 2 pJ, basis: assumed, why: a test}\n"
    )
    (tmp_path / "slow.yaml").write_text(
        "schema: 1\nkind: technology\nname: slow\nextends: bottom-up-14nm\n"
        "times:\n  tile.adc.conversion: {value: 30 ns, basis: assumed, why: a test}\n"
    )
    techs = ["bottom-up-14nm", str(tmp_path / "mine.yaml"), str(tmp_path / "slow.yaml")]
    assert hows(techs=techs) == ["trained", "priced", "trained"]


def test_an_axis_of_architectures_has_a_chip_a_point_and_the_baseline_beside_it_once() -> None:
    archs = ["mixed-precision", "mixed-precision-one-bank"]
    plan = planned(archs=archs)
    assert [[one.chip.name for one in point.design.chips] for point in plan.points] == [[each] for each in archs]
    assert {point.design.baseline.chip.name for point in plan.points if point.design.baseline} == {"digital32"}
    assert len(plan.leaders) == 3
    assert len(planned(archs=archs, reference=False).leaders) == 2
    together = planned(archs=[*archs, "digital32"], together=True)
    assert [len(point.design.chips) for point in together.points] == [3]
    assert together.points[0].design.baseline is together.points[0].design.chips[2]


def test_conditions_leave_points_out_and_say_how_many() -> None:
    plan = planned(
        settings=["tile.dac.bits=4,6,8", "tile.adc.bits=4,6,8"], conditions=("tile.dac.bits >= tile.adc.bits",)
    )
    assert len(plan.points) == 6
    assert "3 left out" in plan.lines()[0]


def test_everything_that_decides_numbers_changes_the_hash_of_a_point() -> None:
    first = planned().points[0]
    others = [
        planned(steps=41).points[0], planned(first_seed=2).points[0],
        planned(settings=["tile.adc.bits=6"]).points[0],
        planned(workload={**TINY, "training": {**TINY["training"], "learning_rate": 0.1}}).points[0],
    ]  # fmt: skip
    keys = [tuple(unit.key for unit in point.units[min(point.units)].values()) for point in (first, *others)]
    assert len(set(keys)) == 5
    assert planned(figures=["adc.conversion=1pJ"]).points[0].key != first.key
    assert planned().points[0].key == first.key


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"settings": ["tile.adc.bit=4,6"]}, "Did you mean 'bits'"),
        ({"settings": ["tle.adc.bits=4,6"]}, "unknown key"),
        ({"settings": ["tile.adc.bits=4,99"]}, "point tile.adc.bits=99"),
        ({"settings": ["tile.rows=8", "tile.count=16,2"]}, "point tile.count=16: tile.count: needs"),
        ({"figures": ["adc.conversio=1pJ,2pJ"]}, "Did you mean 'adc.conversion'"),
        ({"figures": ["adc.conversion=1ns,2ns"]}, "adc.conversion"),
        ({"figures": ["adc.conversion=1pJ..99kJ:log:3"]}, "99 kJ"),
        ({"settings": ["tile.adc.bits=4,6"], "conditions": ("tile.adc.bits > 6",)}, "an empty grid"),
        ({"settings": ["tile.adc.bits=4,6"], "conditions": ("tile.adc.bts > 6",)}, "Did you mean 'tile.adc.bits'"),
        ({"settings": ["training.learning_rate=0.1..0.2:lin:600", "tile.adc.bits=4,6"]}, "--yes"),
        ({"figures": ["adc.conversion=1pJ..2pJ:lin:1001", "bus.transfer=1fJ..2fJ:lin:1000"]}, "1,001,000 points"),
        ({"seeds": 0}, "--seeds"), ({"techs": ["bottom-up-14nm"] * 2}, "twice"), ({"steps": 0}, "--steps"),
        ({"settings": ["tile.adc.bits"]}, "KEY=VALUES"), ({"workload": None}, "--file"),
        ({"estimate": True, "seeds": 3}, "--estimate"), ({"workload": "mlp-mnis"}, "Did you mean 'mlp-mnist'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_before_anything_starts(options: dict[str, object], words: str) -> None:
    with pytest.raises(InputError) as told:
        planned(**options)
    assert words in str(told.value)


def test_a_file_says_all_of_it_and_options_win(tmp_path: Path) -> None:
    (tmp_path / "converters.yaml").write_text(
        "schema: 1\nkind: sweep\nworkload: mlp-mnist\nseeds: 3\nsteps: 100\n"
        "set: {tile.adc.bits: 4..6, tile.rows: [128, 256], nonidealities.drift: false}\n"
        "figure: {adc.conversion: 0.5pJ..5pJ:log:5}\n"
        'conditions: ["tile.adc.bits <= 5"]\n'
        "presets:\n  quick: {steps: 20, seeds: 1, set: {tile.adc.bits: [4]}}\n"
    )
    path = tmp_path / "converters.yaml"
    told = study(workload=None, file=path)
    assert dict(told.axes) == {
        "tile.adc.bits": ("4", "5", "6"), "tile.rows": ("128", "256"),
        "adc.conversion": told.figures["adc.conversion"],
    }  # fmt: skip
    assert (told.seeds, told.steps, told.sets["nonidealities.drift"]) == (3, 100, ("false",))
    quick = study(workload=None, file=path, preset="quick")
    assert (quick.seeds, quick.steps, quick.sets["tile.adc.bits"], quick.preset) == (1, 20, ("4",), None)
    won = study(workload=None, file=path, steps=7, settings=["tile.rows=64"])
    assert (won.steps, won.sets["tile.rows"], won.seeds) == (7, ("64",), 3)
    assert study(workload=None, file=path, preset="full").preset == "full"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("seds: 3", "unknown key"),
        ("where: [tile.adc.bits > 4]", "Did you mean 'conditions'"),
        ("set: {a.b: []}", "empty grid"),
        ("set: {a.b: 8..4}", "smaller end"),
        ("seeds: 0", "greater"),
        ("set: {a.b: [4, 4]}", "set.a.b: '4' is given twice"),
        ("figure: {a.b: [1 pJ, 1000 fJ]}", "as '1 pJ' before"),
        ("tech: ['']", "tech[0]: got ''; expected a file, or one of"),
        ("arch: [mixed-precison]", "Did you mean 'mixed-precision'"),
        ("presets: {a: {tech: [nothing]}}\npreset: a", "presets.a.tech[0]: got 'nothing'"),
    ],
)
def test_what_is_wrong_in_a_file_is_said_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(f"schema: 1\nkind: sweep\nworkload: mlp-mnist\n{text}\n")
    with pytest.raises(InputError, match="wrong.yaml:4: ") as told:
        study(workload=None, file=path)
    assert words in str(told.value)


def test_a_workload_or_a_preset_that_there_is_not_is_said_by_its_place(tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text("schema: 1\nkind: sweep\nworkload: mlp-mnis\npresets: {mine: {}}\n")
    with pytest.raises(InputError, match="wrong.yaml:3: workload: got 'mlp-mnis'.*Did you mean 'mlp-mnist'"):
        study(workload=None, file=path)
    with pytest.raises(InputError, match="^--preset: got 'min'; expected one of mine, .*full.* Did you mean 'mine'"):
        study(workload="mlp-mnist", file=path, preset="min")

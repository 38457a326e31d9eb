"""Which trainings are ended early, from where made-up points stand at a quarter of their steps."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from grid_kit import planned

from archsim.studies.sweeps import hopeless
from archsim.studies.sweeps.hopeless import _Standing
from archsim.studies.sweeps.plan import Plan, Point

CHIP = {"archs": ["mixed-precision"], "steps": 1200}


@pytest.fixture
def cut(monkeypatch: pytest.MonkeyPatch) -> Callable[[Plan, dict[int, _Standing]], dict[int, str]]:
    """Return a function of a plan and where each of its points stands that says which are cut."""

    def found(plan: Plan, standings: dict[int, _Standing]) -> dict[int, str]:
        def standing(point: Point, *_: object) -> _Standing | None:
            return standings.get(point.number)

        monkeypatch.setattr(hopeless, "_standing", standing)
        return hopeless.hopeless(plan, lambda _: None)

    return found


def test_a_point_is_cut_that_another_surpasses_by_more_than_the_clear_margin_at_no_higher_cost(cut) -> None:  # type: ignore[no-untyped-def]
    """Five points of accuracy are the margin; energy, time and area each must be no higher."""
    plan = planned(settings=["tile.adc.bits=4,8"], **CHIP)
    own = _Standing(0.80, (2.0, 3.0, 4.0))
    for test, costs, falls in (
        (0.851, (2.0, 3.0, 4.0), True), (0.849, (1.0, 1.0, 1.0), False), (0.95, (1.0, 1.0, 4.1), False),
        (0.95, (1.0, 3.1, 1.0), False), (0.95, (2.1, 1.0, 1.0), False), (0.70, (1.0, 1.0, 1.0), False),
    ):  # fmt: skip
        assert set(cut(plan, {0: own, 1: _Standing(test, costs)})) == ({0} if falls else set()), (test, costs)
    said = cut(plan, {0: own, 1: _Standing(0.9, (2.0, 3.0, 4.0))})[0]
    assert said.startswith("cut after 300 steps: accuracy 80")
    assert "tile.adc.bits=8 has 90" in said
    assert cut(plan, {0: own}) == {}


def test_a_training_goes_on_for_all_of_its_prices_if_one_of_them_needs_it(cut) -> None:  # type: ignore[no-untyped-def]
    """Four points of two trainings; the second training's are better and cheaper than the first's dearer one alone."""
    plan = planned(settings=["tile.adc.bits=4,8"], figures=["adc.conversion=1pJ,2pJ"], **CHIP)
    cheap, dear = _Standing(0.5, (1.0, 1.0, 1.0)), _Standing(0.5, (3.0, 1.0, 1.0))
    better = _Standing(0.9, (2.0, 1.0, 1.0))
    assert cut(plan, {0: cheap, 1: dear, 2: better, 3: better}) == {}
    assert set(cut(plan, {0: dear, 1: dear, 2: better, 3: better})) == {0, 1}

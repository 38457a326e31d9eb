"""A network that does not fit hears of everything at once, with settings that make it fit."""

from __future__ import annotations

import pytest

from archsim.base.errors import DoesNotFitError
from archsim.chips.fitting.demands import Demand, require


def demand(key: str, needed: int, available: int) -> Demand:
    return Demand(key, needed, available, f"needs {needed}", f"at least {needed}")


def told(demands: dict[str, list[Demand]]) -> str:
    with pytest.raises(DoesNotFitError) as caught:
        require(demands)
    return str(caught.value)


def test_a_demand_that_is_met_is_not_told() -> None:
    met, unmet = demand("a", 4, 4), demand("b", 5, 3)
    require({"chip": [met]})
    text = told({"chip": [met, unmet]})
    assert text == "b: needs 5, the chip has 3: 2 short; expected at least 5. --set b=5 makes it fit"


def test_what_all_chips_lack_alike_is_told_once() -> None:
    text = told({"one": [demand("a", 5, 3), demand("b", 2, 1)], "two": [demand("a", 5, 3)]})
    assert text.endswith("--set a=5 --set b=2 make it fit")
    assert text.count("needs 5") == 1


def test_a_chip_that_lacks_what_another_has_is_named_and_the_other_left_alone() -> None:
    text = told({"one": [demand("a", 5, 3)], "two": [demand("a", 5, 9)]})
    assert text == "one.a: needs 5, the chip has 3: 2 short; expected at least 5. --set one.a=5 makes it fit"


def test_chips_that_would_do_are_told() -> None:
    with pytest.raises(DoesNotFitError) as caught:
        require({"one": [demand("a", 5, 3)]}, others=lambda: ["two", "three"])
    assert str(caught.value).endswith("--set a=5 makes it fit; so do --arch two --arch three")

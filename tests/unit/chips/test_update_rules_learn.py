"""Every update rule in arrays learns real digits with the device that its architecture names."""

from __future__ import annotations

import pytest
from digits_kit import started, taught

# architecture: learning rate, weight of 1 in siemens, steps, least accuracy; chance is 0.1
RULES = {
    "in-array-sgd": (0.2, "3 uS", 2000, 0.6),
    "tiki-taka": (0.1, "1.5 uS", 4000, 0.5),
    "chopped-tiki-taka": (0.1, "1.5 uS", 4000, 0.45),
    "agad": (0.1, "1.5 uS", 4000, 0.45),
}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.long if name in ("chopped-tiki-taka", "tiki-taka") else ())
        for name in RULES
    ],
)  # agad has the transfers of both, with signs that change
def test_the_rule_learns_digits(name: str) -> None:
    """Measured 0.73, 0.66, 0.56 and 0.59 (AGAD after 6,000: 0.68); 49-20-10 units, images of 7x7, one sample a step."""
    rate, unit, steps, least = RULES[name]
    assert taught(started(name, **{"weight.unit": unit}), steps, rate=rate) > least

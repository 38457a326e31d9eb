"""What disturbing a network takes of a digital unit: counted by hand from what is done."""

from __future__ import annotations

from archsim.learning.functions import Cost
from archsim.learning.perturbations import Blame, Disturb, DisturbProduct, Signs


def test_a_sign_is_a_look_up_and_takes_no_product() -> None:
    """Of 4 elements and 2 words of seeds: the sign chooses between a sum and a difference, or is what is written."""
    assert Signs((4,), "a").cost == Cost(lookups=4, reads=2, writes=4)
    assert Disturb((4,), 0.1, "a").cost == Cost(lookups=4, adds=4, reads=4 + 2, writes=4)
    assert Blame((4,), 0.1, "a").cost == Cost(lookups=4, multiplies=1, reads=1 + 2, writes=4)


def test_disturbed_weights_take_a_sum_over_rows_one_product_and_a_sum_a_column() -> None:
    """y + spread (x . r) c of 6 rows and 4 columns; the disturbance is no product a weight."""
    assert DisturbProduct(6, 4, 0.1, "a").cost == Cost(
        lookups=6 + 4, adds=6 + 4, multiplies=1, reads=6 + 4 + 2, writes=4
    )

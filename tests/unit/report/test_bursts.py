"""Slices that follow each other at once are drawn as one."""

from __future__ import annotations

from archsim.records.timeline import Bar
from archsim.report.trace.charts import bursts


def tile(count: int, *, begin: int = 0) -> list[Bar]:
    """Return the slices of so many vectors in a tile: integrate for 100 ps, convert for 10 ps at ten times the energy."""
    found = []
    for k in range(count):
        at = begin + 110 * k
        found.append(Bar("tile", "integrate", "forward", "conv", at, at + 100, energy_J=1.0, part="DAC and cells"))
        found.append(Bar("tile", "convert", "forward", "conv", at + 100, at + 110, energy_J=10.0, part="ADC"))
    return found


def test_the_vectors_of_a_convolution_are_one_slice_with_all_their_time_and_energy() -> None:
    (one,) = bursts(tile(1000))
    assert (one.begin_ps, one.end_ps, one.energy_J, one.part) == (0, 110_000, 11_000.0, "ADC")
    assert one.what == "1,000 x integrate, convert"


def test_few_slices_and_such_with_a_gap_between_them_stay_apart() -> None:
    assert bursts(tile(3)) == tile(3)
    apart = [bar for k in range(20) for bar in tile(1, begin=1000 * k)]
    assert bursts(apart) == apart
    assert len(bursts([*tile(20), *tile(20, begin=10_000)])) == 2

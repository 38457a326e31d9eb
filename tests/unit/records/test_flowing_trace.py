"""The time line of a chip on which batches flow: the run's own schedule, every joule in a slice, fill and drain seen."""

from __future__ import annotations

import math
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archsim.accounting.bill import price
from archsim.hardware.recorder import Recorder
from archsim.records import timeline
from archsim.records.timeline import Bar, ChipTimeline, Timeline
from archsim.records.trace import record
from archsim.report.trace import charts, perfetto
from archsim.runs.spec import resolve
from archsim.runs.train import Trainer

SAMPLES = 6
STEPS = 3


@cache
def trained(name: str = "mixed-precision-pipelined") -> Trainer:
    found = resolve(
        "lenet-mnist", steps=STEPS, techs=("bottom-up-14nm",), archs=(name,),
        settings=("dataset=mnist-5k", f"training.batch={SAMPLES}"),
    )  # fmt: skip
    return Trainer(found, found.architectures[0])


@pytest.fixture(scope="module")
def recorded() -> tuple[Trainer, ChipTimeline]:
    made = Trainer(trained().spec, trained().architecture)
    return made, record(made, STEPS)


def test_looking_on_changes_neither_schedule_nor_books(recorded: tuple[Trainer, ChipTimeline]) -> None:
    ours, _ = recorded
    other = Trainer(ours.spec, ours.architecture)
    for _ in range(STEPS):
        other.train(1)  # recorded step by step: each drains before the next
    assert ours.chip.clock.now == other.chip.clock.now
    assert ours.chip.ledger.time_ps == other.chip.ledger.time_ps
    assert ours.chip.ledger.rows() == other.chip.ledger.rows()
    arrays = other.chip.arrays()
    assert all(np.array_equal(array, arrays[name]) for name, array in ours.chip.arrays().items())


def test_every_joule_but_leakage_is_in_a_slice_of_its_phase(recorded: tuple[Trainer, ChipTimeline]) -> None:
    done, line = recorded
    bill = price(
        done.chip.ledger.rows(), done.chip.entries(), done.spec.technologies[0], done.architecture.boundary.inside
    )
    bars = [bar for step in line.steps for bar in step.bars]
    for phase in ("forward", "backward", "update", "refresh"):
        found = math.fsum(bar.energy_J for bar in bars if bar.phase == phase)
        assert found == pytest.approx(bill.total(phase=phase), rel=1e-12)


def test_lanes_never_overlap_and_the_path_has_no_gap(recorded: tuple[Trainer, ChipTimeline]) -> None:
    for step in recorded[1].steps:
        for lane in {bar.lane for bar in step.bars}:
            assert lane in recorded[1].lanes
            mine = [bar for bar in step.bars if bar.lane == lane and bar.length_ps]
            assert all(a.end_ps <= b.begin_ps for a, b in pairwise(mine)), lane
        assert sum(bar.length_ps for bar in step.path) == step.length_ps
        assert sum(timeline.shares(step).values()) == step.length_ps


def test_phases_go_side_by_side_and_layers_fill_and_drain_in_order(recorded: tuple[Trainer, ChipTimeline]) -> None:
    step = recorded[1].steps[-1]
    assert step.overlaps
    assert step.phases["backward"][0] < step.phases["forward"][1]
    begins = []
    for layer in dict.fromkeys(bar.layer for bar in step.bars if bar.lane.startswith("tile ")):
        reads = [bar for bar in step.bars if bar.layer == layer and bar.phase == "forward" and bar.what == "read"]
        first = [bar for bar in reads if bar.lane == reads[0].lane]
        assert len(first) == SAMPLES
        begins.append((first[0].begin_ps, first[-1].end_ps))
    assert begins == sorted(begins)
    assert all(later[0] < earlier[1] for earlier, later in pairwise(begins))


def test_units_are_as_busy_as_their_slices_and_the_path_is_theirs(recorded: tuple[Trainer, ChipTimeline]) -> None:
    step = recorded[1].steps[-1]
    units = timeline.units(step)
    for lane, unit in units.items():
        mine = [bar for bar in step.bars if bar.lane == lane and not bar.waits_for]
        assert unit.busy_ps == sum(bar.length_ps for bar in mine) <= step.length_ps
        assert unit.waited_for_ps == sum(bar.length_ps for bar in step.bars if bar.waits_for == lane)
    assert sum(unit.critical_ps for unit in units.values()) == step.length_ps
    assert units["digital_unit"].waited_for_ps > 0


def test_busy_waited_and_critical_time_of_units_by_hand() -> None:
    def bar(lane: str, begin: int, end: int, **more: Any) -> Bar:
        return Bar(lane, "work", "forward", "fc1", begin, end, **more)

    bars = (bar("a", 0, 4, critical=True), bar("q", 2, 4, waits_for="a"), bar("a", 4, 6), bar("b", 4, 9, critical=True))
    found = timeline.units(timeline.Step(1, 0, 9, {}, bars))
    assert {lane: (one.busy_ps, one.waited_for_ps, one.critical_ps) for lane, one in found.items()} == {
        "b": (5, 0, 5), "a": (6, 2, 4),
    }  # fmt: skip


def test_tiles_read_as_a_whole_and_keep_no_bank_of_the_recorder() -> None:
    chip = trained().chip
    tile = chip.components()[-1]
    with Recorder(chip.clock, chip.components(), chip.slots(), by_vector=False):
        assert getattr(tile, "bank", None) is None


def test_pictures_tables_and_traces_are_written(recorded: tuple[Trainer, ChipTimeline], tmp_path: Path) -> None:
    line = Timeline("run", "id", "lenet-mnist", "bottom-up-14nm", (recorded[1],))
    timeline.write(line, tmp_path)
    assert timeline.read(tmp_path) == line
    assert charts.write(line, tmp_path)
    text = "\n".join(charts.words(recorded[1]))
    assert "waited" in text
    sheets = charts.sheets(recorded[1])
    assert [sheet.title.split(" of step")[0] for sheet in sheets] == ["Critical path", "Units"]
    perfetto.write(line, tmp_path / "step.pftrace")
    message = perfetto.schema().Trace()
    message.ParseFromString((tmp_path / "step.pftrace").read_bytes())
    names = {packet.track_descriptor.name for packet in message.packet}
    assert {"forward", "backward", "update"} <= names

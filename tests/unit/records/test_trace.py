"""The time line of a run's steps: the schedule untouched, every joule of the bill in a slice, the path to a step's end."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from vcd import reader

from archsim.accounting.bill import price
from archsim.accounting.ledger import Row
from archsim.base import files
from archsim.base.errors import InputError
from archsim.base.files import shipped_names
from archsim.hardware.recorder import Recorder
from archsim.records import timeline
from archsim.records.reopen import reopen, trained_chip
from archsim.records.timeline import Bar, ChipTimeline, Step, Timeline, critical
from archsim.records.trace import record, trace
from archsim.report.trace import charts as pictures
from archsim.report.trace import perfetto, vcd
from archsim.runs.run import execute
from archsim.runs.spec import RunSpec, resolve
from archsim.runs.train import Trainer

STEPS = 12
SETTINGS = {
    "own converters": ("refresh.every=5", "refresh.saturated=1.2 uS"),
    "shared converters": ("refresh.every=5", "refresh.saturated=1.2 uS", "tile.adc.tiles_per_bank=2"),
    "batches": ("tile.adc.tiles_per_bank=2", "tile.adc.count=1", "training.batch=3", "digital_unit.buffer_words=4668"),
    "batches, own converters": ("training.batch=3", "digital_unit.buffer_words=4668"),
    "bursts": ("training.batch=20", "digital_unit.buffer_words=31120"),
}
CASES = [*((kind, "mixed-precision") for kind in SETTINGS), ("own converters", "digital32")]


@cache
def spec(kind: str) -> RunSpec:
    """A run whose few steps already program and refresh devices of both layers, resolved."""
    return resolve(
        "mlp-mnist", steps=STEPS, seed=2, techs=("bottom-up-14nm",), settings=("dataset=mnist-5k", *SETTINGS[kind])
    )  # fmt: skip


def trainer(kind: str, chip: str) -> Trainer:
    found = spec(kind)
    return Trainer(found, next(one for one in found.architectures if one.name == chip))


@cache
def recorded(kind: str, chip: str) -> tuple[Trainer, ChipTimeline]:
    made = trainer(kind, chip)
    made.train(STEPS - 3)
    return made, record(made, 3)


@cache
def plain(kind: str, chip: str) -> Trainer:
    """The same steps with nobody looking on."""
    made = trainer(kind, chip)
    made.train(STEPS)
    return made


def lanes(step: Step) -> dict[str, list[Bar]]:
    found: dict[str, list[Bar]] = defaultdict(list)
    for bar in step.bars:
        if bar.length_ps:
            found[bar.lane].append(bar)
    return found


# --- looking on changes nothing ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(("kind", "chip"), CASES)
def test_a_recorded_training_is_the_same_to_the_bit(kind: str, chip: str) -> None:
    ours, _ = recorded(kind, chip)
    other = plain(kind, chip)
    assert ours.chip.clock.now == other.chip.clock.now
    assert ours.chip.ledger.time_ps == other.chip.ledger.time_ps
    assert ours.chip.ledger.rows() == other.chip.ledger.rows()
    assert ours.chip.diagnostics() == other.chip.diagnostics()
    arrays = other.chip.arrays()
    for name, array in ours.chip.arrays().items():
        assert np.array_equal(array, arrays[name]), name


@pytest.mark.parametrize(("kind", "chip"), CASES)
def test_nothing_of_the_recorder_stays_on_the_chip(kind: str, chip: str) -> None:
    made = trainer(kind, chip)
    record(made, 2)
    assert made.chip.clock.eager
    assert all(slot.watcher is None for slot in made.chip.slots())
    events = made.chip.clock.events
    made.train(STEPS - 2)
    other = plain(kind, chip).chip
    assert made.chip.ledger.rows() == other.ledger.rows()
    per_step = (made.chip.clock.events - events) / (STEPS - 2)
    assert per_step == pytest.approx(other.clock.events / STEPS, abs=0.5)  # free resources cost no event again


def test_an_error_while_recording_leaves_the_chip_as_it_was() -> None:
    made = trainer("own converters", "mixed-precision")
    with (
        pytest.raises(RuntimeError, match="stop"),
        Recorder(made.chip.clock, made.chip.components(), made.chip.slots()),
    ):
        made.train(1)
        raise RuntimeError("stop")
    assert made.chip.clock.eager
    made.train(STEPS - 1)
    assert made.chip.ledger.rows() == plain("own converters", "mixed-precision").chip.ledger.rows()


# --- what was seen ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("kind", "chip"), CASES)
def test_energies_of_slices_add_up_to_the_bill_without_leakage(kind: str, chip: str) -> None:
    done, line = recorded(kind, chip)
    before = trainer(kind, chip)
    before.train(STEPS - 3)
    old = {(r.phase, r.layer, r.component, r.action): r.amount for r in before.chip.ledger.rows()}
    rows = [
        Row(r.phase, r.layer, r.component, r.action, r.amount - old.get((r.phase, r.layer, r.component, r.action), 0))
        for r in done.chip.ledger.rows()
    ]
    bill = price(rows, done.chip.entries(), done.spec.technologies[0], done.architecture.boundary.inside)
    found = math.fsum(step.energy_J for step in line.steps)
    assert found == pytest.approx(bill.total(), rel=1e-12)
    outside = math.fsum(bar.outside_J for step in line.steps for bar in step.bars)
    assert outside == pytest.approx(bill.total(inside=False), rel=1e-12, abs=1e-30)
    for phase in ("forward", "backward", "update", "refresh"):
        of_phase = math.fsum(bar.energy_J for step in line.steps for bar in step.bars if bar.phase == phase)
        assert of_phase == pytest.approx(bill.total(phase=phase), rel=1e-12)


@pytest.mark.parametrize(("kind", "chip"), CASES)
def test_leakage_power_is_what_the_bill_charges_over_time(kind: str, chip: str) -> None:
    _, line = recorded(kind, chip)
    other = plain(kind, chip)
    spent = price(
        other.chip.ledger.rows(), other.chip.entries(), other.spec.technologies[0],
        other.architecture.boundary.inside,
    ).total()  # fmt: skip
    twin = trainer(kind, chip)
    twin.train(STEPS)
    twin.chip.settle()
    bill = price(
        twin.chip.ledger.rows(), twin.chip.entries(), twin.spec.technologies[0], twin.architecture.boundary.inside
    )
    time_s = sum(twin.chip.ledger.time_ps.values()) * 1e-12
    assert line.leakage_W * time_s == pytest.approx(bill.total() - spent, rel=1e-9)


@pytest.mark.parametrize(("kind", "chip"), CASES)
def test_what_a_lane_does_never_overlaps(kind: str, chip: str) -> None:
    _, line = recorded(kind, chip)
    for step in line.steps:
        for lane, bars in lanes(step).items():
            assert lane in line.lanes
            assert all(a.end_ps <= b.begin_ps for a, b in pairwise(bars)), lane
        assert all(step.begin_ps <= bar.begin_ps <= bar.end_ps <= step.end_ps for bar in step.bars)


@pytest.mark.parametrize(("kind", "chip"), CASES)
def test_steps_and_phases_follow_each_other_and_take_the_time_that_was_booked(kind: str, chip: str) -> None:
    done, line = recorded(kind, chip)
    assert [step.number for step in line.steps] == [STEPS - 2, STEPS - 1, STEPS]
    assert all(a.end_ps == b.begin_ps for a, b in pairwise(line.steps))
    assert line.steps[-1].end_ps == done.chip.clock.now
    for step in line.steps:
        ends = list(step.phases.values())
        assert ends[0][0] == step.begin_ps
        assert ends[-1][1] == step.end_ps
        assert all(a[1] == b[0] for a, b in pairwise(ends))
        for bar in step.bars:
            begin, end = step.phases.get(bar.phase, (step.begin_ps, step.end_ps))
            assert begin <= bar.begin_ps <= bar.end_ps <= end


@pytest.mark.parametrize(("kind", "chip"), CASES)
def test_the_critical_path_has_no_gap_and_adds_up_to_the_step(kind: str, chip: str) -> None:
    _, line = recorded(kind, chip)
    for step in line.steps:
        assert sum(bar.length_ps for bar in step.path) == step.length_ps
        assert step.path[0].begin_ps == step.begin_ps
        assert all(a.end_ps == b.begin_ps for a, b in pairwise(step.path))
        assert not any(bar.waits_for for bar in step.path)
        assert sum(timeline.shares(step).values()) == step.length_ps


@pytest.mark.parametrize("kind", ["shared converters", "batches"])
def test_tiles_that_share_converters_are_seen_waiting_for_them(kind: str) -> None:
    done, line = recorded(kind, "mixed-precision")
    waits = [bar for step in line.steps for bar in step.bars if bar.waits_for]
    assert waits
    for bar in waits:
        assert bar.lane.startswith("tile fc1/")
        assert bar.waits_for.startswith("converter bank")
        assert bar.by.startswith("tile fc1/")
        assert bar.by != bar.lane
        assert bar.energy_J == 0
    whole = trainer(kind, "mixed-precision")
    whole.train(STEPS - 3)
    waited = done.chip.diagnostics()["waited_ps"] - whole.chip.diagnostics()["waited_ps"]
    assert sum(bar.length_ps for bar in waits) == waited


def test_of_tiles_that_take_turns_both_turns_are_on_the_path() -> None:
    _, line = recorded("shared converters", "mixed-precision")
    step = line.steps[0]
    turns = [bar for bar in step.path if bar.lane.startswith("converter bank") and bar.layer == "fc1"]
    assert len({bar.by for bar in turns}) == 2
    assert turns[0].end_ps == turns[1].begin_ps


def test_without_sharing_nothing_waits() -> None:
    for kind, chip in (("own converters", "mixed-precision"), ("own converters", "digital32")):
        assert not [bar for step in recorded(kind, chip)[1].steps for bar in step.bars if bar.waits_for]


def test_slices_are_named_by_action_and_layer() -> None:
    titles = {bar.title for step in recorded("own converters", "mixed-precision")[1].steps for bar in step.bars}
    assert titles >= {
        "integrate fc1", "convert fc1", "transfer fc1", "collect fc1", "sigmoid fc2", "normalise fc1",
        "sigmoid-derivative fc1", "accumulate fc1", "SET pulses fc2", "refresh fc2", "store fc1", "fetch fc2",
    }  # fmt: skip
    digital = {bar.title for step in recorded("own converters", "digital32")[1].steps for bar in step.bars}
    assert digital >= {"product fc1", "transposed product fc2", "outer product fc1"}


def test_a_tile_is_kept_while_its_devices_are_programmed() -> None:
    _, line = recorded("own converters", "mixed-precision")
    bars = [bar for step in line.steps for bar in step.bars]
    pulsed = [bar for bar in bars if bar.what == "SET pulses"]
    assert pulsed
    for bar in pulsed:
        (kept,) = [
            b for b in bars if b.lane.startswith(f"tile {bar.layer}/") and b.begin_ps == bar.begin_ps and b.length_ps
        ]
        assert (kept.end_ps, kept.by, kept.phase, kept.layer) == (bar.end_ps, "programmer", "update", bar.layer)


@pytest.mark.parametrize("name", shipped_names("architectures"))
def test_every_architecture_can_be_recorded(name: str) -> None:
    found = resolve("mlp-mnist", steps=4, techs=("bottom-up-14nm",), archs=(name,), settings=("dataset=mnist-5k",))
    seen, unseen = (Trainer(found, found.architectures[0]) for _ in range(2))
    line = record(seen, 4)
    unseen.train(4)
    assert seen.chip.ledger.rows() == unseen.chip.ledger.rows()
    inside = seen.architecture.boundary.inside
    bill = price(seen.chip.ledger.rows(), seen.chip.entries(), found.technologies[0], inside)
    assert math.fsum(step.energy_J for step in line.steps) == pytest.approx(bill.total(), rel=1e-12)
    for step in line.steps:
        assert sum(bar.length_ps for bar in step.path) == step.length_ps
        assert all(a.end_ps <= b.begin_ps for bars in lanes(step).values() for a, b in pairwise(bars))


# --- the critical path, by hand ---------------------------------------------------------------------------------------
def bar(lane: str, begin: int, end: int, **more: Any) -> Bar:
    return Bar(lane, "work", more.pop("phase", "forward"), "fc1", begin, end, **{"amounts": {"op": 1}, **more})


def test_the_path_goes_through_whoever_was_waited_for() -> None:
    bars = [
        bar("a", 0, 4),
        bar("b", 0, 4),
        bar("bank", 4, 9, by="a"),
        bar("b", 4, 9, waits_for="bank", by="a"),
        bar("c", 3, 9),
        bar("bank", 9, 14, by="b"),
    ]
    assert critical(bars, 0, 14) == [0, 2, 5]


def test_the_path_goes_through_the_slower_of_two() -> None:
    assert critical([bar("a", 0, 4), bar("b", 0, 7), bar("c", 7, 9)], 0, 9) == [1, 2]


def test_what_takes_no_time_is_not_on_the_path() -> None:
    assert critical([bar("a", 0, 5), bar("a", 5, 5), bar("b", 5, 6)], 0, 6) == [0, 2]


# --- a run directory --------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("traced") / "run"
    execute(spec("shared converters"), path)
    return path


@pytest.fixture(scope="module")
def traced(run: Path) -> Timeline:
    return trace(run)


def test_the_steps_are_the_runs_own(run: Path, traced: Timeline) -> None:
    assert [chip.architecture for chip in traced.chips] == ["mixed-precision", "digital32"]
    found = reopen(run)
    for architecture, chip in zip(found.architectures, traced.chips, strict=True):
        assert [step.number for step in chip.steps] == [STEPS - 2, STEPS - 1, STEPS]
        assert chip.steps[-1].end_ps == trained_chip(run, found, architecture).clock.now


def test_steps_and_chips_can_be_chosen(run: Path) -> None:
    (only,) = trace(run, steps=1, skip=0, archs=["digital32"]).chips
    assert (only.architecture, [step.number for step in only.steps], only.begin_ps) == ("digital32", [1], 0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, "--steps: got 0; expected 1 to 12"),
        ({"steps": 13}, "--steps: got 13"),
        ({"skip": 10}, "--skip: got 10; expected 0 to 9: the run has 12 steps"),
        ({"skip": -1}, "--skip: got -1"),
        ({"archs": ["digital3"]}, "--arch: got 'digital3'; expected one of the run's: .*Did you mean 'digital32'"),
    ],
)
def test_what_the_run_does_not_have_is_refused(run: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        trace(run, **options)


def test_a_time_line_is_read_back_as_it_was_written(traced: Timeline, tmp_path: Path) -> None:
    timeline.write(traced, tmp_path)
    assert timeline.read(tmp_path) == traced


def test_a_damaged_time_line_is_refused(traced: Timeline, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no time line"):
        timeline.read(tmp_path)
    timeline.write(traced, tmp_path)
    table = tmp_path / timeline.CSV
    table.write_text(table.read_text().replace("begin_ps", "begin", 1))
    with pytest.raises(InputError, match=r"timeline.csv: is not readable .*begin_ps"):
        timeline.read(tmp_path)
    head = tmp_path / timeline.JSON
    head.write_text(head.read_text().replace('"schema": 2', '"schema": 7', 1))
    with pytest.raises(InputError, match=r"timeline.json: schema: got 7; expected 2"):
        timeline.read(tmp_path)


# --- Perfetto ---------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def parsed(traced: Timeline, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The trace, written and parsed back with the official package."""
    path = tmp_path_factory.mktemp("perfetto") / "step.pftrace"
    perfetto.write(traced, path)
    message = perfetto.schema().Trace()
    message.ParseFromString(path.read_bytes())
    return message


def tracks(parsed: Any) -> dict[int, tuple[str, str]]:
    """Return track -> (chip, name)."""
    chips = {p.track_descriptor.uuid: p.track_descriptor.process.process_name for p in parsed.packet
             if p.track_descriptor.HasField("process")}  # fmt: skip
    return {
        p.track_descriptor.uuid: (chips.get(p.track_descriptor.parent_uuid, ""), p.track_descriptor.name)
        for p in parsed.packet
        if p.HasField("track_descriptor") and p.track_descriptor.uuid not in chips
    }


def slices(parsed: Any) -> dict[tuple[str, str], list[tuple[int, int, str, dict[str, Any]]]]:
    """Return (chip, track) -> (begin, end, name, arguments), as a viewer pairs them."""
    pb, names = perfetto.schema().TrackEvent, tracks(parsed)
    found: dict[tuple[str, str], list[tuple[int, int, str, dict[str, Any]]]] = defaultdict(list)
    stacks: dict[int, list[tuple[int, str, dict[str, Any]]]] = defaultdict(list)
    for packet in parsed.packet:
        event = packet.track_event
        if event.type not in {pb.TYPE_SLICE_BEGIN, pb.TYPE_SLICE_END, pb.TYPE_INSTANT}:
            continue
        if event.type == pb.TYPE_SLICE_END:
            begin, name, arguments = stacks[event.track_uuid].pop()
            found[names[event.track_uuid]].append((begin, packet.timestamp, name, arguments))
            continue
        arguments = {note.name: getattr(note, note.WhichOneof("value")) for note in event.debug_annotations}
        if event.type == pb.TYPE_INSTANT:
            found[names[event.track_uuid]].append((packet.timestamp, packet.timestamp, event.name, arguments))
        else:
            stacks[event.track_uuid].append((packet.timestamp, event.name, arguments))
    assert not any(stacks.values()), "a slice without an end"
    return found


def test_every_slice_stands_in_the_perfetto_trace(parsed: Any, traced: Timeline) -> None:
    found = slices(parsed)
    for chip in traced.chips:
        for lane in chip.lanes:
            wanted = sorted(
                (bar.begin_ps - chip.begin_ps, bar.end_ps - chip.begin_ps, bar.title)
                for step in chip.steps for bar in step.bars if bar.lane == lane
            )  # fmt: skip
            assert sorted(one[:3] for one in found[chip.architecture, lane]) == wanted
        path = found[chip.architecture, "critical path"]
        assert sum(end - begin for begin, end, _, _ in path) == sum(step.length_ps for step in chip.steps)
        steps = [one for one in found[chip.architecture, "steps and phases"] if one[2].startswith("step ")]
        assert [one[1] - one[0] for one in steps] == [step.length_ps for step in chip.steps]


def test_energies_in_the_perfetto_trace_add_up(parsed: Any, traced: Timeline) -> None:
    found = slices(parsed)
    for chip in traced.chips:
        total = math.fsum(
            arguments.get("energy_pJ", 0.0) for lane in chip.lanes for *_, arguments in found[chip.architecture, lane]
        )
        assert total * 1e-12 == pytest.approx(math.fsum(step.energy_J for step in chip.steps), rel=1e-12)


def test_waiting_names_what_it_waits_for_and_an_arrow_leads_there(parsed: Any, traced: Timeline) -> None:
    names = tracks(parsed)
    flows: dict[int, set[str]] = defaultdict(set)
    for packet in parsed.packet:
        for flow in packet.track_event.flow_ids:
            flows[flow].add(names[packet.track_event.track_uuid][1].partition(" ")[0])
    waits = [b for chip in traced.chips for step in chip.steps for b in step.bars if b.waits_for]
    assert len(flows) == len(waits) > 0
    assert all(ends == {"tile", "converter"} for ends in flows.values())
    found = [one for key, ones in slices(parsed).items() for one in ones if one[2].startswith("waiting for ")]
    assert len(found) == len(waits)
    assert all(one[3]["waits for"].startswith("converter bank") for one in found)


def counter(parsed: Any, chip: str, name: str) -> list[tuple[int, float]]:
    (track,) = [uuid for uuid, found in tracks(parsed).items() if found == (chip, name)]
    return [(p.timestamp, p.track_event.double_counter_value) for p in parsed.packet
            if p.track_event.track_uuid == track]  # fmt: skip


def test_counters_give_power_energy_and_pulses(parsed: Any, traced: Timeline) -> None:
    mixed = traced.chips[0]
    bars = [bar for step in mixed.steps for bar in step.bars]
    energy = counter(parsed, "mixed-precision", "energy without leakage")
    assert energy[-1][1] == pytest.approx(math.fsum(bar.energy_J for bar in bars) * 1e12, rel=1e-12)
    power = counter(parsed, "mixed-precision", "power without leakage")
    integral = sum((b[0] - a[0]) * a[1] for a, b in pairwise(power)) * 1e-15  # mW times ps
    assert integral == pytest.approx(math.fsum(bar.energy_J for bar in bars if bar.length_ps), rel=1e-9)
    assert power[-1][1] == 0
    given = sum(bar.amounts.get("set.pulse", 0) for bar in bars)
    assert given > 0
    assert counter(parsed, "mixed-precision", "set.pulses")[-1][1] == given
    assert {value for _, value in counter(parsed, "digital32", "leakage")} == {traced.chips[1].leakage_W * 1e3}


def test_the_perfetto_trace_says_how_time_is_scaled_and_is_in_order(parsed: Any) -> None:
    assert "1 ns shown is 1 ps" in parsed.packet[0].track_descriptor.name
    times = [packet.timestamp for packet in parsed.packet if packet.HasField("track_event")]
    assert times == sorted(times)
    assert times[0] == 0


# --- VCD --------------------------------------------------------------------------------------------------------------
def test_a_value_change_dump_is_parsed_back_as_it_was_written(traced: Timeline, tmp_path: Path) -> None:
    vcd.write(traced, tmp_path / "step.vcd")
    with (tmp_path / "step.vcd").open("rb") as stream:
        tokens = list(reader.tokenize(stream))
    kinds = reader.TokenKind
    (scale,) = [token.timescale for token in tokens if token.kind is kinds.TIMESCALE]
    assert str(scale) == "1 ps"
    scope: list[str] = []
    variables: dict[str, str] = {}
    values: dict[str, list[tuple[int, Any]]] = defaultdict(list)
    now = 0
    for token in tokens:
        if token.kind is kinds.SCOPE:
            scope.append(token.scope.ident)
        elif token.kind is kinds.UPSCOPE:
            scope.pop()
        elif token.kind is kinds.VAR:
            variables[token.var.id_code] = ".".join([*scope, token.var.reference])
        elif token.kind is kinds.CHANGE_TIME:
            now = token.time_change
        elif token.kind in {kinds.CHANGE_SCALAR, kinds.CHANGE_STRING, kinds.CHANGE_REAL, kinds.CHANGE_VECTOR}:
            change = token.data
            values[variables[change.id_code]].append((now, change.value))
    assert now == max(chip.steps[-1].end_ps - chip.begin_ps for chip in traced.chips)
    for chip in traced.chips:
        for lane in chip.used:
            name = f"{vcd.identifier(chip.architecture)}.{vcd.identifier(lane)}"
            bars = [bar for step in chip.steps for bar in step.bars if bar.lane == lane and bar.length_ps]
            busy, last = 0, (0, "0")
            for at, value in values[f"{name}.busy"]:
                busy += (at - last[0]) * int(last[1])
                last = (at, value)
            assert busy == sum(bar.length_ps for bar in bars if not bar.waits_for), name
            titles = [title for _, title in values[f"{name}.action"] if title != vcd.IDLE]
            assert {title.replace("\\x20", " ") for title in titles} == {bar.title for bar in bars}
            energy = sum((b[0] - a[0]) * 1e-12 * float(a[1]) for a, b in pairwise(values[f"{name}.power_W"]))
            assert energy == pytest.approx(sum(bar.energy_J for bar in bars), rel=1e-6, abs=1e-18)


# --- the picture ------------------------------------------------------------------------------------------------------
def test_the_picture_shows_lanes_phases_waiting_and_the_path(traced: Timeline) -> None:
    figure = pictures.draw(traced.chips[0], traced)
    step = traced.chips[0].steps[-1]
    assert len(figure.axes) == 1 + len(step.phases)
    rows = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert {"outer product unit fc1", "tile fc1/0,0", "converter bank 0", "bus"} <= set(rows)
    (key,) = figure.legends
    assert {"waiting", "critical path", "chi memory", "ADC"} <= {text.get_text() for text in key.get_texts()}
    assert all("[µs]" in axes.get_xlabel() or "[ns]" in axes.get_xlabel() for axes in figure.axes)


def test_of_many_lanes_those_on_the_path_are_drawn() -> None:
    bars = [bar(f"tile {k}", 0, 5 + k) for k in range(40)] + [bar("bus", 44, 45)]
    marked = set(critical(bars, 0, 45))
    step = Step(1, 0, 45, {"forward": (0, 45)}, tuple(replace(b, critical=k in marked) for k, b in enumerate(bars)))
    chip = ChipTimeline("chip", tuple(b.lane for b in bars), 0.0, (step,))
    drawn, hidden = pictures.rows(chip, step)
    assert hidden == 41 - pictures.MOST_LANES
    assert {"bus", "tile 39"} <= set(drawn)
    assert drawn == [lane for lane in chip.lanes if lane in drawn]


def test_a_missing_package_is_said_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr("importlib.import_module", missing)
    with pytest.raises(InputError, match=r"needs the package 'perfetto'. Install it: pip install \"archsim\[trace\]\""):
        perfetto.schema()
    with pytest.raises(InputError, match="needs the package 'pyvcd'"):
        vcd.package()


def test_only_traces_are_replaced_unless_forced(traced: Timeline, tmp_path: Path) -> None:
    mine = tmp_path / "thesis.txt"
    mine.write_text("months of work")
    with pytest.raises(InputError, match="--out: .*thesis.txt'; expected a new file, or a trace that archsim wrote"):
        files.claim(mine, mark=perfetto.MARK, what="trace", force=False)
    assert files.claim(mine, mark=perfetto.MARK, what="trace", force=True) == mine
    with pytest.raises(InputError, match="it is a directory"):
        files.claim(tmp_path, mark=perfetto.MARK, what="trace", force=True)
    for name, writer in (("a.pftrace", perfetto.write), ("a.vcd", vcd.write)):
        assert files.claim(tmp_path / name, mark=perfetto.MARK, what="trace", force=False)
        writer(traced, tmp_path / name)
        assert files.claim(tmp_path / name, mark=perfetto.MARK, what="trace", force=False)


def test_a_burst_of_many_vectors_is_one_slice_with_all_that_was_booked_for_it() -> None:
    """A read of 20 vectors on converters of its own is a slice; one of 3 stays vector by vector."""
    few, many = (recorded(kind, "mixed-precision")[1] for kind in ("batches, own converters", "bursts"))
    assert {bar.what for step in few.steps for bar in step.bars if bar.lane.startswith("tile")} >= {"integrate"}
    reads = [bar for step in many.steps for bar in step.bars if bar.what.startswith("read ")]
    assert {bar.what for bar in reads} == {"read 20 vectors"}
    assert not [bar for step in many.steps for bar in step.bars if bar.what in {"integrate", "convert"}]
    assert all(bar.amounts["adc.convert"] % 20 == 0 and bar.energy_J > 0 for bar in reads)
    for step in many.steps:
        assert sum(bar.length_ps for bar in step.path) == step.length_ps

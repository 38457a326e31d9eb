"""Batches that flow: the closed form without contention, bounds with it, and the bits of a chip on which nothing does."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from network_kit import Times, chain, conv, dense

from archsim.base import registry
from archsim.base.errors import DoesNotFitError, InputError, ModelError
from archsim.base.signal import STEP_PHASES
from archsim.base.streams import Streams
from archsim.chips import architecture as architectures
from archsim.chips.chip import Chip
from archsim.chips.execute import execute, training_step
from archsim.chips.pipeline import Phases, Pipeline, Taping
from archsim.chips.plan import Plan, Task
from archsim.hardware.clock import Clock, Slot
from archsim.hardware.tape import Hold, Kept, Tape
from archsim.networks.program import Program

WORDS = 6
"""Of one sample, in the random pipelines, from its first task on; half of them after the walk."""


def unasked(program: Program) -> Plan:
    raise AssertionError(f"{program} is cut already")


@dataclass(frozen=True)
class Made:
    """A random pipeline.

    Parameters
    ----------
    stages : tuple of (slot, ps a sample)
    sums : position in the walk -> (slot, ps a sample)
    once : tuple of (slot, ps)
        Each waits for all sums and for the one before.
    barrier : position in the walk that waits for the batch's first task, or None
    """

    stages: tuple[tuple[int, int], ...]
    sums: dict[int, tuple[int, int]]
    once: tuple[tuple[int, int], ...]
    samples: int
    burst: int
    room: int
    batches: int
    barrier: int | None = None

    @property
    def plan(self) -> Plan:
        late = {k: len(self.stages) + n for n, k in enumerate(self.sums)}
        first = len(self.stages) + len(late)
        once = tuple(
            Task(first + k, tuple(late.values()) if k == 0 else (first + k - 1,), ("w",)) for k in range(len(self.once))
        )
        walk = tuple(
            Task(k, (0,) if k == self.barrier else (), ("w",) if k == 1 else ()) for k in range(len(self.stages))
        )
        needs = tuple([WORDS] * len(walk) + [WORDS // 2])
        return Plan(
            None, walk, {k: (Task(n),) for k, n in late.items()}, once,  # type: ignore[arg-type]
            {"w": once[-1].position} if once else {}, needs,
            {n: frozenset({0}) for n in late.values()}, {0: WORDS // 2},
        )  # fmt: skip

    def tapes(self, slots: list[Slot]) -> dict[int, tuple[str, Tape]]:
        def tape(slot: int, ps: int) -> Tape:
            made = Tape()
            made.nodes.append(Kept(slots[slot], "", [Hold(ps)]))
            return made

        half = len(self.stages) // 2
        found = {k: ("forward" if k < half else "backward", tape(s, ps * self.samples))
                 for k, (s, ps) in enumerate(self.stages)}  # fmt: skip
        for s, ps in self.sums.values():
            found[len(found)] = "update", tape(s, ps * self.samples)
        for s, ps in self.once:
            found[len(found)] = "refresh", tape(s, ps)
        return found

    @property
    def work(self) -> dict[int, int]:
        """Time of each slot in all."""
        found: dict[int, int] = defaultdict(int)
        for slot, ps in (*self.stages, *self.sums.values()):
            found[slot] += ps * self.samples * self.batches
        for slot, ps in self.once:
            found[slot] += ps * self.batches
        return found

    def play(self, *, eager: bool = True) -> tuple[int, dict[str, int], Pipeline]:
        """Return the makespan, the times booked to phases, and the pipeline."""
        clock, time_ps = Clock(eager=eager), dict.fromkeys(STEP_PHASES, 0)
        slots = [Slot(clock, f"slot {k}") for k in range(12)]
        pipeline = Pipeline(clock, time_ps, words=WORDS * self.room, burst=self.burst, cut=unasked)
        plan = self.plan

        def batches() -> Any:
            for _ in range(self.batches):
                yield from pipeline.admit(plan, self.samples)
                pipeline.start(plan, Taping(done=self.tapes(slots)), self.samples)

        clock.process(batches())
        clock.run()
        assert not clock.unfinished
        assert not [slot.state for slot in slots if slot.state]
        return clock.now, time_ps, pipeline


@st.composite
def free_pipelines(draw: Any) -> Made:
    """A slot for each stage, and room for all samples."""
    stages = tuple((k, draw(st.integers(0, 50))) for k in range(draw(st.integers(1, 8))))
    samples, burst = draw(st.integers(1, 12)), draw(st.integers(1, 4))
    return Made(stages, {}, (), samples, burst, samples, 1)


@st.composite
def pipelines(draw: Any) -> Made:
    """Stages that share slots, outer products, what is done once a batch, little room, and perhaps a barrier."""
    use = st.tuples(st.integers(0, 3), st.integers(0, 50))
    stages = tuple(draw(st.lists(use, min_size=1, max_size=8)))
    sums = draw(st.dictionaries(st.integers(0, len(stages) - 1), use, max_size=3))
    once = tuple(draw(st.lists(use, max_size=3)))
    samples, burst = draw(st.integers(1, 8)), draw(st.integers(1, 3))
    barrier = draw(st.none() | st.integers(1, len(stages) - 1)) if len(stages) > 1 else None
    least = samples if barrier is not None else min(burst, samples)
    room = draw(st.integers(least, samples + 2))
    return Made(stages, sums, once, samples, burst, room, draw(st.integers(1, 3)), barrier)


def fills_and_drains(made: Made) -> None:
    times = [ps for _, ps in made.stages]
    sizes = [min(made.burst, made.samples - k) for k in range(0, made.samples, made.burst)]
    if len(set(sizes)) == 1:
        each = [ps * sizes[0] for ps in times]
        expected = sum(each) + (len(sizes) - 1) * max(each)  # fill, the slowest once for each but the first, drain
    else:  # the last micro-burst is smaller: it ends behind the one before, or behind the slowest stage's last
        ends = [0] * len(times)
        for size in sizes:
            now = 0
            for k, ps in enumerate(times):
                now = ends[k] = max(now, ends[k]) + ps * size
        expected = ends[-1]
    for eager in (True, False):
        assert made.play(eager=eager)[0] == expected


def is_bounded(made: Made) -> None:
    makespan, booked, pipeline = made.play()
    first = min(made.samples, made.burst)
    assert makespan >= max(made.work.values())
    assert makespan >= sum(ps for _, ps in made.stages) * first
    assert makespan <= sum(made.work.values())  # something is always under way
    assert sum(booked.values()) == makespan
    assert (pipeline.room.free, pipeline.room.state) == (WORDS * made.room, None)
    assert pipeline.room.least >= 0
    assert made.play(eager=False)[:2] == (makespan, booked)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(free_pipelines())
def test_without_contention_a_batch_takes_fill_slowest_stages_and_drain(made: Made) -> None:
    fills_and_drains(made)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(pipelines())
def test_with_contention_a_batch_ends_between_its_busiest_unit_and_one_after_the_other(made: Made) -> None:
    is_bounded(made)


@pytest.mark.long
@settings(max_examples=3000, deadline=None, derandomize=True)
@given(free_pipelines(), pipelines())
def test_three_thousand_random_pipelines_end_when_they_must(free: Made, made: Made) -> None:
    fills_and_drains(free)
    is_bounded(made)


def test_three_samples_on_two_stages_by_hand() -> None:
    made = Made(((0, 10), (1, 30)), {}, (), 3, 1, 3, 1)
    makespan, booked, _ = made.play()
    assert makespan == 10 + 3 * 30
    assert booked == {"forward": 10 + 20 // 2, "backward": 30 * 3 - 20 // 2, "update": 0, "refresh": 0}


def test_a_sample_without_room_waits_for_the_one_before_to_give_back_what_it_needs_no_more() -> None:
    stages, sums = ((0, 10), (1, 10)), {1: (2, 100)}
    assert Made(stages, {}, (), 3, 1, 3, 1).play()[0] == 40
    assert Made(stages, {}, (), 3, 1, 1, 1).play()[0] == 60  # room for one sample: one after the other
    assert Made(stages, sums, (), 2, 1, 1, 1).play()[0] == 20 + 100 + 20 + 100  # half its words wait for the sum
    assert Made(stages, sums, (), 2, 1, 2, 1).play()[0] == 20 + 2 * 100


def test_a_barrier_lets_nobody_on_before_the_last_has_come() -> None:
    stages = ((0, 10), (1, 10))
    assert Made(stages, {}, (), 3, 1, 3, 1, barrier=1).play()[0] == 3 * 10 + 3 * 10


def test_the_next_batch_waits_for_the_weights_where_it_needs_them_and_not_before() -> None:
    """The second stage reads what is written once a batch; the first of the next batch goes on meanwhile."""
    stages, once = ((0, 10), (1, 10)), ((2, 100),)
    made = Made(stages, {1: (1, 0)}, once, 1, 1, 2, 2)
    assert made.play()[0] == (10 + 10 + 100) + (10 + 100)


def test_a_moment_of_two_phases_belongs_to_both_in_equal_parts() -> None:
    clock, time_ps = Clock(), dict.fromkeys(STEP_PHASES, 0)
    phases = Phases(clock, time_ps)

    def work() -> Any:
        phases.enter("forward")
        yield clock.timeout(10)
        phases.enter("backward")
        yield clock.timeout(7)
        phases.leave("forward")
        yield clock.timeout(5)
        phases.leave("backward")

    clock.process(work())
    clock.run()
    assert time_ps == {"forward": 10 + 4, "backward": 3 + 5, "update": 0, "refresh": 0}


# --- on chips ---------------------------------------------------------------------------------------------------------
DEEP = chain([10, 10, 1], conv("c", 6, 3, "relu"), {"name": "p", "kind": "max-pool", "window": 2}, {"name": "v", "kind": "flatten"},
             dense("f", 20, "relu"), dense("g", 4, "sigmoid"), std=0.2)  # fmt: skip
MILD = chain(40, dense("f", 20, "sigmoid"), dense("g", 4, "sigmoid"), std=0.2)
NORM = chain(40, dense("a", 30, "relu"), {"name": "n", "kind": "batch-norm"}, dense("b", 4, "sigmoid"), std=0.2)
VECTOR = {"tile.dac.input_scale": "vector", "tile.dac.error_scale": "vector"}
CASES = {
    "by vector": ("mixed-precision-pipelined", {}, DEEP),
    "by batch": ("mixed-precision-pipelined", {"tile.dac.input_scale": "bounded", "tile.dac.error_scale": "burst"}, DEEP),
    "a norm over the batch": ("mixed-precision-pipelined", {}, NORM),
    "shared converters": ("mixed-precision-pipelined", {"tile.adc.tiles_per_bank": "2"}, DEEP),
    "one memory of chi": ("mixed-precision-one-bank", {**VECTOR, "outer_product.error_bits": "8"}, DEEP),
    "digital": ("digital32-deep", {}, DEEP),
    "pulses at once": ("in-array", {}, MILD),
}  # fmt: skip


def built(case: str, samples: int, flow: int | None, **more: str) -> Chip:
    name, told, network = CASES[case]
    given = {"digital_unit.buffer_words": "200000", **told, **more}
    if flow is not None:
        given["flow.samples"] = str(flow)
    elif name.endswith("pipelined"):
        given["flow"] = "null"
    keys = {tuple(key.split(".")): value for key, value in given.items()}
    parsed = architectures.parse(architectures.document(name, keys))
    made: Chip = registry.load("chip", parsed.chip).start(parsed, network, Times(), Streams(3), samples=samples)
    return made


def train(chip: Chip, samples: int, batches: int = 3) -> Chip:
    rng, network = np.random.default_rng(5), chip.network

    def work() -> Any:
        for _ in range(batches):
            x = rng.uniform(0, 1, (samples, network.inputs)).astype(np.float32)
            target = np.eye(4, dtype=np.float32)[rng.integers(0, 4, samples)]
            yield from training_step(chip, network, {"x": x, "target": target}, 0.5)

    chip.run(work())
    return chip


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("flow", [1, 3])
def test_flowing_changes_when_and_nothing_else(case: str, flow: int) -> None:
    still, flows = train(built(case, 7, None), 7), train(built(case, 7, flow), 7)
    mine, arrays = still.arrays(), flows.arrays()
    assert mine.keys() == arrays.keys()
    for name, array in mine.items():
        if not name.endswith(("programmed_ps", "renewed_ps")):  # when devices were written
            assert np.array_equal(array, arrays[name], equal_nan=True), name
    assert still.ledger.rows() == flows.ledger.rows()
    assert flows.ledger.steps == 3
    assert sum(flows.ledger.time_ps.values()) == flows.clock.now < still.clock.now


@pytest.mark.parametrize("case", CASES)
def test_no_unit_does_more_than_one_thing_at_a_time(case: str) -> None:
    """The makespan is at least the work of the busiest unit, which flowing does not make less."""
    busy: dict[str, int] = defaultdict(int)
    since: dict[Slot, int] = {}

    class Watching:
        def took(self, slot: Slot, by: str, since_ps: int) -> None:
            del by, since_ps
            assert slot not in since
            since[slot] = chip.clock.now

        def gave(self, slot: Slot) -> None:
            busy[slot.name] += chip.clock.now - since.pop(slot)

        def did(self, slot: Slot, booked: Any, part: float, *, holds: bool) -> None:
            del slot, booked, part, holds

    found = []
    for flow in (7, 1):
        busy.clear()
        chip = built(case, 7, flow)
        for slot in chip.slots():
            slot.watcher = Watching()
        train(chip, 7)
        assert chip.clock.now >= max(busy.values())
        found.append(dict(busy))
    whole, parts = found
    assert whole.keys() == parts.keys()
    for name, ps in parts.items():
        assert ps >= whole[name] - 3 * 8, name


def test_a_batch_larger_than_the_buffer_flows_where_nobody_waits_for_the_others() -> None:
    words = CASES["by vector"][2].training[0].words_alive()
    one, two = {"digital_unit.buffer_words": str(words)}, {"digital_unit.buffer_words": str(2 * words)}
    small, large = train(built("by vector", 7, 1, **one), 7), train(built("by vector", 7, 1), 7)
    assert small.ledger.rows() == large.ledger.rows()
    assert small.clock.now > large.clock.now
    with pytest.raises(DoesNotFitError, match=f"a batch of 7 samples .* {7 * words} words"):
        built("by batch", 7, 1, **two)
    with pytest.raises(DoesNotFitError, match="3 at once of a batch of 7 samples"):
        built("by vector", 7, 3, **two)


@pytest.mark.parametrize("case", [case for case in CASES if "norm" not in case])  # of which a part is done beside
def test_a_micro_burst_of_the_whole_batch_passes_forward_as_if_nothing_flowed(case: str) -> None:
    still, flows = (train(built(case, 7, flow), 7, 1) for flow in (None, 7))
    assert flows.ledger.time_ps["forward"] == still.ledger.time_ps["forward"]


@pytest.mark.parametrize("scale", ["vector", "burst"])
def test_what_a_micro_burst_does_not_find_room_for_goes_below_and_less_than_of_a_batch(scale: str) -> None:
    """A batch that waits for the last of its samples spills as much as without flow."""
    words = CASES["by vector"][2].training[0].words_alive()
    told = {"digital_unit.buffer_words": str(words - 50), "tile.dac.error_scale": scale,
            "dram.kind": "hbm3", "dram.pins": "64"}  # fmt: skip
    below = {}
    for flow in (None, 1):
        chip = train(built("by vector", 7, flow, **told), 7)
        assert sum(chip.ledger.time_ps.values()) == chip.clock.now
        below[flow] = sum(row.amount for row in chip.ledger.rows() if row.component == "dram"), chip.clock.now
    assert below[1][1] < below[None][1]
    assert 0 < below[1][0] < below[None][0] if scale == "vector" else below[1][0] == below[None][0] > 0


def test_weights_below_a_digital_chip_do_not_flow() -> None:
    with pytest.raises(InputError, match="weights from below pass through once a batch"):
        built("digital", 7, 1, **{"mac_array.weight_words": "100"})


def test_a_barrier_costs_time() -> None:
    def alone(case: str) -> tuple[int, int]:
        return tuple(train(built(case, 7, flow), 7, 1).clock.now for flow in (7, 1))

    (free_whole, free), (held_whole, held) = alone("by vector"), alone("by batch")
    assert free / free_whole < held / held_whole < 1


def test_a_work_that_never_ends_is_a_deadlock_though_nobody_waits_for_it() -> None:
    chip = built("by vector", 7, 1)

    def waits() -> Any:
        yield chip.clock.event()

    chip.clock.spawn(waits())
    with pytest.raises(ModelError, match="deadlock"):
        train(chip, 7, 1)


def test_weights_that_are_older_than_a_batch_are_refused_and_those_that_move_while_they_are_summed() -> None:
    with pytest.raises(InputError, match=r"flow\.staleness: .*0"):
        built("by vector", 7, 1, **{"flow.staleness": "2"})
    for case in ("digital", "pulses at once"):
        with pytest.raises(InputError, match=r"flow.staleness: weights of .* move while they are summed"):
            built(case, 7, 1, **{"flow.staleness": "1"})


# --- weights one batch old on the way forward -------------------------------------------------------------------------
STALE = {"flow.staleness": "1"}


def by_hand(case: str, samples: int, batches: int) -> Chip:
    """Train a chip on which nothing flows, writing what a batch changes between the two ways of the next."""
    chip = built(case, samples, None)
    rng, network = np.random.default_rng(5), chip.network
    [program] = network.training
    late: list[Any] = []  # (of which batch, what it puts off)

    class PuttingOff:
        def __getattr__(self, verb: str) -> Any:
            def ask(*told: Any) -> Any:
                tag = told[-1]
                if tag.phase != "forward" and late and late[0][0] != chip.ledger.steps:
                    for _, doing in late:
                        yield from doing
                    late.clear()
                if verb in ("apply", "adjust", "maintain"):
                    late.append((chip.ledger.steps, getattr(chip, verb)(*told)))
                    return None
                return (yield from getattr(chip, verb)(*told))

            return ask

    def work() -> Any:
        for _ in range(batches):
            x = rng.uniform(0, 1, (samples, network.inputs)).astype(np.float32)
            target = np.eye(4, dtype=np.float32)[rng.integers(0, 4, samples)]
            yield from execute(chip, program, {"x": x, "target": target}, rate=0.5, through=PuttingOff())
            chip.ledger.steps += 1
        for _, doing in late:
            yield from doing

    chip.run(work())
    return chip


@pytest.mark.parametrize("case", ["by vector", "by batch", "shared converters"])
def test_a_batch_passes_forward_with_weights_that_are_a_batch_old_and_back_with_the_newest(case: str) -> None:
    """Bit for bit what a chip on which nothing flows comes to, told to write late."""
    flows, wanted = train(built(case, 7, 1, **STALE), 7), by_hand(case, 7, 3)
    arrays, fresh = flows.arrays(), train(built(case, 7, 1), 7).arrays()
    for name, array in wanted.arrays().items():
        if not name.endswith(("programmed_ps", "renewed_ps")):
            assert np.array_equal(array, arrays[name], equal_nan=True), name
    assert any("chi" in name and not np.array_equal(array, fresh[name]) for name, array in arrays.items())
    assert flows.ledger.steps == 3
    assert sum(flows.ledger.time_ps.values()) == flows.clock.now


def test_weights_that_are_a_batch_old_let_the_next_batch_begin_before_the_last_has_ended() -> None:
    fresh, stale = (train(built("by vector", 7, 1, **more), 7, 12).clock.now for more in ({}, STALE))
    assert stale < fresh


@dataclass(frozen=True)
class Two:
    """A matrix that is read forward and backward, each in a slot of its own, and written in a third."""

    forward: int
    backward: int
    write: int
    staleness: int

    def play(self, batches: int, samples: int) -> int:
        clock = Clock()
        slots = [Slot(clock, name) for name in ("forward", "backward", "write")]
        pipeline = Pipeline(clock, dict.fromkeys(STEP_PHASES, 0), words=10**6, burst=1, cut=unasked)
        plan = Plan(
            None, (Task(0, (), ("w",)), Task(1, (), ("w",))), {}, (Task(2, (0, 1), ("w",)),),  # type: ignore[arg-type]
            {"w": 2}, (1, 1, 0), {}, {0: 1}, frozenset({2} if self.staleness else ()),
        )  # fmt: skip

        def tape(slot: int, ps: int) -> Tape:
            made = Tape()
            made.nodes.append(Kept(slots[slot], "", [Hold(ps)]))
            return made

        def batch() -> Any:
            for _ in range(batches):
                yield from pipeline.admit(plan, samples)
                done = {
                    0: ("forward", tape(0, self.forward * samples)),
                    1: ("backward", tape(1, self.backward * samples)),
                }
                taping = Taping(plan.late, done=done)
                done[2] = "update", tape(2, self.write)
                pipeline.start(plan, taping, samples)

        clock.process(pipeline.finishing(batch()))
        clock.run()
        assert not clock.unfinished
        return clock.now


@given(st.integers(1, 50), st.integers(1, 50), st.integers(0, 50), st.integers(1, 6), st.integers(2, 5))
@settings(max_examples=60)
def test_two_stages_with_old_weights_take_what_the_closed_form_says(
    forward: int, backward: int, write: int, samples: int, batches: int
) -> None:
    """Fresh: each batch alone, one after the other. Old: forward beside the backward before, then a write."""
    fill, most = forward + backward, max(forward, backward)
    alone = fill + (samples - 1) * most + write
    assert Two(forward, backward, write, 0).play(batches, samples) == batches * alone
    # the first passes as if alone; of each later one the way forward is beside the way back of the one before, whose
    # write waits for both; then its own way back, and at the end its write
    ends, free, wrote = [0] * batches, 0, 0
    for k in range(batches):
        begin = free  # when the slot of the way forward is free, and what it may read is written
        if k >= 2:
            begin = max(begin, wrote)
        passed = [begin + (j + 1) * forward for j in range(samples)]
        free = passed[-1]
        if k:
            wrote = max(ends[k - 1], passed[-1]) + write
        back = ends[k - 1] if k else 0
        for one in passed:
            back = max(back, one, wrote if k else 0) + backward
        ends[k] = back
    assert Two(forward, backward, write, 1).play(batches, samples) == ends[-1] + write

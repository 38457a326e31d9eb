"""A meter's books: those of a training whose operands it is shown, and those of recorded counts of aihwkit."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archsim.base.errors import InputError
from archsim.base.signal import STEP_PHASES, Tag
from archsim.chips.crossbars.in_array import counting_steps
from archsim.networks.imports.draft import Draft
from archsim.records.recorded import read
from archsim.runs.spec import resolve
from archsim.runs.train import Trainer
from archsim.studies.estimate.books import layers
from archsim.studies.estimate.estimate import estimate
from archsim.studies.meter.books import activity
from archsim.studies.meter.in_place import Stepped
from archsim.studies.meter.meter import Asked, Metering
from archsim.studies.meter.recorder import Group, Pass
from archsim.studies.meter.writes import Accumulated, Changed, ChangedEitherWay, pair_steps

PERCEPTRON = [{"name": "fc1", "kind": "dense", "units": 250, "activation": "sigmoid"},
              {"name": "fc2", "kind": "dense", "units": 10, "activation": "sigmoid"}]  # fmt: skip
LENET = "lenet-mnist"
UNITS = ("tile", "pulse_unit", "train_writer", "writer", "transfer_unit")


def draft(inputs: list[int], kept: list[dict[str, Any]], loss: Any = "squared") -> Draft:
    """Return a network as an import gives it."""
    found = Draft(inputs, loss=loss)
    before = "x"
    for layer in kept:
        before = found.add(
            layer["name"], layer["kind"], [before], **{k: layer[k] for k in layer if k not in {"name", "kind"}}
        )
    return found


def metering(*archs: str, **options: Any) -> Metering:
    """Return a meter of the perceptron."""
    return Metering(Asked("mine", list(archs), **options), draft([784], PERCEPTRON), 1)


def watched(trainer: Trainer, meter: Metering, steps: int) -> None:
    """Train so many steps and show the meter the operands that the chip was given, and what it wrote."""
    chip, recorder = trainer.chip, meter.recorder
    name = trainer.architecture.name
    now: list[Pass] = []
    own = chip.multiply, chip.accumulate

    def multiply(matrix: str, x: Any, tag: Tag) -> Any:
        now[-1].forward(matrix, x.values)
        return own[0](matrix, x, tag)

    def accumulate(matrix: str, x: Any, d: Any, rate: float, tag: Tag) -> Any:
        now[-1].back(matrix, x.values, d.values)
        return own[1](matrix, x, d, rate, tag)

    chip.multiply, chip.accumulate = multiply, accumulate
    by_layer, before = {layer: matrix for matrix, layer in layers(meter.recorder.spec).items()}, {}
    for _ in range(steps):
        now.append(Pass(recorder, trainer.spec.training.batch))
        trainer.train(1)
        done = {(row.layer, row.action): row.amount for row in chip.ledger.rows()
                if row.component in {"programmer", "writer"} and row.phase == "update"}  # fmt: skip
        since = {key: amount - before.get(key, 0.0) for key, amount in done.items()}
        ways = ("up.pulse", "down.pulse") if chip.WRITES_IN_PLACE else ("log.write", "set.pulse")
        if hasattr(chip.architecture, "transfer") and chip.architecture.transfer is not None:
            ways = ("transferred", "transferred")
            since |= {(layer, "transferred"): since.get((layer, "up.pulse"), 0.0) + since.get((layer, "down.pulse"), 0.0)
                      for layer in by_layer}  # fmt: skip
        written = {
            matrix: (since.get((layer, ways[0]), 0.0), since.get((layer, ways[1]), 0.0))
            for layer, matrix in by_layer.items()
        }
        before = done
        written = {name: written} if chip.ACCUMULATES or chip.WRITES_IN_PLACE else {}
        recorder.step(now[-1:], written, rate=trainer.spec.training.learning_rate / trainer.spec.training.batch)


def counts(
    rows: Any, components: tuple[str, ...], phases: tuple[str, ...] = ("forward", "backward", "update")
) -> dict[Any, float]:
    return {
        (row.phase, row.layer, row.component, row.action): row.amount
        for row in rows
        if row.component in components and row.phase in phases and row.layer != "chip" and row.amount
    }


@pytest.mark.parametrize("arch", ["digital32", "digital32-strong"])
def test_on_a_digital_chip_the_meter_counts_what_a_training_of_the_same_operands_counts(arch: str) -> None:
    spec = resolve("mlp-mnist", archs=[arch], steps=60)
    trainer, meter = Trainer(spec, spec.architectures[0]), metering(arch)
    watched(trainer, meter, 60)
    [trained] = meter.made()[1]
    components = ("mac_array", "digital_unit", "register_file", "bus")
    own, found = counts(trainer.chip.ledger.rows(), components), counts(trained.rows, components)
    assert found.keys() == own.keys()
    assert found == pytest.approx(own, rel=0.002)
    assert trained.simulated_time_s == pytest.approx(trainer.chip.clock.now * 1e-12, rel=0.01)


def test_on_the_mixed_precision_chip_converters_outer_products_and_pulses_are_the_trainings() -> None:
    spec = resolve("mlp-mnist", archs=["mixed-precision"], steps=300)
    trainer, meter = Trainer(spec, spec.architectures[0]), metering("mixed-precision")
    watched(trainer, meter, 300)
    [trained] = meter.made()[1]
    components = ("tile", "outer_product_unit", "programmer")
    own, found = counts(trainer.chip.ledger.rows(), components), counts(trained.rows, components)
    for key in own.keys() | found.keys():
        if key[3] not in {"cells.conduct", "control.cycle"}:
            assert found.get(key, 0.0) == pytest.approx(own.get(key, 0.0), rel=0.01, abs=2), key
    seconds = sum(trainer.chip.ledger.time_ps[phase] for phase in STEP_PHASES) * 1e-12
    assert trained.simulated_time_s == pytest.approx(seconds, rel=0.01)


def test_weights_are_written_as_often_and_with_as_many_pulses_as_were_measured() -> None:
    spec = metering("mixed-precision").recorder.spec
    group = Group(steps=5, written={"mixed-precision": {matrix: [10.0, 30.0] for matrix in spec.network.shapes}})
    found = activity(spec, spec.architectures[0], 1, group).writing
    for matrix, layer in layers(spec).items():
        assert found[layer].pairs * spec.network.graph.matrices[matrix].weights == pytest.approx(10 / 5)
        assert found[layer].pulses == pytest.approx(3)


def test_a_pass_of_more_samples_than_the_buffer_holds_is_as_many_parts() -> None:
    found = []
    for passes in ([3], [1, 1, 1]):
        meter = metering("digital32")
        meter.recorder.step([Pass(meter.recorder, 1)], {}, rate=0.1)
        for samples in passes:
            meter.recorder.evaluated(Pass(meter.recorder, samples))
        [trained] = meter.made()[1]
        found.append(
            {(row.layer, row.component, row.action): row.amount for row in trained.rows if row.phase == "evaluation"}
        )
        assert trained.time_ps["evaluation"] > 0
    assert found[0]
    assert found[0] == pytest.approx(found[1])


def test_a_batch_of_images_through_convolutions_is_counted_as_its_training() -> None:
    spec = resolve(LENET, archs=["mixed-precision-deep", "digital32-deep"], preset="quick", steps=4)
    trainer = Trainer(spec, spec.architectures[0])
    content = spec.workload.model_dump(by_alias=True)["network"]
    kept = [{key: value for key, value in layer.items() if value is not None} for layer in content["layers"]]
    found = Metering(Asked("mine"), draft(list(content["inputs"]), kept, content["loss"]), spec.training.batch)
    watched(trainer, found, 4)
    trained = found.made()[1][0]
    own, mine = (counts(rows, ("tile", "outer_product_unit")) for rows in (trainer.chip.ledger.rows(), trained.rows))
    for key, amount in own.items():
        if key[3] in {"dac.convert", "adc.convert", "add", "multiply", "chi.write"}:
            assert mine[key] == pytest.approx(amount, rel=0.02), key


def replayed(rows: list[dict[str, str]], archs: list[str]) -> Metering:
    """Return a meter that was shown recorded counts: of non-zero operands, biases apart, and of changed weights."""
    meter = Metering(Asked("aihwkit", archs), draft([784], PERCEPTRON), 1)
    recorder, shapes = meter.recorder, meter.recorder.spec.network.shapes
    for row in rows:
        one = Pass(recorder, 1)
        written = {}
        for matrix, (lines, columns) in shapes.items():
            x, d = int(row[f"{matrix}_nnz_x"]) + 1, int(row[f"{matrix}_nnz_d"])
            for sums in one.sums.values():
                sums.add(Tag("forward", matrix), {"driven": (x, lines), "nonzero": (x, lines)})
                sums.add(Tag("backward", matrix), {"driven": (d, columns), "nonzero": (d, columns)})
                products = (x * d, lines * columns)
                sums.add(Tag("update", matrix), {"products": products, "updates": products, "rows": (x, lines)})
            changed = int(row[f"{matrix}_weights_changed"])
            written[matrix] = changed, changed
        recorder.step([one], dict.fromkeys(recorder.lenses, written), rate=0.02)
    return meter


def test_a_recorded_training_of_aihwkit_and_one_of_our_own_agree_in_counts(real_data: Path) -> None:
    """6,000 images of MNIST with the same rate, loss and 8-bit errors: their own noise, devices and order each."""
    file = real_data / "aihwkit" / "aihwkit_mixed_precision_784-250-10.csv"
    if not file.is_file():
        pytest.skip("needs the recorded training")
    with file.open() as stream:
        rows = list(csv.DictReader(stream))
    [trained] = replayed(rows, ["mixed-precision"]).made()[1]
    network = {"inputs": 784, "initial_std": "lecun", "layers": [PERCEPTRON[0], {**PERCEPTRON[1], "activation": "softmax"}],
               "loss": "cross-entropy"}  # fmt: skip
    work = {"schema": 1, "kind": "workload", "name": "mine", "title": "mine", "dataset": "mnist", "network": network,
            "training": {"batch": 1, "learning_rate": 0.02, "epochs": 1}}  # fmt: skip
    spec = resolve(
        work, archs=["mixed-precision"], steps=len(rows), settings={"outer_product.error_bits": 8}, data=real_data
    )
    trainer = Trainer(spec, spec.architectures[0])
    trainer.train(len(rows))

    def total(rows: Any, component: str, action: str) -> float:
        return sum(
            row.amount
            for row in rows
            if (row.component, row.action) == (component, action) and row.phase in STEP_PHASES
        )

    own = trainer.chip.ledger.rows()
    for component, action in (("tile", "dac.convert"), ("tile", "adc.convert"), ("outer_product_unit", "add"),
                              ("outer_product_unit", "chi.write")):  # fmt: skip
        assert total(trained.rows, component, action) == pytest.approx(total(own, component, action), rel=0.05), action
    pulsed = ("programmer", "log.write")  # 4.39 and 4.09 weights an image: other devices, other pulses
    assert total(trained.rows, *pulsed) == pytest.approx(total(own, *pulsed), rel=0.15)


@pytest.fixture
def counted() -> Metering:
    """Return a meter of six steps of one sample, two of eight, and a pass of ten, with two tests."""
    meter, rng = metering("mixed-precision-deep", "digital32-deep"), np.random.default_rng(1)
    recorder = meter.recorder
    for samples, value in ((1, None), (8, 0.5), (1, 0.75)):
        for _ in range(2 if samples == 8 else 3):
            one = Pass(recorder, samples)
            recorder.given(np.zeros((samples, 784), np.float32))
            for matrix, (rows, columns) in recorder.spec.network.shapes.items():
                x, d = (rng.random((samples, size), np.float32) for size in (rows, columns))
                one.forward(matrix, x)
                one.back(matrix, x, d)
            recorder.step([one], {"mixed-precision-deep": {"fc1": (3, 4), "fc2": (1, 1)}}, rate=0.1)
        if value is not None:
            meter.test(value, "accuracy", 0.1)
    return meter


def test_a_metered_loop_is_written_as_a_run_that_its_readers_take(counted: Metering, tmp_path: Path) -> None:
    counted.write(tmp_path / "run")
    run = read(tmp_path / "run")
    chip = run.chips["mixed-precision-deep"]
    assert chip.steps == 8
    assert [(point.step, point.samples, point.test) for point in chip.course] == [
        (0, 0, None),
        (5, 19, 0.5),
        (8, 22, 0.75),
    ]
    assert sum(row.amount for row in chip.rows if row.action == "log.write" and row.phase == "update") == pytest.approx(
        32
    )
    assert run.summary["dataset_origin"] == "samples that a metered loop gave its model"
    assert any(line.startswith("measured: operands of 2 of 2 products in 8 of 8 steps") for line in run.run["metered"])
    energy = counted.energy()["mixed-precision-deep"]
    assert run.total("mixed-precision-deep") * 8 == pytest.approx(energy["total"])
    json.dumps(counted.summary())


def test_an_estimate_takes_the_activity_of_a_metered_run(counted: Metering, tmp_path: Path) -> None:
    counted.write(tmp_path / "run")
    found = estimate("mlp-mnist", activity=tmp_path / "run", archs=["mixed-precision-deep"])
    assert found["architectures"]["mixed-precision-deep"]["activity"].startswith("measured: steps 0 to 8")


def test_a_metered_run_is_not_trained_again(counted: Metering, tmp_path: Path) -> None:
    from archsim.records.verify import verify
    from archsim.report.paper.paper import make_paper
    from archsim.studies.explain.explain import explain

    counted.write(tmp_path / "run")
    for again in (verify, make_paper, explain):
        with pytest.raises(InputError, match="a meter counted: archsim cannot train it again"):
            again(tmp_path / "run")


def test_a_page_of_a_metered_run_claims_no_imperfection_of_a_chip_and_says_what_was_counted(
    counted: Metering, tmp_path: Path
) -> None:
    from archsim.report.tables import particulars

    counted.write(tmp_path / "run")
    told = [(row[0], row[1]) for row in particulars(read(tmp_path / "run")).rows]
    assert not any("non-ideal" in what or "not in the device" in what for what, _ in told)
    assert [line for what, line in told if what == "counted by a meter"] == list(counted.lines())


def test_without_a_step_or_a_test_there_is_nothing_to_write(counted: Metering, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no training step was metered"):
        metering("digital32").energy()
    counted.metric = None
    with pytest.raises(InputError, match="no test was told"):
        counted.write(tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("value", "metric", "said"),
    [(1.5, "accuracy", "a number from 0 to 1"), (0.5, "acuracy", "Did you mean 'accuracy'"),
     (2.0, "bits per character", "accuracy, as before")],
)  # fmt: skip
def test_a_test_that_cannot_be_is_refused(counted: Metering, value: float, metric: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        counted.test(value, metric, None)


@pytest.mark.parametrize("chip", ["in-array", "in-array-sgd", "tiki-taka", "agad"])
def test_a_training_in_the_array_is_counted_from_its_operands_and_its_rate(chip: str) -> None:
    spec = resolve("mlp-mnist", archs=[chip], steps=60, settings=["dataset=mnist-5k"])
    trainer, meter = Trainer(spec, spec.architectures[0]), metering(chip)
    watched(trainer, meter, 60)
    [one] = meter.made()[1]
    did, told = counts(trainer.chip.ledger.rows(), UNITS), counts(one.rows, UNITS)
    for phase, layer, unit in {key[:3] for key in did if key[2] in {"pulse_unit", "train_writer"}}:
        for actions in (("control.cycle",), ("random.bit",), ("up.half",), ("up.pulse", "down.pulse"), ("multiply",)):
            mine, theirs = (sum(each.get((phase, layer, unit, one), 0.0) for one in actions) for each in (told, did))
            assert mine == pytest.approx(theirs, rel=0.03), (layer, actions)
    for key in (each for each in did if each[2:] in {("writer", "up.pulse"), ("writer", "control.cycle")}):
        if did[key] > 500:  # slots are taken to be those of pulses that are spread evenly
            assert told[key] == pytest.approx(did[key], rel=0.35), key
    ps = sum(trainer.chip.ledger.time_ps[phase] for phase in STEP_PHASES)
    assert sum(one.time_ps[phase] for phase in STEP_PHASES) == pytest.approx(
        ps, rel=0.4 if chip == "in-array" else 0.05
    )


def test_changes_are_pulses_in_mean_steps_either_way_or_none_if_they_round_to_none() -> None:
    for rounding, found in (("stochastic", (0.4, 2.7)), ("nearest", (0.0, 3.0))):
        recorder = metering("in-array", settings=[f"in-array.update.rounding={rounding}"]).recorder
        [chip], network = recorder.spec.architectures, recorder.spec.network
        step = counting_steps(chip, network.graph.matrices["fc1"])[0]  # type: ignore[arg-type]
        writes, weights = Stepped(chip, network), np.zeros((2, 3), np.float32)  # type: ignore[arg-type]
        writes.begin("fc1", [weights])
        weights[0, 0], weights[1, 1] = 0.4 * step, -2.7 * step
        assert writes.step("fc1", [weights]) == pytest.approx(found, rel=1e-5)
        assert writes.step("fc1", [weights]) == (0.0, 0.0)


def test_changes_of_weights_are_pulsed_when_they_add_up_to_a_mean_step() -> None:
    spec = metering("mixed-precision").recorder.spec
    writes = Accumulated(pair_steps(spec.architectures[0], spec.network))  # type: ignore[arg-type]
    epsilon = 0.766e-6 / 8e-6  # of the device, over the unit of a weight of 1
    weights = np.zeros((2, 3), np.float32)
    writes.begin("fc1", [weights])
    weights[0, 0] = 0.6 * epsilon
    assert writes.step("fc1", [weights]) == (0, 0)
    weights[0, 0] = 1.2 * epsilon
    weights[1, 1] = -2.5 * epsilon
    assert writes.step("fc1", [weights]) == (2, 3)
    assert writes.step("fc1", [weights]) == (0, 0)


def test_weights_that_changed_are_pulsed_once_each() -> None:
    for writes, found in ((Changed(), (2, 2)), (ChangedEitherWay(), (1.0, 1.0))):
        weights = np.zeros(5, np.float32)
        writes.begin("fc1", [weights])
        weights[[0, 3]] = 1e-6
        assert writes.step("fc1", [weights]) == found
    assert writes.step("fc1", [weights]) == (0, 0)

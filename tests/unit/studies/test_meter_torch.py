"""The meter around loops in PyTorch, and in aihwkit where it is: counts, errors, and a model that is left as it was."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import archsim
from archsim.base.errors import InputError
from archsim.base.signal import STEP_PHASES
from archsim.base.streams import Streams
from archsim.networks.network import INPUT, TARGET
from archsim.records.recorded import read
from archsim.runs.spec import resolve
from archsim.runs.train import Trainer, task_of

torch = pytest.importorskip("torch")
nn = torch.nn
pytestmark = pytest.mark.filterwarnings("ignore")  # of torch.export, about itself
CHIPS = ("mixed-precision-deep", "digital32-deep")


def perceptron() -> Any:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(12, 8), nn.Sigmoid(), nn.Linear(8, 3))


def steps(model: Any, count: int, *, batch: int = 4, optimiser: Any = None, seed: int = 1) -> None:
    """Train so many steps on samples of which a third are zero."""
    optimiser = optimiser or torch.optim.SGD(model.parameters(), lr=0.1)
    made = torch.Generator().manual_seed(seed)
    for _ in range(count):
        x = torch.rand(batch, 12, generator=made)
        x[x < 1 / 3] = 0
        y = torch.randint(3, (batch,), generator=made)
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimiser.step()


def hooks(model: Any) -> int:
    return sum(
        len(each._forward_hooks) + len(each._forward_pre_hooks) + len(each._backward_hooks) for each in model.modules()
    )


def amounts(rows: Any, chip: str = "", names: dict[str, str] | None = None) -> dict[Any, float]:
    """Return amounts of a step's products, outer products and buffers, without what time and leakage decide."""
    del chip
    return {
        (row.phase, (names or {}).get(row.layer, row.layer), row.component, row.action): row.amount
        for row in rows
        if row.phase in STEP_PHASES and row.layer != "chip" and row.amount
    }


@pytest.mark.parametrize(("arch", "batch"), [("digital32", 1), ("digital32-strong", 1), ("digital32-deep", 4)])
def test_a_perceptron_trained_on_the_same_batches_is_counted_as_the_digital_chips_own_training(
    arch: str, batch: int
) -> None:
    options: dict[str, Any] = {"archs": [arch], "steps": 40, "settings": {"training.batch": batch}}
    spec = resolve("mlp-mnist", **options)
    trainer = Trainer(spec, spec.architectures[0])
    trainer.train(40)
    model = nn.Sequential(nn.Linear(784, 250), nn.Sigmoid(), nn.Linear(250, 10), nn.Sigmoid())
    names = dict(zip(("linear", "linear_1"), spec.network.graph.matrices, strict=True))
    with torch.no_grad():
        for layer, values in zip((model[0], model[2]), spec.network.initial_weights(Streams(1)).values(), strict=True):
            layer.weight.copy_(torch.from_numpy(values[:-1].T.copy()))
            layer.bias.copy_(torch.from_numpy(values[-1].copy()))
    optimiser, task = torch.optim.SGD(model.parameters(), lr=spec.training.learning_rate), task_of(spec, Streams(1))
    with archsim.meter(model, arch=arch, loss="squared") as m:
        for _ in range(40):
            feeds = task.batch().feeds
            x, y = (torch.from_numpy(np.ascontiguousarray(feeds[name])) for name in (INPUT, TARGET))
            optimiser.zero_grad()
            (0.5 * (model(x) - y) ** 2).sum().div(batch).backward()
            optimiser.step()
    [trained] = m._told().made()[1]
    own, found = amounts(trainer.chip.ledger.rows()), amounts(trained.rows, names=names)
    assert found.keys() == own.keys()
    assert found == pytest.approx(own, rel=0.005)


def test_a_loop_is_a_run_that_has_its_steps_samples_tests_and_last_batch(tmp_path: Path) -> None:
    model = perceptron()
    with archsim.meter(model, arch=CHIPS, name="mine") as m:
        steps(model, 3)
        with torch.no_grad():
            model(torch.rand(10, 12))
        m.test(0.4, chance=1 / 3)
        steps(model, 1, batch=2)
        m.test(0.6)
    assert hooks(model) == 0
    run = m.write(tmp_path / "run")
    chip = run.recorded.chips[CHIPS[0]]
    assert (chip.steps, run.summary["architectures"][CHIPS[0]]["samples"], run.summary["batch"]) == (4, 14, 4)
    assert [(point.step, point.samples, point.test) for point in chip.course] == [
        (0, 0, None),
        (3, 12, 0.4),
        (4, 14, 0.6),
    ]
    rows = {(row.phase, row.layer, row.component, row.action): row.amount for row in chip.rows}
    assert rows["forward", "linear", "tile", "adc.convert"] == 14 * 8
    assert rows["evaluation", "linear", "tile", "adc.convert"] == 10 * 8
    assert rows["forward", "linear", "tile", "dac.convert"] == pytest.approx(14 * (12 * 2 / 3 + 1), rel=0.1)
    assert m.energy[CHIPS[0]]["total"] == pytest.approx(4 * run.recorded.total(CHIPS[0]))
    assert m.summary()["ratios"].keys() == {CHIPS[0]}
    assert "mine): 4 steps, 14 samples" in repr(m)
    assert m.page(tmp_path / "paged").is_file()
    read(tmp_path / "paged")


def test_convolutions_with_what_works_in_place_are_counted_by_position() -> None:
    torch.manual_seed(1)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3, stride=2, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(64, 3)
    )
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    x, y = torch.rand(2, 1, 16, 16), torch.tensor([0, 1])
    with archsim.meter(model, arch=CHIPS) as m:
        nn.functional.cross_entropy(model(x), y).backward()
        optimiser.step()
    rows = {(row.phase, row.layer, row.component, row.action): row.amount for row in m._told().made()[1][0].rows}
    windows = torch.nn.functional.unfold(x, 3, stride=2, padding=1)
    driven = int((torch.round(windows * 127) != 0).sum()) + 2 * 64  # and the bias, once a position
    assert rows["forward", "conv2d", "tile", "dac.convert"] == pytest.approx(driven, rel=0.01)
    assert rows["forward", "conv2d", "tile", "adc.convert"] == 2 * 64 * 4
    assert m._told().optimiser == {"kind": "momentum", "momentum": 0.9}
    assert any(component == "optimiser_unit" for _, _, component, _ in rows)


def test_passes_of_one_step_are_one_batch_and_every_so_manyth_step_is_looked_at() -> None:
    model = perceptron()
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    with archsim.meter(model, arch=CHIPS, every=2) as m:
        for _ in range(4):
            for _ in range(3):
                nn.functional.cross_entropy(model(torch.rand(2, 12)), torch.tensor([0, 1])).backward()
            optimiser.step()
    found = m.summary()
    assert (found["steps"], found["samples"], found["batch"]) == (4, 24, 6)
    whole = sum(
        row.amount for row in m._told().made()[1][0].rows if row.action == "log.write" and row.phase == "update"
    )
    assert whole > 0
    assert "in 2 of 4 steps" in found["told"][0]


def test_a_loop_that_raises_leaves_no_hooks_and_what_it_counted() -> None:
    model = perceptron()
    m = archsim.meter(model, arch=CHIPS)
    with pytest.raises(RuntimeError, match="mine"), m:
        steps(model, 2)
        raise RuntimeError("mine")
    assert hooks(model) == 0
    assert m.summary()["steps"] == 2
    steps(model, 1)
    assert m.summary()["steps"] == 2
    with archsim.meter(model, arch=CHIPS) as other:
        steps(model, 1)
    assert other.summary()["steps"] == 1


def test_a_step_that_loss_scaling_skips_is_not_counted() -> None:
    """As `torch.amp.GradScaler` does where a scaled loss is too large for half precision."""
    model = perceptron()
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    with archsim.meter(model, arch=CHIPS) as m:
        for scale in (1.0, float("inf"), 1.0):
            optimiser.zero_grad()
            (nn.functional.cross_entropy(model(torch.rand(4, 12)), torch.tensor([0, 1, 2, 0])) * scale).backward()
            if scale == 1:
                optimiser.step()
    assert (m.summary()["steps"], m.summary()["samples"]) == (2, 8)


@pytest.mark.parametrize("chips", [CHIPS, ["in-array-sgd"]])
def test_a_loop_that_diverges_has_no_results_and_the_layer_and_the_step_are_told(chips: Any, tmp_path: Path) -> None:
    model = perceptron()
    with archsim.meter(model, arch=chips) as m:
        steps(model, 2)
        with torch.no_grad():
            model[0].weight[0, 0] = float("nan")
        steps(model, 2)
        m.test(0.5)
    for each in (m.summary, lambda: m.energy, lambda: m.write(tmp_path / "run")):
        with pytest.raises(InputError, match=r"operands of linear_1 in step 3 are not finite"):
            each()
    assert "operands of linear_1 in step 3 are not finite" in repr(m)
    assert not (tmp_path / "run").exists()


def test_the_model_trains_as_it_does_without_a_meter_and_keeps_its_modes() -> None:
    bare, metered = perceptron(), perceptron()
    metered[1].eval()
    steps(bare, 5)
    with archsim.meter(metered, arch=CHIPS):
        steps(metered, 5)
    assert all(torch.equal(a, b) for a, b in zip(bare.parameters(), metered.parameters(), strict=True))
    assert (metered[0].training, metered[1].training) == (True, False)


def refused(model: Any, said: str, loop: Any, **options: Any) -> None:
    with pytest.raises(InputError, match=said), archsim.meter(model, **{"arch": CHIPS, **options}):
        loop()
    assert hooks(model) == 0


def test_meters_do_not_stand_in_each_other_and_are_used_once() -> None:
    model = perceptron()
    refused(model, "a meter is in this model already", lambda: archsim.meter(model, arch=CHIPS).__enter__())
    m = archsim.meter(model, arch=CHIPS)
    with m:
        steps(model, 1)
    with pytest.raises(InputError, match="was used already"), m:
        pass


def test_a_step_whose_passes_were_not_seen_is_refused() -> None:
    model = perceptron()
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    nn.functional.cross_entropy(model(torch.rand(2, 12)), torch.tensor([0, 1])).backward()
    refused(model, "a step whose passes the meter did not see", optimiser.step)


class Odd(nn.Module):
    """A product of two signals, which no tile does."""

    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Linear(4, 4)

    def forward(self, x: Any) -> Any:
        """Return it."""
        return torch.matmul(self.one(x).unsqueeze(1), x.unsqueeze(2)).squeeze(2)


@pytest.mark.parametrize(
    ("model", "x", "said"),
    [(nn.Sequential(nn.ReLU(), nn.Sigmoid()), (2, 4), "has no layer on tiles; expected nn.Linear"), (Odd(), (2, 4), "node squeeze .*a product of two signals"),
     (nn.Linear(4, 2), (4,), "one tensor, samples first")],
)  # fmt: skip
def test_a_model_that_cannot_be_metered_is_told_what_to_do(model: Any, x: tuple[int, ...], said: str) -> None:
    refused(model, said, lambda: model(torch.rand(*x)))


def test_chips_that_update_in_the_array_are_counted_and_say_where_their_pulses_are_from() -> None:
    model, chips = perceptron(), ["in-array", "in-array-sgd", "tiki-taka"]
    before = [each.detach().clone() for each in (model[0].weight, model[0].bias)]
    with archsim.meter(model, arch=chips) as m:
        steps(model, 1)
    moved = sum(
        float((now - then).abs().sum()) for now, then in zip((model[0].weight, model[0].bias), before, strict=True)
    )
    rounded, trains, fast = m._told().made()[1]
    pulses = {
        each.architecture.name: sum(row.amount for row in each.rows if row.layer == "linear" and row.component in {
            "writer", "train_writer"} and row.action in {"up.pulse", "down.pulse"})
        for each in (rounded, trains, fast)
    }  # fmt: skip
    step = 0.219 / 6  # uS: a pulse of epiram-neurosim, over a weight of 1
    assert pulses["in-array"] == pytest.approx(moved / step, rel=0.1)
    assert pulses["in-array-sgd"] > 5 * pulses["in-array"]  # whose steps are 20 times as fine
    assert pulses["tiki-taka"] > 0
    told = " ".join(m.summary()["told"])
    assert "the change of the weights in the device's mean steps" in told
    assert "from operands and the learning rate" in told


def test_options_that_are_wrong_are_told() -> None:
    model = perceptron()
    for options, said in (({"every": 0}, "every: got 0"),
                          ({"loss": "cross"}, "^loss: got 'cross'; expected one of squared, cross-entropy"),
                          ({"over": "digital"}, "over: got 'digital'"), ({"tech": "none"}, "none")):  # fmt: skip
        with pytest.raises(InputError, match=said), archsim.meter(model, **{"arch": CHIPS, **options}):  # type: ignore[arg-type]
            steps(model, 1)
    with pytest.raises(InputError, match=r"expected a torch\.nn\.Module"):
        archsim.meter("model")
    refused(
        model,
        "archsim has no optimiser like it",
        lambda: steps(model, 1, optimiser=torch.optim.Rprop(model.parameters())),
    )
    with pytest.raises(InputError, match="nothing has passed the model yet"), archsim.meter(model) as m:
        m.test(0.5)


aihwkit = pytest.mark.skipif(
    getattr(find_spec("aihwkit"), "origin", None) is None,  # our folder of that name is found, too, without an origin
    reason="needs aihwkit",
)


@aihwkit
def test_an_analog_model_has_its_own_tiles_and_its_weights_tell_the_pulses() -> None:
    from aihwkit.nn import AnalogConv2d, AnalogLinear, AnalogSequential
    from aihwkit.optim import AnalogSGD
    from aihwkit.simulator.presets import MixedPrecisionPCMPreset

    torch.manual_seed(1)
    config = MixedPrecisionPCMPreset()
    config.mapping.max_input_size = config.mapping.max_output_size = 32
    model = AnalogSequential(
        AnalogConv2d(1, 4, 3, rpu_config=config), nn.Sigmoid(), nn.Flatten(), AnalogLinear(4 * 36, 5, rpu_config=config)
    )
    optimiser = AnalogSGD(model.parameters(), lr=0.5)
    optimiser.regroup_param_groups(model)
    changed, before = [0, 0], [model[k].get_weights()[0].clone() for k in (0, 3)]
    with archsim.meter(model) as m:
        for k in range(20):
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(torch.rand(1, 1, 8, 8)), torch.tensor([k % 5])).backward()
            optimiser.step()
            now = [model[k].get_weights()[0].clone() for k in (0, 3)]
            changed = [n + int((a != b).sum()) for n, a, b in zip(changed, now, before, strict=True)]
            before = now
    assert sum(changed) > 0
    spec, [trained, _] = m._told().made()
    chip: Any = spec.architectures[0]
    assert (chip.name, chip.tile.rows, chip.tile.dac.bits, chip.tile.adc.bits) == ("rpu-config", 32, 7, 9)
    rows = {(row.phase, row.layer, row.component, row.action): row.amount for row in trained.rows}
    assert [rows["update", name, "programmer", "log.write"] for name in ("conv2d", "linear")] == pytest.approx(changed)
    assert rows["forward", "linear", "tile", "adc.convert"] == 20 * 5 * 5  # 145 rows lie on five tiles
    told = "\n".join(m.summary()["told"])
    assert "weights that changed, one pulse each" in told
    assert "not mapped: forward.out_noise" in told


@aihwkit
def test_an_analog_layer_that_has_no_counterpart_is_named() -> None:
    from aihwkit.nn import AnalogConv1d, AnalogLSTMCell, AnalogRNN, AnalogSequential
    from aihwkit.simulator.presets import MixedPrecisionPCMPreset

    model = AnalogSequential(nn.ReLU(), AnalogConv1d(1, 2, 3, rpu_config=MixedPrecisionPCMPreset()))
    refused(
        model,
        "1: the meter has nothing for aihwkit's AnalogConv1d; expected one of AnalogLinear",
        lambda: model(torch.rand(2, 1, 8)),
    )
    recurrent = AnalogRNN(AnalogLSTMCell, 4, 6, rpu_config=MixedPrecisionPCMPreset())
    refused(recurrent, "model: the meter has nothing for aihwkit's AnalogRNN", lambda: recurrent(torch.rand(3, 2, 4)))

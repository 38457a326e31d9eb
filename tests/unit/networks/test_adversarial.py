"""A generator and a discriminator: two programs over one graph, each of which moves its own part."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from network_kit import conv, dense, roomy
from pydantic import ValidationError

from archsim.base.errors import ModelError
from archsim.base.files import shipped_names
from archsim.chips.execute import execute, training_step
from archsim.learning.losses import value as loss_value
from archsim.networks.builder import Builder
from archsim.networks.file import AdversarialFile
from archsim.networks.network import Network

SAMPLES = 4
GENERATOR = [dense("g1", 5, "tanh"), {"name": "gn", "kind": "batch-norm"}, dense("g2", 6, "sigmoid")]
DISCRIMINATOR = [dense("d1", 5, "tanh"), {"name": "dn", "kind": "batch-norm"}, dense("d2", 1, "sigmoid")]
MINE = {
    "train D": {"d1", "d2", "dn.gain", "dn.offset", "dn.running"},
    "train G": {"g1", "g2", "gn.gain", "gn.offset", "gn.running"},
}


def pair(generator: Any = None, discriminator: Any = None, inputs: Any = 3) -> Network:
    return AdversarialFile.model_validate({
        "generator": {"inputs": inputs, "initial_std": 0.7, "layers": generator or GENERATOR},
        "discriminator": {"initial_std": 0.7, "layers": discriminator or DISCRIMINATOR},
    }).build()  # fmt: skip


def batch(net: Network, samples: int = SAMPLES) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    ones = np.ones((samples, net.graph.tensors["real"].words), np.float32)
    x = rng.uniform(0, 1, (samples, net.inputs)).astype(np.float32)
    return {"x": x, "real": ones, "generated": 0 * ones, **net.drawn(rng, samples)}


def loss(name: str, outputs: list[np.ndarray], feeds: dict[str, np.ndarray]) -> float:
    """Return the loss of a program by its results, summed over samples, at 64 bits."""
    wanted = {"train D": ["real", "generated"], "train G": ["real"]}[name]
    losses = (
        loss_value("binary-cross-entropy", y.astype(float), feeds[t]) for y, t in zip(outputs, wanted, strict=True)
    )
    return sum(losses) * SAMPLES


@pytest.mark.parametrize("which", [0, 1])
def test_each_program_learns_the_slope_of_its_own_loss_and_moves_nothing_else(which: int) -> None:
    net = pair()
    program = net.training[which]
    feeds, made = batch(net), roomy("digital32", net, SAMPLES)
    learns = {**made.weights, **made.parameters}  # type: ignore[attr-defined]
    before = {key: array.copy() for key, array in learns.items()}
    made.run(execute(made, program, feeds, rate=SAMPLES))
    descent = {key: array - before[key] for key, array in learns.items()}
    assert {key for key, moved in descent.items() if moved.any()} == MINE[program.name]
    rng = np.random.default_rng(1)
    for key, array in learns.items():
        if key in net.graph.tracks or key not in MINE[program.name]:
            continue
        for _ in range(3):
            way = rng.standard_normal(array.shape).astype(np.float32)
            values = []
            for h in (0.003, -0.003):
                for other, start in before.items():
                    learns[other][...] = start
                array[...] += np.float32(h) * way
                values.append(loss(program.name, made.run(execute(made, program, feeds)), feeds))
            slope = (values[0] - values[1]) / 0.006
            assert float((descent[key] * way).sum()) == pytest.approx(-slope, rel=5e-3, abs=2e-3), key


def test_only_what_learns_is_accumulated_and_the_generator_is_not_led_back_to_for_the_discriminator() -> None:
    for program in pair().training:
        written = {call.target for call in program.calls if call.verb in {"accumulate", "apply", "adjust", "maintain"}}
        assert written == MINE[program.name]
    train_d, train_g = pair().training
    back = {p.name: {call.layer for call in dict(p.phases)["backward"]} for p in (train_d, train_g)}
    assert back == {"train D": {"d1", "dn", "d2"}, "train G": {"g1", "gn", "g2", "d1", "dn", "d2"}}
    twice = [call for call in train_d.calls if call.verb == "accumulate" and call.target == "d1"]
    assert len(twice) == 2, "from real samples and from generated ones"
    assert len([call for call in train_d.calls if call.verb == "apply" and call.target == "d1"]) == 1


def test_a_training_step_gives_what_the_discriminator_said_before_and_after() -> None:
    net = pair()
    feeds, made = batch(net), roomy("digital32", net, SAMPLES)
    outputs = made.run(training_step(made, net, feeds, 0.0))
    assert outputs.shape == (3 * SAMPLES, 1)
    assert (outputs[SAMPLES : 2 * SAMPLES] == outputs[2 * SAMPLES :]).all(), "nothing was learnt at rate 0"
    assert made.ledger.steps == 1
    after = made.run(training_step(made, net, feeds, 0.5))
    assert (after[SAMPLES : 2 * SAMPLES] != after[2 * SAMPLES :]).any()


@pytest.mark.parametrize("architecture", shipped_names("architectures"))
def test_every_chip_trains_it_a_step_and_books_each_layer(architecture: str) -> None:
    net = pair(
        [
            dense("g1", 8, "relu"),
            {"name": "turn", "kind": "activation", "activation": "linear"},
            dense("g2", 6, "sigmoid"),
        ],
        [
            dense("d1", 5, "leaky-relu", slope=0.2),
            {"name": "drop", "kind": "dropout", "rate": 0.3},
            dense("d2", 1, "sigmoid"),
        ],
    )
    made = roomy(architecture, net, SAMPLES)
    outputs = made.run(training_step(made, net, batch(net), 0.1))
    assert np.isfinite(outputs).all()
    booked = {(row.phase, row.layer) for row in made.ledger.rows()}
    layers = ("g1", "g2", "d1", "d2")
    assert {(phase, layer) for phase in ("forward", "update") for layer in layers} <= booked
    assert made.clock.now == sum(made.ledger.time_ps.values()) > 0


def test_images_are_generated_by_transposed_convolutions_and_judged_by_convolutions() -> None:
    net = pair(
        [conv("g1", 2, 3, kind="conv2d-transposed", stride=2)],
        [conv("d1", 3, 2), {"name": "flat", "kind": "flatten"}, dense("d2", 1, "sigmoid")],
        inputs=[2, 2, 3],
    )
    assert net.graph.tensors["x"].shape == (5, 5, 2)
    made = roomy("digital32", net, SAMPLES)
    assert np.isfinite(made.run(training_step(made, net, batch(net), 0.1))).all()


def test_latent_vectors_lie_between_minus_one_and_one_and_are_those_of_the_stream() -> None:
    net = pair()
    z = net.drawn(np.random.default_rng(5), 2000)["z"]
    assert z.shape == (2000, 3)
    assert np.abs(z).max() <= 1
    assert z.std() == pytest.approx(3**-0.5, rel=0.05)
    assert (z == net.drawn(np.random.default_rng(5), 2000)["z"]).all()


def test_what_is_built_again_is_the_same_matrix_or_refused() -> None:
    builder = Builder(0.1)
    first = builder.matrix("a", 3, 2)
    gain = builder.parameter("a.gain", (2,))
    with builder.again():
        assert builder.matrix("a", 3, 2) is first
        assert builder.parameter("a.gain", (2,)) is gain
        with pytest.raises(ModelError, match=r"'a' of \(3, 2\) shall be used again with \(4, 2\)"):
            builder.matrix("a", 4, 2)
        with pytest.raises(ModelError, match="'b' shall be used again and is not there"):
            builder.matrix("b", 3, 2)
    with pytest.raises(ModelError, match="two matrices are named 'a'"):
        builder.matrix("a", 3, 2)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"generator": [*GENERATOR[:1], dense("d1", 6, "sigmoid")]}, "a layer is named 'd1'"),
        ({"discriminator": [dense("x", 1, "sigmoid")]}, "a layer is named 'x'"),
        ({"discriminator": [dense("d1", 1, "tanh")]}, "expected it after sigmoid"),
        ({"discriminator": [{"name": "d1", "kind": "flatten", "of": ["g1"]}]}, "d1 takes 'g1'"),
    ],
)
def test_what_does_not_fit_is_said(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        pair(**change)

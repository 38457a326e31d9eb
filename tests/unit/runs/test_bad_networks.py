"""A network that cannot be, in a workload's file: one line that names the layer's own line and key in the file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from archsim.base.errors import DoesNotFitError, InputError
from archsim.runs.run import check_fit
from archsim.runs.spec import resolve
from archsim.runs.train import Trainer

IMAGE, TEXT = ("mnist-5k", "[28, 28, 1]"), ("shakespeare-extract", "[16, 1]")
CONV = "name: conv1, kind: conv2d, units: 8, window: 3, padding: 1, activation: relu"
FLAT = "name: flat, kind: flatten"
OUT = "name: out, kind: dense, units: 10, activation: softmax"
LETTERS = "name: out, kind: dense, units: 65, activation: softmax"
CODE = "name: code, kind: one-hot, vocabulary: 65"
FC = "name: fc, kind: dense, units: 64, activation: relu"
FIRST = 9
"""Line of the first layer."""


def workload(
    folder: Path, layers: list[str], of: tuple[str, str] = IMAGE, loss: str = "cross-entropy", batch: int = 8,
    rate: float = 0.05,
) -> str:  # fmt: skip
    """Write a workload, a layer a line, and return its path."""
    body = "\n".join(f"    - {{{layer}}}" for layer in layers)
    path = folder / "bad.yaml"
    path.write_text(
        f"schema: 1\nkind: workload\nname: bad\ntitle: A bad one\ndataset: {of[0]}\nnetwork:\n  inputs: {of[1]}\n"
        f"  layers:\n{body}\n  initial_std: he\n  loss: {loss}\n"
        f"training: {{batch: {batch}, learning_rate: {rate}, epochs: 1}}\n"
        "architectures: [mixed-precision-deep, digital32-deep]\n"
    )
    return str(path)


SHAPES = [
    ([CONV, "name: conv2, kind: conv2d, units: 4, window: 3, padding: 1, activation: relu",
      "name: sum, kind: add, of: [conv1, conv2]", FLAT, OUT], 2, "",
     "sum (add) is given the result of conv2, 28x28x4; expected 28x28x8, as the result of conv1 has"),
    ([FLAT, FC, CONV, OUT], 2, "", "conv1 (conv2d) is given the result of fc, 64; expected an image"),
    ([CONV, "name: conv2, kind: conv2d, units: 4, window: 31, activation: relu", FLAT, OUT], 1, "",
     "conv2 (conv2d) is given the result of conv1, 28x28x8; expected a larger image: a window of 31x31"),
    ([CONV, "name: conv2, kind: conv2d, units: 6, window: 3, groups: 4, activation: relu", FLAT, OUT], 1, "",
     "given the result of conv1, 28x28x8; expected channels, and 6 units, that 4 groups divide"),
    ([CONV, "name: pool, kind: max-pool, window: 2, padding: 2", FLAT, OUT], 1, "",
     "pool (max-pool) is given the result of conv1, 28x28x8; expected padding 2 of at most half"),
    ([FLAT, FC, "name: fd, kind: dense, units: 32, activation: relu",
      "name: t, kind: tied, matrix: fc, activation: linear", OUT], 3, "",
     "t is given the result of fd, 32; the matrix fc, 785x64, the other way round, takes vectors of 64"),
    (["name: up, kind: conv2d-transposed, units: 2, window: 3, output_padding: 1, activation: relu", FLAT, OUT], 0,
     ".output_padding", "output_padding 1; expected less than the stride, 1"),
]  # fmt: skip
ORDER = [
    ([CONV, "name: flat, kind: flatten, of: [conv]", OUT], 1, ".of[0]",
     "flat takes 'conv', which no layer gives; expected one of x, conv1. Did you mean 'conv1'?"),
    ([CONV, "name: a, kind: add, of: [conv1, b]", "name: b, kind: activation, activation: relu, of: [a]", FLAT, OUT],
     1, ".of[1]", "a loop: a takes b takes a; expected one of x, conv1"),
    ([FLAT, "name: s, kind: add, of: [flat, s]", OUT], 1, ".of[1]", "a loop: s takes s"),
    (["name: s, kind: add, of: [x, conv1]", CONV, FLAT, OUT], 0, ".of[1]",
     "s reads the result of conv1 before it is written: conv1 is layers[1], behind it"),
    ([CONV, "name: conv1, kind: flatten", OUT], 1, ".name", "a layer is named 'conv1'"),
    ([CONV, "name: sum, kind: add, of: [conv1]", FLAT, OUT], 1, ".of", "sum (add) takes one result"),
    ([FLAT, FC, "name: t, kind: tied, matrix: fcc, activation: linear", OUT], 2, ".matrix",
     "t takes the matrix 'fcc', which no layer before it has; there are fc"),
    ([FLAT, "name: fc, kind: dense, units: 64, activation: relu, slope: 0.1", OUT], 1, ".slope",
     "a slope for relu; expected one for leaky-relu, elu, hard-sigmoid only"),
    ([FLAT, FC, "name: out, kind: dense, units: 10, activation: softmax, of: [flat]"], 1, "",
     "no error reaches fc; expected what learns on the way to the loss"),
    ([FLAT, "name: fc, kind: densee, units: 64, activation: relu", OUT], 1, ".kind", "Did you mean 'dense'?"),
    ([CONV, "name: pool, kind: max-pool, windows: 2", FLAT, OUT], 1, ".windows", "Did you mean 'window'?"),
]  # fmt: skip
TARGETS = [
    ([FLAT, "name: out, kind: dense, units: 12, activation: softmax"], 1, IMAGE, "",
     "the network ends in 12 units; expected 10, one for each class"),
    (["name: out, kind: conv2d, units: 10, window: 3, padding: 1, activation: softmax"], 0, IMAGE, "",
     "ends in 784 vectors of 10, for which there are no targets; expected one vector: an image has 1 target. A flatten or global-average before it makes one of all vectors"),
    ([CODE, "name: l, kind: lstm, units: 16, returns: last", LETTERS], 2, TEXT, "",
     "ends in one vector of 65, for which there are no targets; expected 16 vectors: a sequence has 16 targets"),
    (["name: code, kind: one-hot, vocabulary: 30", LETTERS], 0, TEXT, ".vocabulary",
     "got 30; expected 65 or more, the characters of shakespeare-extract"),
    (["name: code, kind: embedding, vocabulary: 30, size: 8", LETTERS], 0, TEXT, ".vocabulary",
     "got 30; expected 65 or more"),
    (["name: code, kind: embedding, vocabulary: 65, size: 64", "name: at, kind: attention, heads: 5", LETTERS], 1,
     TEXT, "", "at (attention) is given the result of code, 16x64; expected a sequence (steps, size) with a size"),
]  # fmt: skip


def refused(path: str, layer: int, key: str, said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)) as found:
        resolve(path)
    text = str(found.value)
    assert f"bad.yaml:{FIRST + layer}: network.layers[{layer}]{key}: " in text, text
    assert "\n" not in text


@pytest.mark.parametrize(("layers", "layer", "key", "said"), SHAPES + ORDER)
def test_a_layer_that_does_not_fit_is_named_by_its_own_line(
    tmp_path: Path, layers: list[str], layer: int, key: str, said: str
) -> None:
    refused(workload(tmp_path, layers), layer, key, said)


@pytest.mark.parametrize(("layers", "layer", "of", "key", "said"), TARGETS)
def test_what_has_no_target_in_the_data_is_refused_before_anything_is_trained(
    tmp_path: Path, layers: list[str], layer: int, of: tuple[str, str], key: str, said: str
) -> None:
    refused(workload(tmp_path, layers, of), layer, key, said)


def test_a_loss_that_cannot_follow_the_last_layer_is_named_at_the_loss(tmp_path: Path) -> None:
    path = workload(tmp_path, [FLAT, "name: out, kind: dense, units: 10, activation: relu"])
    with pytest.raises(InputError, match=r"bad.yaml:12: network.loss: the loss cross-entropy of the result of out"):
        resolve(path)


@pytest.mark.parametrize(
    ("batch", "said"), [(1, "the batch is one sample"), (31, "4000 samples in batches of 31 leave")]
)
def test_a_norm_over_batches_of_one_vector_is_refused_when_the_workload_is_read(
    tmp_path: Path, batch: int, said: str
) -> None:
    refused(workload(tmp_path, [FLAT, FC, "name: n, kind: batch-norm", OUT], batch=batch), 2, "", said)


def test_a_norm_over_the_places_of_one_image_has_a_variance(tmp_path: Path) -> None:
    resolve(workload(tmp_path, [CONV, "name: n, kind: batch-norm", FLAT, OUT], batch=1))


def test_a_matrix_without_a_tile_is_named_with_its_line(tmp_path: Path) -> None:
    wide = "name: wide, kind: dense, units: 60000, activation: relu"
    spec = resolve(workload(tmp_path, [FLAT, FC, wide, OUT]))
    with pytest.raises(DoesNotFitError, match=rf"short, from out \(.*bad.yaml:{FIRST + 3}: network.layers\[3\]\) on"):
        check_fit(spec)


@pytest.mark.filterwarnings("error")
def test_a_training_that_diverges_names_rate_and_layer_by_their_lines_and_warns_of_nothing(tmp_path: Path) -> None:
    last = "name: out, kind: dense, units: 10, activation: linear"
    spec = resolve(workload(tmp_path, [FLAT, FC, last], loss="squared", rate=1e6), steps=60)
    trainer = Trainer(spec, spec.architectures[1])
    with pytest.raises(InputError, match=r"bad.yaml:14: training.learning_rate: training diverged: ") as found:
        trainer.run()
    assert f"bad.yaml:{FIRST + 1}: network.layers[1]) holds no finite numbers" in str(found.value)


GENERATOR = """schema: 1
kind: workload
name: bad
title: A bad one
dataset: mnist-5k
network:
  generator:
    inputs: 64
    initial_std: he
    layers:
      - {name: g1, kind: dense, units: 256, activation: relu}
      - {name: g2, kind: dense, units: 784, activation: sigmoid}
  discriminator:
    initial_std: he
    layers:
      - {name: d1, kind: dense, units: 256, activation: relu}
      - {name: d2, kind: dense, units: 1, activation: sigmoid}
training: {batch: 8, learning_rate: 0.05, epochs: 1}
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("units: 784", "units: 700", "12: network.generator.layers[1]: the generator ends in 700 elements; expected 784"),
        ("units: 1, activation: sigmoid", "units: 1, activation: linear",
         "17: network.discriminator.layers[1]: the loss binary-cross-entropy of the result of d2, after 'linear'"),
        ("name: d1, kind: dense", "name: d1, of: [g1], kind: dense",
         "16: network.discriminator.layers[0].of[0]: d1 takes 'g1', which no layer gives; expected one of x"),
        ("name: g2, kind: dense, units: 784", "name: g2, kind: conv2d, window: 3, units: 784",
         "12: network.generator.layers[1]: g2 (conv2d) is given the result of g1, 256; expected an image"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_generator_or_a_discriminator_is_named_by_its_line(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(GENERATOR.replace(old, new, 1))
    with pytest.raises(InputError, match=re.escape(said)):
        resolve(str(path))

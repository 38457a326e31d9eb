"""What other tools call a kind of layer brings what to write here."""

from pathlib import Path

import pytest

from archsim.base import registry
from archsim.base.errors import InputError, folded
from archsim.base.files import shipped
from archsim.networks.file import NetworkFile
from archsim.networks.layers.base import Layer
from archsim.runs.workload import document, parse


def test_every_kind_that_a_name_leads_to_is_one_and_no_name_of_ours_leads_elsewhere() -> None:
    known = registry.names("layer")
    led = {said for said in Layer.KINDS.values() if " " not in said}
    assert led <= set(known)
    assert not {folded(name) for name in known} & Layer.KINDS.keys()


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("relu", "Write `activation: relu` in the layer before, or {kind: activation, activation: relu}"),
        ("LeakyReLU", "Write `activation: leaky-relu` in the layer before, or {kind: activation, activation: leaky-relu}"),
        ("Linear", "Did you mean 'dense'?"), ("Dense", "Did you mean 'dense'?"), ("nn_Conv2d", "Did you mean 'conv2d'?"),
        ("Conv2D", "Did you mean 'conv2d'?"), ("MaxPooling2D", "Did you mean 'max-pool'?"),
        ("Flatten", "Did you mean 'flatten'?"), ("LSTM", "Did you mean 'lstm'?"), ("dens", "Did you mean 'dense'?"),
        ("Conv1d", "A line is an image of one row"), ("selu", "There is none; the activations are sigmoid, "),
        ("swish", "Write `activation: silu` in the layer before"), ("Hardswish", "Write `activation: hard-swish` in"),
    ],
)  # fmt: skip
def test_a_kind_of_another_tool_says_what_to_write(kind: str, said: str, tmp_path: Path) -> None:
    text = (shipped("workloads") / "mlp-mnist.yaml").read_text()
    assert text.count("kind: dense") == 2
    (path := tmp_path / "mine.yaml").write_text(text.replace("kind: dense", f"kind: {kind}", 1))
    with pytest.raises(InputError) as refused:
        parse(document(str(path)))
    assert said in str(refused.value)
    assert f"kind: got '{kind}'; expected one of activation, add" in str(refused.value)


def test_a_line_is_an_image_of_one_row_as_the_hint_says() -> None:
    layers = [
        {"name": "conv", "kind": "conv2d", "units": 4, "window": [1, 3], "activation": "relu"},
        {"name": "pool", "kind": "max-pool", "window": [1, 2], "stride": 2},
        {"name": "flat", "kind": "flatten"},
        {"name": "out", "kind": "dense", "units": 2, "activation": "sigmoid"},
    ]
    made = NetworkFile.model_validate({"inputs": [1, 20, 3], "initial_std": "he", "layers": layers})
    assert [each.rows for each in made.build().matrices] == [1 * 3 * 3 + 1, 9 * 4 + 1]

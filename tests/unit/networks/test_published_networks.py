"""The shipped networks of shapes have the multiply-accumulates and parameters that are published of them."""

from __future__ import annotations

from functools import cache

import pytest
from import_kit import macs

from archsim.base.errors import InputError
from archsim.base.files import shipped_names
from archsim.chips.fitting.placement import place
from archsim.learning.functions import Function, words
from archsim.learning.sequences.attention import Scores, Weighted
from archsim.networks.network import Network
from archsim.runs import workload as workloads
from archsim.runs.spec import resolve

SHAPES = [name for name in shipped_names("workloads") if "dataset" not in workloads.document(name).data]


@cache
def network(name: str) -> Network:
    return workloads.parse(workloads.document(name)).network.build()


def attention(net: Network) -> int:
    """Return the multiply-accumulates of the contractions of a sample: additions, for a score is scaled once more."""
    functions = [node.what for node in net.graph.nodes if isinstance(node.what, Function)]
    return sum(each.cost.adds for each in functions if isinstance(each, Scores | Weighted))


def parameters(net: Network) -> int:
    """Return all numbers that learn: weights, biases, and what learns in digital; not the running moments of norms."""
    kept = sum(words(net.graph.parameters[name].shape) for name in net.graph.tracks)
    return net.weights + net.parameter_words - kept


@pytest.mark.parametrize(
    ("name", "published_macs", "published_parameters"),
    [
        # torchvision's figures ("_ops" in 1e9, "num_params" of its weights); to the unit: computed from the layer tables
        ("resnet18", 1_814_073_344, 11_689_512),
        ("resnet50", 4_089_184_256, 25_557_032),
        ("mobilenet-v2", 300_774_272, 3_504_872),
        ("vgg16", 15_470_264_320, 138_357_544),
        ("vit-b16", 17_563_828_224 - 715_327_488, 86_567_656),  # without attention's products, which follow below
    ],
)
def test_networks_of_images_are_the_published_ones(name: str, published_macs: int, published_parameters: int) -> None:
    assert macs(network(name)) == published_macs
    assert parameters(network(name)) == published_parameters


def test_the_vision_transformers_attention_is_the_published_one() -> None:
    assert attention(network("vit-b16")) == 715_327_488


@pytest.mark.parametrize(
    ("name", "analog", "stated_millions"),
    [
        # Wu et al. 2026: analog weights V d + 12 L d^2, and the parameters that they state, without positions
        ("gpt-wu2026-tiny", 6_826_112, 6.83), ("gpt-wu2026-small", 16_011_520, 16.01),
        ("gpt-wu2026-medium", 29_915_520, 29.92), ("gpt-wu2026-large", 50_897_408, 50.91),
        ("gpt-wu2026-xlarge", 123_532_032, 123.55),
    ],
)  # fmt: skip
def test_the_gpts_of_wu_are_the_published_ones(name: str, analog: int, stated_millions: float) -> None:
    net = network(name)
    assert net.weights == analog
    assert macs(net) == 1024 * analog  # each weight once a token
    digital = {key: words(one.shape) for key, one in net.graph.parameters.items()}
    stated = parameters(net) - digital["code"] - digital["place"]  # the table is the head's own, published as tied
    assert round(stated / 1e6, 2) == stated_millions


def test_the_largest_gpt_of_wu_takes_as_many_tiles_as_published() -> None:
    grids = place(network("gpt-wu2026-xlarge").shapes, rows=512, columns=512)
    assert sum(grid.tiles for grid in grids.values()) == 654


def test_gpt2_small_is_the_published_one() -> None:
    net = network("gpt2-small")
    head = 50_257 * 768
    assert parameters(net) - head == 124_439_808  # the table is the head's own, published as tied
    assert macs(net) == 1024 * (84_934_656 + 38_597_376)
    assert attention(net) == 18_432 * 1024 * (1024 + 1) // 2  # causal: half, on average


@pytest.mark.parametrize(
    ("name", "published"),
    [("gpt2-small", 124_439_808), ("gpt-wu2026-tiny", 6_830_000), ("gpt-wu2026-xlarge", 123_550_000)],
)
def test_a_gpt_whose_head_names_the_table_again_has_the_published_parameters(name: str, published: int) -> None:
    """Those of Wu et al. to the two digits behind a million that they state, and without positions."""
    told = workloads.document(name).data
    *body, _ = told["network"]["layers"]
    head = {"name": "head", "kind": "tied", "matrix": "code", "activation": "softmax"}
    net = workloads.parse(workloads.document({**told, "network": {**told["network"], "layers": [*body, head]}}))
    built = net.network.build()
    if name == "gpt2-small":
        assert parameters(built) == published
    else:
        places = words(built.graph.parameters["place"].shape)
        assert parameters(built) - places == pytest.approx(published, abs=5000)


def test_bert_base_is_the_published_one() -> None:
    """Of 110 million parameters; 85 million weights and 38 tiles a block of 512 x 512 (Burr et al. 2023, table 1)."""
    net = network("bert-base")
    of_512_positions = parameters(net) + (512 - 128) * 768 - (768 + 1) * 2  # and without the head of two classes
    assert of_512_positions == 109_482_240
    blocks = {key: (rows - 1, columns) for key, (rows, columns) in net.shapes.items() if key.startswith("block")}
    assert sum(words(shape) for shape in blocks.values()) == 84_934_656
    grids = place(blocks, rows=512, columns=512)
    assert sum(grid.tiles for grid in grids.values()) == 12 * 38
    assert macs(net) == 128 * 84_934_656 + 768 * 768 + 768 * 2


def test_the_lstm_of_words_is_the_published_one() -> None:
    """Zaremba et al. 2014, section 4.1: from the shapes that they state, one bias a gate."""
    net, cell = network("lstm-ptb"), 4 * 650 * (650 + 650 + 1)
    assert parameters(net) == 10_000 * 650 + 2 * cell + 651 * 10_000
    assert sum(net.graph.macs().values()) == 35 * (2 * cell + 651 * 10_000)


@pytest.mark.parametrize("name", SHAPES)
def test_a_network_of_shapes_has_programs_and_cannot_be_run(name: str) -> None:
    phases = [phase for phase, _ in network(name).training[0].phases]
    assert phases == ["forward", "backward", "update", "refresh"]
    with pytest.raises(InputError, match=f"{name}.yaml.*dataset.*archsim estimate {name}"):
        resolve(name)


def test_the_networks_of_the_issue_are_shipped() -> None:
    assert len(SHAPES) == 13


def test_data_ask_for_a_learning_rate_and_epochs() -> None:
    told = dict(workloads.document("resnet18").data, name="mine", dataset="cifar10")
    with pytest.raises(InputError, match=r"training.learning_rate: is missing"):
        workloads.parse(workloads.document(told))
    told["training"] = {"batch": 1, "learning_rate": 0.1}
    with pytest.raises(InputError, match=r"training.epochs: is missing"):
        workloads.parse(workloads.document(told))

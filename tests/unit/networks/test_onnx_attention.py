"""Attention, norms and activations that ONNX writes out, as PyTorch exports them: what they give, and what is refused."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from import_kit import channels_last, linear, network, passed, trained

from archsim.base.errors import InputError
from archsim.base.streams import Streams
from archsim.networks.imports.files import read

onnx, torch = pytest.importorskip("onnx"), pytest.importorskip("torch")
nn, f = torch.nn, torch.nn.functional
pytestmark = pytest.mark.filterwarnings("ignore")  # of the exporter, about itself
STEPS, SIZE, HEADS, CODES = 6, 16, 4, 11


def split(x: Any) -> Any:
    return x.view(x.shape[0], x.shape[1], HEADS, -1).transpose(1, 2)


def joined(x: Any) -> Any:
    return x.transpose(1, 2).contiguous().view(x.shape[0], x.shape[2], -1)


class Decoder(nn.Module):
    """A block of a GPT as people write it by hand: scores, a mask that is filled in, a GELU by tanh."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.place = nn.Embedding(CODES, SIZE), nn.Parameter(torch.randn(1, STEPS, SIZE))
        self.qkv, self.out = nn.Linear(SIZE, 3 * SIZE), nn.Linear(SIZE, SIZE)
        self.up, self.down = nn.Linear(SIZE, 32), nn.Linear(32, SIZE)
        self.norm1, self.norm2 = nn.LayerNorm(SIZE, 1e-3), nn.LayerNorm(SIZE)
        self.head = nn.Linear(SIZE, CODES, bias=False)
        self.register_buffer("mask", torch.tril(torch.ones(STEPS, STEPS)).view(1, 1, STEPS, STEPS))

    def forward(self, codes: Any) -> Any:
        x = self.table(codes) + self.place
        q, k, v = (split(part) for part in self.qkv(self.norm1(x)).split(SIZE, dim=2))
        scores = (q @ k.transpose(-2, -1)) * (1 / math.sqrt(SIZE // HEADS))
        scores = scores.masked_fill(self.mask[:, :, :STEPS, :STEPS] == 0, float("-inf"))
        x = x + self.out(joined(f.softmax(scores, -1) @ v))
        return self.head(x + self.down(f.gelu(self.up(self.norm2(x)), approximate="tanh")))


class Whole(nn.Module):
    """Attention as one function, causal or not."""

    def __init__(self, *, causal: bool) -> None:
        super().__init__()
        self.causal, self.parts = causal, nn.ModuleList(nn.Linear(SIZE, SIZE) for _ in range(4))

    def forward(self, x: Any) -> Any:
        q, k, v = (split(part(x)) for part in self.parts[:3])
        return x + self.parts[3](joined(f.scaled_dot_product_attention(q, k, v, is_causal=self.causal)))


class Vision(nn.Module):
    """Patches, a token before them, and blocks of PyTorch's own, norms before or after."""

    def __init__(self, *, first: bool) -> None:
        super().__init__()
        self.patches, self.token = nn.Conv2d(3, SIZE, 4, 4), nn.Parameter(torch.randn(1, 1, SIZE))
        self.place = nn.Parameter(torch.randn(1, 5, SIZE))
        block = nn.TransformerEncoderLayer(SIZE, HEADS, 32, batch_first=True, activation="gelu", norm_first=first)
        self.blocks, self.head = nn.TransformerEncoder(block, 2, enable_nested_tensor=False), nn.Linear(SIZE, 4)

    def forward(self, x: Any) -> Any:
        y = self.patches(x).flatten(2).transpose(1, 2)
        y = torch.cat([self.token.expand(y.shape[0], -1, -1), y], 1) + self.place
        return self.head(self.blocks(y)[:, 0])


class Own(nn.Module):
    """PyTorch's own layer of attention, which puts steps first."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.MultiheadAttention(SIZE, HEADS, batch_first=True)

    def forward(self, x: Any) -> Any:
        return self.mix(x, x, x)[0]


class Text(nn.Module):
    """Convolutions of a line behind an embedding: the largest of each channel, of windows of two lengths."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.head = nn.Embedding(CODES, 8), nn.Linear(12, 3)
        self.windows = nn.ModuleList(nn.Conv1d(8, 6, k, padding=k // 2) for k in (3, 4))

    def forward(self, codes: Any) -> Any:
        x = self.table(codes).transpose(1, 2)
        return self.head(torch.cat([f.relu(each(x)).max(2)[0] for each in self.windows], 1))


class Deep(nn.Module):
    """The same, one behind the other, with a pool and a mean."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.head = nn.Embedding(CODES, 8), nn.Linear(6, 3)
        self.first, self.second = nn.Conv1d(8, 6, 3, padding=1), nn.Conv1d(6, 6, 3, stride=2)

    def forward(self, codes: Any) -> Any:
        x = f.max_pool1d(f.relu(self.first(self.table(codes).permute(0, 2, 1))), 2)
        return self.head(f.gelu(self.second(x)).mean(2))


MODELS: dict[str, tuple[Any, tuple[int, ...], int, bool]] = {
    # model, shape with the batch, version of the operators, whether the batch is left open
    "a decoder by hand, its norms written out": (Decoder, (2, STEPS), 11, True),
    "a decoder by hand": (Decoder, (2, STEPS), 17, False),
    "attention as one function": (lambda: Whole(causal=False), (2, STEPS, SIZE), 17, True),
    "causal attention as one function": (lambda: Whole(causal=True), (2, STEPS, SIZE), 17, True),
    "PyTorch's own attention": (Own, (2, STEPS, SIZE), 17, True),
    "a vision transformer, norms before": (lambda: Vision(first=True), (2, 3, 8, 8), 17, True),
    "a vision transformer, norms after": (lambda: Vision(first=False), (2, 3, 8, 8), 14, False),
    "windows over a text": (Text, (2, 10), 11, True),
    "deep windows over a text": (Deep, (2, 10), 17, True),
}


def exported(name: str, tmp_path: Path) -> tuple[Path, Any, Any]:
    """Return a file of a model, an input of it and what PyTorch makes of that."""
    make, shape, version, free = MODELS[name]
    torch.manual_seed(3)
    model = make().eval()
    for norm in (each for each in model.modules() if isinstance(each, nn.LayerNorm)):
        for tensor in norm.parameters():
            tensor.data = tensor.data + torch.rand_like(tensor)
    x = torch.randint(0, CODES, shape) if len(shape) == 2 else torch.randn(shape)
    path = tmp_path / "model.onnx"
    torch.onnx.export(
        model, (x,), str(path), input_names=["x"], dynamo=False, opset_version=version,
        dynamic_axes={"x": {0: "N"}} if free else None,
    )  # fmt: skip
    return path, x.numpy(), model(x).detach().numpy()


def given(x: Any) -> Any:
    return x[..., None] if x.dtype == np.int64 else channels_last(x)


@pytest.mark.parametrize("name", MODELS)
def test_a_model_that_pytorch_exported_gives_what_it_gave(name: str, tmp_path: Path) -> None:
    path, x, wanted = exported(name, tmp_path)
    found = passed(network(linear(read(path))), given(x))
    assert found.reshape(wanted.shape) == pytest.approx(wanted, rel=1e-3, abs=3e-4)  # archsim's GELU is the exact one


def test_attention_is_one_layer_of_heads_and_what_is_masked_is_not_seen(tmp_path: Path) -> None:
    path, *_ = exported("causal attention as one function", tmp_path)
    [mix] = [layer for layer in read(path).content() if layer["kind"] == "attend"]
    assert (mix["heads"], mix["causal"], "scale" in mix) == (HEADS, True, False)


@pytest.mark.parametrize(
    "name", ["a decoder by hand, its norms written out", "a vision transformer, norms before", "windows over a text"]
)
def test_a_model_that_pytorch_exported_trains_a_step(name: str, tmp_path: Path) -> None:
    path, x, _ = exported(name, tmp_path)
    net = network(read(path))
    rng = np.random.default_rng(0)
    target = np.eye(net.outputs, dtype=np.float32)[[1]]
    before = net.initial_weights(Streams(3))
    chip = trained(
        net, {"x": given(x)[:1].reshape(1, -1).astype(np.float32), "target": target, **net.drawn(rng, 1)}, 10**6
    )
    assert all(np.isfinite(weight).all() for weight in chip.weights.values())
    assert all((weight != before[key]).any() for key, weight in chip.weights.items())


# --- models of other people -------------------------------------------------------------------------------------------
def hugging_face(kind: str) -> tuple[Any, dict[str, Any]]:
    """Return a small model of the package `transformers` that begins with random weights, and its inputs by name."""
    of = pytest.importorskip("transformers")
    told = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    if kind == "bert":
        model = of.BertModel(of.BertConfig(vocab_size=50, max_position_embeddings=16, **told))
        codes = torch.randint(0, 50, (1, 8))
        return model, {
            "input_ids": codes, "attention_mask": torch.ones_like(codes), "token_type_ids": torch.zeros_like(codes)
        }  # fmt: skip
    model = of.ViTForImageClassification(of.ViTConfig(image_size=16, patch_size=4, num_labels=5, **told))
    return model, {"pixel_values": torch.randn(1, 3, 16, 16)}


class First(nn.Module):
    """A model of named inputs, of whose results the first is meant."""

    def __init__(self, model: Any, names: list[str]) -> None:
        super().__init__()
        self.model, self.names = model, names

    def forward(self, *given: Any) -> Any:
        return self.model(**dict(zip(self.names, given, strict=True)))[0]


@pytest.mark.parametrize("kind", ["bert", "vit"])
def test_a_transformer_of_hugging_face_gives_what_it_gave(kind: str, tmp_path: Path) -> None:
    torch.manual_seed(1)
    made, inputs = hugging_face(kind)
    model = First(made, list(inputs)).eval()
    open_axes = {name: {0: "N", 1: "T"} for name in inputs} if kind == "bert" else None
    path = tmp_path / "model.onnx"
    torch.onnx.export(
        model, tuple(inputs.values()), str(path), input_names=list(inputs), dynamo=False, opset_version=14,
        dynamic_axes=open_axes,
    )  # fmt: skip
    draft = read(path, sample=[8] if kind == "bert" else None)
    if kind == "bert":
        assert any("attention_mask is taken as ones" in note for note in draft.notes)
        with pytest.raises(InputError, match=r"shape that is not known.*--sample"):
            read(path)
        with pytest.raises(InputError, match=r"--sample: got '8x3'; expected the shape \?"):
            read(path, sample=[8, 3])
    x, wanted = next(iter(inputs.values())).numpy(), model(*inputs.values()).detach().numpy()
    found = passed(network(linear(draft)), given(x))
    assert found.reshape(wanted.shape) == pytest.approx(wanted, rel=1e-3, abs=1e-5)


# --- nodes of ONNX ----------------------------------------------------------------------------------------------------
def graph(path: Path, nodes: list[Any], shape: list[Any], weights: dict[str, Any], version: int = 18) -> Path:
    """Write a model from x to y."""
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    made = helper.make_graph(
        nodes, "small", [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info("y", kind, None)],
        [onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in weights.items()],
    )  # fmt: skip
    onnx.save(helper.make_model(made, opset_imports=[helper.make_opsetid("", version)]), str(path))
    return path


def node(kind: str, inputs: str, output: str, **told: Any) -> Any:
    return onnx.helper.make_node(kind, inputs.split(), [output], **told)


def reference(path: Path, x: Any) -> Any:
    from onnx.reference import ReferenceEvaluator

    return ReferenceEvaluator(str(path)).run(None, {"x": x})[0]


def products(count: int) -> tuple[list[Any], dict[str, Any]]:
    """Return dense layers q, k, v, ... of x, and their weights."""
    rng = np.random.default_rng(5)
    weights = {f"w{k}": rng.normal(size=(8, 8)).astype(np.float32) for k in range(count)}
    return [node("MatMul", f"x w{k}", "qkv"[k]) for k in range(count)], weights


@pytest.mark.parametrize("told", [{}, {"is_causal": 1}, {"scale": 0.3}])
def test_attention_of_later_versions_is_one_node(told: dict[str, Any], tmp_path: Path) -> None:
    nodes, weights = products(3)
    mix = node("Attention", "q k v", "y", q_num_heads=2, kv_num_heads=2, **told)
    path = graph(tmp_path / "small.onnx", [*nodes, mix], ["N", 5, 8], weights, 23)
    x = np.random.default_rng(2).normal(size=(3, 5, 8)).astype(np.float32)
    found = passed(network(linear(read(path))), x)
    assert found == pytest.approx(reference(path, x), rel=1e-4, abs=1e-5)


BETWEEN: dict[str, tuple[list[Any], dict[str, Any], str]] = {
    "relative positions": (
        [node("Add", "s r", "t"), node("Softmax", "t", "u")], {"r": np.full((5, 5), 0.5, np.float32)},
        "something else than a mask",
    ),
    "a band of steps": (
        [node("Add", "s r", "t"), node("Softmax", "t", "u")],
        {"r": np.where(abs(np.subtract.outer(range(5), range(5))) < 2, 0, -1e9).astype(np.float32)},
        "mask of another kind",
    ),
    "no softmax": ([node("Identity", "s", "u")], {}, "without their softmax"),
    "a softmax of keys": ([node("Softmax", "s", "u", axis=1)], {}, "along axis 1 of scores"),
    "shares that are scaled": (
        [node("Softmax", "s", "t"), node("Mul", "t r", "u")], {"r": np.float32(2)}, "scales the shares",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", BETWEEN)
def test_what_is_no_attention_of_ours_is_named(what: str, tmp_path: Path) -> None:
    between, more, said = BETWEEN[what]
    nodes, weights = products(3)
    nodes += [node("Transpose", "k", "kt", perm=[0, 2, 1]), node("MatMul", "q kt", "s"), *between]
    path = graph(tmp_path / "small.onnx", [*nodes, node("MatMul", "u v", "y")], ["N", 5, 8], {**weights, **more})
    with pytest.raises(InputError, match=said):
        read(path)


def test_keys_that_are_scaled_scale_the_scores(tmp_path: Path) -> None:
    nodes, weights = products(3)
    nodes += [
        node("Transpose", "k", "kt", perm=[0, 2, 1]), node("Mul", "kt r", "km"), node("MatMul", "q km", "s"),
        node("Softmax", "s", "u"), node("MatMul", "u v", "y"),
    ]  # fmt: skip
    path = graph(tmp_path / "small.onnx", nodes, ["N", 5, 8], {**weights, "r": np.float32(0.2)})
    x = np.random.default_rng(2).normal(size=(3, 5, 8)).astype(np.float32)
    assert passed(network(linear(read(path))), x) == pytest.approx(reference(path, x), rel=1e-4, abs=1e-5)


def test_a_function_of_a_signal_that_no_activation_is_is_named(tmp_path: Path) -> None:
    nodes = [node("Tanh", "x", "a"), node("Mul", "x x", "b"), node("Mul", "b x", "c"), node("Add", "a c", "y")]
    with pytest.raises(InputError, match="takes a function of x that is no activation that is known"):
        read(graph(tmp_path / "small.onnx", nodes, ["N", 5], {}))

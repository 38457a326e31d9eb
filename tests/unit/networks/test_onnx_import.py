"""ONNX models of other people, and small ones whose values the reference of ONNX gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from import_kit import channels_last, folder, linear, macs, network, passed, trained

from archsim.base.errors import InputError
from archsim.base.streams import Streams
from archsim.networks.imports.files import read

onnx = pytest.importorskip("onnx")
DATA = folder("onnx", "backend", "test", "data")
ZIGZAG = folder("zigzag", "inputs", "workload")

MODELS = {
    # multiply-accumulates of an image, without biases: published (facts of networks), else the sum over the nodes
    # of the model of places x units x window x channels of a group, counted here by `counted`
    "light_bvlc_alexnet": None, "light_densenet121": None, "light_inception_v1": None, "light_inception_v2": None,
    "light_resnet50": 4_089_184_256, "light_shufflenet": None, "light_squeezenet": None, "light_vgg19": None,
    "light_zfnet512": None,
}  # fmt: skip
OF_ZIGZAG = {"resnet18": 1_814_073_344, "mobilenetv2": 300_774_272, "alexnet": 654_560_384}


def model_of(name: str) -> Path:
    base = DATA / "light" if DATA and name in MODELS else ZIGZAG
    if base is None or not (base / f"{name}.onnx").is_file():
        pytest.skip(f"{name}.onnx is not installed")
    return base / f"{name}.onnx"


def counted(path: Path) -> int:
    """Return the multiply-accumulates of a model's convolutions and dense layers by the shapes that ONNX infers."""
    model = onnx.load(str(path), load_external_data=False)
    shapes = {
        one.name: [axis.dim_value for axis in one.type.tensor_type.shape.dim]
        for one in (*onnx.shape_inference.infer_shapes(model, data_prop=True).graph.value_info, *model.graph.output)
    }
    shapes |= {one.name: list(one.dims) for one in model.graph.initializer}
    total = 0
    for node in model.graph.node:
        if node.op_type == "Conv":
            total += int(np.prod(shapes[node.output[0]])) * int(np.prod(shapes[node.input[1]][1:]))
        elif node.op_type == "Gemm":
            total += int(np.prod(shapes[node.input[1]]))
    return total


OF_RAPIDOCR = {"PP-OCRv4_det": (3, 64, 96), "PP-OCRv4_rec": (3, 48, 64), "ppocr_mobile_v2.0_cls": (3, 48, 96)}


@pytest.mark.parametrize("name", OF_RAPIDOCR)
def test_a_model_whose_image_is_left_open_has_its_multiply_accumulates(name: str, tmp_path: Path) -> None:
    """PP-OCR's, with hard swishes, gates, scales and attention that are written out, and strides of rows alone."""
    base = folder("rapidocr_onnxruntime", "models")
    if base is None:
        pytest.skip("rapidocr-onnxruntime is not installed")
    path, sample = base / f"ch_{name}_infer.onnx", OF_RAPIDOCR[name]
    model = onnx.load(str(path))
    for axis, length in zip(model.graph.input[0].type.tensor_type.shape.dim, (1, *sample), strict=True):
        axis.dim_value = length
    onnx.save(model, str(tmp_path / "fixed.onnx"))
    assert macs(network(read(path, sample=sample))) == counted(tmp_path / "fixed.onnx")


def tried(names: list[str], large: set[str]) -> list[Any]:
    """Return names, the large models (hundreds of megabytes of weights, filled in as they are read) marked long."""
    return [pytest.param(name, marks=pytest.mark.long) if name in large else name for name in names]


@pytest.mark.parametrize("name", tried([*MODELS, *OF_ZIGZAG], {"light_vgg19", "light_zfnet512", "light_bvlc_alexnet"}))
def test_a_model_of_other_people_has_its_multiply_accumulates(name: str) -> None:
    path = model_of(name)
    net = network(read(path))
    published = {**MODELS, **OF_ZIGZAG}[name]
    assert macs(net) == (published or counted(path))
    assert net.outputs == 1000


@pytest.mark.parametrize("name", tried(["light_squeezenet", "light_shufflenet", "mobilenetv2"], {"light_squeezenet"}))
def test_a_model_of_other_people_trains_a_step(name: str) -> None:
    net = network(read(model_of(name)))
    rng = np.random.default_rng(0)
    target = np.eye(1000, dtype=np.float32)[[3]]
    feeds = {"x": rng.uniform(0, 1, (1, net.inputs)).astype(np.float32), "target": target, **net.drawn(rng, 1)}
    before = net.initial_weights(Streams(3))
    chip = trained(net, feeds, 64_000_000)
    assert all(np.isfinite(weight).all() for weight in chip.weights.values())
    assert any((weight != before[key]).any() for key, weight in chip.weights.items())


CONVERTED = [
    "AvgPool2d", "AvgPool2d_stride", "BatchNorm2d_eval", "BatchNorm2d_momentum_eval", "Conv2d", "Conv2d_depthwise",
    "Conv2d_depthwise_padded", "Conv2d_depthwise_strided", "Conv2d_depthwise_with_multiplier", "Conv2d_dilated",
    "Conv2d_groups", "Conv2d_groups_thnn", "Conv2d_no_bias", "Conv2d_padding", "Conv2d_strided", "Embedding",
    "LeakyReLU", "LeakyReLU_with_negval", "Linear", "Linear_no_bias", "MaxPool2d", "ReLU", "Sigmoid", "Softmax",
    "Tanh", "ZeroPad2d",
]  # fmt: skip


@pytest.mark.parametrize("name", CONVERTED)
def test_a_model_converted_from_pytorch_gives_what_pytorch_gave(name: str) -> None:
    """With the inputs and outputs that lie beside the models in the package of ONNX."""
    if DATA is None:
        pytest.skip("the data of the package are not installed")
    base = DATA / "pytorch-converted" / f"test_{name}"
    x, y = (tensor(base / "test_data_set_0" / f"{kind}_0.pb") for kind in ("input", "output"))
    given = passed(network(linear(read(base / "model.onnx"))), channels_last(x))
    assert given == pytest.approx(channels_last(y).reshape(given.shape), rel=1e-4, abs=1e-5)


def tensor(path: Path) -> np.ndarray[Any, Any]:
    found = onnx.TensorProto()
    found.ParseFromString(path.read_bytes())
    return np.asarray(onnx.numpy_helper.to_array(found))


# --- small models -----------------------------------------------------------------------------------------------------
RNG = np.random.default_rng(7)


def drawn(*shape: int) -> np.ndarray[Any, Any]:
    return RNG.normal(size=shape).astype(np.float32)


def saved(path: Path, nodes: list[Any], shape: list[Any], weights: dict[str, Any], *, version: int = 18) -> Path:
    """Write a model from x to y of nodes; y's shape is left open."""
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        nodes, "small", [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info("y", kind, None)],
        [onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in weights.items()],
    )  # fmt: skip
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", version)]), str(path))
    return path


def node(kind: str, inputs: str, output: str, **told: Any) -> Any:
    return onnx.helper.make_node(kind, inputs.split(), output.split(), name=f"/net/{output}/{kind}", **told)


SMALL: dict[str, tuple[list[int], list[tuple[Any, ...]], dict[str, Any]]] = {
    "an image as a vector, channels first": (
        [2, 3, 4], [("Conv", "x w", "a"), ("Flatten", "a", "b"), ("Gemm", "b v c", "y", {"transB": 1})],
        {"w": drawn(3, 2, 1, 1), "v": drawn(5, 36), "c": drawn(5)},
    ),
    "a residual, and what others read is left alone": (
        [2, 4, 4],
        [
            ("Conv", "x w c", "a", {"pads": [1, 1, 1, 1]}), ("Relu", "a", "b"), ("Conv", "b w c", "d", {"pads": [1] * 4}),
            ("Add", "d a", "e"), ("Tanh", "e", "y"),
        ],
        {"w": drawn(2, 2, 3, 3), "c": drawn(2)},
    ),
    "channels beside each other": (
        [2, 3, 3], [("Conv", "x w", "a"), ("Relu", "a", "b"), ("Concat", "b x a", "y", {"axis": 1})],
        {"w": drawn(3, 2, 1, 1)},
    ),
    "a norm, scaled and shifted by channel": (
        [2, 3, 3],
        [("BatchNormalization", "x g o m v", "a"), ("Mul", "a s", "b"), ("Add", "b t", "y")],
        {
            "g": drawn(2), "o": drawn(2), "m": drawn(2), "v": np.abs(drawn(2)) + 1, "s": drawn(2, 1, 1),
            "t": drawn(1, 2, 1, 1),
        },
    ),
    "a bias that is added": ([4], [("MatMul", "x w", "a"), ("Add", "a c", "y")], {"w": drawn(4, 3), "c": drawn(3)}),
    "padding by the rule of same sizes": (
        [2, 5, 6], [("Conv", "x w", "a", {"auto_pad": "SAME_UPPER", "strides": [2, 2]}), ("Conv", "a v", "y", {
            "auto_pad": "SAME_LOWER"})],
        {"w": drawn(3, 2, 3, 3), "v": drawn(2, 3, 2, 2)},
    ),
    "steps of unlike rows and columns": (
        [2, 5, 6],
        [
            ("Conv", "x w", "a", {"strides": [2, 1], "pads": [1, 1, 1, 1]}),
            ("Conv", "a v", "b", {"strides": [1, 2], "group": 4}),
            ("MaxPool", "b", "c", {"kernel_shape": [2, 2], "strides": [1, 2], "pads": [0, 0, 1, 1]}),
            ("AveragePool", "c", "y", {"kernel_shape": [2, 1], "strides": [2, 1]}),
        ],
        {"w": drawn(4, 2, 3, 3), "v": drawn(4, 1, 1, 2)},
    ),
    "padding of unlike rows and columns": (
        [2, 5, 6], [("Conv", "x w", "y", {"pads": [0, 2, 1, 0]})], {"w": drawn(3, 2, 2, 3)},
    ),
    "pools that round up, and leave zeros out": (
        [2, 6, 6],
        [
            ("MaxPool", "x", "a", {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1}),
            ("AveragePool", "a", "y", {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}),
        ],
        {},
    ),
    "a pool that counts zeros": (
        [2, 4, 4],
        [("AveragePool", "x", "y", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "count_include_pad": 1})], {},
    ),
    "a shuffle of channels": (
        [6, 2, 2],
        [
            ("Reshape", "x a", "b"), ("Transpose", "b", "c", {"perm": [0, 2, 1, 3, 4]}), ("Reshape", "c d", "y"),
        ],
        {"a": np.array([0, 2, 3, 2, 2]), "d": np.array([-1, 6, 2, 2])},
    ),
    "a GELU in five nodes": (
        [5],
        [
            ("Div", "x root", "a"), ("Erf", "a", "b"), ("Add", "b one", "c"), ("Mul", "x c", "d"), ("Mul", "d half", "y"),
        ],
        {"root": np.float32(2**0.5), "one": np.float32(1), "half": np.float32(0.5)},
    ),
    "patches, positions, a norm of vectors, a mean of steps": (
        [3, 4, 4],
        [
            ("Conv", "x w c", "a", {"strides": [2, 2]}), ("Reshape", "a s", "b"),
            ("Transpose", "b", "d", {"perm": [0, 2, 1]}), ("Add", "d p", "e"),
            ("LayerNormalization", "e g o", "f", {"epsilon": 1e-3}), ("ReduceMean", "f axes", "y", {"keepdims": 0}),
        ],
        {
            "w": drawn(5, 3, 2, 2), "c": drawn(5), "s": np.array([0, 5, -1]), "p": drawn(1, 4, 5), "g": drawn(5),
            "o": drawn(5), "axes": np.array([1]),
        },
    ),
    "convolutions and pools of a line, and its mean": (
        [3, 11],
        [
            ("Conv", "x w c", "a", {"strides": [2], "pads": [1, 2]}), ("Relu", "a", "b"),
            ("BatchNormalization", "b g o m v", "d"), ("MaxPool", "d", "e", {"kernel_shape": [2], "strides": [1]}),
            ("Conv", "e u", "f", {"dilations": [2]}), ("GlobalAveragePool", "f", "h"), ("Flatten", "h", "i"),
            ("Gemm", "i k", "y"),
        ],
        {
            "w": drawn(4, 3, 3), "c": drawn(4), "g": drawn(4), "o": drawn(4), "m": drawn(4), "v": np.abs(drawn(4)) + 1,
            "u": drawn(5, 4, 2), "k": drawn(5, 2),
        },
    ),
    "a line as one vector, channels first": (
        [2, 6], [("Conv", "x w", "a", {"group": 2}), ("Flatten", "a", "b"), ("Gemm", "b v", "y")],
        {"w": drawn(4, 1, 3), "v": drawn(16, 3)},
    ),
    "an LSTM of a line, its batch in the middle, and its last step": (
        [3, 7],
        [
            ("Conv", "x w", "a"), ("Transpose", "a", "b", {"perm": [0, 2, 1]}),
            ("Transpose", "b", "d", {"perm": [1, 0, 2]}), ("LSTM", "d i h s", "e", {"hidden_size": 4}),
            ("Squeeze", "e one", "f"), ("Transpose", "f", "g", {"perm": [1, 0, 2]}),
            ("Gather", "g last", "k", {"axis": 1}), ("Gemm", "k v", "y"),
        ],
        {
            "w": drawn(5, 3, 2), "i": drawn(1, 16, 5), "h": drawn(1, 16, 4), "s": drawn(1, 32), "one": np.array([1]),
            "last": np.array(-1), "v": drawn(4, 2),
        },
    ),
    "GRUs of both directions, one on the other, their last states": (
        [4, 5],
        [
            ("Transpose", "x", "a", {"perm": [1, 0, 2]}),
            (
                "GRU", "a i h b", "c d", {"hidden_size": 3, "linear_before_reset": 1, "direction": "bidirectional"}
            ),
            ("Transpose", "c", "e", {"perm": [0, 2, 1, 3]}), ("Reshape", "e r", "f"),
            ("GRU", "f j k", "g l", {"hidden_size": 3, "linear_before_reset": 1, "direction": "bidirectional"}),
            ("Gather", "l zero", "m"), ("Gather", "d one", "n"), ("Transpose", "g", "o", {"perm": [0, 2, 1, 3]}),
            ("Reshape", "o r", "p"), ("Transpose", "p", "q", {"perm": [1, 0, 2]}), ("Gather", "q one", "s", {"axis": 1}),
            ("Concat", "m n s", "y", {"axis": 1}),
        ],
        {
            "i": drawn(2, 9, 5), "h": drawn(2, 9, 3), "b": drawn(2, 18), "j": drawn(2, 9, 6), "k": drawn(2, 9, 3),
            "r": np.array([0, 0, -1]), "zero": np.array(0), "one": np.array(1),
        },
    ),
    "a GRU and an LSTM whose axes are moved at once, the last of the states of two": (
        [4, 5],
        [
            ("Transpose", "x", "a", {"perm": [1, 0, 2]}), ("GRU", "a i h b", "c", {"hidden_size": 3, "linear_before_reset": 1}),
            ("Transpose", "c", "d", {"perm": [2, 0, 1, 3]}), ("Reshape", "d r", "e"), ("Transpose", "e", "f", {"perm": [1, 0, 2]}),
            ("LSTM", "f j k", "g l", {"hidden_size": 2}), ("Squeeze", "g one", "m"),
            ("LSTM", "m n o", "p q", {"hidden_size": 2}), ("Concat", "l q", "s", {"axis": 0}),
            ("Gather", "s last", "t"), ("MatMul", "t v", "y"),
        ],
        {
            "i": drawn(1, 9, 5), "h": drawn(1, 9, 3), "b": drawn(1, 18), "j": drawn(1, 8, 3), "k": drawn(1, 8, 2),
            "n": drawn(1, 8, 2), "o": drawn(1, 8, 2), "v": drawn(2, 3), "r": np.array([0, 4, 3]), "one": np.array([1]),
            "last": np.array(-1),
        },
    ),
    "dense layers over the places of a sequence, and an image as the result": (
        [6, 4],
        [
            ("Transpose", "x", "a", {"perm": [0, 2, 1]}), ("MatMul", "a v", "b"), ("Transpose", "b", "c", {"perm": [0, 2, 1]}),
            ("Add", "x c", "d"), ("MatMul", "d w", "e"), ("Reshape", "e r", "y"),
        ],
        {"v": drawn(6, 6), "w": drawn(4, 2), "r": np.array([0, 2, 1, 6])},
    ),
    "an RNN, and an LSTM of both directions": (
        [4, 5],
        [
            ("Transpose", "x", "a", {"perm": [1, 0, 2]}),
            ("RNN", "a i h b", "c", {"hidden_size": 3}), ("Squeeze", "c one", "d"),
            ("LSTM", "d j k", "e", {"hidden_size": 2, "direction": "bidirectional"}),
            ("Transpose", "e", "f", {"perm": [2, 0, 1, 3]}), ("Reshape", "f r", "y"),
        ],
        {
            "i": drawn(1, 3, 5), "h": drawn(1, 3, 3), "b": drawn(1, 6), "j": drawn(2, 8, 3), "k": drawn(2, 8, 2),
            "one": np.array([1]), "r": np.array([0, 0, -1]),
        },
    ),
    "a mean of positions, two ways": (
        [3, 4, 2],
        [
            ("GlobalAveragePool", "x", "a"), ("ReduceMean", "x axes", "b", {"keepdims": 1}), ("Add", "a b", "c"),
            ("Flatten", "c", "y"),
        ],
        {"axes": np.array([2, 3])},
    ),
    "transposed filters": (
        [3, 3, 2],
        [(
            "ConvTranspose", "x w c", "y", {"strides": [2, 2], "pads": [1, 1, 1, 1], "output_padding": [1, 1]}
        )],
        {"w": drawn(3, 2, 3, 2), "c": drawn(2)},
    ),
    "neighbouring channels": (
        [6, 2, 2], [("LRN", "x", "y", {"size": 4, "alpha": 0.5, "beta": 0.6, "bias": 2.0})], {},
    ),
    "activations of one node": (
        [4],
        [
            ("HardSwish", "x", "a"), ("Mish", "a", "b"), ("Elu", "b", "c", {"alpha": 0.5}), ("HardSigmoid", "c", "d"),
            ("PRelu", "d s", "y"),
        ],
        {"s": np.array([0.25], np.float32)},
    ),
    "a hard swish, written out, of what was scaled, and scaled again": (
        [2, 4, 4],
        [
            ("Conv", "x w", "a", {"group": 2}), ("Mul", "p a", "b"), ("Add", "b q", "c"), ("Add", "c three", "d"),
            ("Clip", "d low high", "e"), ("Mul", "c e", "f"), ("Div", "f high", "g"), ("Mul", "g p", "h"),
            ("Add", "h q", "i"), ("Conv", "i v", "j"), ("Relu", "j", "k"), ("Mul", "k by", "y"),
        ],
        {
            "w": drawn(2, 1, 1, 1), "v": drawn(3, 2, 1, 1), "p": np.array([0.7], np.float32), "q": np.float32(0.4),
            "three": np.float32(3), "low": np.float32(0), "high": np.float32(6), "by": drawn(3, 1, 1),
        },
    ),
    "a hard sigmoid, a SiLU, a Mish and a GELU by a sigmoid, written out": (
        [2, 3, 3],
        [
            ("Conv", "x w", "a"), ("Mul", "a fifth", "b"), ("Add", "b half", "c"), ("Clip", "c low one", "d"),
            ("Conv", "d w", "e"), ("Sigmoid", "e", "f"), ("Mul", "f e", "g"), ("Conv", "g w", "h"), ("Softplus", "h", "i"),
            ("Tanh", "i", "j"), ("Mul", "h j", "y"),
        ],
        {
            "w": drawn(2, 2, 1, 1), "fifth": np.float32(0.2), "half": np.float32(0.5), "low": np.float32(0),
            "one": np.float32(1),
        },
    ),
    "gates of channels and of positions, expanded and not": (
        [4, 3, 3],
        [
            ("Conv", "x w", "a"), ("GlobalAveragePool", "a", "b"), ("Conv", "b v", "c"), ("HardSigmoid", "c", "d"),
            ("Mul", "d a", "e"), ("Conv", "e u", "f"), ("Sigmoid", "f", "g"), ("Mul", "e g", "h"), ("Shape", "h", "i"),
            ("Expand", "d i", "j"), ("Add", "j h", "y"),
        ],
        {"w": drawn(4, 4, 1, 1), "v": drawn(4, 4, 1, 1), "u": drawn(1, 4, 1, 1)},
    ),
    "nearest neighbours, and some of the channels": (
        [3, 2, 3],
        [
            ("Conv", "x w", "a"), ("Resize", "a none by", "b", {"mode": "nearest"}), ("Slice", "b s t one", "c"),
            ("Conv", "c v", "d"), ("Slice", "b zero s one", "e"), ("Concat", "d e", "y", {"axis": 1}),
        ],
        {
            "w": drawn(6, 3, 1, 1), "v": drawn(3, 3, 1, 1), "none": np.zeros(0, np.float32),
            "by": np.array([1, 1, 3, 3], np.float32), "s": np.array([2]), "t": np.array([5]), "one": np.array([1]),
            "zero": np.array([0]),
        },
    ),
    "a norm of an image's channels, each by itself": (
        [3, 2, 3], [("Conv", "x w", "a"), ("InstanceNormalization", "a g o", "y", {"epsilon": 1e-3})],
        {"w": drawn(4, 3, 1, 1), "g": drawn(4), "o": drawn(4)},
    ),
    "a norm of groups, as PyTorch writes it": (
        [3, 2, 3],
        [
            ("Conv", "x w", "a"), ("Reshape", "a r", "b"), ("InstanceNormalization", "b one zero", "c"), ("Shape", "a", "d"),
            ("Reshape", "c d", "e"), ("Mul", "e g", "f"), ("Add", "f o", "y"),
        ],
        {
            "w": drawn(4, 3, 1, 1), "r": np.array([0, 2, -1]), "one": np.ones(2, np.float32),
            "zero": np.zeros(2, np.float32), "g": drawn(4, 1, 1), "o": drawn(4, 1, 1),
        },
    ),
    "a dense layer with factors, and one of a matrix in a stack of one": (
        [4], [("Gemm", "x w c", "a", {"alpha": 0.5, "beta": 2.0}), ("MatMul", "a v", "y")],
        {"w": drawn(4, 3), "c": drawn(3), "v": drawn(1, 3, 2)},
    ),
    "zeros around some axes": (
        [2, 3, 3], [("Pad", "x p none axes", "a"), ("Conv", "a w", "y")],
        {"w": drawn(3, 2, 3, 3), "p": np.array([1, 0, 2, 1]), "none": np.float32(0), "axes": np.array([2, 3])},
    ),
    "a norm of vectors without an offset, that is added": (
        [3, 5], [("MatMul", "x w", "a"), ("LayerNormalization", "a g", "b"), ("Add", "b o", "y")],
        {"w": drawn(5, 4), "g": drawn(4), "o": drawn(4)},
    ),
    "what is cut off, at six and at zero": ([5], [("Clip", "x low high", "a"), ("Clip", "a low", "y")], {
        "low": np.float32(0), "high": np.float32(6),
    }),
}  # fmt: skip


@pytest.mark.parametrize("name", SMALL)
def test_a_small_model_gives_what_the_reference_gives(name: str, tmp_path: Path) -> None:
    from onnx.reference import ReferenceEvaluator

    shape, told, weights = SMALL[name]
    nodes = [node(*each[:3], **(each[3] if len(each) > 3 else {})) for each in told]
    path = saved(tmp_path / "small.onnx", nodes, ["N", *shape], weights)
    x = 3 * np.random.default_rng(1).normal(size=(6, *shape)).astype(
        np.float32
    )  # the reference of LRN sums for as many channels
    [wanted] = ReferenceEvaluator(str(path)).run(None, {"x": x})
    of_line = len(shape) == 2 and told[0][0] == "Conv"
    given = passed(network(linear(read(path))), channels_last(x[:, :, None] if of_line else x))
    assert given == pytest.approx(channels_last(wanted).reshape(given.shape), rel=1e-4, abs=1e-5)


def test_an_image_with_its_channels_last_is_taken_as_it_is(tmp_path: Path) -> None:
    """As files made from TensorFlow and Keras have it: the first node moves the channels to the front."""
    from onnx.reference import ReferenceEvaluator

    made = [
        node("Transpose", "x", "a", perm=[0, 3, 1, 2]), node("Conv", "a w", "b"), node("Relu", "b", "c"),
        node("Transpose", "c", "d", perm=[0, 2, 3, 1]), node("Reshape", "d r", "e"), node("MatMul", "e v", "y"),
    ]  # fmt: skip
    weights = {"w": drawn(3, 2, 2, 2), "r": np.array([-1, 18]), "v": drawn(18, 4)}
    path = saved(tmp_path / "small.onnx", made, ["N", 3, 4, 2], weights)
    x = drawn(5, 3, 4, 2)
    [wanted] = ReferenceEvaluator(str(path)).run(None, {"x": x})
    draft = read(path)
    assert draft.inputs == [3, 4, 2]
    assert passed(network(linear(draft)), x) == pytest.approx(wanted, rel=1e-4, abs=1e-5)


def test_what_scales_the_input_is_left_to_the_data_and_said(tmp_path: Path) -> None:
    made = [node("Div", "x byte", "a"), node("Sub", "a mean", "b"), node("Conv", "b w", "y")]
    weights = {"byte": np.float32(255), "mean": drawn(1, 2, 1, 1), "w": drawn(3, 2, 1, 1)}
    draft = read(saved(tmp_path / "small.onnx", made, ["N", 2, 4, 4], weights))
    assert [layer["kind"] for layer in draft.content()] == ["conv2d"]
    assert any("give it data that are so already" in note for note in draft.notes)


def test_a_model_with_scales_around_its_nodes_is_read_without_them(tmp_path: Path) -> None:
    """Weights of 8 bits become numbers; what the file rounds in between, the chip rounds by its own parts."""
    made = [
        node("QuantizeLinear", "x s z", "a"), node("DequantizeLinear", "a s z", "b"),
        node("DequantizeLinear", "codes scales zeros", "w", axis=0), node("Conv", "b w", "c"), node("Relu", "c", "d"),
        node("QuantizeLinear", "d s z", "e"), node("DequantizeLinear", "e s z", "y"),
    ]  # fmt: skip
    codes = np.arange(-4, 4, dtype=np.int8).reshape(4, 2, 1, 1)
    scales = np.array([0.5, 1, 2, 4], np.float32)
    weights = {
        "s": np.float32(0.1), "z": np.uint8(128), "codes": codes, "scales": scales, "zeros": np.full(4, 1, np.int8),
    }  # fmt: skip
    draft = read(saved(tmp_path / "small.onnx", made, ["N", 2, 3, 3], weights))
    [layer] = draft.content()
    assert (layer["kind"], layer["activation"]) == ("conv2d", "relu")
    wanted = (codes.reshape(4, 2).T - 1) * scales
    assert draft.arrays[layer["name"]] == pytest.approx(wanted)
    assert any("quantised" in note for note in draft.notes)


def test_constants_that_nobody_can_compute_are_named(tmp_path: Path) -> None:
    made = [node("Reshape", "w r", "a"), node("MatMul", "x a", "y")]
    weights = {"w": drawn(2, 3), "r": np.array([4, 4])}
    with pytest.raises(InputError, match=r"node net-a \(Reshape\): of constants, which ONNX's own reference does not"):
        read(saved(tmp_path / "small.onnx", made, ["N", 2], weights))


def test_the_last_state_of_an_lstm_alone_is_a_layer_that_returns_the_last(tmp_path: Path) -> None:
    from onnx.reference import ReferenceEvaluator

    made = [
        node("Transpose", "x", "a", perm=[1, 0, 2]),
        onnx.helper.make_node("LSTM", ["a", "i", "h"], ["", "b"], name="mix", hidden_size=4),
        node("Squeeze", "b zero", "y"),
    ]
    weights = {"i": drawn(1, 16, 3), "h": drawn(1, 16, 4), "zero": np.array([0])}
    path = saved(tmp_path / "small.onnx", made, ["N", 5, 3], weights)
    [layer] = read(path).content()
    assert (layer["kind"], layer["returns"], layer["bias"]) == ("lstm", "last", False)
    x = drawn(6, 5, 3)
    [wanted] = ReferenceEvaluator(str(path)).run(None, {"x": x})
    assert passed(network(linear(read(path))), x) == pytest.approx(wanted, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize(
    ("told", "more", "said"),
    [
        ({"activations": ["Sigmoid", "Relu", "Tanh"]}, {}, "has activations of its own, .*; expected a plain LSTM"),
        ({"clip": 1.0}, {}, "clips, or couples its gates; expected a plain LSTM"),
        ({}, {"first": np.ones((1, 1, 4), np.float32)}, "is given a state that are not zero|is given a state"),
    ],
)
def test_an_lstm_that_ours_is_not_is_refused(tmp_path: Path, told: dict[str, Any], more: Any, said: str) -> None:
    inputs = ["a", "i", "h", *(["", "", "first"] if more else [])]
    made = [
        node("Transpose", "x", "a", perm=[1, 0, 2]),
        onnx.helper.make_node("LSTM", inputs, ["b"], name="mix", hidden_size=4, **told),
        node("Squeeze", "b one", "y"),
    ]
    weights = {"i": drawn(1, 16, 3), "h": drawn(1, 16, 4), "one": np.array([1]), **more}
    with pytest.raises(InputError, match=said):
        read(saved(tmp_path / "small.onnx", made, ["N", 5, 3], weights))


def test_a_gelu_in_five_nodes_is_one_layer(tmp_path: Path) -> None:
    shape, told, weights = SMALL["a GELU in five nodes"]
    nodes = [node(*each[:3]) for each in told]
    [layer] = read(saved(tmp_path / "small.onnx", nodes, ["N", *shape], weights)).content()
    assert (layer["kind"], layer["activation"]) == ("activation", "gelu")


def test_names_are_those_of_the_model(tmp_path: Path) -> None:
    made = onnx.helper.make_node("Relu", ["x"], ["y"], name="/layer1/layer1.0/relu/Relu")
    [layer] = read(saved(tmp_path / "small.onnx", [made], ["N", 3], {})).content()
    assert layer["name"] == "layer1-0-relu"


@pytest.mark.parametrize(
    ("made", "shape", "said"),
    [
        (
            ("Softsign", "x", "y"),
            [3],
            r"small.onnx: node net-y \(Softsign\): archsim has no layer for it; expected one of Abs, .*",
        ),
        (
            ("MatMul", "x x", "y"),
            [3, 3],
            r"output y: takes a product of two signals that is no attention.*encoder-block",
        ),
        (
            ("ConvTranspose", "x w", "y", {"strides": [1, 2]}),
            [2, 4, 4],
            r"\(ConvTranspose\): strides \[1, 2\]; expected the same",
        ),
        (("Softmax", "x", "y", {"axis": 1}), [3, 3], "along axis 1; expected the last, 2"),
        (
            ("Clip", "x w", "y"),
            [3],
            "output y: takes a function of x that is no activation that is known; expected one of relu, .*hard-swish",
        ),
        (("ArgMax", "x", "y"), [3], "Cut the model before it"),
        (("If", "x", "y"), [3], "Export the model without control flow"),
        (("QLinearConv", "x", "y"), [2, 4, 4], "as it was before it was quantised"),
        (("Resize", "x none two", "y", {"mode": "linear"}), [2, 4, 4], "mode linear; expected nearest"),
        (("Resize", "x none odd", "y"), [2, 4, 4], r"\[1.5, 1.5\] times as large; expected a whole number"),
        (("Upsample", "x two", "y"), [4], "changes the size of what is no image"),
        (("Pad", "x cut", "y"), [2, 4, 4], "cuts off what it pads by less than 0"),
        (("MatMul", "w x", "y"), [2], "has its constant in front, W x"),
        (("MatMul", "x w", "y"), [2], r"has a constant of shape \[2, 2, 1, 1\]; expected one matrix"),
        (("PRelu", "x slopes", "y"), [2, 4, 4], "slopes of its own for each channel"),
        (("InstanceNormalization", "x three three", "y"), [2, 4, 4], "has 3 gains for 2 channels"),
        (("GRU", "x wi wh", "y", {"hidden_size": 2}), [3, 3], "takes a sequence whose first axis is not that of steps"),
        (("Max", "x x x", "y"), [3], "of 3 operands; expected two, a signal and a constant"),
        (("MaxPool", "x", "y", {"kernel_shape": [2, 2], "dilations": [2, 2]}), [2, 5, 5], "dilations .* of a pool"),
        (("Relu", "x", "y"), ["T", 3], r"has a shape that is not known: \['\?', '\?', 3\].*--sample 128x3"),
        (("Concat", "x x", "y", {"axis": 0}), [3], "sets samples one behind the other"),
        (("Transpose", "x", "y", {"perm": [0, 2, 1, 4]}), [2, 4, 4], "is written in a way that is not read"),
    ],
)
def test_what_cannot_be_read_is_named(made: tuple[Any, ...], shape: list[Any], said: str, tmp_path: Path) -> None:
    told = node(*made[:3], **(made[3] if len(made) > 3 else {}))
    weights = {
        "w": drawn(2, 2, 1, 1), "none": np.zeros(0, np.float32), "two": np.array([1, 1, 2, 2], np.float32),
        "odd": np.array([1, 1, 1.5, 1.5], np.float32), "cut": np.array([0, 0, -1, 0, 0, 0, 0, 0]),
        "slopes": np.array([[[0.1]], [[0.2]]], np.float32), "three": drawn(3), "wi": drawn(1, 6, 3), "wh": drawn(1, 6, 2),
    }  # fmt: skip
    path = saved(tmp_path / "small.onnx", [told], ["N", *shape], weights)
    with pytest.raises(InputError, match=said):
        read(path)


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "small.onnx").write_bytes(b"no model")
    with pytest.raises(InputError, match=r"small.onnx: is no ONNX model"):
        read(tmp_path / "small.onnx")

"""Models of PyTorch, traced and from files: what they give, and what can be read of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from import_kit import channels_last, linear, network, passed

from archsim.base.errors import InputError
from archsim.networks.imports.files import read
from archsim.networks.imports.torch.export import traced

torch = pytest.importorskip("torch")
nn, f = torch.nn, torch.nn.functional
pytestmark = pytest.mark.filterwarnings("ignore")  # of torch.export, about itself


class Module(nn.Module):
    """Parts by name, and a function of (parts, x)."""

    def __init__(self, of: Any, **parts: Any) -> None:
        super().__init__()
        self.of, self.parts = of, nn.ModuleDict(parts)

    def forward(self, x: Any) -> Any:
        return self.of(self.parts, x)


def heads(x: Any, count: int) -> Any:
    return x.view(x.shape[0], x.shape[1], count, -1).transpose(1, 2)


def attended(m: Any, x: Any) -> Any:
    """Self-attention of three matrices, causal."""
    q, k, v = (heads(m[name](x), 2) for name in "qkv")
    y = f.scaled_dot_product_attention(q, k, v, is_causal=True)
    return m["o"](y.transpose(1, 2).contiguous().view(x.shape))


def fused(m: Any, x: Any) -> Any:
    """Self-attention of one matrix, split into three."""
    q, k, v = (heads(part, 2) for part in m["qkv"](x).split(8, dim=2))
    y = f.scaled_dot_product_attention(q, k, v, scale=0.3)
    return x + m["o"](y.transpose(1, 2).reshape(x.shape[0], x.shape[1], 8))


class Vision(nn.Module):
    """A small vision transformer, with the layer of PyTorch."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 2, 2)
        self.token, self.place = nn.Parameter(torch.randn(1, 1, 8)), nn.Parameter(torch.randn(1, 7, 8))
        self.blocks = nn.Sequential(
            *(
                nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, activation="gelu", norm_first=first)
                for first in (True, False)
            )
        )
        self.norm, self.head = nn.LayerNorm(8), nn.Linear(8, 5)

    def forward(self, x: Any) -> Any:
        y = self.patches(x).flatten(2).transpose(1, 2)
        y = torch.cat([self.token.expand(y.shape[0], -1, -1), y], 1) + self.place
        return self.head(self.norm(self.blocks(y))[:, 0])


class Text(nn.Module):
    """A small decoder: tables of tokens and positions, a mask that is a constant."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.place = nn.Embedding(11, 8), nn.Embedding(6, 8)
        self.parts = nn.ModuleDict({name: nn.Linear(8, 8) for name in "qkvo"})
        self.up, self.down, self.norm = nn.Linear(8, 32), nn.Linear(32, 8), nn.LayerNorm(8)
        self.head = nn.Linear(8, 11, bias=False)
        self.register_buffer("mask", torch.tril(torch.ones(6, 6, dtype=torch.bool)))

    def forward(self, codes: Any) -> Any:
        x = self.table(codes) + self.place(torch.arange(codes.shape[1]))
        q, k, v = (heads(self.parts[name](x), 2) for name in "qkv")
        y = f.scaled_dot_product_attention(q, k, v, attn_mask=self.mask)
        x = x + self.parts["o"](y.transpose(1, 2).flatten(2))
        return self.head(self.norm(x + self.down(f.gelu(self.up(x)))))


class Written(nn.Module):
    """Attention that is written out, causal, as in small decoders."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv, self.o = nn.Linear(8, 24), nn.Linear(8, 8)
        self.register_buffer("mask", torch.tril(torch.ones(1, 1, 9, 9)))

    def forward(self, x: Any) -> Any:
        steps = x.shape[1]
        q, k, v = (heads(part, 2) for part in self.qkv(x).split(8, dim=2))
        scores = (q @ k.transpose(-2, -1)) / 2.5
        scores = scores.masked_fill(self.mask[:, :, :steps, :steps] == 0, float("-inf"))
        y = f.dropout(f.softmax(scores, dim=-1), 0.1, self.training) @ v
        return self.o(y.transpose(1, 2).contiguous().view(x.shape)) - 0.25


def mixed(m: Any, x: Any) -> Any:
    """Dense layers over the places of a sequence, and over its channels."""
    x = x + m["places"](m["n"](x).transpose(1, 2)).transpose(1, 2)
    return m["f"]((x + m["channels"](x)).mean(1))


def largest(m: Any, x: Any) -> Any:
    """The largest of each channel, of an image and of lines."""
    y = m["c"](x)
    lines = m["l"](y.flatten(2))
    return m["f"](torch.cat([y.amax((2, 3)), lines.max(dim=2).values, f.adaptive_max_pool1d(lines, 1).flatten(1)], 1))


class Windows(nn.Module):
    """Convolutions of a line behind a table of codes, a pool and a mean."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.head = nn.Embedding(11, 8), nn.Linear(6, 3)
        self.first, self.second = nn.Conv1d(8, 6, 3, padding=1), nn.Conv1d(6, 6, 3, stride=2, dilation=1)

    def forward(self, codes: Any) -> Any:
        x = f.max_pool1d(f.relu(self.first(self.table(codes).transpose(1, 2))), 2)
        return self.head(f.gelu(self.second(x)).mean(2))


def shaken(module: Any) -> Any:
    """Give the running moments of batch norms, and all that starts at 0 or 1, other values."""
    for each in module.modules():
        if isinstance(each, nn.BatchNorm2d | nn.BatchNorm1d | nn.LayerNorm):
            for tensor in (*each.parameters(), *(b for b in each.buffers() if b.is_floating_point())):
                tensor.data = tensor.data + torch.rand_like(tensor)
    return module.eval()


MODELS: dict[str, tuple[Any, tuple[int, ...]]] = {
    "convolutions, norms, a residual, an image as a vector": (
        lambda: Module(
            lambda m, x: m["f"](torch.flatten(torch.relu(m["b"](m["d"](y := m["a"](x).relu()))) + y, 1)),
            a=nn.Conv2d(3, 4, 3, 2, 1), d=nn.Conv2d(4, 4, 3, 1, 1, groups=4, bias=False), b=nn.BatchNorm2d(4),
            f=nn.Linear(4 * 4 * 3, 5),
        ),
        (3, 8, 6),
    ),
    "pools and gates": (
        lambda: Module(
            lambda m, x: m["f"](m["p"](m["c"](f.silu(f.max_pool2d(x, 3, 2, 1))) * 2.0).mean([2, 3])),
            c=nn.Conv2d(2, 6, 3, dilation=2, padding=2, groups=2), p=nn.AvgPool2d(2, ceil_mode=True), f=nn.Linear(6, 3),
        ),
        (2, 10, 10),
    ),
    "gates of channels, hard activations, groups, parts and neighbours": (
        lambda: Module(
            lambda m, x: m["e"](torch.cat([
                f.elu((y := f.interpolate(m["n"](m["c"](x)), scale_factor=2))[:, :2], 0.5), f.mish(y[:, 2:5]),
                f.hardswish(y) * f.hardsigmoid(m["g"](y.mean([2, 3], keepdim=True))),
            ], 1)),
            c=nn.Conv2d(2, 6, (3, 1), stride=(2, 1)), n=nn.GroupNorm(3, 6), g=nn.Conv2d(6, 6, 1), e=nn.Conv2d(11, 2, 1),
        ),
        (2, 7, 4),
    ),
    "adaptive pools, ReLU6, channels beside each other": (
        lambda: nn.Sequential(
            Module(lambda m, x: torch.cat([x, m["c"](x)], 1), c=nn.Sequential(nn.Conv2d(2, 3, 1), nn.ReLU6(inplace=True))),
            nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(20, 4), nn.Dropout(0.4), nn.BatchNorm1d(4), nn.Sigmoid(),
        ),
        (2, 4, 4),
    ),
    "transposed filters": (
        lambda: nn.Sequential(nn.ConvTranspose2d(2, 3, 3, 2, 1, 1), nn.LeakyReLU(0.2), nn.Conv2d(3, 1, 2)), (2, 3, 3),
    ),
    "attention of three matrices": (
        lambda: Module(attended, **{name: nn.Linear(8, 8) for name in "qkvo"}), (5, 8),
    ),
    "attention of one matrix": (lambda: Module(fused, qkv=nn.Linear(8, 24), o=nn.Linear(8, 8, bias=False)), (5, 8)),
    "PyTorch's own attention": (
        lambda: Module(lambda m, x: m["a"](x, x, x, need_weights=False)[0], a=nn.MultiheadAttention(8, 2, batch_first=True)),
        (5, 8),
    ),
    "a vision transformer": (Vision, (3, 4, 6)),
    "an LSTM, its last step": (
        lambda: Module(lambda m, x: m["f"](m["r"](x)[0][:, -1]), r=nn.LSTM(4, 3, batch_first=True), f=nn.Linear(3, 2)),
        (5, 4),
    ),
    "an LSTM of two layers and both directions, a dropout between, all steps": (
        lambda: Module(lambda m, x: m["f"](m["r"](x)[0]), f=nn.Linear(6, 2),
                       r=nn.LSTM(4, 3, 2, batch_first=True, bidirectional=True, dropout=0.5)),
        (5, 4),
    ),
    "a GRU's last states of both directions, without biases": (
        lambda: Module(lambda m, x: m["f"](torch.cat([(h := m["r"](x)[1])[-2], h[-1]], 1)), f=nn.Linear(6, 2),
                       r=nn.GRU(4, 3, bias=False, batch_first=True, bidirectional=True)),
        (5, 4),
    ),
    "a GRU whose batch is the second axis, and its last state": (
        lambda: Module(lambda m, x: m["f"](m["s"](m["r"](x.transpose(0, 1))[0])[1].squeeze(0)), f=nn.Linear(2, 2),
                       r=nn.GRU(4, 3), s=nn.GRU(3, 2)),
        (5, 4),
    ),
    "an LSTM whose batch is the second axis": (
        lambda: Module(lambda m, x: m["f"](m["r"](x.transpose(0, 1))[0].transpose(0, 1)), f=nn.Linear(3, 2), r=nn.LSTM(4, 3)),
        (5, 4),
    ),
    "dense layers over the places of a sequence": (
        lambda: Module(mixed, n=nn.LayerNorm(4), places=nn.Sequential(nn.Linear(6, 5), nn.GELU(), nn.Linear(5, 6)),
                       channels=nn.Linear(4, 4), f=nn.Linear(4, 3)),
        (6, 4),
    ),
    "the largest of all positions": (
        lambda: Module(largest, c=nn.Conv2d(2, 3, 3), l=nn.Conv1d(3, 5, 3), f=nn.Linear(13, 2)), (2, 5, 6),
    ),
    "a vector that becomes an image, and an image that is the result": (
        lambda: Module(lambda m, x: m["u"](m["f"](x).view(-1, 3, 2, 4)).tanh(), f=nn.Linear(5, 24),
                       u=nn.ConvTranspose2d(3, 2, 2, 2)),
        (5,),
    ),
    "an image that becomes a vector, and one again": (
        lambda: Module(lambda m, x: m["d"](m["c"](x).flatten(1)).sigmoid().view(-1, 2, 3, 3), c=nn.Conv2d(2, 4, 2, 2),
                       d=nn.Linear(16, 18)),
        (2, 4, 4),
    ),
    "attention that is written out": (Written, (5, 8)),
    "RNNs by ReLU and tanh": (
        lambda: Module(lambda m, x: m["f"](m["s"](m["r"](x)[0])[1][-1]), f=nn.Linear(6, 2),
                       r=nn.RNN(4, 3, batch_first=True, nonlinearity="relu"), s=nn.RNN(3, 6, batch_first=True)),
        (5, 4),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_a_model_gives_what_pytorch_gives(name: str) -> None:
    torch.manual_seed(0)
    make, shape = MODELS[name]
    module = shaken(make())
    x = torch.randn(2, *shape)
    wanted = channels_last(module(x).detach().numpy())
    given = passed(network(linear(traced(module, x))), channels_last(x.numpy()))
    assert given == pytest.approx(wanted.reshape(given.shape), rel=1e-4, abs=1e-5)


@pytest.mark.parametrize(("make", "steps"), [(Text, 6), (Windows, 10)])
def test_a_network_of_codes_gives_what_pytorch_gives(make: Any, steps: int) -> None:
    torch.manual_seed(0)
    module = shaken(make())
    codes = torch.randint(0, 11, (2, steps))
    given = passed(network(linear(traced(module, codes))), codes.numpy().astype(np.float32))
    assert given == pytest.approx(module(codes).detach().numpy(), rel=1e-4, abs=1e-5)


def test_a_file_of_torch_export_is_read(tmp_path: Path) -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3)).eval()
    x = torch.randn(2, 6)
    torch.export.save(torch.export.export(module, (x,)), str(tmp_path / "net.pt2"))
    draft = read(tmp_path / "net.pt2")
    assert [layer["activation"] for layer in draft.content()] == ["tanh", "softmax"]
    assert passed(network(linear(draft)), x.numpy()) == pytest.approx(module(x).detach().numpy(), rel=1e-4, abs=1e-6)


def test_sizes_that_an_export_leaves_open_are_those_of_its_example(tmp_path: Path) -> None:
    torch.manual_seed(0)
    module, x, path = Vision().eval(), torch.randn(2, 3, 4, 6), tmp_path / "open.pt2"
    batch = torch.export.Dim("batch", min=1, max=64)
    torch.export.save(torch.export.export(module, (x,), dynamic_shapes=({0: batch},)), str(path))
    given = passed(network(linear(read(path))), channels_last(x.numpy()))
    assert given == pytest.approx(module(x).detach().numpy(), rel=1e-4, abs=1e-5)

    lines = nn.Sequential(nn.Conv1d(3, 4, 3), nn.ReLU())
    steps = torch.export.Dim("steps", min=4, max=64)
    program = torch.export.export(lines, (torch.randn(2, 3, 9),), dynamic_shapes=({0: batch, 2: steps},))
    torch.export.save(program, str(path))
    draft, x = read(path), torch.randn(2, 3, 9)
    assert draft.notes == ["Sizes that the file leaves open are those of its example: [3, 9]."]
    given = passed(network(draft), channels_last(x[:, :, None].numpy()))
    assert given == pytest.approx(channels_last(lines(x)[:, :, None].detach().numpy()), rel=1e-4, abs=1e-5)


@pytest.mark.parametrize(
    ("make", "shape", "said"),
    [
        (
            nn.Softplus,
            (3,),
            r"Softplus: node softplus \(softplus\): archsim has no layer for it; expected one of .*adaptive_avg_pool2d",
        ),
        (lambda: nn.ConvTranspose2d(2, 2, 3, (1, 2)), (2, 6, 6), r"\(conv_transpose2d\): strides \[1, 2\]"),
        (
            lambda: Module(lambda _, x: x @ x.transpose(1, 2)),
            (3, 3),
            r"output matmul: gives a product of two signals that is no attention",
        ),
        (lambda: nn.Softmax(1), (3, 3), "along axis 1"),
        (lambda: Module(lambda m, x: m["r"](x)[0], r=nn.LSTM(3, 4, proj_size=2, batch_first=True)), (3, 3), "projects"),
        (
            lambda: Module(lambda m, x: m["r"](x, torch.ones(1, 2, 4))[0], r=nn.GRU(3, 4, batch_first=True)),
            (3, 3),
            "begins with a state that is not zero",
        ),
        (
            lambda: Module(lambda m, x: m["r"](x)[1], r=nn.GRU(3, 4, batch_first=True)),
            (3, 3),
            "output .*: gives last states; expected what a layer gives whole",
        ),
        (
            lambda: Module(lambda m, x: m["r"](x)[1][1][0], r=nn.LSTM(3, 4, batch_first=True)),
            (3, 3),
            "argument 0 is no signal",
        ),
    ],
)
def test_what_cannot_be_read_is_named(make: Any, shape: tuple[int, ...], said: str) -> None:
    with pytest.raises(InputError, match=said):
        traced(make(), torch.randn(2, *shape))


def test_a_file_that_is_no_program_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A checkpoint too, in one line: what PyTorch logs of it is left out."""
    path = tmp_path / "net.pt2"
    path.write_bytes(b"no program")
    with pytest.raises(InputError, match=r"net.pt2: is no program of torch.export: .*whole\. A file of torch.save has"):
        read(path)
    torch.save(nn.Linear(2, 2).state_dict(), path)
    with pytest.raises(InputError, match=r"net.pt2: is no program of torch.export"):
        read(path)
    assert capfd.readouterr() == ("", "")

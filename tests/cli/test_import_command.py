"""`archsim workloads import`: what is written can be shown, estimated and, with data, trained from its weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from cli_kit import Cli

import archsim
from archsim.api import workloads

TOPOLOGY = "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n"


def test_a_topology_becomes_a_workload_that_is_shown(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "net.csv").write_text(TOPOLOGY + "Conv 1,8,8,3,3,3,4,1,\nFC,1,1,1,1,144,10,1,\n")
    done = cli("workloads", "import", str(tmp_path / "net.csv"), "--out", str(tmp_path / "mine.yaml"))
    assert (done.code, done.err) == (0, "")
    assert "note: Counted as SCALE-Sim does" in done.out
    shown = cli("workloads", "show", str(tmp_path / "mine.yaml"))
    assert shown.code == 0
    assert "Conv-1" in shown.out
    told = yaml.safe_load((tmp_path / "mine.yaml").read_text())
    assert told["network"]["inputs"] == [8, 8, 3]
    again = cli("workloads", "import", str(tmp_path / "net.csv"), "--out", str(tmp_path / "mine.yaml"))
    assert again.code != 0
    assert "--force" in again.err


def test_what_is_not_known_is_told_in_a_line(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "net.h5").write_bytes(b"")
    done = cli("workloads", "import", str(tmp_path / "net.h5"))
    assert done.code != 0
    assert "net.h5: archsim workloads import cannot tell what it is; expected a file that ends in .onnx" in done.err
    assert len(done.err.splitlines()) == 1
    (tmp_path / "net.csv").write_text("a,b\n1,2\n")
    assert "has other columns" in cli("workloads", "import", str(tmp_path / "net.csv")).err
    assert "no such file" in cli("workloads", "import", str(tmp_path / "none.csv")).err
    open_shape = cli("workloads", "import", str(tmp_path / "net.csv"), "--sample", "3x224")
    assert "--sample: says its shapes itself; expected an ONNX model" in open_shape.err
    assert (
        "--sample: got '3x'; expected numbers from 1 on" in cli("workloads", "import", "a.onnx", "--sample", "3x").err
    )


def written(tmp_path: Path, arrays: dict[str, np.ndarray[Any, Any]]) -> Path:
    """Write a workload of 4-3-2 with data of its own and initial values."""
    rng = np.random.default_rng(0)
    data = {"x": rng.uniform(0, 1, (20, 4)).astype(np.float32), "y": np.arange(20) % 2}
    np.savez(tmp_path / "data.npz", **data, test_x=data["x"], test_y=data["y"])
    np.savez(tmp_path / "net.npz", **arrays)
    told = {
        "schema": 1, "kind": "workload", "name": "net", "title": "net", "dataset": {"file": "data.npz"},
        "initial": "net.npz", "network": {
            "inputs": 4, "initial_std": "he", "loss": "cross-entropy", "layers": [
                {"name": "a", "kind": "dense", "units": 3, "activation": "relu"},
                {"name": "b", "kind": "dense", "units": 2, "activation": "softmax"},
            ],
        },
        "training": {"batch": 1, "learning_rate": 0.1, "epochs": 1},
    }  # fmt: skip
    (tmp_path / "net.yaml").write_text(yaml.safe_dump(told))
    return tmp_path / "net.yaml"


def test_a_training_starts_from_the_initial_values_and_a_run_keeps_them(tmp_path: Path) -> None:
    start = np.arange(15, dtype=np.float32).reshape(5, 3) / 10
    spec = archsim.resolve(str(written(tmp_path, {"a": start})))
    from archsim.base.streams import Streams

    weights = spec.network.initial_weights(Streams(1))
    assert (weights["a"] == start).all()
    assert weights["b"].std() > 0  # drawn
    assert any(name.endswith("net.npz") for name in spec.copies)
    run = archsim.run(str(written(tmp_path, {"a": start})), steps=2, out=tmp_path / "run")
    assert (tmp_path / "run" / "inputs" / "workload" / "net.npz").is_file()
    assert run is not None


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"c": np.zeros((5, 3), np.float32)}, "net.npz: has values for 'c'; the network has no matrix or parameter"),
        ({"a": np.zeros((4, 3), np.float32)}, "net.npz: a is 4x3; the network has it 5x3"),
        ({"a": np.zeros((5, 3))}, "net.npz: a is float64; expected float32"),
    ],
)
def test_initial_values_that_do_not_suit_are_refused(
    tmp_path: Path, arrays: dict[str, np.ndarray[Any, Any]], said: str
) -> None:
    with pytest.raises(archsim.InputError) as refused:
        archsim.resolve(str(written(tmp_path, arrays)))
    assert said in str(refused.value)


def test_initial_values_that_are_not_there_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, {})
    (tmp_path / "net.npz").unlink()
    with pytest.raises(archsim.InputError, match="initial: got 'net.npz'; expected an existing .npz file"):
        archsim.resolve(str(path))


def loader(torch: Any, seed: int, samples: int) -> Any:
    """Return a data loader of images of 1x4x4: bright above or below."""
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(samples) % 2
    x = 0.2 * torch.rand(samples, 1, 4, 4, generator=generator)
    x[y == 0, :, :2] += 0.7
    x[y == 1, :, 2:] += 0.7
    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=4)


def test_a_module_of_pytorch_trains_on_a_users_loader_from_its_weights(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    nn = torch.nn
    module = nn.Sequential(nn.Conv2d(1, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(27, 2))
    done = archsim.from_torch(
        module, torch.randn(2, 1, 4, 4), tmp_path / "mine.yaml", train=loader(torch, 1, 200), test=loader(torch, 2, 40),
        learning_rate=0.5, epochs=2,
    )  # fmt: skip
    assert done.initial == tmp_path / "mine.npz"
    assert done.workload.training.batch == 4
    first, last = (done.workload.build().initial[matrix.name] for matrix in done.workload.build().matrices)
    assert (first[:-1].T.reshape(3, 2, 2) == module[0].weight.detach().numpy()[:, 0]).all()
    assert (last[-1] == module[3].bias.detach().numpy()).all()
    run = archsim.run(
        str(tmp_path / "mine.yaml"), out=tmp_path / "run", archs=["mixed-precision-deep", "digital32-deep"]
    )
    for chip in ("mixed-precision-deep", "digital32-deep"):
        assert run.summary["architectures"][chip]["test"] > 0.9


def test_lines_of_a_loader_train_as_pytorch_has_them_and_codes_are_refused(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    nn = torch.nn
    x, y = torch.rand(40, 3, 6), torch.arange(40) % 2
    batches = [(x[:20], y[:20]), (x[20:], y[20:])]
    module = nn.Sequential(nn.Conv1d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 2))
    archsim.from_torch(module, x[:2], tmp_path / "line.yaml", train=batches, test=batches, learning_rate=1e-6)
    run = archsim.run(str(tmp_path / "line.yaml"), out=tmp_path / "run", steps=1, archs=["digital32-deep"])
    right = (module(x).argmax(1) == y).float().mean().item()
    assert run.summary["architectures"]["digital32-deep"]["test"] == pytest.approx(right)

    codes = [((9 * x[:, 0]).to(torch.uint8), y)]
    module = nn.Sequential(nn.Embedding(10, 4), nn.Flatten(), nn.Linear(24, 2))
    archsim.from_torch(
        module, codes[0][0].long(), tmp_path / "codes.yaml", train=codes, test=codes, learning_rate=0.1
    )  # fmt: skip
    with pytest.raises(
        archsim.InputError, match=r"looks up codes, and samples of .* are numbers from 0 to 1; expected"
    ):
        archsim.run(str(tmp_path / "codes.yaml"), out=tmp_path / "codes", steps=1)


def test_data_without_a_learning_rate_or_that_are_no_images_are_refused(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    module, example = torch.nn.Linear(4, 2), torch.randn(2, 4)
    batches = [(torch.rand(3, 4), torch.tensor([0, 1, 1]))]
    with pytest.raises(archsim.InputError, match="Linear: has data; expected all of train, test and learning_rate"):
        archsim.from_torch(module, example, tmp_path / "mine.yaml", train=batches, test=batches)
    told = {"learning_rate": 0.1, "test": batches}
    with pytest.raises(archsim.InputError, match="train loader: gives no batch"):
        archsim.from_torch(module, example, tmp_path / "mine.yaml", train=[], **told)
    odd = [(x - 1, y) for x, y in batches]
    with pytest.raises(archsim.InputError, match="x goes from .*; expected floats from 0 to 1"):
        archsim.from_torch(module, example, tmp_path / "mine.yaml", train=odd, **told)
    for bad, said in (
        (5, r"train loader: got 'int'; expected batches of \(samples, labels\)"),
        ([(*batches[0], 1)], "train loader: batch 0 is a tuple of 3"),
        ([{"x": 1, "y": 2}], "train loader: batch 0 is a dict of 2"),
        ([*batches, (torch.rand(3, 5), batches[0][1])], r"batch 1 has samples of \[3, 5\].*the first had \[3, 4\]"),
    ):
        with pytest.raises(archsim.InputError, match=said):
            archsim.from_torch(module, example, tmp_path / "mine.yaml", train=bad, **told)
    with pytest.raises(archsim.InputError, match="<lambda>: is no torch.nn.Module"):
        archsim.from_torch(lambda x: x, example, tmp_path / "mine.yaml")
    assert not [*tmp_path.iterdir()]


def test_a_file_of_weights_alone_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "mine.pth").write_bytes(b"")
    with pytest.raises(archsim.InputError, match=r"Weights alone say no network: .* archsim.from_torch"):
        workloads.import_(tmp_path / "mine.pth", tmp_path / "out.yaml")


def test_without_the_package_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "onnx", None)
    monkeypatch.setitem(sys.modules, "torch", None)
    for name, package in (("net.onnx", "onnx"), ("net.pt2", "torch")):
        (tmp_path / name).write_bytes(b"")
        with pytest.raises(
            archsim.InputError, match=rf'needs {package}, which is not installed. pip install "archsim\['
        ):
            workloads.import_(tmp_path / name, tmp_path / "out.yaml")

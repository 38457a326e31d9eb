"""A whole training step of each kind of network, on each chip, beside PyTorch's of the same network and batch.

archsim's steps are those of the shipped workloads: products through the device model, digital functions, update, clock
and books. One thread each; seconds of the processor, the least of some rounds past the first samples, in which all
take their turns: so each meets the machine as busy as the others do. Without torch the chips are timed alone, and
without CIFAR-10 the convolutional network is LeNet's stand-in, without PyTorch's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from typing import Any

from archsim.chips.architecture import Architecture
from archsim.runs.spec import RunSpec, resolve
from archsim.runs.train import Trainer

ROUNDS = 8
AIMS = {"cnn-cifar10": 4, "lstm-text": 5, "gpt-text": 4}
"""Workload -> times PyTorch's step that the analog chip's may take."""
BATCHES = {"cnn-cifar10": (8, 64), "lstm-text": (16,), "gpt-text": (16,)}
BUFFER = 2**25
"""Words of the signal buffer, for the largest of them."""
BEFORE = 1024
"""Samples trained before: at first, each result of a product is looked at to find the ADC's full scale."""


def best(steps: Sequence[Callable[[], object]]) -> list[float]:
    """Return the least processor time [s] of each of some steps in turns, after two of each that are not timed."""
    least = [float("inf")] * len(steps)
    for turn in range(-2, ROUNDS):
        for k, step in enumerate(steps):
            begin = time.thread_time()
            step()
            if turn >= 0:
                least[k] = min(least[k], time.thread_time() - begin)
    return least


def torch_step(name: str, batch: int) -> Callable[[], object]:
    """Return a training step of a workload's network in PyTorch, by the workload's optimiser, on drawn data."""
    import torch
    from torch import nn

    torch.set_num_threads(1)
    torch.manual_seed(1)
    network, inputs, classes = _NETWORKS[name](torch, batch)
    targets = torch.randint(classes, (batch,) if name == "cnn-cifar10" else (batch * 32,))
    kind = torch.optim.AdamW if name == "gpt-text" else torch.optim.SGD
    optimiser, loss = kind(network.parameters(), lr=0.01), nn.CrossEntropyLoss()

    def step() -> None:
        optimiser.zero_grad()
        loss(network(inputs), targets).backward()
        optimiser.step()

    return step


def _convolutional(torch: Any, batch: int) -> tuple[Any, Any, int]:
    nn, layers = torch.nn, []
    for inside, out, pools in ((3, 32, False), (32, 32, True), (32, 64, False), (64, 64, True)):
        layers += [nn.Conv2d(inside, out, 3, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU()]
        layers += [nn.MaxPool2d(2)] if pools else []
    layers += [nn.Flatten(), nn.Linear(64 * 8 * 8, 128), nn.ReLU(), nn.Linear(128, 10)]
    return nn.Sequential(*layers), torch.rand(batch, 3, 32, 32), 10


def _recurrent(torch: Any, batch: int) -> tuple[Any, Any, int]:
    class Recurrent(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.lstm, self.head = torch.nn.LSTM(65, 128, batch_first=True), torch.nn.Linear(128, 65)

        def forward(self, x: Any) -> Any:
            return self.head(self.lstm(torch.nn.functional.one_hot(x, 65).float())[0]).reshape(-1, 65)

    return Recurrent(), torch.randint(65, (batch, 32)), 65


def _decoder(torch: Any, batch: int) -> tuple[Any, Any, int]:
    class Decoder(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            nn = torch.nn
            self.code, self.place = nn.Embedding(65, 64), nn.Parameter(torch.zeros(32, 64))
            self.blocks = nn.ModuleList([
                nn.TransformerEncoderLayer(64, 4, 256, dropout=0, activation="gelu", batch_first=True, norm_first=True)
                for _ in range(2)
            ])  # fmt: skip
            self.norm, self.head = nn.LayerNorm(64), nn.Linear(64, 65)
            self.mask = nn.Transformer.generate_square_subsequent_mask(32)

        def forward(self, x: Any) -> Any:
            y = self.code(x) + self.place
            for block in self.blocks:
                y = block(y, src_mask=self.mask, is_causal=True)
            return self.head(self.norm(y)).reshape(-1, 65)

    return Decoder(), torch.randint(65, (batch, 32)), 65


_NETWORKS = {"cnn-cifar10": _convolutional, "lstm-text": _recurrent, "gpt-text": _decoder}


def spec_of(name: str, batch: int) -> RunSpec:
    """Return a workload with a batch, without tests."""
    settings = (f"training.batch={batch}", f"digital_unit.buffer_words={BUFFER}")
    return resolve(name, steps=1000, settings=settings, techs=("bottom-up-14nm",))


def main() -> None:
    """Print a row for each network and batch."""
    beside = find_spec("torch") is not None
    print(f"\n{'training step':26}{'PyTorch':>10}{'analog':>10}{'x PyTorch':>10}{'aim':>5}{'digital32':>11}")
    for name, batches in BATCHES.items():
        for batch in batches:
            spec = spec_of(name, batch)
            steps = [partial(_trained(spec, each, batch).train, 1) for each in spec.architectures]
            label = f"{spec.workload.name}, batch {batch}"
            same = beside and spec.workload.name == name
            analog, digital, *beside_it = best([*steps, *([torch_step(name, batch)] if same else [])])
            bare = beside_it[0] if same else float("nan")
            row = f"{label:26}{_ms(bare)}{_ms(analog)}{analog / bare:10.2f}{AIMS[name]:5}{_ms(digital):>11}"
            print(row.replace("nan", "  -"))


def _trained(spec: RunSpec, architecture: Architecture, batch: int) -> Trainer:
    """Return what trains the workload on a chip, past the first samples."""
    trainer = Trainer(spec, architecture)
    trainer.train(-(-BEFORE // batch))
    return trainer


def _ms(seconds: float) -> str:
    return f"{1e3 * seconds:7.1f} ms"


if __name__ == "__main__":
    main()

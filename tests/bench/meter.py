"""What the meter adds to a loop in PyTorch: seconds of a step without and with it. Needs torch (extra `torch`)."""

from __future__ import annotations

import time
from importlib.util import find_spec
from typing import Any

import archsim

STEPS, ROUNDS = 20, 10
PERCEPTRON, LENET = "perceptron, batch 1", "LeNet, batch 16"


def models() -> dict[str, tuple[Any, Any]]:
    """Return models, and a batch for each."""
    import torch
    from torch import nn

    torch.manual_seed(1)
    torch.set_num_threads(1)
    lenet = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip
    perceptron = nn.Sequential(nn.Linear(784, 250), nn.Sigmoid(), nn.Linear(250, 10))
    return {PERCEPTRON: (perceptron, torch.rand(1, 784)), LENET: (lenet, torch.rand(16, 1, 28, 28))}


def seconds(model: Any, x: Any, steps: int) -> float:
    """Return the time of a step [s], the least of some rounds."""
    import torch

    optimiser = torch.optim.SGD(model.parameters(), lr=0.01)
    target = torch.zeros(len(x), dtype=torch.long)

    def train(count: int) -> None:
        for _ in range(count):
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(model(x), target).backward()
            optimiser.step()

    def once() -> float:
        begin = time.perf_counter()
        train(steps)
        return (time.perf_counter() - begin) / steps

    train(3)  # the first steps trace and compile
    return min(once() for _ in range(ROUNDS))


def main() -> None:
    """Print a row for each model and way of metering."""
    if find_spec("torch") is None:
        print("the meter: needs torch, which is not installed")
        return
    print(f"{'step of a loop in PyTorch':44} {'bare':>10} {'metered':>10} {'factor':>7}")
    ways: dict[str, dict[str, Any]] = {
        "digital32-deep": {"arch": "digital32-deep"}, "both chips": {}, "both, one step in 10": {"every": 10},
    }  # fmt: skip
    for name, (model, x) in models().items():
        for way, options in ways.items():
            bare = seconds(model, x, STEPS)
            with archsim.meter(model, **options):
                metered = seconds(model, x, STEPS)
            print(f"{f'{name}; {way}':44} {bare * 1e3:7.2f} ms {metered * 1e3:7.2f} ms {metered / bare:7.2f}")


if __name__ == "__main__":
    main()

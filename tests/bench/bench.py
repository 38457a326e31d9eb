"""Speed, measured in one run beside plain NumPy and beside the kernels alone: `make bench`.

Nothing here is asserted: seconds are no test. The events of a step are, in the test suite.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable

import numpy as np

from archsim.base.arrays import F32
from archsim.base.rounding import Quantiser
from archsim.base.signal import STEP_PHASES
from archsim.base.streams import Streams
from archsim.chips.mixed_precision import LayerState, MixedPrecisionChip
from archsim.data.datasets import Dataset
from archsim.learning import _kernels
from archsim.learning.layers import with_bias
from archsim.learning.maths import OPS
from archsim.runs.spec import RunSpec, resolve
from archsim.runs.train import Sampler, Trainer

STEPS = 10_000
ROUNDS = 3


def numpy_training(data: Dataset, seed: int) -> Callable[[int], None]:
    """Return a function that trains the same network so many steps in plain NumPy fp32, without any chip."""
    rng = np.random.default_rng(seed)
    w1 = (0.147 * rng.standard_normal((785, 250))).astype(np.float32)
    w2 = (0.147 * rng.standard_normal((251, 10))).astype(np.float32)
    targets = np.eye(10, dtype=np.float32)
    one = np.ones(1, np.float32)
    order = rng.permutation(data.train_x.shape[0])
    rate = np.float32(0.3)

    def train(steps: int) -> None:
        for k in np.resize(order, steps):
            x = np.concatenate([data.train_x[k], one])
            h = np.concatenate([1 / (1 + np.exp(-(x @ w1))), one])
            y = 1 / (1 + np.exp(-(h @ w2)))
            d2 = (targets[data.train_y[k]] - y) * y * (1 - y)
            d1 = ((w2 @ d2) * h * (1 - h))[:-1]
            np.add(w2, rate * np.outer(h, d2), out=w2)
            np.add(w1, rate * np.outer(x, d1), out=w1)

    return train


def kernel_training(spec: RunSpec) -> Callable[[int], None]:
    """Return a function that trains through the cells and chi alone: no events, no books, no digital unit."""
    streams = Streams(spec.seed)
    chip = MixedPrecisionChip.start(spec.architectures[0], spec.network, spec.technologies[0], streams)  # type: ignore[arg-type]
    sampler = Sampler(spec, streams)
    first, last = chip.state["fc1"], chip.state["fc2"]
    tile = chip.architecture.tile
    levels = Quantiser(tile.dac.bits).levels, Quantiser(tile.adc.bits).levels
    forward = (*levels, tile.adc.forward_full_scale, True)
    backward = (*levels, tile.adc.backward_full_scale, True)

    def product(state: LayerState, x: F32) -> F32:
        parts = zip(state.cells, state.grid.rows, strict=True)
        total: F32 = sum(
            row[0].multiply(np.ascontiguousarray(x[:, b.part]), STEP_PHASES[0], forward)[0] for row, b in parts
        )  # type: ignore[assignment]
        return total

    def update(state: LayerState, x: F32, d: F32, scale: float, now_ps: int) -> None:
        done = state.accumulator.accumulate(x, d, x_scale=1.0, rate=spec.training.learning_rate * scale)
        if done.index.size:
            columns = state.grid.columns[-1].stop
            rows = done.index // columns
            for row, band in zip(state.cells, state.grid.rows, strict=True):
                here = (rows >= band.start) & (rows < band.stop)
                if here.any():
                    row[0].set_pulses(done.index[here] - band.start * columns, done.pulses[here], now_ps)

    def train(steps: int) -> None:
        for step in range(steps):
            x, target, _ = sampler.batch()
            x = with_bias(x)
            h = OPS["sigmoid"](product(first, x))
            hidden = with_bias(h)
            y = OPS["sigmoid"](product(last, hidden))
            error = OPS["sigmoid-error"](target, y)
            d = np.empty_like(error)
            scale = _kernels.normalise(error, d)
            back = last.cells[0][0].multiply_transposed(d, STEP_PHASES[1], backward)[0] * np.float32(scale)
            inner = OPS["sigmoid-derivative"](np.ascontiguousarray(back[:, :-1]), h)
            d1 = np.empty_like(inner)
            scale1 = _kernels.normalise(inner, d1)
            update(last, hidden, d, scale, step * 40_000_000)
            update(first, x, d1, scale1, step * 40_000_000)

    return train


def best(train: Callable[[int], None], steps: int) -> float:
    """Return steps per second: the best of some rounds, after a first one that is not timed."""
    train(200)
    seconds = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        train(steps)
        seconds.append(time.perf_counter() - begin)
    return steps / min(seconds)


def main() -> None:
    """Time the contestants one after the other and print a table."""
    begin = time.perf_counter()
    spec = resolve("mlp-mnist", techs=["bottom-up-14nm"])
    loaded = time.perf_counter()
    trainers = [Trainer(spec, architecture) for architecture in spec.architectures]
    for trainer in trainers:
        trainer.train(1)
    compiled = time.perf_counter() - loaded
    print(f"784-250-10, batch 1, {spec.dataset.origin}")
    print(f"loading {loaded - begin:.1f} s; compiling or loading the kernels and building both chips {compiled:.1f} s")
    rates = {"plain NumPy fp32, no chip": best(numpy_training(spec.dataset, spec.seed), STEPS)}
    rates["functional kernels alone"] = best(kernel_training(spec), STEPS)
    for trainer in trainers:
        rates[f"archsim {trainer.architecture.name}"] = best(trainer.train, STEPS)
    reference = rates["plain NumPy fp32, no chip"]
    print(f"{'':32}{'steps/s':>10}{'us/step':>10}{'x NumPy':>10}")
    for name, rate in rates.items():
        print(f"{name:32}{rate:10,.0f}{1e6 / rate:10.1f}{rate / reference:10.2f}")
    for trainer in trainers:
        clock, steps = trainer.chip.clock, trainer.chip.ledger.steps
        name = trainer.architecture.name
        print(f"{name}: {clock.holds / steps:.1f} holds and {clock.events / steps:.3f} SimPy events a step")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


if __name__ == "__main__":
    main()

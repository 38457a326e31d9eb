"""Speed, measured in one run beside plain NumPy, BLAS called directly, and the kernels alone: `make bench`.

No second is asserted: seconds are no test. The events of a step are, in the test suite. That both bare trainings train
the same network is checked before they are timed.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import sgemv, sger

from archsim.base.arrays import F32
from archsim.base.rounding import Quantiser
from archsim.base.signal import STEP_PHASES
from archsim.base.streams import Streams
from archsim.chips.crossbars.layer_state import LayerState
from archsim.chips.crossbars.mixed_precision import MixedPrecisionChip
from archsim.data.dataset import Dataset
from archsim.data.sampler import Sampler
from archsim.learning.functions import Elementwise
from archsim.learning.maths import normalised
from archsim.learning.moves import AppendOne
from archsim.runs.spec import RunSpec, resolve
from archsim.runs.train import Trainer

STEPS = 10_000
ROUNDS = 3
NUMPY, BLAS = "plain NumPy fp32, no chip", "BLAS called directly, no chip"
SAME_STEPS = 300
"""Steps after which the weights of the two bare trainings are compared."""

Bare = tuple[Callable[[int], None], tuple[F32, F32]]
"""A function that trains so many steps, and the weights of both layers, which it changes in place."""


def start(data: Dataset, seed: int) -> tuple[F32, F32, NDArray[np.int64]]:
    """Return the weights of both layers and the order of the samples from which both bare trainings start."""
    rng = np.random.default_rng(seed)
    w1 = (0.147 * rng.standard_normal((785, 250))).astype(np.float32)
    w2 = (0.147 * rng.standard_normal((251, 10))).astype(np.float32)
    return w1, w2, rng.permutation(data.train_x.shape[0])


def numpy_training(data: Dataset, seed: int) -> Bare:
    """Return a training of the same network in plain NumPy fp32, without any chip."""
    w1, w2, order = start(data, seed)
    targets = np.eye(10, dtype=np.float32)
    one = np.ones(1, np.float32)
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

    return train, (w1, w2)


def blas_training(data: Dataset, seed: int) -> Bare:
    """Return the same training with BLAS called directly: products by `sgemv`, outer products in place by `sger`.

    Weights lie in Fortran's order, which is that of BLAS, so that nothing is copied: the strongest bare training.
    """
    w1, w2, order = start(data, seed)
    w1, w2 = np.asfortranarray(w1), np.asfortranarray(w2)
    targets = np.eye(10, dtype=np.float32)
    x, h = np.ones(785, np.float32), np.ones(251, np.float32)
    rate = 0.3

    def train(steps: int) -> None:
        for k in np.resize(order, steps):
            x[:-1] = data.train_x[k]
            z = sgemv(1.0, w1, x, trans=1)
            np.divide(1, 1 + np.exp(-z), out=h[:-1])
            y = 1 / (1 + np.exp(-sgemv(1.0, w2, h, trans=1)))
            d2 = (targets[data.train_y[k]] - y) * y * (1 - y)
            d1 = (sgemv(1.0, w2, d2) * h * (1 - h))[:-1]
            sger(rate, h, d2, a=w2, overwrite_a=1)
            sger(rate, x, d1, a=w1, overwrite_a=1)

    return train, (w1, w2)


def check_same(data: Dataset, seed: int) -> None:
    """Refuse to compare trainings that do not compute the same weights, up to the rounding of float32."""
    found = []
    for training in (numpy_training, blas_training):
        train, weights = training(data, seed)
        train(SAME_STEPS)
        found.append(weights)
    for plain, blas in zip(*found, strict=True):
        np.testing.assert_allclose(blas, plain, rtol=1e-4, atol=1e-5)


def kernel_training(spec: RunSpec) -> Callable[[int], None]:
    """Return a function that trains through the cells and chi alone: no events, no books, no digital unit."""
    streams = Streams(spec.seed)
    chip = MixedPrecisionChip.start(spec.architectures[0], spec.network, spec.technologies[0], streams)  # type: ignore[arg-type]
    sampler = Sampler(spec.dataset, spec.training.batch, streams)
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
        state.accumulator.accumulate(x, d, x_scale=1.0, rate=spec.training.learning_rate * scale)
        index, pulses = state.accumulator.apply()
        if index.size:
            columns = state.grid.columns[-1].stop
            rows = index // columns
            for row, band in zip(state.cells, state.grid.rows, strict=True):
                here = (rows >= band.start) & (rows < band.stop)
                if here.any():
                    row[0].set_pulses(index[here] - band.start * columns, pulses[here], now_ps)

    one_more, one_more_hidden = AppendOne((784,)), AppendOne((250,))
    hidden_sigmoid, hidden_derivative = Elementwise("sigmoid", (250,)), Elementwise("sigmoid-derivative", (250,))
    last_sigmoid, last_error = Elementwise("sigmoid", (10,)), Elementwise("sigmoid-error", (10,))

    def train(steps: int) -> None:
        for step in range(steps):
            x, target, _ = sampler.batch()
            x = one_more(x)
            h = hidden_sigmoid(product(first, x))
            hidden = one_more_hidden(h)
            y = last_sigmoid(product(last, hidden))
            error = last_error(target, y)
            d, scale = normalised(error)
            back = last.cells[0][0].multiply_transposed(d, STEP_PHASES[1], backward)[0] * np.float32(scale)
            inner = hidden_derivative(np.ascontiguousarray(back[:, :-1]), h)
            d1, scale1 = normalised(inner)
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
    check_same(spec.dataset, spec.seed)
    rates = {
        NUMPY: best(numpy_training(spec.dataset, spec.seed)[0], STEPS),
        BLAS: best(blas_training(spec.dataset, spec.seed)[0], STEPS),
    }
    rates["functional kernels alone"] = best(kernel_training(spec), STEPS)
    for trainer in trainers:
        rates[f"archsim {trainer.architecture.name}"] = best(trainer.train, STEPS)
    print(f"{'':32}{'steps/s':>10}{'us/step':>10}{'x NumPy':>10}{'x BLAS':>10}")
    for name, rate in rates.items():
        print(f"{name:32}{rate:10,.0f}{1e6 / rate:10.1f}{rate / rates[NUMPY]:10.2f}{rate / rates[BLAS]:10.2f}")
    for trainer in trainers:
        clock, steps = trainer.chip.clock, trainer.chip.ledger.steps
        name = trainer.architecture.name
        print(f"{name}: {clock.holds / steps:.1f} holds and {clock.events / steps:.3f} SimPy events a step")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


if __name__ == "__main__":
    main()

"""Product, transposed product and update of one layer through the device model, beside `sgemm`'s three products.

All non-idealities are on: encoded inputs, read noise, ADC with clipping, chi of 16 bits on its grid, pulses taken out.
One thread; seconds of the processor, the least of some rounds. That both compute the same is checked before.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from archsim.analog.paired import PairedCells
from archsim.base.arrays import F32
from archsim.base.blas import one_thread
from archsim.base.streams import Streams
from archsim.devices.base import Switches
from archsim.devices.library import build, device_file
from archsim.learning.chi.accumulate import Accumulator

SIZES = ((2048, 576, 128), (128, 784, 250))
"""Vectors, rows, columns: a convolution of 64 to 128 channels by 3x3, and the perceptron's first layer in a batch."""
ROUNDS = 15
GRIDS = (127, 127, 8.0, True)
UNIT = 8e-6
NAMES = ("product", "transposed product", "update")


@dataclass(frozen=True, slots=True)
class Layer:
    """Operands, the bare products, and the layer's leaves."""

    x: F32
    d: F32
    weight: F32
    cells: PairedCells
    chi: Accumulator

    def bare(self) -> dict[str, Callable[[], object]]:
        """Return the three products as `sgemm` has them."""
        return {
            NAMES[0]: lambda: self.x @ self.weight,
            NAMES[1]: lambda: self.d @ self.weight.T,
            NAMES[2]: lambda: self.x.T @ self.d,
        }

    def ours(self) -> dict[str, Callable[[], object]]:
        """Return the same through the device model."""
        return {
            NAMES[0]: lambda: self.cells.multiply(self.x, "forward", GRIDS),
            NAMES[1]: lambda: self.cells.multiply_transposed(self.d, "backward", GRIDS),
            NAMES[2]: self.update,
        }

    def update(self) -> None:
        """Sum the burst into chi, and take out what is due."""
        self.chi.accumulate(self.x, self.d, x_scale=1.0, rate=1e-3)
        self.chi.apply()


def layer(vectors: int, rows: int, columns: int) -> Layer:
    """Return a layer of random weights, and operands of which half are zero."""
    rng = np.random.default_rng(1)

    def half(size: int) -> F32:
        values = rng.uniform(-1, 1, (vectors, size)) * (rng.random((vectors, size)) < 0.5)
        return values.astype(np.float32)

    device = build(device_file("pcm-nandakumar2018"), Switches())
    cells = PairedCells(device, (rows, columns), scale=UNIT, streams=Streams(1), name="a/0,0")
    cells.load(rng.normal(0, 0.1, (rows, columns)).astype(np.float32), 0)
    chi = Accumulator(
        (rows, columns), epsilon=device.epsilon / UNIT, bits=16, limit=64, x_bits=8, error_bits=3, burst=vectors
    )
    return Layer(half(rows), half(columns), np.ascontiguousarray(cells.weight), cells, chi)


def check(one: Layer) -> None:
    """Refuse to compare products that are not the same but for noise and converters, or counts that are not exact."""
    variance = one.cells.variance
    for x, weight, spread, (y, driven, _, _) in (
        (one.x, one.weight, variance, one.cells.multiply(one.x, "forward", GRIDS)),
        (one.d, one.weight.T, variance.T, one.cells.multiply_transposed(one.d, "backward", GRIDS)),
    ):
        noise = (y - x @ weight) / np.sqrt(x**2 @ spread)
        assert abs(noise.mean()) < 0.2
        assert abs(noise.std() - 1) < 0.2
        assert driven == np.count_nonzero(np.rint(GRIDS[0] * x))
    done = one.chi.accumulate(one.x, one.d, x_scale=1.0, rate=0.0)
    errors = np.count_nonzero(np.rint(3 * one.d), axis=1)
    assert done.products == np.count_nonzero(np.rint(127 * one.x), axis=1) @ errors
    assert done.updates == one.weight.size, "once a burst"


def best(work: Callable[[], object]) -> float:
    """Return the least processor time [s] of some rounds, after one that is not timed."""
    work()
    seconds = []
    for _ in range(ROUNDS):
        begin = time.thread_time()
        work()
        seconds.append(time.thread_time() - begin)
    return min(seconds)


def main() -> None:
    """Print a table for each size, and the factor of the three together."""
    with one_thread():
        for vectors, rows, columns in SIZES:
            one = layer(vectors, rows, columns)
            check(one)
            print(f"\n{rows}x{columns}, {vectors} vectors{'':12}{'sgemm':>10}{'archsim':>10}{'factor':>8}")
            total = np.zeros(2)
            for name, bare in one.bare().items():
                seconds = np.array([best(bare), best(one.ours()[name])])
                total += seconds
                print(f"{name:32}{_row(seconds)}")
            print(f"{'together':32}{_row(total)}")


def _row(seconds: np.ndarray) -> str:
    bare, ours = (float(each) for each in seconds)
    return f"{1e3 * bare:7.2f} ms{1e3 * ours:7.2f} ms{ours / max(bare, 1e-9):8.2f}"


if __name__ == "__main__":
    main()

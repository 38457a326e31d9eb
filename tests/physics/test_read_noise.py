"""Noise drawn once a column stands for noise drawn once a device; the table it is drawn from is a normal.

Seeds are fixed; the false-alarm rate is the chance that another seed fails a correct program.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from archsim.analog import _kernels
from archsim.analog.cells import normal_table
from archsim.analog.paired import PairedCells
from archsim.base.streams import Streams
from archsim.devices.base import Switches
from archsim.devices.library import build, device_file

US = 1e-6
SCALE = 8 * US
IDEAL = (0, 0, 1.0, False)
directions = pytest.mark.parametrize("back", [False, True], ids=["forward", "backward"])


def array(back: bool, lines: int = 24, outputs: int = 6) -> tuple[PairedCells, np.ndarray]:
    """Return cells with noise and without drift, and one input for the direction."""
    rng = np.random.default_rng(5)
    shape = (outputs, lines) if back else (lines, outputs)
    device = build(device_file("pcm-nandakumar2018"), Switches(drift=False))
    cells = PairedCells(device, shape, scale=SCALE, streams=Streams(1), name="fc1/0,0")
    cells.load(rng.normal(0, 0.2, shape).astype(np.float32), 0)
    return cells, rng.uniform(-1, 1, lines).astype(np.float32)


def ours(cells: PairedCells, x: np.ndarray, n: int, back: bool) -> np.ndarray:
    """Return n products, (n, outputs), as the cells draw them."""
    many = np.repeat(x[None], n, axis=0)
    product = cells.multiply_transposed if back else cells.multiply
    return product(many, "forward", IDEAL)[0].astype(float)


def by_device(cells: PairedCells, x: np.ndarray, n: int, back: bool, seed: int = 7) -> np.ndarray:
    """Return n products with every device read by itself, its noise drawn from a normal."""
    rng = np.random.default_rng(seed)
    plus, minus = (side.conductance.reshape(cells.shape).astype(float) for side in cells.pairs)
    out = np.empty((n, cells.shape[0] if back else cells.shape[1]))
    for k in range(n):
        noisy = [g + (0.03 * g + 0.13 * US) * rng.standard_normal(g.shape) for g in (plus, minus)]
        w = (noisy[0] - noisy[1]) / SCALE
        out[k] = w @ x if back else x @ w
    return out


@directions
def test_noise_by_column_has_the_distribution_of_noise_by_device(back: bool) -> None:
    """Two samples of 8,000 for each of 6 outputs, by Kolmogorov-Smirnov and Cramer-von Mises, each at 1e-4.

    False-alarm rate below 1.2e-3 for each direction.
    """
    cells, x = array(back)
    a, b = ours(cells, x, 8000, back), by_device(cells, x, 8000, back)
    for output in range(6):
        assert stats.ks_2samp(a[:, output], b[:, output]).pvalue > 1e-4
        assert stats.cramervonmises_2samp(a[:, output], b[:, output], method="asymptotic").pvalue > 1e-4


@directions
def test_noise_has_the_mean_and_variance_of_the_sum_over_devices(back: bool) -> None:
    """200,000 products of 6 outputs: mean within 5, variance within 5 standard errors: false-alarm rate below 1e-5."""
    cells, x = array(back)
    n = 200_000
    y = ours(cells, x, n, back)
    plus, minus = (side.conductance.reshape(cells.shape).astype(float) for side in cells.pairs)
    weight = (plus - minus) / SCALE
    variance = ((0.03 * plus + 0.13 * US) ** 2 + (0.03 * minus + 0.13 * US) ** 2) / SCALE**2
    mean = weight @ x if back else x @ weight
    spread = np.sqrt(variance @ x.astype(float) ** 2 if back else x.astype(float) ** 2 @ variance)
    assert np.abs((y.mean(axis=0) - mean) / spread).max() < 5 / np.sqrt(n)
    assert np.abs(y.var(axis=0) / spread**2 - 1).max() < 5 * np.sqrt(2 / n)
    assert np.abs(stats.skew(y)).max() < 5 * np.sqrt(6 / n)
    assert np.abs(stats.kurtosis(y)).max() < 5 * np.sqrt(24 / n) + 0.01  # the table's tails end


@directions
def test_noise_is_independent_between_outputs_and_between_products(back: bool) -> None:
    """15 pairs of outputs and 36 pairs of an output with one of the next product, each correlation at 1e-5: below 1e-3."""
    cells, x = array(back)
    n = 100_000
    y = ours(cells, x, n, back)
    z = (y - y.mean(axis=0)) / y.std(axis=0)
    limit = stats.norm.ppf(1 - 0.5e-5) / np.sqrt(n)
    at_once = z.T @ z / n
    assert np.abs(at_once[np.triu_indices(6, 1)]).max() < limit
    assert np.abs(z[1:].T @ z[:-1] / (n - 1)).max() < limit


def test_noise_of_two_arrays_is_independent() -> None:
    """One correlation of 100,000 at 1e-5: the false-alarm rate."""
    device = build(device_file("pcm-nandakumar2018"), Switches(drift=False))
    draws = []
    for name in ("fc1/0,0", "fc1/0,1"):
        cells = PairedCells(device, (4, 1), scale=SCALE, streams=Streams(1), name=name)
        cells.load(np.zeros((4, 1), np.float32), 0)
        draws.append(ours(cells, np.ones(4, np.float32), 100_000, back=False)[:, 0])
    assert abs(np.corrcoef(draws)[0, 1]) < stats.norm.ppf(1 - 0.5e-5) / np.sqrt(100_000)


# --- The table


def test_the_quantile_table_is_a_standard_normal() -> None:
    table = normal_table().astype(float)
    assert (table.size, normal_table().dtype) == (16384, np.float32)
    assert table.mean() == pytest.approx(0, abs=1e-6)
    assert table.std() == pytest.approx(1, abs=1e-6)
    assert stats.skew(table) == pytest.approx(0, abs=1e-5)
    assert stats.kurtosis(table) == pytest.approx(0, abs=0.01)
    assert stats.kstest(table, "norm").statistic < 1e-3
    assert (np.diff(table) > 0).all()
    assert table == pytest.approx(-table[::-1], abs=1e-4)


def test_the_tails_of_the_table_end_at_about_four_sigma() -> None:
    """The outermost entry stands for 1 draw in 16,384: its mean is 4.1 sigma, and nothing lies beyond."""
    table = normal_table().astype(float)
    p = 1 / table.size
    expected = stats.norm.pdf(stats.norm.ppf(p)) / p  # mean of the normal in its last slice
    assert table[-1] == pytest.approx(expected, rel=1e-3)
    assert 4.0 < table[-1] < 4.3
    for sigma in (1, 2, 3):
        assert np.mean(np.abs(table) > sigma) == pytest.approx(2 * stats.norm.sf(sigma), abs=2 / table.size)


def indices(n: int, seed: int = 3) -> np.ndarray:
    """Return the entries that n draws take: a table of its own indices and a variance of 1 show them."""
    return drawn(n, seed, np.arange(16384, dtype=np.float32)).astype(np.int64)


def drawn(n: int, seed: int, table: np.ndarray, lines: int = 250) -> np.ndarray:
    """Return n draws, vector after vector, as an array of so many lines takes them."""
    found = np.zeros((-(-n // lines), lines), np.float32)
    stream = np.array([Streams(seed).word("noise")[0], 0], np.uint64)
    _kernels.finish(found, 0, np.ones_like(found), stream, table, IDEAL)
    return found.reshape(-1)[:n]


def test_all_entries_are_equally_likely() -> None:
    """3,276,800 draws over 16,384 entries (200 each), chi-square at 1e-4 to either side: false-alarm rate 2e-4."""
    counts = np.bincount(indices(3_276_800), minlength=16384)
    assert counts.size == 16384
    p = stats.chisquare(counts).pvalue
    assert 1e-4 < p < 1 - 1e-4


@pytest.mark.parametrize("lag", [1, 2, 3, 4, 8, 250, 256])
def test_pairs_of_draws_are_equally_likely(lag: int) -> None:
    """800,000 pairs at a lag over 64 x 64 cells, chi-square at 1e-4: the false-alarm rate of each lag.

    Lags 1 to 3 pair draws of one random word, lag 4 the same bits of two words, lag 250 a line of two vectors.
    """
    coarse = indices(800_000 + lag) // 256
    counts = np.bincount(coarse[:-lag] * 64 + coarse[lag:], minlength=4096)
    assert stats.chisquare(counts).pvalue > 1e-4


def test_every_bit_of_an_index_is_a_fair_coin_of_its_own() -> None:
    """14 bits and 91 pairs of bits over 1,000,000 draws, each at 1e-5: false-alarm rate below 2e-3."""
    bits = (indices(1_000_000)[:, None] >> np.arange(14)) & 1
    signs = 1.0 - 2 * bits
    limit = stats.norm.ppf(1 - 0.5e-5) / np.sqrt(signs.shape[0])
    assert np.abs(signs.mean(axis=0)).max() < limit
    assert np.abs((signs.T @ signs / signs.shape[0])[np.triu_indices(14, 1)]).max() < limit


def test_draws_pass_for_normal_and_uncorrelated() -> None:
    """1,000,000 draws: Kolmogorov-Smirnov and correlations at 12 lags, of draws and of squares, at 1e-5 each.

    False-alarm rate below 3e-4.
    """
    z = drawn(1_000_000, 3, normal_table()).astype(float)
    assert stats.kstest(z, "norm").pvalue > 1e-5
    limit = stats.norm.ppf(1 - 0.5e-5) / np.sqrt(z.size)
    for lag in (1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 250, 256):
        assert abs(np.mean(z[lag:] * z[:-lag])) < limit
        assert abs(np.mean((z[lag:] ** 2 - 1) * (z[:-lag] ** 2 - 1))) < 2 * limit


def test_a_variance_of_zero_adds_nothing() -> None:
    y = np.arange(7, dtype=np.float32)
    _kernels.add_noise(
        y, np.zeros(7, np.float32), Streams(1).word("x")[0], np.uint64(3), normal_table(), *_kernels.scratch(7)
    )
    assert y.tolist() == list(range(7))

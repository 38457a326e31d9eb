"""How much of a quantity's variance over the designs of a sweep each parameter makes, alone and with another.

The functional analysis of variance: a quantity is a mean, plus a function of each parameter, plus one of each pair,
plus a rest, each with mean zero over the designs. On a full grid these functions are means, and their variances sum to
the quantity's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray[Any, np.dtype[Any]]
CLASSES = 5
"""Into so many classes of equally many designs a parameter of numbers is cut that has more values than `MOST`."""
MOST = 12
GRID, PAIRS, MAINS = "grid", "pairs", "mains"
METHODS = {
    GRID: "exact, by means over the full grid",
    PAIRS: "the grid is not full: least squares with treatment coding of parameters and pairs, then the variance of "
    "what they predict over the full grid",
    MAINS: "too few designs for pairs: least squares with treatment coding of parameters alone, then the variance of "
    "what they predict over the full grid",
}  # fmt: skip
"""How shares were found."""


@dataclass(frozen=True, slots=True)
class Effects:
    """Shares of a quantity's variance.

    Parameters
    ----------
    shares : names of one parameter or of two -> share, 0 to 1
    rest : what three parameters and more make together, and what none explains; shares and rest sum to 1
    method : of `METHODS`
    means : parameter -> its levels and the mean of the quantity at each, over the other parameters
    variance : of the quantity, in its unit squared
    """

    shares: Mapping[tuple[str, ...], float]
    rest: float
    method: str
    means: Mapping[str, tuple[tuple[str, float], ...]]
    variance: float

    def total(self, name: str) -> float:
        """Return the share of a parameter alone and in pairs."""
        return sum(share for names, share in self.shares.items() if name in names)


@dataclass(frozen=True, slots=True)
class Factor:
    """A parameter as levels: which one each design has, and what they are called."""

    name: str
    codes: Array
    levels: tuple[str, ...]


def effects(values: Array, factors: Sequence[Factor]) -> Effects | None:
    """Return the shares of factors, and of pairs of them, in the variance of a quantity.

    Parameters
    ----------
    values : float array, (designs,), finite
    factors : their levels; those with one level have no share and are left out

    Returns
    -------
    Effects, or None if the quantity does not vary, no factor does, or there are too few designs to tell
    """
    factors = [each for each in factors if len(each.levels) > 1]
    variance = float(np.var(values)) if len(values) else 0.0
    if not factors or variance <= (_NONE * float(np.abs(values).max())) ** 2:
        return None
    table = _full(values, factors)
    found = (_of_grid(table, factors, variance), GRID) if table is not None else _of_fit(values, factors)
    if found is None:
        return None
    shares, method = found
    means = {each.name: _means(values, each) for each in factors}
    return Effects(shares, max(1 - sum(shares.values()), 0.0), method, means, variance)


_NONE = 1e-12
"""Part of a value below which a spread is rounding."""


def _means(values: Array, factor: Factor) -> tuple[tuple[str, float], ...]:
    return tuple((level, float(values[factor.codes == k].mean())) for k, level in enumerate(factor.levels))


def _full(values: Array, factors: Sequence[Factor]) -> Array | None:
    """Return the values as an array with an axis a factor, means where designs are alike; None if a cell is empty."""
    shape = tuple(len(each.levels) for each in factors)
    if np.prod(shape, dtype=float) > len(values):
        return None
    place = np.ravel_multi_index(tuple(each.codes for each in factors), shape)
    size = int(np.prod(shape))
    counts = np.bincount(place, minlength=size)
    if not counts.all() or counts.min() != counts.max():
        return None
    return (np.bincount(place, values, minlength=size) / counts).reshape(shape)


def _of_grid(table: Array, factors: Sequence[Factor], variance: float) -> dict[tuple[str, ...], float]:
    """Return the shares of a full grid: variances of means over all other factors."""
    every = range(len(factors))
    spread = {
        kept: float(np.var(table.mean(axis=tuple(k for k in every if k not in kept))))
        for kept in [*((k,) for k in every), *combinations(every, 2)]
    }
    shares = {}
    for kept, own in spread.items():
        part = own if len(kept) == 1 else own - spread[kept[:1]] - spread[kept[1:]]
        shares[tuple(factors[k].name for k in kept)] = max(part, 0.0) / variance
    return shares


def _of_fit(values: Array, factors: Sequence[Factor]) -> tuple[dict[tuple[str, ...], float], str] | None:
    """Return the shares of what a fit of factors and pairs explains, of factors alone if pairs cannot be told."""
    for method, sizes in ((PAIRS, (1, 2)), (MAINS, (1,))):
        terms = [term for size in sizes for term in combinations(range(len(factors)), size)]
        blocks = [_treatment([factors[k] for k in term]) for term in terms]
        design = np.hstack([np.ones((len(values), 1)), *blocks])
        if len(values) < _ENOUGH * design.shape[1] and not _nearly_full(factors):
            continue
        # Of ones and zeros the products are whole numbers: as exact as the designs themselves, and thousands less
        found, _, rank, _ = np.linalg.lstsq(design.T @ design, design.T @ values, rcond=_RANK)
        if rank < design.shape[1] and method == PAIRS:
            continue
        explained = 1 - float(np.var(values - design @ found) / np.var(values))
        spread = _spread(terms, blocks, found[1:], factors)
        whole = sum(spread.values())
        scale = max(explained, 0.0) / whole if whole > 0 else 0.0
        return {tuple(factors[k].name for k in term): scale * part for term, part in spread.items()}, method
    return None


_RANK = 1e-10
"""Of the largest singular value of the products of columns: what is smaller is rounding, its terms cannot be told."""
_ENOUGH, _NEARLY = 1.5, 0.9
"""Designs a coefficient, without which nothing is fitted but to a grid of which this part is there."""


def _nearly_full(factors: Sequence[Factor]) -> bool:
    cells = np.unique(np.column_stack([each.codes for each in factors]), axis=0)
    return len(cells) >= _NEARLY * math.prod(len(each.levels) for each in factors)


def _treatment(factors: Sequence[Factor]) -> Array:
    """Return columns of a term, (designs, coefficients): ones where each factor has a level other than its first."""
    columns = np.ones((len(factors[0].codes), 1))
    for each in factors:
        own = each.codes[:, None] == np.arange(1, len(each.levels))
        columns = (columns[:, :, None] * own[:, None, :]).reshape(len(own), -1)
    return columns


def _spread(
    terms: Sequence[tuple[int, ...]], blocks: Sequence[Array], found: Array, factors: Sequence[Factor]
) -> dict[tuple[int, ...], float]:
    """Return the variance of each term of what was fitted, over all cells alike: pairs give their means to factors."""
    mains = {k: np.zeros(len(each.levels)) for k, each in enumerate(factors)}
    pairs = {}
    place = 0
    for term, block in zip(terms, blocks, strict=True):
        own, place = found[place : place + block.shape[1]], place + block.shape[1]
        if len(term) == 1:
            mains[term[0]][1:] += own
            continue
        first, second = term
        table = np.zeros((len(factors[first].levels), len(factors[second].levels)))
        table[1:, 1:] = own.reshape(table.shape[0] - 1, table.shape[1] - 1)
        mains[first] += table.mean(axis=1)
        mains[second] += table.mean(axis=0)
        pairs[term] = table - table.mean(axis=1, keepdims=True) - table.mean(axis=0) + table.mean()
    return {(k,): float(np.var(own)) for k, own in mains.items()} | {
        term: float(np.var(t)) for term, t in pairs.items()
    }


def factor(name: str, column: pd.Series[Any], text: Any = str, order: Sequence[Any] = ()) -> Factor:
    """Return a column of a sweep as a factor: numbers in rising order, words as in `order`, then as they come.

    Parameters
    ----------
    name : str
    column : pandas.Series, (designs,)
        A missing value is a level of its own. Numbers of more than `MOST` values become `CLASSES` classes.
    text : callable
        Writes a value.
    order : sequence
        Of words; those that no design has are left out.
    """
    import pandas as pd

    number = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    if number and column.nunique() > MOST:
        kept, ends = pd.qcut(column, CLASSES, retbins=True, duplicates="drop")
        codes = kept.cat.codes.to_numpy()
        levels = [f"{low} to {high}" for low, high in pairwise(text(float(f"{end:.3g}")) for end in ends)]
        if pd.api.types.is_integer_dtype(column):  # none lies between: by the least and the greatest of each
            classes = [column[codes == code] for code in range(len(levels))]
            levels = [" to ".join(text(end) for end in sorted({each.min(), each.max()})) for each in classes]
    else:
        present = set(column.dropna())
        first = [] if number else [each for each in order if each in present]
        found = pd.factorize(pd.Series([*first, *column.dropna()], dtype=column.dtype), sort=bool(number))[1]
        codes = pd.Index(found).get_indexer(column)
        levels = [text(each) for each in found]
    codes = np.asarray(codes, int)
    if (codes < 0).any():
        codes, levels = np.where(codes < 0, len(levels), codes), [*levels, "-"]
    return Factor(name, codes, tuple(levels))

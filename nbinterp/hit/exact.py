"""The exact solution of hit calling: a working set of windows, solved to the end, until no other window would join.

Each region is a non-negative lasso: explain its contributions by as few motifs as it takes.  Few of the windows matter (three
in ten thousand), and those that do not overlap do not know of each other.  So: find the windows that would join, solve the
groups of them that overlap, look at what is left, and again.  The duality gap at the end is the proof.

Source: the problem is Fi-NeMo's; coordinate descent with working sets after Friedman et al. 2010 and Massias et al. 2018.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .bank import Bank, Windows
from .blocks import solve_blocks
from .dense import product
from .scaled import Scaled

__all__ = ["Solution", "certify", "solve_exact", "unshrunk"]

_MOST_NEW = 256  # windows that may join a region at once
_MOST_ROUNDS = 1000
_NEAR = 1e-4  # float32 correlations this near to the bound are computed again in float64
_FREE = 1e-12  # as good as no penalty
_CELLS = 2**20  # of the arrays of one batch of blocks


class Solution(NamedTuple):
    """Windows with their coefficients, and what is known of each region.

    ``gap`` is the true duality gap and ``objective`` what was minimised, both ``(B,)``; ``rounds`` how often windows joined.
    """

    windows: Windows
    coefficients: np.ndarray
    residual: np.ndarray
    gap: np.ndarray
    objective: np.ndarray
    rounds: np.ndarray

    @property
    def relative_gap(self) -> np.ndarray:
        """Of the objective."""
        return np.asarray(self.gap / np.maximum(self.objective, 1e-300))


def solve_exact(problem: Scaled, bank: Bank, tolerance: float = 1e-8, start: Windows | None = None) -> Solution:
    """Solve every region of a batch.

    Parameters
    ----------
    problem : Scaled
    bank : Bank
    tolerance : float
        A window joins when its correlation exceeds its penalty by this part.
    start : Windows, optional
        Likely ones, as of a penalty nearby, to begin with; not of regions of zeros.  They cost no look at all places.

    Returns
    -------
    Solution
        Coefficients are above 0.
    """
    n = len(problem.y)
    none = np.zeros(0, np.int64)
    windows, c = Windows(none, none, none), np.zeros(0)
    if start is not None:
        windows, c = _solve(problem, bank, start)
    residual = problem.y - _explained(problem, bank, windows, c)
    worst, rounds = np.zeros(n), np.zeros(n, np.int64)
    open_ = np.flatnonzero(problem.g > 0)
    while len(open_):
        found, fits = bank.near(problem.rows(open_), residual[open_], 1 - _NEAR)
        worst[open_] = _worst(len(open_), found, fits)
        found = found._replace(region=open_[found.region])
        new = _joining(found, fits, windows, bank, tolerance)
        regions = np.unique(new.region)
        regions = regions[rounds[regions] < _MOST_ROUNDS]
        rounds[regions] += 1
        touched = np.zeros(n, bool)
        touched[regions] = True
        stay = ~touched[windows.region]
        again = windows.take(~stay).join(new.take(touched[new.region]))
        again, values = _solve(problem, bank, again)
        windows, c = windows.take(stay).join(again), np.concatenate([c[stay], values])
        open_ = regions
        residual[open_] = (problem.y - _explained(problem, bank, windows, c))[open_]
    return _finish(problem, bank, windows, c, residual, worst, rounds)


def certify(problem: Scaled, bank: Bank, windows: Windows, coefficients: np.ndarray) -> Solution:
    """The residual, the objective and the true duality gap of any coefficients above 0."""
    residual = problem.y - _explained(problem, bank, windows, coefficients)
    n = len(problem.y)
    found, fits = bank.near(problem, residual, 1 - _NEAR)
    return _finish(problem, bank, windows, coefficients, residual, _worst(n, found, fits), np.zeros(n, np.int64))


def unshrunk(problem: Scaled, bank: Bank, windows: Windows) -> np.ndarray:
    """The coefficients that explain most with these windows, now that nothing is paid for them; at least 0."""
    free = bank.under(np.full(len(bank.sizes), _FREE))
    kept, c = _solve(problem, free, windows)
    key = bank.keys(windows)
    order = np.argsort(key)
    found = np.zeros(len(key))
    found[order[np.searchsorted(key[order], bank.keys(kept))]] = c
    return found


def _worst(n: int, found: Windows, fits: np.ndarray) -> np.ndarray:
    """The largest correlation of each region, over its penalty; 0 where none comes near."""
    out = np.zeros(n)
    np.maximum.at(out, found.region, fits)
    return out


def _joining(found: Windows, fits: np.ndarray, held: Windows, bank: Bank, tolerance: float) -> Windows:
    """The windows that are above their penalties and not in the set yet: the strongest of each region."""
    above = (fits > 1 + tolerance) & ~np.isin(bank.keys(found), bank.keys(held))
    found, fits = found.take(above), fits[above]
    found = found.take(np.lexsort((-fits, found.region)))
    rank = np.arange(len(fits)) - np.searchsorted(found.region, found.region)
    return found.take(rank < _MOST_NEW)


def _explained(problem: Scaled, bank: Bank, windows: Windows, c: np.ndarray) -> np.ndarray:
    return bank.explained(problem, windows, bank.atoms(problem, windows) * c[:, None, None])


def _solve(problem: Scaled, bank: Bank, windows: Windows) -> tuple[Windows, np.ndarray]:
    """Coefficients of the windows as if there were no others; windows with none are left out."""
    if not len(windows.region):
        return windows, np.zeros(0)
    block, begin = _blocks(windows, bank)
    atoms = bank.atoms(problem, windows)
    h = bank.inner(problem.y, windows, atoms) - bank.lambdas[windows.motif]
    # the strongest first, then the motif that comes first: who of equals, up to rounding, takes it all
    strength = (h / bank.lambdas[windows.motif]).astype(np.float32)
    order = np.lexsort((windows.motif, -strength, block))
    counts = np.bincount(block)
    rank = np.empty_like(block)
    rank[order] = np.arange(len(order)) - (np.cumsum(counts) - counts)[block[order]]
    offset = windows.start - begin[block]
    channels, widest = atoms.shape[1:]
    span = np.zeros_like(counts)
    np.maximum.at(span, block, offset + widest)
    c = np.zeros_like(h)
    for chosen in _alike(counts, span * channels):
        here = np.flatnonzero(np.isin(block, chosen))
        where = np.searchsorted(chosen, block[here])
        size, wide = int(counts[chosen].max()), int(span[chosen].max())
        canvas = np.zeros((len(chosen), size, channels, wide))
        along = offset[here, None, None] + np.arange(widest)
        canvas[where[:, None, None], rank[here, None, None], np.arange(channels)[:, None], along] = atoms[here]
        rows = canvas.reshape(len(chosen), size, -1)
        linear = np.zeros((len(chosen), size))
        linear[where, rank[here]] = h[here]
        c[here] = solve_blocks(product(rows, rows.transpose(0, 2, 1)), linear)[where, rank[here]]
    kept = c > 0
    return windows.take(kept), c[kept]


def _blocks(windows: Windows, bank: Bank) -> tuple[np.ndarray, np.ndarray]:
    """Which windows overlap, directly or through others: a number of each window's group, and where each group begins."""
    start = windows.region * (bank.length + 1) + windows.start
    order = np.argsort(start, kind="stable")
    before = np.maximum.accumulate((start + bank.sizes[windows.motif])[order])
    new = np.ones(len(order), bool)
    new[1:] = start[order][1:] >= before[:-1]
    block = np.empty_like(order)
    block[order] = np.cumsum(new) - 1
    return block, windows.start[order][new]


def _alike(sizes: np.ndarray, wide: np.ndarray) -> list[np.ndarray]:
    """Blocks of about one size together, in batches that a near cache can hold."""
    classes = np.ceil(np.log2(sizes)).astype(int)
    out: list[np.ndarray] = []
    for one in np.unique(classes):
        members = np.flatnonzero(classes == one)
        size = int(sizes[members].max())
        step = max(_CELLS // (size * max(int(wide[members].max()), size)), 1)
        out += [members[begin : begin + step] for begin in range(0, len(members), step)]
    return out


def _finish(
    problem: Scaled,
    bank: Bank,
    windows: Windows,
    c: np.ndarray,
    residual: np.ndarray,
    worst: np.ndarray,
    rounds: np.ndarray,
) -> Solution:
    order = np.lexsort((windows.motif, windows.start, windows.region))
    windows, c = windows.take(order), c[order]
    cost = np.bincount(windows.region, bank.lambdas[windows.motif] * c, len(worst))
    squares, product = np.square(residual).sum(axis=(1, 2)), (residual * problem.y).sum(axis=(1, 2))
    dual = 1 / np.maximum(worst, 1)  # how far the residual must shrink to be feasible
    gap = np.maximum(0.5 * squares * (1 + dual**2) - dual * product + cost, 0)
    return Solution(windows, c, residual, gap, 0.5 * squares + cost, rounds)

"""The exact solution of hit calling: a working set of windows, solved to the end, until no other window would join.

Each region is a non-negative lasso: explain its contributions by as few motifs as it takes.  Few of the windows matter (three
in ten thousand), and those that do not overlap do not know of each other.  So: find the windows that would join, solve the
groups of them that overlap, look at what is left, and again.  The duality gap at the end is the proof.

Source: the problem is Fi-NeMo's; coordinate descent with working sets after Friedman et al. 2010 and Massias et al. 2018.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from .bank import Bank, Windows
from .blocks import solve_blocks
from .scaled import Scaled

__all__ = ["Solution", "certify", "solve_exact", "unshrunk"]

_MOST_NEW = 256  # windows that may join a region at once
_MOST_ROUNDS = 1000
_NEAR = 1e-4  # float32 correlations this near to the bound are computed again in float64
_FREE = 1e-12  # as good as no penalty
_CELLS = 2**22  # of the arrays of one batch of blocks


class Solution(NamedTuple):
    """Windows with their coefficients, and what is known of each region.

    ``gap`` is the true duality gap and ``objective`` what was minimised, both ``(B,)``; ``rounds`` how often windows joined.
    """

    windows: Windows
    coefficients: torch.Tensor
    residual: torch.Tensor
    gap: torch.Tensor
    objective: torch.Tensor
    rounds: torch.Tensor


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
    n, device = len(problem.y), problem.y.device
    none = torch.zeros(0, dtype=torch.long, device=device)
    windows, c = Windows(none, none, none), problem.y.new_zeros(0)
    if start is not None:
        windows, c = _solve(problem, bank, start)
    residual = problem.y - _explained(problem, bank, windows, c)
    worst, rounds = problem.y.new_zeros(n), torch.zeros(n, dtype=torch.long, device=device)
    open_ = torch.nonzero(problem.g > 0).flatten()
    while len(open_):
        part = problem.rows(open_)
        fits, found = _candidates(part, bank, residual[open_])
        worst[open_] = _worst(len(open_), found, fits)
        found = found._replace(region=open_[found.region])
        new = _joining(found, fits, windows, bank, tolerance, n)
        regions = new.region.unique()
        regions = regions[rounds[regions] < _MOST_ROUNDS]
        rounds[regions] += 1
        touched = torch.zeros(n, dtype=torch.bool, device=device).index_fill_(0, regions, True)
        stay = ~touched[windows.region]
        again = windows.take(~stay).join(new.take(touched[new.region]))
        again, values = _solve(problem, bank, again)
        windows, c = windows.take(stay).join(again), torch.cat([c[stay], values])
        open_ = regions
        residual[open_] = (problem.y - _explained(problem, bank, windows, c))[open_]
    return _finish(problem, bank, windows, c, residual, worst, rounds)


def certify(problem: Scaled, bank: Bank, windows: Windows, coefficients: torch.Tensor) -> Solution:
    """The residual, the objective and the true duality gap of any coefficients above 0."""
    residual = problem.y - _explained(problem, bank, windows, coefficients)
    fits, found = _candidates(problem, bank, residual)
    n = len(problem.y)
    worst = _worst(n, found, fits)
    return _finish(problem, bank, windows, coefficients, residual, worst, torch.zeros_like(worst).long())


def unshrunk(problem: Scaled, bank: Bank, windows: Windows) -> torch.Tensor:
    """The coefficients that explain most with these windows, now that nothing is paid for them; at least 0."""
    free = bank.under(np.full(len(bank.sizes), _FREE))
    kept, c = _solve(problem, free, windows)
    key, order = bank.keys(windows).sort()
    found = torch.zeros_like(key, dtype=c.dtype)
    found[order[torch.searchsorted(key, bank.keys(kept))]] = c
    return found


def _worst(n: int, found: Windows, fits: torch.Tensor) -> torch.Tensor:
    """The largest correlation of each region, over its penalty; 0 where none comes near."""
    return fits.new_zeros(n).scatter_reduce_(0, found.region, fits, "amax")


def _candidates(problem: Scaled, bank: Bank, residual: torch.Tensor) -> tuple[torch.Tensor, Windows]:
    """Windows near or above their penalties, and by how much; in float64."""
    parts = []
    for ratio, motifs in bank.fits(problem, residual):
        region, row, start = torch.nonzero(ratio > 1 - _NEAR, as_tuple=True)
        parts.append(Windows(region, motifs[row], start))
    found = Windows(*(torch.cat(one) for one in zip(*parts, strict=True)))
    fits = bank.inner(residual, found, bank.atoms(problem, found)) / bank.lambdas[found.motif]
    return fits, found


def _joining(found: Windows, fits: torch.Tensor, held: Windows, bank: Bank, tolerance: float, n: int) -> Windows:
    """The windows that are above their penalties and not in the set yet: the strongest of each region."""
    above = (fits > 1 + tolerance) & ~torch.isin(bank.keys(found), bank.keys(held))
    found, fits = found.take(above), fits[above]
    order = torch.argsort(fits, descending=True, stable=True)
    order = order[torch.argsort(found.region[order], stable=True)]
    found = found.take(order)
    first = torch.searchsorted(found.region, torch.arange(n, device=fits.device))
    rank = torch.arange(len(order), device=fits.device) - first[found.region]
    return found.take(rank < _MOST_NEW)


def _explained(problem: Scaled, bank: Bank, windows: Windows, c: torch.Tensor) -> torch.Tensor:
    return bank.explained(problem, windows, bank.atoms(problem, windows) * c[:, None, None])


def _solve(problem: Scaled, bank: Bank, windows: Windows) -> tuple[Windows, torch.Tensor]:
    """Coefficients of the windows as if there were no others; windows with none are left out."""
    if not len(windows.region):
        return windows, problem.y.new_zeros(0)
    block, begin = _blocks(windows, bank)
    atoms = bank.atoms(problem, windows)
    target = bank.inner(problem.y, windows, atoms)
    h = target - bank.lambdas[windows.motif]
    # the strongest first, then the motif that comes first: who of equals, up to rounding, takes it all
    strength = (h / bank.lambdas[windows.motif]).float()
    order = torch.argsort(windows.motif, stable=True)
    order = order[torch.argsort(strength[order], descending=True, stable=True)]
    order = order[torch.argsort(block[order], stable=True)]
    counts = torch.bincount(block)
    first = counts.cumsum(0) - counts
    rank = torch.empty_like(block)
    rank[order] = torch.arange(len(order), device=block.device) - first[block[order]]
    offset = windows.start - begin[block]
    span = torch.zeros_like(counts).scatter_reduce_(0, block, offset + atoms.shape[2], "amax")
    c = torch.zeros_like(h)
    for chosen in _alike(counts, span, problem.y.shape[1]):
        here = torch.isin(block, chosen)
        where = torch.searchsorted(chosen, block[here])
        size, wide, channels = int(counts[chosen].max()), int(span[chosen].max()), atoms.shape[1]
        canvas = h.new_zeros(len(chosen), size, channels, wide)
        along = offset[here][:, None, None] + torch.arange(atoms.shape[2], device=h.device)
        channel = torch.arange(channels, device=h.device)[:, None]
        canvas[where[:, None, None], rank[here][:, None, None], channel, along] = atoms[here]
        rows = canvas.flatten(2)
        linear = h.new_zeros(len(chosen), size)
        linear[where, rank[here]] = h[here]
        c[here] = solve_blocks(rows @ rows.transpose(1, 2), linear)[where, rank[here]]
    kept = c > 0
    return windows.take(kept), c[kept]


def _blocks(windows: Windows, bank: Bank) -> tuple[torch.Tensor, torch.Tensor]:
    """Which windows overlap, directly or through others: a number of each window's group, and where each group begins."""
    start = windows.region * (bank.length + 1) + windows.start
    order = torch.argsort(start, stable=True)
    end = (start + bank.sizes[windows.motif])[order]
    before = torch.cummax(end, dim=0).values
    new = torch.ones_like(order, dtype=torch.bool)
    new[1:] = start[order][1:] >= before[:-1]
    block = torch.empty_like(order)
    block[order] = new.cumsum(0) - 1
    return block, windows.start[order][new]


def _alike(counts: torch.Tensor, span: torch.Tensor, channels: int) -> list[torch.Tensor]:
    """Blocks of about one size together, in batches that memory can hold."""
    sizes, wide = counts.cpu(), span.cpu() * channels  # one look, then plain numbers
    classes = torch.log2(sizes.double()).ceil().long()
    out: list[torch.Tensor] = []
    for one in classes.unique().tolist():
        members = torch.nonzero(classes == one).flatten()
        size = int(sizes[members].max())
        cells = size * max(int(wide[members].max()), size)
        out += members.to(counts.device).split(max(_CELLS // cells, 1))
    return out


def _finish(
    problem: Scaled,
    bank: Bank,
    windows: Windows,
    c: torch.Tensor,
    residual: torch.Tensor,
    worst: torch.Tensor,
    rounds: torch.Tensor,
) -> Solution:
    order = torch.argsort(windows.motif, stable=True)
    for key in (windows.start, windows.region):
        order = order[torch.argsort(key[order], stable=True)]
    windows, c = windows.take(order), c[order]
    cost = torch.zeros_like(worst).index_add_(0, windows.region, bank.lambdas[windows.motif] * c)
    squares, product = residual.square().sum(dim=(1, 2)), (residual * problem.y).sum(dim=(1, 2))
    dual = 1 / worst.clamp_min(1)  # how far the residual must shrink to be feasible
    gap = (0.5 * squares * (1 + dual**2) - dual * product + cost).clamp_min(0)
    return Solution(windows, c, residual, gap, 0.5 * squares + cost, rounds)

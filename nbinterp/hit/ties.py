"""Hits that another motif would explain as well.

Where two motifs are nearly one, which of them is called hangs on little.  The rule: the solution with the least objective
decides; of exact equals, the one that correlates best with the contributions, then the one listed first.  What would
have done as well is named.

In: hits, and which motifs are alike.  Out: for each hit its rival, and what the rival would gain beside what it gains.
"""

from __future__ import annotations

import numpy as np

from .bank import Bank, Windows
from .dense import product
from .exact import Solution
from .scaled import Scaled

__all__ = ["alike_motifs", "rivals"]

_ALIKE = 0.9  # cosine of two motifs at one place, above which they can be rivals


def alike_motifs(bank: Bank) -> np.ndarray:
    """Pairs of strands that look alike: rows of (motif, other, shift of the other's start), in order of the motif."""
    kernels = bank.kernels[:, :4].astype(np.float32)
    n, _, wide = kernels.shape
    norms = np.sqrt(np.square(kernels).sum(axis=(1, 2)).clip(min=1e-30))
    flat = (kernels / norms[:, None, None]).reshape(n, -1)
    found = []
    for shift in range(1 - wide, wide):
        moved = np.zeros_like(kernels)  # the other one, as it stands where the first begins
        moved[:, :, max(shift, 0) : wide + min(shift, 0)] = kernels[:, :, max(-shift, 0) : wide - max(shift, 0)]
        overlap = product(flat, (moved / norms[:, None, None]).reshape(n, -1).T)
        if not shift:
            np.fill_diagonal(overlap, 0)
        one, other = np.nonzero(overlap > _ALIKE)
        found.append(np.stack([one, other, np.full_like(one, shift)], axis=1))
    pairs = np.concatenate(found)
    return pairs[np.lexsort(pairs.T[::-1])]


def rivals(problem: Scaled, bank: Bank, solution: Solution, alike: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The best rival of each hit, -1 for none, and its gain over the hit's own (1 and more: as good).

    The gain is what the objective falls by when the motif stands there alone, the other hits as they are.
    """
    windows, c = solution.windows, solution.coefficients
    first = np.searchsorted(alike[:, 0], np.arange(len(bank.sizes) + 1))
    counts = (first[1:] - first[:-1])[windows.motif]
    hit = np.repeat(np.arange(len(c)), counts)
    nth = np.arange(len(hit)) - (np.cumsum(counts) - counts)[hit]
    pair = alike[first[windows.motif[hit]] + nth]
    other = Windows(windows.region[hit], pair[:, 1], windows.start[hit] + pair[:, 2])
    inside = (other.start >= bank.first[other.motif]) & (other.start <= bank.last[other.motif])
    hit, other = hit[inside], other.take(inside)
    atoms = bank.atoms(problem, windows)
    squares = np.square(atoms).sum(axis=(1, 2))
    own = _gain(bank, windows, bank.inner(solution.residual, windows, atoms) + c * squares, atoms)
    theirs = bank.atoms(problem, other)
    shared = c[hit] * _overlap(atoms[hit], theirs, other.start - windows.start[hit])
    gain = _gain(bank, other, bank.inner(solution.residual, other, theirs) + shared, theirs)
    gain /= np.maximum(own[hit], 1e-300)
    best = np.zeros_like(c)
    np.maximum.at(best, hit, gain)
    chosen = gain >= best[hit]
    rival = np.full_like(windows.motif, -1)
    rival[hit[chosen][::-1]] = other.motif[chosen][::-1]  # of equals the one listed first
    return rival, best


def _gain(bank: Bank, windows: Windows, product: np.ndarray, atoms: np.ndarray) -> np.ndarray:
    above = np.maximum(product - bank.lambdas[windows.motif], 0)
    return np.asarray(0.5 * np.square(above) / np.maximum(np.square(atoms).sum(axis=(1, 2)), 1e-300))


def _overlap(a: np.ndarray, b: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Inner products of atoms, the second begun `shift` later than the first."""
    n, channels, wide = a.shape
    padded = np.pad(a, ((0, 0), (0, 0), (wide, wide)))
    along = np.clip(np.arange(wide) + shift[:, None] + wide, 0, 3 * wide - 1)
    found = padded[np.arange(n)[:, None, None], np.arange(channels)[:, None], along[:, None]]
    return np.asarray(np.einsum("ncw,ncw->n", found, b))

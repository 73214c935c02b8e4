"""Hits that another motif would explain as well.

Where two motifs are nearly one, which of them is called hangs on little.  The rule: the solution with the least objective
decides; of exact equals, the one that correlates best with the contributions, then the one listed first.  What would
have done as well is named.

In: hits, and which motifs are alike.  Out: for each hit its rival, and what the rival would gain beside what it gains.
"""

from __future__ import annotations

import torch

from .bank import Bank, Windows
from .exact import Solution
from .scaled import Scaled

__all__ = ["alike_motifs", "rivals"]

_ALIKE = 0.9  # cosine of two motifs at one place, above which they can be rivals


def alike_motifs(bank: Bank) -> torch.Tensor:
    """Pairs of strands that look alike: rows of (motif, other, shift of the other's start), in order of the motif."""
    kernels = bank.kernels[:, :4].float()
    wide = kernels.shape[2]
    found = []
    for one, row in enumerate(kernels):
        padded = torch.nn.functional.pad(row[None], (wide - 1, wide - 1))
        norms = kernels.square().sum(dim=(1, 2)).sqrt()
        overlap = torch.nn.functional.conv1d(padded, kernels)[0] / (norms * norms[one])[:, None]
        overlap[one, wide - 1] = 0
        other, place = torch.nonzero(overlap > _ALIKE, as_tuple=True)
        found.append(torch.stack([torch.full_like(other, one), other, place - (wide - 1)], dim=1))
    return torch.cat(found)


def rivals(problem: Scaled, bank: Bank, solution: Solution, alike: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The best rival of each hit, -1 for none, and its gain over the hit's own (1 and more: as good).

    The gain is what the objective falls by when the motif stands there alone, the other hits as they are.
    """
    windows, c = solution.windows, solution.coefficients
    n = len(c)
    first = torch.searchsorted(alike[:, 0].contiguous(), torch.arange(len(bank.sizes) + 1, device=c.device))
    counts = (first[1:] - first[:-1])[windows.motif]
    hit = torch.repeat_interleave(torch.arange(n, device=c.device), counts)
    nth = torch.arange(len(hit), device=c.device) - (counts.cumsum(0) - counts)[hit]
    pair = alike[first[windows.motif[hit]] + nth]
    other = Windows(windows.region[hit], pair[:, 1], windows.start[hit] + pair[:, 2])
    inside = (other.start >= bank.first[other.motif]) & (other.start <= bank.last[other.motif])
    hit, other = hit[inside], other.take(inside)
    atoms = bank.atoms(problem, windows)
    own = _gain(
        bank, windows, bank.inner(solution.residual, windows, atoms) + c * atoms.square().sum(dim=(1, 2)), atoms
    )
    theirs = bank.atoms(problem, other)
    shared = c[hit] * _overlap(atoms[hit], theirs, other.start - windows.start[hit])
    gain = _gain(bank, other, bank.inner(solution.residual, other, theirs) + shared, theirs) / own[hit].clamp_min(
        1e-300
    )
    best = torch.zeros_like(c).scatter_reduce_(0, hit, gain, "amax")
    chosen = gain >= best[hit]
    rival = torch.full_like(windows.motif, -1)
    rival[hit[chosen].flip(0)] = other.motif[chosen].flip(0)  # of equals the one listed first
    return rival, best


def _gain(bank: Bank, windows: Windows, product: torch.Tensor, atoms: torch.Tensor) -> torch.Tensor:
    above = (product - bank.lambdas[windows.motif]).clamp_min(0)
    return 0.5 * above.square() / atoms.square().sum(dim=(1, 2)).clamp_min(1e-300)


def _overlap(a: torch.Tensor, b: torch.Tensor, shift: torch.Tensor) -> torch.Tensor:
    """Inner products of atoms, the second begun `shift` later than the first."""
    wide = a.shape[2]
    along = torch.arange(wide, device=a.device) + shift[:, None]
    padded = torch.nn.functional.pad(a, (wide, wide))
    found = padded.gather(2, (along + wide).clamp(0, 3 * wide - 1)[:, None].expand(-1, a.shape[1], -1))
    return (found * b).sum(dim=(1, 2))

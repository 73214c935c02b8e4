"""Regions as the problem sees them: of one scale, with the energy of every window at hand.

In: one batch of sequences and contributions.  Out: `Scaled`.  Source: Fi-NeMo.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

__all__ = ["Scaled", "scale_regions"]


class Scaled(NamedTuple):
    """One batch of regions.

    ``y`` is what is explained, float64 ``(B, C, L)``: one channel where contributions stand at the observed bases, four where
    they are hypothetical; its squares sum to L, or to nothing.  ``codes`` are bases ``(B, L)``, 4 where unknown.  ``g`` is
    what ``y`` was divided by, ``energy[:, x]`` the sum of squares before position x.
    """

    y: np.ndarray
    codes: np.ndarray
    g: np.ndarray
    energy: np.ndarray

    @property
    def length(self) -> int:
        """Positions in a region."""
        return int(self.y.shape[2])

    def rows(self, which: np.ndarray) -> Scaled:
        """Some of the regions."""
        return Scaled(*(part[which] for part in self))

    def window_energy(self, region: np.ndarray, start: np.ndarray, width: np.ndarray) -> np.ndarray:
        """Sum of squares in windows, one for each of the given."""
        return np.asarray(np.maximum(self.energy[region, start + width] - self.energy[region, start], 0))

    def roots(self, width: int) -> np.ndarray:
        """What a motif of this width is divided by at each place, float32 ``(B, L)``; infinite where the region ends before it."""
        out = np.full((len(self.y), self.length), np.inf, np.float32)
        last = self.length - width + 1
        energy = (self.energy[:, width:] - self.energy[:, :last]).astype(np.float32)
        out[:, :last] = np.sqrt(np.maximum(energy, 0) + 1)
        return out

    def roots_at(self, place: np.ndarray, width: np.ndarray) -> np.ndarray:
        """The same at some places, counted over all regions, for motifs of several widths."""
        region, start = np.divmod(place, self.length)
        inside = start + width <= self.length
        energy = self.window_energy(region, start, np.where(inside, width, 0))
        return np.where(inside, np.sqrt(energy + 1), np.inf)


def scale_regions(codes: np.ndarray, contributions: np.ndarray, sqrt_transform: bool) -> Scaled:
    """Bring contributions ``(B, L)`` at the observed bases, or hypothetical ``(B, 4, L)``, to one scale."""
    y = np.asarray(contributions, np.float64)
    if y.ndim == 2:
        y = np.where(codes < 4, y, 0)[:, None]
    if sqrt_transform:
        y = np.sign(y) * np.sqrt(np.abs(y))
    g = np.sqrt(np.square(y).sum(axis=(1, 2)) / y.shape[2])
    y = y / np.where(g > 0, g, 1)[:, None, None]
    energy = np.pad(np.square(y).sum(axis=1).cumsum(axis=1), ((0, 0), (1, 0)))
    return Scaled(y, codes, g, energy)

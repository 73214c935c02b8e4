"""Regions as the problem sees them: of one scale, with the energy of every window at hand.

In: one batch of sequences and contributions.  Out: `Scaled`.  Source: Fi-NeMo.
"""

from __future__ import annotations

from typing import NamedTuple

import torch

__all__ = ["Scaled", "scale_regions"]


class Scaled(NamedTuple):
    """One batch of regions.

    ``y`` is what is explained, float64 ``(B, C, L)``: one channel where contributions stand at the observed bases, four where
    they are hypothetical; its squares sum to L, or to nothing.  ``codes`` are bases ``(B, L)``, 4 where unknown.  ``g`` is
    what ``y`` was divided by, ``energy[:, x]`` the sum of squares before position x.
    """

    y: torch.Tensor
    codes: torch.Tensor
    g: torch.Tensor
    energy: torch.Tensor

    @property
    def length(self) -> int:
        """Positions in a region."""
        return self.y.shape[2]

    def rows(self, which: torch.Tensor) -> Scaled:
        """Some of the regions."""
        return Scaled(*(part[which] for part in self))

    def window_energy(self, region: torch.Tensor, start: torch.Tensor, width: torch.Tensor) -> torch.Tensor:
        """Sum of squares in windows, one for each of the given."""
        return (self.energy[region, start + width] - self.energy[region, start]).clamp_min(0)


def scale_regions(codes: torch.Tensor, contributions: torch.Tensor, sqrt_transform: bool) -> Scaled:
    """Bring contributions ``(B, L)`` at the observed bases, or hypothetical ``(B, 4, L)``, to one scale."""
    y = contributions.double()
    if y.ndim == 2:
        y = torch.where(codes < 4, y, y.new_zeros(()))[:, None]
    if sqrt_transform:
        y = y.sign() * y.abs().sqrt()
    g = (y.square().sum(dim=(1, 2)) / y.shape[2]).sqrt()
    y = y / torch.where(g > 0, g, torch.ones_like(g))[:, None, None]
    energy = torch.nn.functional.pad(y.square().sum(dim=1).cumsum(dim=1), (1, 0))
    return Scaled(y, codes, g, energy)

"""How well every motif fits at every place.

In: a residual.  Out: its correlation with each motif at each place, scaled by the energy of what stands there; as dense
arrays of motifs of about one width, or at some windows alone.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch

from .motifs import HitMotifs
from .scaled import Scaled

__all__ = ["Bank", "Windows"]

_CLASSES = (8, 12, 16, 24, 36, 64)  # a motif is padded to the next of these widths


class Windows(NamedTuple):
    """Places of motifs in a batch: region, motif, and the position of the first column that counts."""

    region: torch.Tensor
    motif: torch.Tensor
    start: torch.Tensor

    def take(self, which: torch.Tensor) -> Windows:
        """Some of them."""
        return Windows(*(part[which] for part in self))

    def join(self, other: Windows) -> Windows:
        """These and others."""
        return Windows(*(torch.cat(parts) for parts in zip(self, other, strict=True)))


class Bank:
    """Motifs on a device, for sequences of one length.

    Parameters
    ----------
    motifs : HitMotifs
    length : int
        Of the sequences.
    device : torch.device
    """

    def __init__(self, motifs: HitMotifs, length: int, device: torch.device | str) -> None:
        sizes = motifs.ends - motifs.starts
        self.length, self.device = length, torch.device(device)
        self.sizes = torch.as_tensor(sizes, device=device)
        self.lambdas = torch.as_tensor(motifs.lambdas, device=device)
        kernels = np.pad(motifs.kernels, ((0, 0), (0, 1), (0, 0)))  # a fifth row: nothing at an unknown base
        self.kernels = torch.as_tensor(kernels, device=device)
        first, last = motifs.starts, length - motifs.widths + motifs.starts  # all columns inside, as Fi-NeMo has it
        self.first, self.last = (torch.as_tensor(one, device=device) for one in (first, last))
        classes = np.searchsorted(_CLASSES, sizes)
        self._groups = [
            _Group.of(np.flatnonzero((classes == one) & (sizes <= length)), self, first, last)
            for one in np.unique(classes[sizes <= length])
        ]

    def under(self, lambdas: np.ndarray) -> Bank:
        """The same motifs under other penalties; one of infinity leaves a motif out."""
        other = copy.copy(self)
        other.lambdas = torch.as_tensor(lambdas, device=self.device)
        part = (self.lambdas / other.lambdas).float()[:, None, None]
        other._groups = [group._replace(kernel=group.kernel * part[group.motifs]) for group in self._groups]
        return other

    def keys(self, windows: Windows) -> torch.Tensor:
        """A number for each window that no other has."""
        return (windows.region * len(self.sizes) + windows.motif) * self.length + windows.start

    def scales(self, problem: Scaled, windows: Windows) -> torch.Tensor:
        """What each window's motif is multiplied by."""
        energy = problem.window_energy(windows.region, windows.start, self.sizes[windows.motif])
        return (energy + 1).rsqrt()

    def atoms(self, problem: Scaled, windows: Windows) -> torch.Tensor:
        """What each window adds to the sequence for a coefficient of 1: ``(n, C, widest)`` from its start on."""
        kernels = self.kernels[windows.motif]
        scales = self.scales(problem, windows)[:, None, None]
        if problem.y.shape[1] == 4:
            return kernels[:, :4] * scales
        places = windows.start[:, None] + torch.arange(kernels.shape[2], device=self.device)
        padded = torch.nn.functional.pad(problem.codes, (0, kernels.shape[2]), value=4)
        codes = padded[windows.region[:, None], places].long()
        return kernels.gather(1, codes[:, None]) * scales

    def inner(self, residual: torch.Tensor, windows: Windows, atoms: torch.Tensor) -> torch.Tensor:
        """Products of the residual with atoms."""
        places = windows.start[:, None] + torch.arange(atoms.shape[2], device=self.device)
        padded = torch.nn.functional.pad(residual, (0, atoms.shape[2]))
        found = padded[windows.region[:, None], :, places].transpose(1, 2)
        return (found * atoms).sum(dim=(1, 2))

    def explained(self, problem: Scaled, windows: Windows, values: torch.Tensor) -> torch.Tensor:
        """Sum of atoms, given already multiplied: ``(B, C, L)``."""
        b, c, length = problem.y.shape
        widest = values.shape[2]
        flat = values.new_zeros(b * c * (length + widest))
        channel = torch.arange(c, device=self.device)[:, None]
        along = windows.start[:, None, None] + torch.arange(widest, device=self.device)
        flat.index_add_(
            0, ((windows.region[:, None, None] * c + channel) * (length + widest) + along).flatten(), values.flatten()
        )
        return flat.view(b, c, length + widest)[:, :, :length]

    def fits(self, problem: Scaled, residual: torch.Tensor) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Correlations over penalties, float32 ``(B, motifs of the group, places)``, and which motifs those are.

        Minus infinity where a motif may not stand.
        """
        dense = residual.float()
        if dense.shape[1] == 1:
            dense = torch.nn.functional.one_hot(problem.codes.long(), 5)[..., :4].transpose(1, 2).float() * dense
        for group in self._groups:
            padded = torch.nn.functional.pad(dense, (0, group.kernel.shape[2] - group.least))
            found = torch.nn.functional.conv1d(padded, group.kernel)
            scale = torch.stack([self._scale(problem, width, found.shape[2]) for width in group.widths], dim=1)
            yield found.mul_(scale[:, group.which]).add_(group.barred), group.motifs

    def _scale(self, problem: Scaled, width: int, places: int) -> torch.Tensor:
        ends = torch.arange(width, width + places, device=self.device).clamp_max(self.length)
        return ((problem.energy[:, ends] - problem.energy[:, :places]).clamp_min(0) + 1).rsqrt().float()


class _Group(NamedTuple):
    motifs: torch.Tensor
    kernel: torch.Tensor
    """Divided by the penalties."""
    least: int
    widths: list[int]
    which: torch.Tensor
    barred: torch.Tensor

    @classmethod
    def of(cls, members: np.ndarray, bank: Bank, first: np.ndarray, last: np.ndarray) -> _Group:
        device, which_motifs = bank.device, torch.as_tensor(members, device=bank.device)
        widths, which = np.unique(bank.sizes.cpu().numpy()[members], return_inverse=True)
        places = np.arange(bank.length - widths[0] + 1)
        inside = (places >= first[members, None]) & (places <= last[members, None])
        kernel = bank.kernels[which_motifs, :4, : widths[-1]] / bank.lambdas[which_motifs, None, None]
        return cls(
            which_motifs,
            kernel.float(),
            int(widths[0]),
            widths.tolist(),
            torch.as_tensor(which, device=device),
            torch.as_tensor(np.where(inside, 0, -np.inf), dtype=torch.float32, device=device),
        )

"""How well every motif fits at every place.

In: a residual.  Out: its correlation with each motif at each place, scaled by the energy of what stands there: wherever it is
large, or at some windows alone.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .dense import Dense
from .motifs import HitMotifs
from .scaled import Scaled

if TYPE_CHECKING:
    from .dense_torch import TorchDense

__all__ = ["Bank", "Windows"]


class Windows(NamedTuple):
    """Places of motifs in a batch: region, motif, and the position of the first column that counts."""

    region: np.ndarray
    motif: np.ndarray
    start: np.ndarray

    def take(self, which: np.ndarray) -> Windows:
        """Some of them."""
        return Windows(*(part[which] for part in self))

    def join(self, other: Windows) -> Windows:
        """These and others."""
        return Windows(*(np.concatenate(parts) for parts in zip(self, other, strict=True)))


class Bank:
    """Motifs for sequences of one length.

    Parameters
    ----------
    motifs : HitMotifs
    length : int
        Of the sequences.
    device : str
        Where every place is looked at; what follows is little, and done here.
    """

    def __init__(self, motifs: HitMotifs, length: int, device: str = "cpu") -> None:
        self.length, self.sizes, self.lambdas = length, motifs.ends - motifs.starts, motifs.lambdas
        self._device = device
        self.kernels = np.pad(motifs.kernels, ((0, 0), (0, 1), (0, 0)))  # a fifth row: nothing at an unknown base
        self.first = motifs.starts
        self.last = length - motifs.widths + motifs.starts  # all columns inside, as Fi-NeMo has it
        self._dense: Dense | TorchDense | None = None

    def under(self, lambdas: np.ndarray) -> Bank:
        """The same motifs under other penalties; one of infinity leaves a motif out."""
        other = copy.copy(self)
        other.lambdas, other._dense = lambdas, None
        return other

    def keys(self, windows: Windows) -> np.ndarray:
        """A number for each window that no other has."""
        found: np.ndarray = (windows.region * len(self.sizes) + windows.motif) * self.length + windows.start
        return found

    def scales(self, problem: Scaled, windows: Windows) -> np.ndarray:
        """What each window's motif is multiplied by."""
        energy = problem.window_energy(windows.region, windows.start, self.sizes[windows.motif])
        return np.asarray(1 / np.sqrt(energy + 1))

    def atoms(self, problem: Scaled, windows: Windows) -> np.ndarray:
        """What each window adds to the sequence for a coefficient of 1: ``(n, C, widest)`` from its start on."""
        scales = self.scales(problem, windows)[:, None, None]
        if problem.y.shape[1] == 4:
            return np.asarray(self.kernels[windows.motif, :4] * scales)
        columns = np.arange(self.kernels.shape[2])
        padded = np.pad(problem.codes, ((0, 0), (0, len(columns))), constant_values=4)
        codes = padded[windows.region[:, None], windows.start[:, None] + columns]
        return np.asarray(self.kernels[windows.motif[:, None], codes, columns][:, None] * scales)

    def inner(self, residual: np.ndarray, windows: Windows, atoms: np.ndarray) -> np.ndarray:
        """Products of the residual with atoms."""
        padded = np.pad(residual, ((0, 0), (0, 0), (0, atoms.shape[2])))
        places = windows.start[:, None, None] + np.arange(atoms.shape[2])
        found = padded[windows.region[:, None, None], np.arange(residual.shape[1])[:, None], places]
        return np.asarray(np.einsum("ncw,ncw->n", found, atoms))

    def explained(self, problem: Scaled, windows: Windows, values: np.ndarray) -> np.ndarray:
        """Sum of atoms, given already multiplied: ``(B, C, L)``."""
        b, c, length = problem.y.shape
        long = length + values.shape[2]
        row = windows.region[:, None, None] * c + np.arange(c)[:, None]
        places = row * long + windows.start[:, None, None] + np.arange(values.shape[2])
        flat = np.bincount(places.ravel(), values.ravel(), b * c * long)
        return flat.reshape(b, c, long)[:, :, :length]

    def near(self, problem: Scaled, residual: np.ndarray, part: float) -> tuple[Windows, np.ndarray]:
        """Windows whose correlation is above this part of their penalty, and its part of it in float64.

        The look at every place is one in float32: what is within its rounding of `part` may be missing.
        """
        inside = np.flatnonzero(self.sizes <= self.length)
        if not len(inside):
            none = np.zeros(0, np.int64)
            return Windows(none, none, none), np.zeros(0)
        if self._dense is None:
            self._dense = _dense(
                self.kernels[inside, :4] / self.lambdas[inside, None, None], self.sizes[inside], self._device
            )
        region, row, start = self._dense.near(problem, residual, part)
        found = Windows(region, inside[row], start)
        found = found.take((start >= self.first[found.motif]) & (start <= self.last[found.motif]))
        found = found.take(np.argsort(self.keys(found)))
        return found, self.inner(residual, found, self.atoms(problem, found)) / self.lambdas[found.motif]


def _dense(kernels: np.ndarray, sizes: np.ndarray, device: str) -> Dense | TorchDense:
    if device.startswith("cpu"):
        return Dense(kernels, sizes)
    from .dense_torch import TorchDense

    return TorchDense(kernels, sizes, device)

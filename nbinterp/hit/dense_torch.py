"""Every motif at every place, on a device of torch's.

In: a residual.  Out: what `Dense` gives.
"""

from __future__ import annotations

import numpy as np
import torch

from .dense import CLASSES
from .scaled import Scaled
from .threads import one_thread

__all__ = ["TorchDense"]


class TorchDense:
    """As `Dense`, with convolutions on a device."""

    def __init__(self, kernels: np.ndarray, sizes: np.ndarray, device: str) -> None:
        self._device = torch.device(device)
        classes = np.searchsorted(CLASSES, sizes)
        self._classes = []
        for one in np.unique(classes):
            motifs = np.flatnonzero(classes == one)
            widths, which = np.unique(sizes[motifs], return_inverse=True)
            rows = torch.as_tensor(kernels[motifs, :, : widths[-1]], dtype=torch.float32, device=self._device)
            self._classes.append((motifs, rows, widths.tolist(), torch.as_tensor(which, device=self._device)))

    def near(self, problem: Scaled, residual: np.ndarray, part: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Windows whose correlation, in float32, is above this part of the penalty: region, motif, start."""
        seen = residual * (problem.codes[:, None] == np.arange(4)[:, None]) if residual.shape[1] == 1 else residual
        values = torch.as_tensor(seen, dtype=torch.float32, device=self._device)
        found = []
        with one_thread():
            for motifs, rows, widths, which in self._classes:
                padded = torch.nn.functional.pad(values, (0, rows.shape[2] - 1))
                products = torch.nn.functional.conv1d(padded, rows)
                bounds = np.stack([problem.roots(width) * part for width in widths], axis=1)
                least = torch.as_tensor(bounds, dtype=torch.float32, device=self._device)
                region, row, start = (
                    one.cpu().numpy() for one in torch.nonzero(products > least[:, which], as_tuple=True)
                )
                found.append((region, motifs[row], start))
        region, motif, start = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return region, motif, start

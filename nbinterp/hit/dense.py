"""Every motif at every place, on the CPU.

In: a residual.  Out: the few windows where a motif fits nearly as well as its penalty asks, or better.

A window of w positions is 4w numbers side by side, and every w-th window is a row of a matrix that stands in memory as it is:
nothing is copied.  Products are small ones: BLAS shares out larger ones among threads that wait for each other longer than they
compute, where others compute, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from .scaled import Scaled

__all__ = ["CLASSES", "Dense", "product"]

CLASSES = (8, 16, 32, 64)  # motifs up to one of these widths are taken for as wide as the widest of them
_MOTIFS = 64  # in a product at most
_PRODUCT = 2**18  # multiplications that OpenBLAS does on one thread
_NEVER = np.float32(np.inf)
_CELLS = 2**18  # products that are looked at together: what a near cache holds


class Dense:
    """Motifs, by width.

    Parameters
    ----------
    kernels : array (M, 4, W)
        Over their penalties, from the left.
    sizes : int array (M,)
        Widths.
    """

    def __init__(self, kernels: np.ndarray, sizes: np.ndarray) -> None:
        classes = np.searchsorted(CLASSES, sizes)
        order = np.argsort(sizes, kind="stable")
        alike = (order[classes[order] == one] for one in np.unique(classes))
        parts = (some[begin : begin + _MOTIFS] for some in alike for begin in range(0, len(some), _MOTIFS))
        self._classes = [_Class.of(kernels, sizes, some) for some in parts]

    def near(self, problem: Scaled, residual: np.ndarray, part: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Windows whose correlation, in float32, is above this part of the penalty: region, motif, start."""
        length = problem.length
        places = len(residual) * length
        values = np.zeros((max(one.tiles(places).end for one in self._classes), 4), np.float32)
        if residual.shape[1] == 4:
            values[:places] = residual.transpose(0, 2, 1).reshape(places, 4)
        else:  # 0 stands at unknown bases
            values[np.arange(places), problem.codes.clip(max=3).ravel()] = residual.ravel()
        found = [pair for one in self._classes for pair in one.above(values, problem, part)]
        motif, place = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return place // length, motif, place % length


class _Tiles(NamedTuple):
    """How windows are put side by side: `number` tiles of `width` rows, each of `n` windows that are `width` places apart."""

    number: int
    width: int
    n: int

    @property
    def end(self) -> int:
        """Where the last window ends."""
        return (self.number * self.n + 1) * self.width

    def windows(self, values: np.ndarray) -> np.ndarray:
        """Numbers ``(number, width, n, 4 * width)``."""
        (number, width, n), (at, along) = self, values.strides
        shape, strides = (number, width, n, 4 * width), (n * width * at, at, width * at, along)
        return np.lib.stride_tricks.as_strided(values, shape, strides, writeable=False)

    def places(self) -> np.ndarray:
        """Where each window begins, ``(number, width, n)``."""
        number, width, n = self
        return np.arange(number * n * width).reshape(number, n, width).transpose(0, 2, 1)


class _Class(NamedTuple):
    motifs: np.ndarray
    """By width."""
    sizes: np.ndarray
    columns: np.ndarray
    """One a motif: its columns in turn."""

    @classmethod
    def of(cls, kernels: np.ndarray, sizes: np.ndarray, motifs: np.ndarray) -> _Class:
        widest = sizes[motifs[-1]]
        columns = kernels[motifs, :, :widest].transpose(2, 1, 0).reshape(-1, len(motifs))
        return cls(motifs, sizes[motifs], np.ascontiguousarray(columns, np.float32))

    def tiles(self, places: int) -> _Tiles:
        """Such that products are small."""
        width = len(self.columns) // 4
        n = min(max(_PRODUCT // self.columns.size, 1), -(-places // width))
        return _Tiles(-(-places // (n * width)), width, n)

    def above(self, values: np.ndarray, problem: Scaled, part: float) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Motifs and places that are above, some tiles at a time."""
        bound = np.append(problem.roots(int(self.sizes[0])) * np.float32(part), _NEVER)  # the least of all widths
        tiles, m = self.tiles(bound.size - 1), len(self.motifs)
        windows, starts = tiles.windows(values), tiles.places()
        step = max(_CELLS // (m * tiles.width * tiles.n), 1)
        for first in range(0, tiles.number, step):
            places = starts[first : first + step]
            products = np.matmul(windows[first : first + step], self.columns)
            least = bound.take(places, mode="clip")  # beyond the last place: never
            found = np.flatnonzero(products > least[..., None])
            window, motif = np.divmod(found, m)
            place = places.reshape(-1)[window]
            above = products.reshape(-1)[found] > problem.roots_at(place, self.sizes[motif]) * part
            yield self.motifs[motif[above]], place[above]


def product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Of two matrices, or of stacks of them, some rows at a time, on one thread."""
    step = max(_PRODUCT // (b.shape[-2] * b.shape[-1]), 1)
    if step >= a.shape[-2]:
        return np.asarray(a @ b)
    return np.concatenate([a[..., i : i + step, :] @ b for i in range(0, a.shape[-2], step)], axis=-2)

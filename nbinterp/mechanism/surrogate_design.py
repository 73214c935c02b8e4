"""Sequences as the columns of a regression, without writing the columns.

Every position has four columns, one a letter, and every pair of positions sixteen.  A library around one sequence has the same
letter nearly everywhere: a product starts from the commonest letters and visits only what deviates.  Counts of columns
together are whole numbers, so that the normal equations are exact on any device.

In: codes ``(N, L)``.  Out: products with the columns, and the matrix of their counts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_array

from ..errors import problem

__all__ = ["Design", "as_codes", "pair_positions"]

_BLOCK = 1 << 24  # entries of a dense block
# Nanoseconds: of a pair of deviations counted, of a number of the matrix finished then, and of one summand of a dense product.
_PAIR, _NUMBER, _SUMMAND = 4.0, 25.0, 0.015
_EXACT = 1 << 23  # float32 adds whole numbers exactly up to here


def as_codes(where: str, X: Any) -> torch.Tensor:
    """Sequences as uint8 codes ``(N, L)`` on the CPU, 4 for N.

    Takes codes, one-hot ``(N, 4, L)``, one-hot ``(N, L, 4)`` (where L is not 4), packed sequences, and what has ``codes``.
    """
    for name in ("to_codes", "codes"):
        if hasattr(X, name) and not isinstance(X, torch.Tensor):
            X = getattr(X, name)
            X = X() if callable(X) else X
    values = X.detach().cpu() if isinstance(X, torch.Tensor) else torch.as_tensor(np.asarray(X))
    if values.ndim == 2 and not values.is_floating_point():
        if values.numel() and (int(values.min()) < 0 or int(values.max()) > 4):
            raise problem(where, "X", got="codes outside 0..4", need="0..3 for A C G T, 4 for N", do="recode them")
        return values.to(torch.uint8)
    if values.ndim == 3 and values.shape[1] != 4 and values.shape[2] == 4:
        values = values.transpose(1, 2)
    if values.ndim != 3 or values.shape[1] != 4:
        got, need = f"{values.dtype} of shape {tuple(values.shape)}", "codes (N, L) or one-hot (N, 4, L)"
        raise problem(where, "X", got=got, need=need, do="pass integer codes, or one-hot encode")
    total = values.sum(dim=1)
    if bool(((values != 0) & (values != 1)).any()) or bool((total > 1).any()):
        raise problem(where, "X", got="entries that are not one-hot", need="one base a position", do="one-hot encode")
    return torch.where(total == 0, 4, values.to(torch.uint8).argmax(dim=1)).to(torch.uint8)


def pair_positions(where: str, model: str, length: int, max_distance: int | None, pairs: Any) -> np.ndarray:
    """Which pairs of positions a model has: int array ``(P, 2)``, left first, in order."""
    if pairs is not None:
        chosen = np.asarray(pairs)
        fits = chosen.ndim == 2 and chosen.shape[1] == 2 and np.issubdtype(chosen.dtype, np.integer)
        if not fits or (chosen[:, 0] >= chosen[:, 1]).any() or (chosen < 0).any() or (chosen >= length).any():
            got, need = f"shape {chosen.shape}", f"rows i < j of positions below {length}"
            raise problem(where, "pairs", got=got, need=need, do="list each pair once, left first")
        return np.unique(chosen, axis=0).astype(np.int64)
    if model == "additive":
        return np.zeros((0, 2), np.int64)
    reach = 1 if model == "neighbour" else length if max_distance is None else max_distance
    if reach < 1:
        raise problem(
            where, "max_distance", got=max_distance, need="at least 1", do="raise it, or use model='additive'"
        )
    left, right = np.triu_indices(length, 1)
    near = right - left <= reach
    return np.stack([left[near], right[near]], axis=1).astype(np.int64)


class Design:
    """Columns of letters and of pairs of letters, for N sequences on a device.

    Column ``4 l + c`` is letter c at position l; column ``4 L + 16 p + 4 c + d`` is c and d at pair p.  An N has none.

    Parameters
    ----------
    codes : uint8 tensor (N, L)
    positions : int array (P, 2)
    device : torch.device or str

    Examples
    --------
    >>> design = Design(torch.tensor([[0, 3], [1, 3]], dtype=torch.uint8), np.array([[0, 1]]), "cpu")
    >>> w = torch.arange(24, dtype=torch.float64)
    >>> design.times(w).tolist()  # columns 0, 7, 8 + 3 and 1, 7, 8 + 7
    [18.0, 23.0]
    """

    def __init__(self, codes: torch.Tensor, positions: np.ndarray, device: torch.device | str) -> None:
        self.codes, self.device = codes.to(device), torch.device(device)
        self.positions = torch.as_tensor(positions, device=device)
        self.n, self.length = codes.shape
        self.n_features = 4 * self.length + 16 * len(positions)
        common = torch.stack([(self.codes == c).sum(dim=0) for c in range(4)]).argmax(dim=0)  # (L,)
        letters = torch.arange(self.length, device=device) * 4 + common
        left, right = common[self.positions[:, 0]], common[self.positions[:, 1]]
        pairs = 4 * self.length + torch.arange(len(positions), device=device) * 16 + 4 * left + right
        self.common = torch.cat([letters, pairs])
        step = max(1, _BLOCK // max(self.common.numel(), 1))
        parts = []
        for start in range(0, self.n, step):
            columns = self._columns(start, start + step)
            rows, group = torch.nonzero(columns != self.common, as_tuple=True)
            parts.append((rows + start, columns[rows, group], self.common[group]))
        empty = torch.zeros(0, dtype=torch.long, device=device)
        self._rows, self._columns_of, self._instead = (
            torch.cat(part) if part else empty for part in (zip(*parts, strict=True) if parts else ((), (), ()))
        )

    def _columns(self, start: int, end: int) -> torch.Tensor:
        """Column of each group in some rows, ``(n, G)``; `n_features` stands for none."""
        codes = self.codes[start:end].long()
        letters = torch.arange(self.length, device=self.device) * 4 + codes
        letters = torch.where(codes < 4, letters, self.n_features)
        left, right = codes[:, self.positions[:, 0]], codes[:, self.positions[:, 1]]
        first = 4 * self.length + 16 * torch.arange(len(self.positions), device=self.device)
        pairs = torch.where((left < 4) & (right < 4), first + 4 * left + right, self.n_features)
        return torch.cat([letters, pairs], dim=1)

    def times(self, w: torch.Tensor) -> torch.Tensor:
        """Sum of the columns under weights ``w (n_features,)``: ``(N,)``, differentiable."""
        padded = torch.cat([w, w.new_zeros(1)])
        change = padded[self._columns_of] - w[self._instead]
        return (w.new_zeros(self.n) + w[self.common].sum()).index_add(0, self._rows, change)

    def transposed(self, r: torch.Tensor) -> torch.Tensor:
        """Product of every column with ``r (N,)``: ``(n_features,)``."""
        change = r[self._rows]
        out = (
            r.new_zeros(self.n_features + 1).index_add(0, self._columns_of, change).index_add(0, self._instead, -change)
        )
        return (out.index_add(0, self.common, r.sum().expand(len(self.common))))[:-1]

    def gram(self, weights: torch.Tensor | None = None, among: torch.Tensor | None = None) -> torch.Tensor:
        """How many rows have both of two columns, each row counted `weights` times (whole numbers): float64, exact.

        `among` chooses columns; without it there are all.
        """
        if among is None and self.device.type == "cpu" and self._few_deviate():
            return self._gram_of_deviations(weights)
        size = self.n_features if among is None else len(among)
        most = 1 if weights is None or not len(weights) else max(1, int(weights.max()))
        step = max(1, min(_BLOCK // self.n_features, _EXACT // most))
        out = torch.zeros(size, size, dtype=torch.float64, device=self.device)
        for start in range(0, self.n, step):
            block = self._dense(start, start + step)
            block = block if among is None else block[:, among]
            counted = block if weights is None else block * weights[start : start + step, None].to(block.dtype)
            out += (counted.T @ block).double()
        return out

    def _few_deviate(self) -> bool:
        numbers, pairs = self.n_features**2, len(self._rows) ** 2 / max(self.n, 1)
        return _PAIR * pairs + _NUMBER * numbers < _SUMMAND * self.n * numbers

    def _gram_of_deviations(self, weights: torch.Tensor | None) -> torch.Tensor:
        """`gram` from the few columns that deviate, D: all columns are the common ones, and D P.

        P adds a column, and takes away the common one that it is instead of; a group without a letter has a column of its own.
        """
        size, n_groups = self.n_features, len(self.common)
        common = self.common.numpy()
        group = np.concatenate([np.arange(self.length).repeat(4), np.arange(self.length, n_groups).repeat(16)])
        instead = np.concatenate([common[group], common])
        rows, columns = self._rows.numpy(), self._columns_of.numpy()
        columns = np.where(columns < size, columns, size + group[self._instead.numpy()])
        p = csr_array(
            (np.ones(size), np.arange(size), np.minimum(np.arange(len(instead) + 1), size)), (len(instead), size)
        )
        p = p - csr_array((np.ones(len(instead)), instead, np.arange(len(instead) + 1)), (len(instead), size))
        counts = np.ones(self.n) if weights is None else weights.double().numpy()
        ends = np.searchsorted(rows, np.arange(self.n + 1))
        d = csr_array((np.ones(len(columns)), columns, ends), (self.n, len(instead)))
        weighted = csr_array((counts[rows], columns, ends), d.shape)
        out = p.T @ ((d.T.tocsr() @ weighted) @ p).toarray()
        change = p.T @ weighted.sum(axis=0)
        out[common] += change
        out[:, common] += change[:, None]
        out[np.ix_(common, common)] += counts.sum()
        return torch.from_numpy(out)

    def _dense(self, start: int, end: int) -> torch.Tensor:
        columns = self._columns(start, end)
        block = torch.zeros(len(columns), self.n_features + 1, device=self.device)
        return block.scatter_(1, columns, 1.0)[:, :-1]

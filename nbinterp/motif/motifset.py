"""A set of motifs.

In: names and matrices ``(4, w)``.  Out: a frozen mapping that reads like tangermeme's dictionary of motifs, and keeps
what a file says beside the matrices.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from ..errors import problem
from ..sequence import characters

__all__ = ["MotifSet"]


class MotifSet(Mapping[str, torch.Tensor]):
    """Motifs by name, in order.

    Parameters
    ----------
    matrices : mapping or sequence of arrays (4, w)
        Probabilities (or any weights); a mapping gives the names too.
    names : sequence of str, optional
        One a matrix.
    alternate : sequence of str, optional
        Second names, such as the gene's.
    n_sites : sequence of int, optional
        Sites behind each matrix; 0 where unknown.
    background : sequence of 4 floats
        Letter frequencies.

    Raises
    ------
    NbinterpError
        For other shapes, repeated names or NaN.

    Examples
    --------
    >>> motifs = MotifSet({"GATA": torch.eye(4)[:, [2, 0, 3, 0]]})
    >>> motifs.consensus("GATA"), motifs.reverse_complement().consensus(0), len(motifs)
    ('GATA', 'TATC', 1)
    """

    def __init__(
        self,
        matrices: Mapping[str, Any] | Sequence[Any],
        names: Sequence[str] | None = None,
        *,
        alternate: Sequence[str] | None = None,
        n_sites: Sequence[int] | None = None,
        background: Sequence[float] = (0.25, 0.25, 0.25, 0.25),
    ) -> None:
        if isinstance(matrices, Mapping):
            names, matrices = list(matrices), list(matrices.values())
        n = len(matrices)
        self.names = tuple(names if names is not None else (f"motif_{i}" for i in range(n)))
        self.alternate = tuple(alternate or ("",) * n)
        self.n_sites = tuple(n_sites or (0,) * n)
        self.background = tuple(float(b) for b in background)
        for what, one in (("names", self.names), ("alternate", self.alternate), ("n_sites", self.n_sites)):
            if len(one) != n:
                raise problem("MotifSet", what, got=f"{len(one)} for {n} matrices", need="one each", do="match them")
        if len(set(self.names)) != n:
            twice = next(name for name in self.names if self.names.count(name) > 1)
            raise problem("MotifSet", "names", got=f"{twice!r} twice", need="distinct names", do="rename one")
        self._matrices = tuple(self._matrix(name, one) for name, one in zip(self.names, matrices, strict=True))

    @staticmethod
    def _matrix(name: str, matrix: Any) -> torch.Tensor:
        one = torch.as_tensor(np.asarray(matrix) if not isinstance(matrix, torch.Tensor) else matrix)
        if one.ndim != 2 or one.shape[0] != 4 or one.shape[1] == 0 or not bool(torch.isfinite(one).all()):
            raise problem(
                "MotifSet",
                name,
                got=f"shape {tuple(one.shape)}",
                need="(4, width) of finite numbers",
                do="transpose it",
            )
        return one if one.is_floating_point() else one.float()

    def __getitem__(self, key: str | int) -> torch.Tensor:
        return self._matrices[key if isinstance(key, int) else self._index(key)]

    def _index(self, name: str) -> int:
        try:
            return self.names.index(name)
        except ValueError:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        shown = ", ".join(self.names[:3]) + (", ..." if len(self) > 3 else "")
        return f"MotifSet({len(self)} motifs: {shown})"

    def consensus(self, key: str | int) -> str:
        """The most probable letter of each position."""
        return characters(self[key], force=True)

    def information(self, key: str | int) -> torch.Tensor:
        """Bits at each position, against the background."""
        p = self[key]
        p = p / p.sum(dim=0, keepdim=True).clamp_min(1e-12)
        back = torch.tensor(self.background, dtype=p.dtype)[:, None]
        return torch.where(p > 0, p * torch.log2(p / back), torch.zeros_like(p)).sum(dim=0)

    def reverse_complement(self) -> MotifSet:
        """The other strand of each motif, under the same name."""
        flipped = [one.flip(0, 1) for one in self._matrices]
        return MotifSet(
            flipped, self.names, alternate=self.alternate, n_sites=self.n_sites, background=self.background[::-1]
        )

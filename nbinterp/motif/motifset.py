"""A set of motifs.

In: names and matrices ``(4, w)`` of unequal width.  Out: a frozen mapping that reads like tangermeme's dictionary of
motifs, and keeps what a file says beside the matrices.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from ..errors import problem, suggest

__all__ = ["MotifSet"]


class MotifSet(Mapping[str, "torch.Tensor"]):
    """Motifs by name, in order.

    Parameters
    ----------
    matrices : mapping, or sequence or array (N, 4, w) of arrays (4, w)
        Probabilities (or any weights), from any device; a mapping gives the names too.  The set is on the CPU.
    names : sequence of str, optional
        One a matrix.
    alternate : sequence of str, optional
        Second names, such as the gene's.
    n_sites : sequence of int, optional
        Sites behind each matrix; 0 where unknown.
    background : sequence of 4 floats
        Letter frequencies.
    contributions : sequence of arrays (4, w), optional
        Contribution weights (CWM) of the same width as each matrix, where attributions are behind the motifs.
    source : str
        Where they come from: a path, an address, a citation.

    Raises
    ------
    NbinterpError
        For other shapes, repeated names or NaN.

    Examples
    --------
    >>> motifs = MotifSet({"GATA": torch.eye(4)[:, [2, 0, 3, 0]]})
    >>> motifs.consensus("GATA"), motifs.reverse_complement().consensus(0), len(motifs)
    ('GATA', 'TATC', 1)
    >>> list(motifs.both_strands()), motifs.widths
    (['GATA', 'GATA-rc'], (4,))
    """

    def __init__(
        self,
        matrices: Mapping[str, Any] | Sequence[Any],
        names: Sequence[str] | None = None,
        *,
        alternate: Sequence[str] | None = None,
        n_sites: Sequence[int] | None = None,
        background: Sequence[float] = (0.25, 0.25, 0.25, 0.25),
        contributions: Sequence[Any] | None = None,
        source: str = "",
    ) -> None:
        if isinstance(matrices, Mapping):
            names, matrices = list(matrices), list(matrices.values())
        n = len(matrices)
        self.names = tuple(names if names is not None else (f"motif_{i}" for i in range(n)))
        self.alternate = tuple(alternate or ("",) * n)
        self.n_sites = tuple(n_sites or (0,) * n)
        self.background = tuple(float(b) for b in background)
        self.source = source
        given = [("names", self.names), ("alternate", self.alternate), ("n_sites", self.n_sites)]
        given += [("contributions", tuple(contributions))] if contributions is not None else []
        for what, one in given:
            if len(one) != n:
                raise problem("MotifSet", what, got=f"{len(one)} for {n} matrices", need="one each", do="match them")
        self._place = {name: i for i, name in enumerate(self.names)}
        if len(self._place) != n:
            twice = next(name for i, name in enumerate(self.names) if self._place[name] != i)
            raise problem("MotifSet", "names", got=f"{twice!r} twice", need="distinct names", do="rename one")
        self._matrices = tuple(_matrix(name, one) for name, one in zip(self.names, matrices, strict=True))
        self._contributions = None
        if contributions is not None:
            self._contributions = tuple(_matrix(name, m) for name, m in zip(self.names, contributions, strict=True))
            for name, cwm, width in zip(self.names, self._contributions, self.widths, strict=True):
                if cwm.shape[1] != width:
                    got, need = f"{cwm.shape[1]} columns", f"the {width} of its matrix"
                    raise problem("MotifSet", f"contributions[{name!r}]", got=got, need=need, do="trim both alike")

    def __getitem__(self, key: str | int) -> torch.Tensor:
        return self._matrices[self._index(key)]

    def _index(self, key: str | int) -> int:
        return key if isinstance(key, int) else self._place[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        shown = ", ".join(self.names[:3]) + (", ..." if len(self) > 3 else "")
        return f"MotifSet({len(self)} motifs: {shown})"

    @property
    def widths(self) -> tuple[int, ...]:
        """Columns of each matrix."""
        return tuple(int(one.shape[1]) for one in self._matrices)

    def pwm(self, key: str | int) -> torch.Tensor:
        """Probabilities: the matrix with each column divided by its sum; a column of zeros becomes the background."""
        matrix = self[key]
        total = matrix.sum(dim=0)
        background = torch.tensor(self.background, dtype=matrix.dtype)[:, None]
        return torch.where(total > 0, matrix / total.clamp_min(1e-12), background)

    def cwm(self, key: str | int) -> torch.Tensor:
        """Contribution weights of a motif.

        Raises
        ------
        NbinterpError
            When the set holds none.
        """
        if self._contributions is None:
            need = "motifs with contribution weights"
            raise problem("MotifSet", "cwm", got="a set without any", need=need, do="read a TF-MoDISco HDF5 file")
        return self._contributions[self._index(key)]

    @property
    def has_contributions(self) -> bool:
        """Whether there are contribution weights."""
        return self._contributions is not None

    def consensus(self, key: str | int) -> str:
        """The most probable letter of each position."""
        from ..sequence import characters

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
        other = None if self._contributions is None else [one.flip(0, 1) for one in self._contributions]
        return self._like(range(len(self)), matrices=flipped, contributions=other, background=self.background[::-1])

    def both_strands(self) -> MotifSet:
        """Each motif as it is, then the other strand of each, its name ending in ``-rc``."""
        twice = [*range(len(self)), *range(len(self))]
        names = [*self.names, *(f"{name}-rc" for name in self.names)]
        flipped = self.reverse_complement()
        matrices = [*self._matrices, *flipped._matrices]
        other = None if self._contributions is None else [*self._contributions, *(flipped._contributions or ())]
        return self._like(twice, names=names, matrices=matrices, contributions=other)

    def select(self, keys: Iterable[str | int]) -> MotifSet:
        """The motifs named or numbered, in that order.

        Raises
        ------
        NbinterpError
            At a name that is not here, with the nearest that is.
        """
        keys = list(keys)
        for key in keys:
            if isinstance(key, str) and key not in self._place:
                got = f"{key!r}{suggest(key, self.names)}"
                raise problem("MotifSet", "select", got=got, need="names of the set", do="look at .names")
        return self._like([self._index(key) for key in keys])

    def rename(self, names: Mapping[str, str]) -> MotifSet:
        """The same motifs, some under other names."""
        return self._like(range(len(self)), names=[names.get(name, name) for name in self.names])

    def trim(self, fraction: float = 0.3, pad: int = 0) -> MotifSet:
        """Cut uninformative flanks off.

        Columns from the first to the last that hold at least `fraction` of the strongest column's weight stay, and
        `pad` on either side.  The weight of a column is the sum of its absolute contributions where there are any, else
        its information; a motif that says nothing stays whole.
        """
        matrices, other = [], []
        for i, matrix in enumerate(self._matrices):
            weight = self._contributions[i].abs().sum(0) if self._contributions else self.information(i).clamp_min(0)
            strong = torch.nonzero(weight >= fraction * weight.max()).flatten().tolist()
            first, last = max(strong[0] - pad, 0), strong[-1] + 1 + pad
            matrices.append(matrix[:, first:last])
            other += [self._contributions[i][:, first:last]] if self._contributions else []
        return self._like(range(len(self)), matrices=matrices, contributions=other or None)

    def to_array(self, fill: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """One array ``(N, 4, widest)``, narrow motifs filled up on the right, and the widths ``(N,)``."""
        widths = np.array(self.widths, np.int64)
        dtype = np.result_type(np.float32, *(one.numpy().dtype for one in self._matrices))
        stacked = np.full((len(self), 4, int(widths.max(initial=0))), fill, dtype)
        for into, one in zip(stacked, self._matrices, strict=True):
            into[:, : one.shape[1]] = one.numpy()
        return stacked, widths

    def _like(
        self,
        rows: Iterable[int],
        *,
        names: Sequence[str] | None = None,
        matrices: Sequence[torch.Tensor] | None = None,
        contributions: Sequence[torch.Tensor] | None = None,
        background: Sequence[float] | None = None,
    ) -> MotifSet:
        """Rows of this set; what is not given is taken from it."""
        rows = list(rows)
        if matrices is None and self._contributions is not None:
            contributions = [self._contributions[i] for i in rows]
        return MotifSet(
            [self._matrices[i] for i in rows] if matrices is None else matrices,
            [self.names[i] for i in rows] if names is None else names,
            alternate=[self.alternate[i] for i in rows],
            n_sites=[self.n_sites[i] for i in rows],
            background=self.background if background is None else background,
            contributions=contributions,
            source=self.source,
        )


def _matrix(name: str, matrix: Any) -> torch.Tensor:
    one = matrix.detach().cpu() if isinstance(matrix, torch.Tensor) else torch.as_tensor(np.asarray(matrix))
    if one.ndim != 2 or one.shape[0] != 4 or one.shape[1] == 0:
        need = "(4, width), width at least 1"
        raise problem("MotifSet", name, got=f"shape {tuple(one.shape)}", need=need, do="transpose or drop it")
    if not bool(torch.isfinite(one).all()):
        raise problem("MotifSet", name, got="NaN or infinite values", need="finite numbers", do="check how it was made")
    return one if one.is_floating_point() else one.float()

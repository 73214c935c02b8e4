"""Regions whose hits are called again and again, each time under other penalties.

In: regions and motifs.  Out: the tables of `call_hits`, of one region or of all.  What does not depend on penalties is kept, and
so are the hits of the last call, to begin with.
"""

from __future__ import annotations

import copy
import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..core.batches import n_rows
from .bank import Windows
from .call import HitCaller, check_regions
from .exact import Solution, solve_exact, unshrunk
from .motifs import HitMotifs
from .scaled import Scaled

if TYPE_CHECKING:
    import torch

__all__ = ["HitSession"]

_BATCH = 64  # regions


class HitSession(HitCaller):
    """Regions and motifs on a device, to be called under one penalty after the other; always exactly.

    Parameters
    ----------
    X : one-hot (N, 4, L)
    contributions : (N, L) or (N, 4, L)
    motifs : HitMotifs
    mode : {"pp", "ph", "hp", "hh"}
    sqrt_transform : bool
        Of `call_hits`.
    device : str

    Raises
    ------
    NbinterpError
        For shapes that do not match; when a region is called, for contributions that are no numbers.

    Examples
    --------
    >>> from nbinterp import one_hot_encode
    >>> from nbinterp.hit import hit_motifs
    >>> contributions = np.zeros((1, 22))
    >>> contributions[0, 4:8] = 1.0
    >>> motifs = hit_motifs({"GATA": one_hot_encode("GATA")})
    >>> session = HitSession(one_hot_encode("CCCCGATACCCCCCCTATCCCC")[None], contributions, motifs)
    >>> [len(session.region(0, np.full(2, penalty))[0]) for penalty in (0.7, 0.99)]
    [1, 0]
    """

    def __init__(
        self,
        X: Any,
        contributions: Any,
        motifs: HitMotifs,
        mode: str = "pp",
        sqrt_transform: bool = False,
        device: torch.device | str = "cpu",
    ) -> None:
        check_regions("HitSession", X, contributions, mode)
        super().__init__(motifs, int(X.shape[2]), mode, sqrt_transform, post_filter=False, device=device)
        self._X, self._contributions = X, contributions
        self._here: tuple[int, Scaled] | None = None
        self._last: tuple[np.ndarray, Windows] | None = None

    def __len__(self) -> int:
        return n_rows(self._X)

    def region(self, example: int, lambdas: np.ndarray) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Call one region under penalties, one a strand; infinity leaves a motif out.

        Returns
        -------
        DataFrame, DataFrame
            Hits as in `Hits.table`, whatever their similarity, each with its ``lambda``, and its coefficient once nothing
            is paid for it, ``unshrunk``; and of the region relative_gap, global_scale, num_steps.
        """
        if self._here is None or self._here[0] != example:
            self._here = example, self.scaled(self._X, self._contributions, example, example + 1)
            self._last = None
        other, problem = self._under(lambdas), self._here[1]
        solution = solve_exact(problem, other.bank, start=self._likely(lambdas))
        self._last = lambdas, solution.windows
        return other._tables(problem, solution, example)

    def regions(self, start: int, end: int, lambdas: np.ndarray) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Call some regions at once, as `region` calls one."""
        other, parts = self._under(lambdas), []
        for begin in range(start, end, _BATCH):
            problem = self.scaled(self._X, self._contributions, begin, min(begin + _BATCH, end))
            parts.append(other._tables(problem, solve_exact(problem, other.bank), begin))
        table, facts = (pd.concat(one, ignore_index=True) for one in zip(*parts, strict=True))
        return table, facts

    def _under(self, lambdas: np.ndarray) -> HitSession:
        other = copy.copy(self)
        other.motifs, other.bank = dataclasses.replace(self.motifs, lambdas=lambdas), self.bank.under(lambdas)
        return other

    def _likely(self, lambdas: np.ndarray) -> Windows | None:
        """The hits of the last call, where the same motifs compete: of twins the first one takes it all, however it began."""
        if self._last is None or not np.array_equal(np.isinf(self._last[0]), np.isinf(lambdas)):
            return None
        return self._last[1]

    def _tables(self, problem: Scaled, solution: Solution, begin: int) -> tuple[pd.DataFrame, pd.DataFrame]:
        facts = {
            "example_idx": np.arange(begin, begin + len(problem.y)),
            "relative_gap": solution.relative_gap,
            "global_scale": problem.g,
            "num_steps": solution.rounds,
        }
        hits = self._columns(problem, solution, begin)
        return pd.DataFrame(hits | {"unshrunk": unshrunk(problem, self.bank, solution.windows)}), pd.DataFrame(facts)

"""Calling hits: where the motifs are that together explain the contributions.

In: sequences, contributions and motifs in memory.  Out: `Hits`: a table of hits, what is known of each region, and the
motifs.  Source: Fi-NeMo, whose problem this is; solved exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..core.batches import n_rows, run_batches
from ..core.check import check_choice
from ..errors import problem
from .arrays import as_array, device_of
from .bank import Bank
from .exact import Solution, solve_exact
from .fista import FistaOptions, solve_fista
from .measure import measure
from .motifs import HitMotifs, hit_motifs
from .scaled import Scaled, scale_regions
from .ties import alike_motifs, rivals

if TYPE_CHECKING:
    import torch

    from ..motif import MotifSet, PatternSet

__all__ = ["HitCaller", "Hits", "call_hits", "check_regions"]

_TIED = 0.98  # a rival that gains this part of what the hit gains would have done as well
_FACTS = ("nll", "dual_gap", "num_steps", "step_size")
_Columns = dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Hits:
    """What was called.

    Attributes
    ----------
    table : DataFrame
        One row a hit, by example and start: example_idx, start, end, name, strand, score (the global coefficient),
        start_untrimmed, end_untrimmed, the quantities of `call_hits`, rival and tied.  An annotation table.
    regions : DataFrame
        One row a region: example_idx, nll, dual_gap (the true one, or Fi-NeMo's expression with ``solver="fista"``),
        num_steps, step_size, relative_gap (always the true one, of the objective), global_scale, n_hits.
    motifs : HitMotifs
    mode : str
    """

    table: pd.DataFrame
    regions: pd.DataFrame
    motifs: HitMotifs
    mode: str


def call_hits(
    X: Any,
    contributions: Any,
    motifs: PatternSet | MotifSet | Mapping[str, Any] | HitMotifs,
    *,
    mode: str = "pp",
    lambdas: float | Mapping[str, float] = 0.7,
    trim: float | Mapping[str, float] = 0.3,
    spans: Mapping[str, tuple[int, int]] | None = None,
    include: Sequence[str] | None = None,
    rename: Mapping[str, str] | None = None,
    sqrt_transform: bool = False,
    post_filter: bool = True,
    solver: str = "exact",
    fista: FistaOptions | None = None,
    batch_size: int = 64,
    device: torch.device | str | None = None,
    verbose: bool = False,
) -> Hits:
    """Call motif hits in contributions.

    Each region's contributions are explained by as few motifs as it takes: a non-negative lasso over every motif at every
    place, each scaled by the energy of what stands there.  A motif is called where its cosine with the contributions
    exceeds about lambda, and competes with the others for them.

    Parameters
    ----------
    X : tensor, array or PackedSequence (N, 4, L)
        One-hot; a zero column is unknown, and in modes that project nothing is explained there.
    contributions : tensor or array (N, L) or (N, 4, L)
        Projected, or hypothetical, which are projected here where the mode asks for it.
    motifs : PatternSet, MotifSet, mapping of name to matrix (4, w), or HitMotifs
        See `hit_motifs`, which also explains `lambdas`, `trim`, `spans`, `include`, `rename` and `sqrt_transform`; HitMotifs
        have it all decided.
    mode : {"pp", "ph", "hp", "hh"}
        Whether motifs, first, and contributions, second, are projected on the sequence (p) or hypothetical (h).
    post_filter : bool
        Keep a hit only where its similarity is at least its lambda.
    solver : {"exact", "fista"}
        The optimum, or Fi-NeMo's iteration with its stopping rule, for parity.
    fista : FistaOptions, optional
        Of Fi-NeMo's iteration.
    batch_size : int
        Regions at a time; results do not depend on it.
    device : str, optional
        CUDA if there is one, else the CPU.
    verbose : bool
        Show progress.

    Returns
    -------
    Hits
        Besides Fi-NeMo's quantities (coefficient, coefficient_global, similarity, importance, importance_sq) each hit has:
        cosine, with the motif as the sequence shows it; explained, the part of its window's squares that it explains at
        best beside the others; leave_one_out, what the region's squared error gains without it, relative to the region's
        squares; rival, the motif of nearly the same form that would explain most in its place, and tied, whether that
        would do as well.

    Raises
    ------
    NbinterpError
        For shapes that do not match, contributions that are no numbers, modes that need hypothetical contributions of
        projected ones, motifs that cannot be used.

    Examples
    --------
    >>> from nbinterp import one_hot_encode
    >>> X = one_hot_encode("CCCCGATACCCCCCCTATCCCC")[None]
    >>> contributions = np.zeros((1, 22))
    >>> contributions[0, 4:8] = contributions[0, 15:19] = 1.0
    >>> hits = call_hits(X, contributions, {"GATA": one_hot_encode("GATA")})
    >>> hits.table[["start", "end", "name", "strand"]].values.tolist()
    [[4, 8, 'GATA', '+'], [15, 19, 'GATA', '-']]
    """
    where = "call_hits"
    check_choice(where, "solver", solver, ("exact", "fista"))
    check_regions(where, X, contributions, mode)
    if isinstance(motifs, HitMotifs):
        ready = motifs
    else:
        ready = hit_motifs(
            motifs, hypothetical=mode[0] == "h", lambdas=lambdas, trim=trim, spans=spans, include=include, rename=rename,
            sqrt_transform=sqrt_transform, half=solver == "fista",
        )  # fmt: skip
    caller = HitCaller(ready, int(X.shape[2]), mode, sqrt_transform, post_filter, solver, fista, device_of(device))
    return Hits(*caller(X, contributions, batch_size=batch_size, verbose=verbose), ready, mode)


def check_regions(where: str, X: Any, contributions: Any, mode: str) -> None:
    """Hold sequences and contributions to each other and to the mode."""
    check_choice(where, "mode", mode, ("pp", "ph", "hp", "hh"))
    if len(X.shape) != 3 or X.shape[1] != 4 or not X.shape[0]:
        raise problem(where, "X", got=f"shape {tuple(X.shape)}", need="(N, 4, L), N at least 1", do="one-hot encode")
    n, _, length = X.shape
    shapes = [(n, 4, length)] + ([] if mode[1] == "h" else [(n, length)])
    if tuple(contributions.shape) not in shapes:
        need = " or ".join(map(str, shapes))
        do = (
            "use mode 'pp' for projected ones"
            if len(contributions.shape) == 2 and mode[1] == "h"
            else "match them with X"
        )
        raise problem(where, "contributions", got=f"shape {tuple(contributions.shape)}", need=need, do=do)


class HitCaller:
    """Motifs on a device, ready for regions of one length; what `call_hits` takes, checked.

    Parameters
    ----------
    motifs : HitMotifs
    length : int
        Of the regions.
    mode, sqrt_transform, post_filter, solver, fista
        Of `call_hits`.
    device : str
    """

    def __init__(
        self,
        motifs: HitMotifs,
        length: int,
        mode: str = "pp",
        sqrt_transform: bool = False,
        post_filter: bool = True,
        solver: str = "exact",
        fista: FistaOptions | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        self.motifs, self.mode, self.device = motifs, mode, str(device)
        self.bank = Bank(motifs, length, self.device)
        self._alike = alike_motifs(self.bank)
        self._sqrt, self._post_filter, self._solver, self._fista = sqrt_transform, post_filter, solver, fista

    def __call__(
        self, X: Any, contributions: Any, *, first: int = 0, batch_size: int = 64, verbose: bool = False
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Tables of hits and of regions; `first` is the number of the first region."""
        parts: list[tuple[_Columns, _Columns]] = []

        def step(start: int, end: int) -> None:
            batch = self.scaled(X, contributions, start, end, first)
            parts.append(self._batch(batch, first + start))

        run_batches(n_rows(X), batch_size, step, desc="call_hits", verbose=verbose)
        hits, regions = (_joined(one) for one in zip(*parts, strict=True))
        return pd.DataFrame(hits), pd.DataFrame(regions)

    def scaled(self, X: Any, contributions: Any, start: int, end: int, first: int = 0) -> Scaled:
        """Regions `start` to `end` - 1 as the problem sees them."""
        one_hot = as_array(X[start:end])
        codes = np.where(one_hot.any(axis=1), one_hot.argmax(axis=1), 4)
        values = as_array(contributions[start:end]).astype(np.float64)
        finite = np.isfinite(values).reshape(len(values), -1).all(axis=1)
        if not finite.all():
            got = f"NaN or infinity in region {first + start + int(finite.argmin())}"
            do = "drop the region or set them to 0"
            raise problem("call_hits", "contributions", got=got, need="finite numbers", do=do)
        if self.mode[1] == "p" and values.ndim == 3:
            values = (values * one_hot).sum(axis=1)
        return scale_regions(codes, values, self._sqrt)

    def _batch(self, problem: Scaled, begin: int) -> tuple[_Columns, _Columns]:
        n = len(problem.y)
        regions: _Columns = {"example_idx": np.arange(begin, begin + n)}
        if self._solver == "fista":
            run = solve_fista(problem, self.motifs, self.bank, self.device, self._fista)
            solution = run.solution
            regions |= {name: getattr(run, name) for name in _FACTS}
        else:
            solution = solve_exact(problem, self.bank)
            nll = 0.5 * np.square(solution.residual).sum(axis=(1, 2)) / problem.length
            facts = (nll, solution.gap / problem.length, solution.rounds, np.full_like(nll, np.nan))
            regions |= dict(zip(_FACTS, facts, strict=True))
        regions |= {"relative_gap": solution.relative_gap, "global_scale": problem.g}
        hits = self._columns(problem, solution, begin)
        if self._post_filter:
            kept = hits["similarity"] >= hits["lambda"]
            hits = {name: column[kept] for name, column in hits.items()}
        del hits["lambda"]
        return hits, regions | {"n_hits": np.bincount(hits["example_idx"] - begin, minlength=n)}

    def _columns(self, problem: Scaled, solution: Solution, begin: int) -> _Columns:
        rival, gain = rivals(problem, self.bank, solution, self._alike)
        region, motif, start = solution.windows
        m, found = self.motifs, measure(problem, self.bank, solution)
        names = np.array([*m.names, ""], dtype=object)
        untrimmed = start - m.starts[motif]
        return {
            "example_idx": region + begin,
            "start": start,
            "end": start + (m.ends - m.starts)[motif],
            "name": names[motif],
            "strand": np.array(m.strands, dtype=object)[motif],
            "score": found["coefficient_global"],
            "start_untrimmed": untrimmed,
            "end_untrimmed": untrimmed + m.widths[motif],
            **found,
            "rival": names[rival],
            "tied": gain >= _TIED,
            "lambda": m.lambdas[motif],
        }


def _joined(parts: Sequence[_Columns]) -> _Columns:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

"""What the patterns report reads: patterns, known motifs, and, where they are given, the sequences behind them.

In: a checked record of parameters.  Out: `Patterned`.  Sequences stand in the order of their numbers of seqlets, and so do
the seqlets that point at them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..errors import FormatError, problem
from .parameters import PatternsParameters

if TYPE_CHECKING:
    from ..motif import MotifSet, PatternSet

__all__ = ["Patterned", "read_patterns"]

_FLANK = 12  # bases on either side of the demo's planted sites


@dataclass(frozen=True)
class Patterned:
    """Patterns and what goes with them.

    Attributes
    ----------
    patterns : PatternSet
    known : MotifSet
        What patterns are compared with.
    seqlets : DataFrame
        As `pattern_seqlets` gives them, cut to the cores; positions of the whole sequences where these are known.
    shown : one-hot array (n, 4, L) or None
        The sequences with the most seqlets.
    contributions : float32 array (n, L) or None
        Of the bases that are there.
    names : list of str
        Of the sequences shown.
    place : int array
        Where each of TF-MoDISco's sequences stands in the order of how many seqlets they have: those shown come first.
    planted : DataFrame or None
        name and planted, in the demo.
    """

    patterns: PatternSet
    known: MotifSet
    seqlets: pd.DataFrame
    shown: np.ndarray | None
    contributions: np.ndarray | None
    names: list[str]
    place: np.ndarray
    planted: pd.DataFrame | None

    @property
    def rows(self) -> np.ndarray | None:
        """The row of each of TF-MoDISco's sequences among those shown, -1 for the others; None where none are shown."""
        return None if self.shown is None else np.where(self.place < len(self.shown), self.place, -1)

    @property
    def ranked(self) -> pd.DataFrame:
        """The seqlets by the rows of the sequences shown; those of other sequences have larger numbers."""
        return self.seqlets.assign(example_idx=self.place[self.seqlets["example_idx"].to_numpy(np.int64)])


def read_patterns(asked: PatternsParameters) -> Patterned:
    """Read the patterns, the known motifs, and the sequences if they are given.

    Examples
    --------
    >>> from nbinterp.report import check_parameters
    >>> found = read_patterns(check_parameters("patterns", {"demo": True, "n_demo": 20}))
    >>> len(found.patterns), found.shown.shape, "ETS" in set(found.planted["planted"])
    (7, (20, 4, 400), True)
    """
    from ..motif import pattern_seqlets, read_modisco, read_motifs

    known = read_motifs(asked.motifs or f"jaspar:{asked.tax_group or 'all'}", dtype="float64")
    names: list[str] = []
    X: Any = None
    scores: Any = None
    planted: pd.DataFrame | None = None
    if asked.demo:
        patterns, X, scores, planted = _demo(asked)
        names = [f"demo_{i}" for i in range(len(X))]
    else:
        patterns = read_modisco(asked.modisco)
        if asked.attributions:
            X, scores, names = _sequences(asked)
    seqlets = pattern_seqlets(patterns, None if X is None else X.shape[-1], fraction=asked.trim)
    counts = np.bincount(seqlets["example_idx"].to_numpy(np.int64), minlength=0 if X is None else len(X))
    if X is not None and len(counts) > len(X):
        raise problem(
            asked.where, "fasta, loci", got=f"{len(X)} sequences", need=f"at least {len(counts)}, as seqlets point at",
            do="pass all that TF-MoDISco was given, in its order",
        )  # fmt: skip
    order = np.argsort(-counts, kind="stable")
    place = np.argsort(order)
    if X is None:
        return Patterned(patterns, known, seqlets, None, None, names, place, planted)
    few = order[: asked.n_shown]
    shown = np.asarray(X[few].to_one_hot() if hasattr(X, "to_one_hot") else X[few])
    observed = (shown * np.asarray(scores[few], np.float32)).sum(axis=1)
    return Patterned(patterns, known, seqlets, shown, observed, [names[i] for i in few], place, planted)


def _sequences(asked: PatternsParameters) -> tuple[Any, np.ndarray, list[str]]:
    """Sequences, attributions of the same shape, and names."""
    from ..sequence import read_sequences

    scores = _array(asked)
    found = read_sequences(
        asked.fasta or None, asked.loci or None, asked.genome or None, None if asked.fasta else scores.shape[-1]
    )
    if tuple(found.X.shape) != scores.shape:
        raise problem(
            asked.where, "attributions", got=f"shape {scores.shape}", need=f"{tuple(found.X.shape)}, as the sequences",
            do="pass what TF-MoDISco was given with them",
        )  # fmt: skip
    return found.X, scores, found.names


def _array(asked: PatternsParameters) -> np.ndarray:
    """The array of an npz or npy file."""
    try:
        held = np.load(asked.attributions, allow_pickle=False, mmap_mode="r")
        found: np.ndarray = held if isinstance(held, np.ndarray) else held[held.files[0]]
        numbers = np.issubdtype(found.dtype, np.number) and found.ndim == 3 and found.shape[1] == 4
    except (OSError, ValueError, IndexError, EOFError) as error:
        raise problem(
            asked.where, "attributions", got=f"{asked.attributions}, which cannot be read ({error})",
            need="an npz or npy file", do="check the path", kind=FormatError,
        ) from error  # fmt: skip
    if not numbers:
        raise problem(
            asked.where, "attributions", got=f"{found.dtype} of shape {found.shape}", need="numbers (N, 4, L)",
            do="transpose it", kind=FormatError,
        )  # fmt: skip
    return found


def _demo(asked: PatternsParameters) -> tuple[PatternSet, Any, Any, pd.DataFrame]:
    """Planted sites with their flanks as seqlets: what TF-MoDISco would find if it missed nothing."""
    from .. import demo
    from ..attribution import deep_lift_shap
    from ..motif import patterns_from_seqlets

    X, truth = demo.sequences(asked.n_demo, random_state=asked.random_state)
    model = demo.load_model()
    scores = deep_lift_shap(model, X, n_shuffles=5, hypothetical=True, random_state=asked.random_state, device="cpu")
    sites = truth.assign(start=truth["start"] - _FLANK, end=truth["end"] + _FLANK)
    sites = sites[(sites["start"] >= 0) & (sites["end"] <= demo.LENGTH)]
    patterns = patterns_from_seqlets(X, scores, sites)
    keys = ["example_idx", "start", "end", "strand"]
    named = patterns.seqlets().merge(sites.rename(columns={"name": "planted"}), on=keys)
    return patterns, X, scores, named[["name", "planted"]].drop_duplicates(ignore_index=True)

"""Which motifs a set of sequences has more often than its controls.

In: sequences, control sequences, motifs.  Out: a table, one row a motif: how many sequences of each set have it, the
ratio, p- and q-values.

A sequence has a motif when one of its windows is a hit of `fimo`; how many hits it has does not count, so that a repeat
counts once.  The threshold is fixed beforehand, not chosen to suit the data, so that p-values need no correction for it.

Source: Fisher's exact test on sequences with at least one hit is that of McLeay and Bailey, BMC Bioinformatics 2010
(AME); the binomial test for controls of another length is that of Bailey and Grant, bioRxiv 2021 (SEA).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import pandas as pd
import torch

from ..core.check import check_choice
from ..errors import problem
from .fdr import q_values
from .fimo import DNA, stream_fimo
from .formats import read_motifs
from .letters import as_letters
from .score import motif_arrays

__all__ = ["motif_enrichment"]

_TESTS: Final = ("fisher", "binomial")


class _Set(NamedTuple):
    """A set of sequences: the length of each, and for each motif how many have it and how many hits there are."""

    lengths: np.ndarray
    having: np.ndarray
    hits: np.ndarray

    def windows(self, widths: np.ndarray) -> np.ndarray:
        """How many places each motif can lie at."""
        length, n = np.unique(self.lengths, return_counts=True)
        places: np.ndarray = n @ np.clip(length[:, None] - widths + 1, 0, None)
        return places


def motif_enrichment(
    X: Any,
    control: Any,
    motifs: str | os.PathLike[str] | Mapping[str, Any],
    threshold: float = 0.0001,
    *,
    test: Literal["fisher", "binomial"] | None = None,
    reverse_complement: bool = True,
    background: Sequence[float] | str | None = None,
    verbose: bool = False,
    device: torch.device | str | None = None,
) -> pd.DataFrame:
    """Test whether more sequences have a motif than of their controls.

    Parameters
    ----------
    X : one-hot (N, 4, L), compact container, Sequences or path of a FASTA file
        Sequences of interest, such as the centres of peaks.
    control : the same, or (M, n, 4, L) as `dinucleotide_shuffle` gives
        What to compare with: shuffled sequences, or others that are alike in all but what is asked.
    motifs : MotifSet, mapping of name to matrix (4, w), or path of a motif file
        Motifs to test.
    threshold : float
        P-value of a window below which it is a hit (`fimo`).
    test : {"fisher", "binomial"}, optional
        "fisher" asks how probable it is that as many of all sequences with the motif are in `X`; "binomial" does so for
        sequences of unequal length, drawn by how many windows each set has.  By default "fisher" where the mean lengths
        are equal, else "binomial".
    reverse_complement, background, verbose, device
        As in `fimo`.

    Returns
    -------
    DataFrame
        Most significant first: name, motif_idx, n and n_control (sequences that have the motif), fraction and
        fraction_control, ratio (of these fractions, as if one sequence more had the motif, shared between the sets by
        their sizes: never infinite, and 1 where nothing was found), hits and hits_control (windows, on both strands),
        p-value (one-sided), log10_p-value (which tells p-values apart that are too small to differ from 0) and q-value
        (Benjamini-Hochberg over the motifs).

    Raises
    ------
    NbinterpError
        For no sequences or another test, and as `fimo`.

    Notes
    -----
    Motifs of one family find the same sites: many rows can stand for one factor.  Several shuffles of one sequence are
    counted as if they were independent of each other.

    Examples
    --------
    >>> from nbinterp.sequence import random_one_hot, substitute
    >>> motifs = {"GATAAG": torch.eye(4)[:, [2, 0, 3, 0, 0, 2]], "CCCGGG": torch.eye(4)[:, [1, 1, 1, 2, 2, 2]]}
    >>> control = random_one_hot((50, 4, 100), random_state=0)
    >>> found = motif_enrichment(substitute(control, "TTGATAAGAA"), control, motifs, threshold=0.001)
    >>> found[["name", "n", "n_control", "ratio"]].round(2).values.tolist()
    [['GATAAG', 50, 1, 33.67], ['CCCGGG', 3, 3, 1.0]]
    """
    where = "motif_enrichment"
    if test is not None:
        check_choice(where, "test", test, _TESTS)
    if len(getattr(control, "shape", ())) == 4:
        control = control.reshape(-1, *control.shape[2:])
    if isinstance(motifs, (str, os.PathLike)):
        motifs = read_motifs(motifs, dtype=torch.float64)
    arrays = motif_arrays(where, motifs)
    options = {"reverse_complement": reverse_complement, "background": background, "verbose": verbose, "device": device}
    found, null = (_scan(name, one, motifs, threshold, options) for name, one in (("X", X), ("control", control)))
    n, m = len(found.lengths), len(null.lengths)
    if test is None:
        test = "fisher" if np.isclose(found.lengths.mean(), null.lengths.mean(), rtol=1e-4) else "binomial"
    if test == "fisher":
        log_p = _fisher(found.having, null.having, n, m)
    else:
        widths = np.array([one.shape[1] for one in arrays.values()])
        places, other = found.windows(widths), null.windows(widths)
        log_p = _binomial(found.having, found.having + null.having, places / np.maximum(places + other, 1))
    p, share = np.exp(log_p), n / (n + m)
    table = pd.DataFrame(
        {
            "name": np.asarray(list(arrays), dtype=object),
            "motif_idx": np.arange(len(arrays)),
            "n": found.having,
            "n_control": null.having,
            "fraction": found.having / n,
            "fraction_control": null.having / m,
            "ratio": (found.having + share) / n / ((null.having + 1 - share) / m),
            "hits": found.hits,
            "hits_control": null.hits,
            "p-value": p,
            "log10_p-value": log_p / np.log(10),
            "q-value": q_values(p),
        }
    )
    return table.sort_values(["log10_p-value", "ratio"], ascending=[True, False], kind="stable", ignore_index=True)


def _scan(argument: str, sequences: Any, motifs: Mapping[str, Any], threshold: float, options: dict[str, Any]) -> _Set:
    lengths = np.array([len(codes) for codes in as_letters(sequences, DNA).sequences()])
    if not len(lengths):
        raise problem("motif_enrichment", argument, got="no sequences", need="at least one", do="pass some")
    pairs, hits = [np.empty(0, np.int64)], np.zeros(len(motifs), np.int64)
    for part in stream_fimo(motifs, sequences, threshold=threshold, **options):
        motif = part["motif_idx"].to_numpy()
        hits += np.bincount(motif, minlength=len(motifs))
        pairs.append(np.unique(motif * len(lengths) + part["example_idx"].to_numpy()))
    having = np.bincount(np.unique(np.concatenate(pairs)) // len(lengths), minlength=len(motifs))
    return _Set(lengths, having, hits)


def _fisher(a: np.ndarray, b: np.ndarray, n: int, m: int) -> np.ndarray:
    """Log-probability that of all ``a + b`` sequences with a motif `a` or more are among `n` drawn from ``n + m``."""
    total = a + b
    return np.array(
        [
            _log_sum(_choose(n, k) + _choose(m, t - k)) - _choose(n + m, np.array([t]))[0]
            for t, k in ((t, np.arange(one, min(t, n) + 1)) for one, t in zip(a.tolist(), total.tolist(), strict=True))
        ]
    ).clip(max=0)


def _binomial(a: np.ndarray, total: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Log-probability that of `total` sequences with a motif `a` or more are of a set that each is of by `chance`."""
    out = np.zeros(len(a))
    for i, (one, t, q) in enumerate(zip(a.tolist(), total.tolist(), chance.tolist(), strict=True)):
        if one and 0 < q < 1:  # else as many are certain
            k = np.arange(one, t + 1)
            out[i] = min(0.0, _log_sum(_choose(t, k) + k * np.log(q) + (t - k) * np.log1p(-q)))
    return out


def _choose(n: int, k: np.ndarray) -> np.ndarray:
    """Logarithms of binomial coefficients; minus infinity where `k` is out of range."""
    possible = (k >= 0) & (k <= n)
    k = np.where(possible, k, 0)
    parts = torch.lgamma(torch.from_numpy(np.stack([np.full_like(k, n), k, n - k]).astype(np.float64) + 1)).numpy()
    return np.where(possible, parts[0] - parts[1] - parts[2], -np.inf)


def _log_sum(terms: np.ndarray) -> float:
    top = float(terms.max())
    return top + float(np.log(np.exp(terms - top).sum()))

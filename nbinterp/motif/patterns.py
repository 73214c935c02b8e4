"""What TF-MoDISco's patterns amount to: their cores, their seqlets, their numbers.

In: a `PatternSet`, read from a file or made of spans with `patterns_from_seqlets`.  Out: one table of the patterns, and one
of the seqlets, which views along sequences and the functions of `annotation` take.  Contributions are of the bases that
are there, summed over a seqlet.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..core.arrays import numpy_of
from ..core.tables import ANNOTATIONS, check_spans, check_table
from ..errors import problem
from .modisco import Pattern, PatternSet

__all__ = ["pattern_core", "pattern_seqlets", "pattern_table", "patterns_from_seqlets", "seqlet_contributions"]

_PSEUDOCOUNT = 1e-3


def pattern_core(pattern: Pattern, fraction: float = 0.3, pad: int = 0) -> tuple[int, int]:
    """Where the part of a pattern lies that carries it, 0-based and half-open.

    Parameters
    ----------
    pattern : Pattern
    fraction : float
        From the first to the last column whose absolute contributions sum to at least this part of the strongest
        column's.  A pattern without any contribution is its own core.
    pad : int
        Columns more on either side, as far as there are any.

    Returns
    -------
    start, end : int
        Columns of the pattern; both 0 of a pattern without columns.

    Examples
    --------
    >>> cwm = np.array([[0.0, 0.1, 1.0, 0.5, 0.0]] * 4)
    >>> pattern_core(Pattern("pos_patterns.pattern_0", cwm, cwm, cwm, pd.DataFrame(), {}))
    (2, 4)
    """
    weight = np.abs(pattern.contrib_scores).sum(axis=0)
    strong = np.flatnonzero(weight >= fraction * weight.max(initial=0))
    if not len(strong):
        return 0, 0
    return max(int(strong[0]) - pad, 0), min(int(strong[-1]) + 1 + pad, len(weight))


def seqlet_contributions(pattern: Pattern) -> np.ndarray:
    """Say what each seqlet contributes, summed over its bases.

    Parameters
    ----------
    pattern : Pattern

    Returns
    -------
    float64 array (n,)
        In the units of the attributions that TF-MoDISco was given; NaN where the file holds no seqlets' arrays.

    Examples
    --------
    >>> seqlets = pd.DataFrame({"example_idx": [3], "start": [5], "end": [9], "strand": ["+"]})
    >>> arrays = {"contrib_scores": np.eye(4)[None] * 0.5}
    >>> seqlet_contributions(Pattern("pos_patterns.pattern_0", np.eye(4), np.eye(4), np.eye(4), seqlets, arrays))
    array([2.])
    """
    each = pattern.seqlet_arrays.get("contrib_scores")
    if each is None:
        return np.full(pattern.n_seqlets, np.nan)
    total: np.ndarray = each.sum(axis=(1, 2), dtype=np.float64)
    return total


def pattern_seqlets(patterns: PatternSet, length: int | None = None, *, fraction: float | None = None) -> pd.DataFrame:
    """All seqlets in one table, as views and counts take it.

    Parameters
    ----------
    patterns : PatternSet
    length : int, optional
        Length of the whole sequences: positions are then theirs, and those of TF-MoDISco's window otherwise.
    fraction : float, optional
        Cut each seqlet to what lies under its pattern's core, see `pattern_core`; whole seqlets are mostly flanks.

    Returns
    -------
    DataFrame
        example_idx, start, end, name (of the pattern), strand, attribution (see `seqlet_contributions`).

    Raises
    ------
    NbinterpError
        As `PatternSet.seqlets`.

    Examples
    --------
    >>> seqlets = pd.DataFrame({"example_idx": [3, 4], "start": [5, 0], "end": [9, 4], "strand": ["+", "-"]})
    >>> cwm = np.eye(4) * [0.0, 1.0, 1.0, 1.0]
    >>> patterns = PatternSet((Pattern("pos_patterns.pattern_0", np.eye(4), cwm, cwm, seqlets, {}),))
    >>> pattern_seqlets(patterns, fraction=0.3)[["example_idx", "start", "end"]].values.tolist()
    [[3, 6, 9], [4, 0, 3]]
    """
    table = patterns.seqlets(length)
    table["attribution"] = np.concatenate([seqlet_contributions(p) for p in patterns] or [np.zeros(0)])
    if fraction is not None and len(table):
        sizes = [p.n_seqlets for p in patterns]
        cores = np.array([pattern_core(p, fraction) for p in patterns])
        left, right = np.repeat(np.c_[cores[:, 0], [p.sequence.shape[1] for p in patterns] - cores[:, 1]], sizes, 0).T
        turned = (table["strand"] == "-").to_numpy()
        table["start"] += np.where(turned, right, left)
        table["end"] -= np.where(turned, left, right)
    return table


def pattern_table(patterns: PatternSet, *, fraction: float = 0.3) -> pd.DataFrame:
    """Say what each pattern is, one row each.

    Parameters
    ----------
    patterns : PatternSet
    fraction : float
        Of cores, see `pattern_core`.

    Returns
    -------
    DataFrame
        name; sign (+ adds to the prediction); n_seqlets, n_examples (sequences that have one), n_subpatterns; consensus
        and width of the core; information, bits of the core; gc, of the core; contribution, mean over the seqlets, and its
        standard deviation contribution_sd (NaN without seqlets' arrays); distance, median of how far seqlets' centres lie
        from the middle of the window, in bases (NaN where the file does not say how wide that is, or there are no
        seqlets).  Contributions have the units of the attributions.  Information is against uniform letters, with a
        pseudocount of 0.001 a letter.

    Examples
    --------
    >>> seqlets = pd.DataFrame({"example_idx": [3, 3], "start": [5, 9], "end": [9, 13], "strand": ["+", "-"]})
    >>> one = Pattern("pos_patterns.pattern_0", np.eye(4)[:, [2, 0, 3, 0]], np.eye(4), np.eye(4), seqlets, {})
    >>> row = pattern_table(PatternSet((one,), window_size=20)).loc[0]
    >>> row["consensus"], int(row["n_seqlets"]), int(row["n_examples"]), float(row["contribution"]), float(row["distance"])
    ('GATA', 2, 1, 4.0, 2.0)
    """
    columns = (
        "name", "sign", "n_seqlets", "n_examples", "n_subpatterns", "consensus", "width", "information", "gc",
        "contribution", "contribution_sd", "distance",
    )  # fmt: skip
    rows = [_row(pattern, patterns.window_size, fraction) for pattern in patterns]
    return pd.DataFrame(rows, columns=columns)


def _row(pattern: Pattern, window: int | None, fraction: float) -> tuple[Any, ...]:
    first, last = pattern_core(pattern, fraction)
    core = pattern.sequence[:, first:last]
    p = (core + _PSEUDOCOUNT) / (core.sum(axis=0) + 4 * _PSEUDOCOUNT)
    each, n = seqlet_contributions(pattern), pattern.n_seqlets
    known = n > 0 and bool(np.isfinite(each).all())
    centres = (pattern.seqlets["start"] + pattern.seqlets["end"]).to_numpy(float) / 2
    return (
        pattern.name,
        "+" if pattern.positive else "-",
        n,
        pattern.seqlets["example_idx"].nunique(),
        len(pattern.subpatterns),
        "".join("ACGT"[i] for i in core.argmax(axis=0)),
        last - first,
        float(np.sum(2 + (p * np.log2(p)).sum(axis=0))),
        float(p[1:3].sum() / max(last - first, 1)),
        float(pattern.contrib_scores.sum()),  # the mean of sums is the sum of means
        float(each.std()) if known else np.nan,
        float(np.median(np.abs(centres - window / 2))) if n and window is not None else np.nan,
    )


def patterns_from_seqlets(X: Any, attributions: Any, seqlets: pd.DataFrame) -> PatternSet:
    """Make patterns of spans that have names: hits, annotated seqlets, planted sites.

    Spans of one name are laid over each other, those of the - strand turned round, and averaged as TF-MoDISco does with the
    seqlets of a pattern.  So whatever names spans gives what TF-MoDISco's own tools, and ours, read.

    Parameters
    ----------
    X : one-hot (N, 4, L)
    attributions : (N, 4, L)
        Hypothetical contributions, as TF-MoDISco takes them.
    seqlets : DataFrame
        example_idx, start, end, name and, where known, strand; spans of one name have one width.

    Returns
    -------
    PatternSet
        The sign is that of the mean contribution; numbers go by size.  `window_size` is L.

    Raises
    ------
    NbinterpError
        For shapes that differ, spans outside, or spans of one name and several widths.

    Examples
    --------
    >>> X = np.eye(4)[None, :, [0, 2, 0, 3, 0, 1, 1, 3, 0, 3, 1, 1]]
    >>> spans = pd.DataFrame({"example_idx": 0, "start": [1, 7], "end": [5, 11], "name": "GATA", "strand": ["+", "-"]})
    >>> patterns = patterns_from_seqlets(X, X * 0.5, spans)
    >>> pattern_table(patterns)[["name", "n_seqlets", "consensus"]].values.tolist()
    [['pos_patterns.pattern_0', 2, 'GATA']]
    """
    where = "patterns_from_seqlets"
    one_hot, hypothetical = (numpy_of(v) for v in (X, attributions))
    if one_hot.ndim != 3 or one_hot.shape[1] != 4 or one_hot.shape != hypothetical.shape:
        got = f"shape {hypothetical.shape}, and X of shape {one_hot.shape}"
        raise problem(where, "attributions", got=got, need="both (N, 4, L)", do="pass hypothetical contributions")
    check_table(where, "seqlets", seqlets, {**ANNOTATIONS, "name": "str"})
    check_spans(where, "seqlets", seqlets, len(one_hot), one_hot.shape[2])
    made = [_made(where, str(name), one, one_hot, hypothetical) for name, one in seqlets.groupby("name", sort=False)]
    numbered = []
    for group, positive in (("pos_patterns", True), ("neg_patterns", False)):
        some = [p for p in made if (p.contrib_scores.sum() >= 0) == positive]
        some.sort(key=lambda p: -p.n_seqlets)
        numbered += [
            Pattern(
                f"{group}.pattern_{i}",
                p.sequence,
                p.contrib_scores,
                p.hypothetical_contribs,
                p.seqlets,
                p.seqlet_arrays,
            )
            for i, p in enumerate(some)
        ]
    return PatternSet(tuple(numbered), window_size=one_hot.shape[2])


def _made(where: str, name: str, spans: pd.DataFrame, X: np.ndarray, hypothetical: np.ndarray) -> Pattern:
    """One pattern of the spans of a name."""
    widths = (spans["end"] - spans["start"]).unique()
    if len(widths) != 1 or widths[0] < 1:
        raise problem(
            where, "seqlets", got=f"{name!r} of {' and '.join(map(str, sorted(widths)))} positions", need="one width",
            do="extend the spans about their centres to one width",
        )  # fmt: skip
    strand = spans["strand"] if "strand" in spans else pd.Series("+", index=spans.index)
    table = spans[list(ANNOTATIONS)].assign(strand=strand.where(strand == "-", "+").to_numpy(object))
    table = table.reset_index(drop=True)
    at = table["start"].to_numpy()[:, None] + np.arange(widths[0])
    turned = (table["strand"] == "-").to_numpy()[:, None, None]

    def cut(values: np.ndarray) -> np.ndarray:
        found = values[table["example_idx"].to_numpy()[:, None], :, at].transpose(0, 2, 1)
        return np.where(turned, found[:, ::-1, ::-1], found).astype(np.float32)

    arrays = {"sequence": cut(X), "hypothetical_contribs": cut(hypothetical)}
    arrays["contrib_scores"] = arrays["sequence"] * arrays["hypothetical_contribs"]
    mean = {key: array.mean(axis=0, dtype=np.float64) for key, array in arrays.items()}
    return Pattern(name, mean["sequence"], mean["contrib_scores"], mean["hypothetical_contribs"], table, arrays)

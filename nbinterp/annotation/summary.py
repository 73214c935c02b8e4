"""What the annotations of a name have in common.

In: annotations, with the attribution under each where it is known; sequences and their attributions.  Out: a row a name,
of how many, how strong and where; and the motif that the annotations make together, as letters and as contributions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..core.arrays import numpy_of
from ..core.batches import n_rows
from ..core.tables import check_spans
from ..errors import problem
from ..motif import MotifSet
from .table import as_annotations

__all__ = ["average_annotations", "summarize_annotations"]


def summarize_annotations(annotations: pd.DataFrame, n_examples: int, level: float = 0.9) -> pd.DataFrame:
    """Say of each name how often it occurs, in how many sequences, how strong and where.

    Parameters
    ----------
    annotations : DataFrame
        example_idx, start, end, name, and where known strand and attribution.
    n_examples : int
        Sequences that were annotated, those without any included.
    level : float
        Part of the attributions, and of the positions, that the given spans hold, in the middle.

    Returns
    -------
    DataFrame
        name, count, examples (with one or more), share (of all examples), most (in one example); attribution (median),
        attribution_low, attribution_high where there is attribution; position (median centre), position_low,
        position_high; plus (part on the + strand) where there is strand.  Most frequent first, of equals the strongest.

    Raises
    ------
    NbinterpError
        For annotations without names, an example beyond `n_examples`, or a level out of range.

    Examples
    --------
    >>> hits = pd.DataFrame({"example_idx": [0, 0, 2], "start": [4, 20, 8], "end": [10, 26, 14], "name": ["a", "a", "b"],
    ...                      "attribution": [1.0, 2.0, -0.5]})
    >>> summarize_annotations(hits, 4)[["name", "count", "examples", "share", "attribution"]].values.tolist()
    [['a', 2, 1, 0.25, 1.5], ['b', 1, 1, 0.25, -0.5]]
    """
    where = "summarize_annotations"
    table = _named(where, annotations)
    if len(table) and table["example_idx"].max() >= n_examples:
        raise problem(where, "n_examples", got=f"{n_examples}, and example {table['example_idx'].max()}",
                      need="all sequences that were annotated", do="pass their number")  # fmt: skip
    if not 0 < level < 1:
        raise problem(where, "level", got=level, need="between 0 and 1", do="0.9 is usual")
    table = table.assign(position=(table["start"] + table["end"]) / 2)
    groups = table.groupby("name", sort=True)
    counts = table.groupby(["name", "example_idx"]).size().groupby("name")
    out = pd.DataFrame({"count": groups.size(), "examples": counts.size()})
    out["share"] = out["examples"] / max(n_examples, 1)
    out["most"] = counts.max()
    for column in ("attribution", "position"):
        if column in table.columns:
            out[column] = groups[column].median()
            for side, tail in (("low", (1 - level) / 2), ("high", (1 + level) / 2)):
                out[f"{column}_{side}"] = groups[column].quantile(tail)
    if "strand" in table.columns:
        out["plus"] = (table["strand"] == "+").groupby(table["name"]).mean()
    strength = out["attribution"].abs() if "attribution" in out.columns else out["share"]
    order = np.lexsort((-strength.to_numpy(), -out["count"].to_numpy()))
    return out.iloc[order].reset_index(names="name")


def average_annotations(X: Any, X_attr: Any, annotations: pd.DataFrame) -> MotifSet:
    """Average the sequence and the attribution under the annotations of each name.

    Parameters
    ----------
    X : one-hot (N, 4, L) or compact sequences
        What was annotated.
    X_attr : tensor or array, shape (N, L) or (N, 4, L)
        Attributions; of four bases the observed one's counts.
    annotations : DataFrame
        example_idx, start, end, name, and where known strand: annotations on - are turned round.

    Returns
    -------
    MotifSet
        By name, most frequent first: frequencies of the bases, mean contributions, and how many annotations they are
        made of.  Where widths differ, as at the ends of a sequence, those of the most frequent width are averaged.

    Raises
    ------
    NbinterpError
        For annotations without names or outside their sequences, or attributions of another shape.

    Examples
    --------
    >>> X = np.eye(4)[:, [0, 0, 2, 3, 3, 1]][None]
    >>> hits = pd.DataFrame({"example_idx": [0], "start": [1], "end": [4], "name": ["GAT"], "strand": ["-"]})
    >>> motifs = average_annotations(X, np.arange(6.0)[None], hits)
    >>> motifs.consensus("GAT"), motifs.cwm("GAT").sum(dim=0).tolist()
    ('ACT', [3.0, 2.0, 1.0])
    """
    where = "average_annotations"
    table = _named(where, annotations)
    letters = np.asarray(_dense(X))
    scores = _dense(X_attr)
    n, length = n_rows(letters), letters.shape[-1]
    if scores.shape not in ((n, length), letters.shape):
        raise problem(where, "X_attr", got=f"shape {scores.shape}", need=f"{(n, length)} or {letters.shape}",
                      do="pass the attributions of X")  # fmt: skip
    example, start, end = check_spans(where, "annotations", table, n, length)
    turned = (table["strand"] == "-").to_numpy() if "strand" in table.columns else np.zeros(len(table), bool)
    names = table["name"].to_numpy(dtype=object)
    counts = table["name"].value_counts(sort=False).sort_index().sort_values(ascending=False, kind="stable")
    frequencies, contributions, sites = {}, [], []
    for name in counts.index:
        rows = np.flatnonzero(names == name)
        widths = np.bincount((end - start)[rows])
        rows = rows[(end - start)[rows] == widths.argmax()]
        at = (example[rows, None], start[rows, None] + np.arange(widths.argmax()))
        base = letters[at[0], :, at[1]].astype(np.float64)  # (sites, width, 4)
        score = base * scores[at][:, :, None] if scores.ndim == 2 else base * scores[at[0], :, at[1]]
        both = [np.where(turned[rows, None, None], one[:, ::-1, ::-1], one).mean(axis=0).T for one in (base, score)]
        frequencies[str(name)] = both[0].astype(np.float32)
        contributions.append(both[1].astype(np.float32))
        sites.append(len(rows))
    return MotifSet(frequencies, n_sites=sites, contributions=contributions, source="average of annotations")


def _named(where: str, annotations: pd.DataFrame) -> pd.DataFrame:
    table = as_annotations(annotations)
    if "name" not in table.columns:
        raise problem(where, "annotations", got=f"columns {', '.join(map(str, table.columns))}", need="a column name too",
                      do="name the seqlets with annotate_seqlets")  # fmt: skip
    return table


def _dense(values: Any) -> np.ndarray:
    if hasattr(values, "to_one_hot"):
        values = values.to_one_hot()
    return numpy_of(values)

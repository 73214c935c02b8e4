"""The mechanism summary matrix: how free each position is in each cluster.

In: sums by cluster.  Out: tables of clusters by positions: entropy, agreement with the consensus and with the reference;
and tables of the clusters' activities and their order.

A position that a mechanism needs hardly varies among the sequences of its cluster; one that it does not need varies as
the library does; one whose loss made the mechanism varies more.
Source: Seitz et al., SEAM (2025), `MetaExplainer`.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from ..core.check import check_choice
from ..errors import problem
from .summary_rows import read_activity, read_labels, read_reference
from .summary_sums import FineSums

__all__ = ["background_entropy", "cluster_order", "cluster_statistics", "entropy_matrix", "summary_matrix"]

COLUMNS: Final = ("Entropy", "Consensus", "Reference")
_EPSILON: Final = 1e-10  # SEAM's, in the logarithm


def background_entropy(rate: float = 0.1, n_letters: int = 4) -> float:
    """Bits at a position that is mutated at a rate and selected for nothing.

    Raises
    ------
    NbinterpError
        For a rate outside 0 to 1.

    Examples
    --------
    >>> round(background_entropy(0.1), 4), background_entropy(0.75)
    (0.6275, 2.0)
    """
    if not 0 <= rate <= 1:
        raise problem("background_entropy", "rate", got=rate, need="between 0 and 1", do="pass mutations a base")
    p = np.array([1 - rate, *[rate / (n_letters - 1)] * (n_letters - 1)])
    p = p[p > 0]
    return float(-(p * np.log2(p)).sum() + 0.0)


def entropies(sums: FineSums, epsilon: float = 0.0) -> np.ndarray:
    """Bits of the letters at each position of each cluster, ``(K, W)``; 0 where no letter is known."""
    p = sums.frequencies
    return np.asarray(-(p * np.log2(np.where(p > 0, p, 1) + epsilon)).sum(axis=1) + 0.0)


def summary_matrix(sums: FineSums, reference: Any = None) -> pd.DataFrame:
    """Sum up each position of each cluster.

    Parameters
    ----------
    sums : FineSums
        Of the clusters to be shown: merge finer ones first.
    reference : str, one-hot (4, L) or codes (L,), optional
        What sequences are compared with.

    Returns
    -------
    DataFrame
        One row a cluster and position, as SEAM has it: Cluster (label), Position (in the sequence), with a reference
        Reference (percent that do *not* hold the reference's base), Consensus (percent that hold the cluster's commonest
        base) and Entropy (bits).

    Raises
    ------
    NbinterpError
        When the reference does not cover the window.

    Notes
    -----
    Entropy is ``-sum p log2(p + 1e-10)``, as in SEAM.  Percentages are of all sequences; p is among known bases, which
    SEAM takes an unknown base for an A.  A base that is unknown in the reference agrees with none.

    Examples
    --------
    >>> from nbinterp.mechanism.summary_sums import fine_sums
    >>> sums = fine_sums(np.zeros((4, 4, 2)), ["AC", "AC", "AG", "AT"], [0, 0, 0, 0])
    >>> summary_matrix(sums, "AG").round(3).values.tolist()
    [[0.0, 0.0, 0.0, 100.0, -0.0], [0.0, 1.0, 75.0, 50.0, 1.5]]
    """
    k, width = len(sums), sums.end - sums.start
    share = 100 * sums.letters / sums.n[:, None, None]
    table = {
        "Cluster": np.repeat(sums.labels, width),
        "Position": np.tile(np.arange(sums.start, sums.end), k),
    }
    if reference is not None:
        codes = read_reference("summary_matrix", reference, sums.start, sums.end)
        agree = share[:, np.minimum(codes, 3), np.arange(width)]
        table["Reference"] = (100 - np.where(codes < 4, agree, 0)).ravel()
    table["Consensus"] = share.max(axis=1).ravel()
    table["Entropy"] = entropies(sums, _EPSILON).ravel()
    return pd.DataFrame(table)


def entropy_matrix(sums: FineSums, *, rate: float | None = None) -> pd.DataFrame:
    """Bits at each position (columns) of each cluster (rows).

    Parameters
    ----------
    sums : FineSums
    rate : float, optional
        Give the difference to the entropy of a position mutated at this rate: negative where a cluster keeps a base,
        positive where it is defined by having lost one.

    Examples
    --------
    >>> from nbinterp.mechanism.summary_sums import fine_sums
    >>> sums = fine_sums(np.zeros((2, 4, 2)), ["GAC", "GAT"], [7, 7], start=1)
    >>> entropy_matrix(sums).abs().round(2).loc[7].to_dict()
    {1: 0.0, 2: 1.0}
    """
    values = entropies(sums, _EPSILON) - (0 if rate is None else background_entropy(rate))
    positions = pd.RangeIndex(sums.start, sums.end, name="Position")
    return pd.DataFrame(values, index=pd.Index(sums.labels, name="Cluster"), columns=positions)


def cluster_statistics(labels: Any, y: Any, *, reference_row: int | None = 0) -> pd.DataFrame:
    """Describe the activities of each cluster.

    Parameters
    ----------
    labels : sequence of int, (N,)
        The cluster of each row; -1 is noise, and left out.
    y : sequence of float, (N,)
        Activities.
    reference_row : int or None
        The row of the reference; None where it is not in the library.

    Returns
    -------
    DataFrame
        Indexed by Cluster, ascending: n, median, mean, std, q25, q75, iqr, reference (whether it holds the reference) and
        rank, the cluster's place by ascending median (equal medians by label).

    Raises
    ------
    NbinterpError
        When rows do not match, activities are not finite, or the reference's row is not there.

    Examples
    --------
    >>> cluster_statistics([0, 0, 1, 1], [3.0, 5.0, 1.0, 2.0])[["n", "median", "reference", "rank"]].values.tolist()
    [[2, 4.0, True, 1], [2, 1.5, False, 0]]
    """
    where = "cluster_statistics"
    n = np.shape(labels)[0] if np.ndim(labels) else 0
    present, cluster = read_labels(where, labels, n)
    values = read_activity(where, y, n)
    if reference_row is not None and not 0 <= reference_row < n:
        raise problem(where, "reference_row", got=reference_row, need=f"a row of the {n}, or None",
                      do="pass None where the reference is not in the library")  # fmt: skip
    groups = pd.Series(values[cluster >= 0]).groupby(cluster[cluster >= 0])
    columns = {"n": groups.size(), "median": groups.median(), "mean": groups.mean(), "std": groups.std()}
    table = pd.DataFrame({**columns, "q25": groups.quantile(0.25), "q75": groups.quantile(0.75)})
    table["iqr"] = table["q75"] - table["q25"]
    table["reference"] = reference_row is not None and np.arange(len(present)) == cluster[reference_row]
    table["rank"] = np.argsort(np.argsort(table["median"], kind="stable"), kind="stable")
    table.index = pd.Index(present, name="Cluster")
    return table


def cluster_order(source: Any, by: str = "median") -> np.ndarray:
    """Give the labels of the clusters in an order worth showing.

    Parameters
    ----------
    source : DataFrame or FineSums
        `cluster_statistics` for "median" and "size"; `FineSums` for "entropy" and "size".
    by : {"median", "size", "entropy"}
        Ascending median activity; descending size; or the leaves of a Ward tree of the rows of `entropy_matrix`, so that
        clusters which keep the same positions stand together.

    Returns
    -------
    np.ndarray, int64 (K,)

    Raises
    ------
    NbinterpError
        For an order that the source cannot give.

    Examples
    --------
    >>> cluster_order(cluster_statistics([0, 0, 1, 1], [3.0, 5.0, 1.0, 2.0])).tolist()
    [1, 0]
    """
    where = "cluster_order"
    is_sums = isinstance(source, FineSums)
    check_choice(where, "by", by, ["entropy", "size"] if is_sums else ["median", "size"])
    if by == "entropy" and len(source) > 1:
        from scipy.cluster.hierarchy import leaves_list, linkage

        return np.asarray(source.labels[leaves_list(linkage(entropies(source, _EPSILON), "ward"))])
    labels = source.labels if is_sums else source.index.to_numpy()
    if by == "entropy":
        return np.asarray(labels)
    key = source["median"].to_numpy() if by == "median" else -np.asarray(source.n if is_sums else source["n"])
    return np.asarray(labels[np.argsort(key, kind="stable")])

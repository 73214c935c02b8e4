"""Sites: positions that are kept together or lost together, cluster by cluster.

In: sums by cluster, or their entropy matrix.  Out: a table of spans that is drawn and counted like any annotation.

The entropies of two positions of one site rise and fall together over the clusters.  `find_sites` joins near positions
whose entropies correlate more than chance allows; `covariance_sites` is SEAM's tree of the covariance matrix.
Source: Seitz et al., SEAM (2025), `Identifier`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ..core.check import check_choice
from ..errors import problem
from ..motif import q_values
from .summary import entropy_matrix
from .summary_sums import FineSums

__all__ = ["covariance_sites", "find_sites", "site_names"]

_METHODS = ("average", "single", "complete", "weighted", "centroid", "median", "ward")


class Matrix(NamedTuple):
    """A matrix of clusters by positions, read: entropy (K, W), labels (K,), positions (W,), sizes (K,)."""

    entropy: np.ndarray
    labels: np.ndarray
    positions: np.ndarray
    sizes: np.ndarray


def read_matrix(where: str, source: Any) -> Matrix:
    """Read `FineSums`, or a frame of clusters by positions such as `entropy_matrix` gives, whose clusters count alike."""
    if isinstance(source, FineSums):
        frame, sizes = entropy_matrix(source), source.n.astype(float)
    elif isinstance(source, pd.DataFrame):
        frame, sizes = source, np.ones(len(source))
    else:
        raise problem(where, "source", got=f"a {type(source).__name__}", need="FineSums, or a frame of clusters by positions",
                      do="make it with fine_sums")  # fmt: skip
    values = frame.to_numpy(np.float64)
    if not np.isfinite(values).all():
        raise problem(where, "source", got="NaN or infinite entropies", need="finite ones", do="drop those positions")
    return Matrix(values, frame.index.to_numpy(), frame.columns.to_numpy(np.int64), sizes)


def find_sites(source: Any, *, max_gap: int = 3, min_positions: int = 4, max_q: float = 0.01) -> pd.DataFrame:
    """Find sites as runs of near positions whose entropies correlate over clusters.

    Parameters
    ----------
    source : FineSums, or DataFrame of clusters by positions
        Some 40 to 200 clusters are best: correlations need many of them, and entropies need tens of sequences in each.
        Clusters of `FineSums` weigh as many as they hold.
    max_gap : int
        Positions further apart than this are joined only through others between them; below the space between two sites
        that act together, since theirs correlate too.
    min_positions : int
        Sites of fewer positions are dropped.
    max_q : float
        False discovery rate of the correlations (one-sided, Fisher's z, over all pairs of near positions).

    Returns
    -------
    DataFrame
        By start: example_idx (0), start, end, name (A, B, ..., Z, AA, ...), positions (tuple), n_positions and
        correlation, the mean over the site's pairs.

    Raises
    ------
    NbinterpError
        With fewer than 5 clusters (by weight), or parameters out of range.

    Notes
    -----
    SEAM cuts a tree of the covariance matrix (`covariance_sites`), and so needs the number of sites; one far position can
    then stretch a site over the sequence, and a site may be split in two that overlap.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> entropy = rng.normal(size=(60, 30)) * 0.1
    >>> entropy[:, 12:18] += rng.normal(size=(60, 1))
    >>> find_sites(pd.DataFrame(entropy))[["name", "start", "end", "n_positions"]].values.tolist()
    [['A', 12, 18, 6]]
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components
    from scipy.stats import norm

    where = "find_sites"
    given = read_matrix(where, source)
    width = len(given.positions)
    for argument, value, least in (("max_gap", max_gap, 1), ("min_positions", min_positions, 1)):
        if value < least:
            raise problem(where, argument, got=value, need=f"at least {least}", do="raise it")
    if not 0 < max_q < 1:
        raise problem(where, "max_q", got=max_q, need="between 0 and 1", do="0.01 is usual")
    weight = given.sizes / given.sizes.sum()
    n_effective = 1 / (weight**2).sum()
    if n_effective < 5:
        raise problem(where, "source", got=f"{len(weight)} clusters that weigh as {n_effective:.1f}", need="at least 5",
                      do="cut the tree lower")  # fmt: skip
    r = _correlation(given.entropy, weight)
    left, right = np.triu_indices(width, 1)
    near = right - left <= max_gap
    left, right = left[near], right[near]
    z = np.arctanh(np.clip(r[left, right], -1 + 1e-12, 1 - 1e-12)) * np.sqrt(n_effective - 3)
    kept = q_values(norm.sf(z)) <= max_q if len(z) else np.zeros(0, bool)
    links = coo_matrix((np.ones(kept.sum()), (left[kept], right[kept])), shape=(width, width))
    _, group = connected_components(links, directed=False)
    members = [np.flatnonzero(group == g) for g, size in Counter(group.tolist()).items() if size >= min_positions]
    return _table(members, given.positions, r)


def covariance_sites(
    source: Any, *, n_sites: int | None = None, cut_height: float | None = None, method: str = "average"
) -> pd.DataFrame:
    """Find sites as SEAM does: as branches of a tree of the covariance matrix of positions.

    Parameters
    ----------
    source : FineSums, or DataFrame of clusters by positions
        Clusters count alike.
    n_sites : int, optional
        Branches beside the largest, which is taken for the background.
    cut_height : float, optional
        Where to cut the tree instead.  With neither, it is cut in the middle of the highest gap between merges that
        exceeds the mean gap by a standard deviation.
    method : str
        Of SciPy's linkage of the rows of the covariance matrix.

    Returns
    -------
    DataFrame
        As of `find_sites`.  Every position of a branch counts, so that a span may be long, overlap another, or be one base.

    Raises
    ------
    NbinterpError
        When both or unusable parameters are given, no gap stands out, or ties keep the tree from that many branches.

    Notes
    -----
    Three things are not as in SEAM 0.6.7: its positions are permuted by the tree's leaf order until a later step undoes
    it; its own cut lies on the merge above the gap, and so joins what the gap parts; and it stops with an AttributeError
    when no gap stands out.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> entropy = rng.normal(size=(60, 30)) * 0.1
    >>> entropy[:, 12:18] += rng.normal(size=(60, 1))
    >>> covariance_sites(pd.DataFrame(entropy), n_sites=1)["positions"].tolist()
    [(12, 13, 14, 15, 16, 17)]
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import pdist

    where = "covariance_sites"
    check_choice(where, "method", method, _METHODS)
    given = read_matrix(where, source)
    if n_sites is not None and cut_height is not None:
        raise problem(where, "cut_height", got="n_sites too", need="one of them", do="drop one")
    if n_sites is not None and not 1 <= n_sites < len(given.positions):
        raise problem(where, "n_sites", got=n_sites, need=f"between 1 and {len(given.positions) - 1}", do="correct it")
    if len(given.labels) < 2 or len(given.positions) < 3:
        raise problem(where, "source", got=f"{given.entropy.shape[0]} clusters by {given.entropy.shape[1]} positions",
                      need="at least 2 by 3", do="cut the tree lower")  # fmt: skip
    covariance = np.cov(given.entropy.T)
    tree = linkage(pdist(covariance), method)
    if n_sites is not None:
        group = fcluster(tree, n_sites + 1, "maxclust")
        if group.max() != n_sites + 1:
            raise problem(where, "n_sites", got=f"{n_sites}, and ties that leave {group.max() - 1}",
                          need="a number that the tree has", do="pass cut_height")  # fmt: skip
    else:
        group = fcluster(tree, _gap(where, tree) if cut_height is None else cut_height, "distance")
    background = Counter(group.tolist()).most_common(1)[0][0]
    members = [np.flatnonzero(group == g) for g in np.unique(group) if g != background]
    equal = np.full(len(given.labels), 1 / len(given.labels))
    return _table(members, given.positions, _correlation(given.entropy, equal))


def _gap(where: str, tree: np.ndarray) -> float:
    """A height in the middle of the highest gap that stands out."""
    heights = np.sort(tree[:, 2])
    gaps = np.diff(heights)
    large = np.flatnonzero(gaps > gaps.mean() + gaps.std())
    if not len(large):
        raise problem(where, "cut_height", got="no gap that stands out between merges", need="a place to cut the tree",
                      do="pass n_sites or cut_height, or call find_sites")  # fmt: skip
    return float((heights[large[-1]] + heights[large[-1] + 1]) / 2)


def _correlation(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Weighted correlations of the columns ``(W, W)``; 0 where a column is constant."""
    centred = values - weight @ values
    covariance = (centred * weight[:, None]).T @ centred
    spread = np.sqrt(np.diag(covariance))
    scale = np.outer(spread, spread)
    return np.asarray(np.divide(covariance, scale, out=np.zeros_like(covariance), where=scale > 1e-18))


def _table(members: Sequence[np.ndarray], positions: np.ndarray, r: np.ndarray) -> pd.DataFrame:
    rows = []
    for at in sorted(members, key=lambda at: (at[0], at[-1])):
        pairs = r[np.ix_(at, at)][np.triu_indices(len(at), 1)]
        correlation = float(pairs.mean()) if len(pairs) else float("nan")
        rows.append(
            (0, int(positions[at[0]]), int(positions[at[-1]]) + 1, tuple(positions[at].tolist()), len(at), correlation)
        )
    columns = ["example_idx", "start", "end", "positions", "n_positions", "correlation"]
    table = pd.DataFrame(rows, columns=columns)
    table.insert(3, "name", site_names(len(table)))
    return table.astype({"example_idx": np.int64, "start": np.int64, "end": np.int64, "n_positions": np.int64})


def site_names(n: int) -> list[str]:
    """Name sites A to Z, then AA, AB and so on.

    Examples
    --------
    >>> names = site_names(28)
    >>> names[0], names[25:]
    ('A', ['Z', 'AA', 'AB'])
    """
    names = []
    for i in range(n):
        text, rest = "", i + 1
        while rest:
            rest, letter = divmod(rest - 1, 26)
            text = chr(ord("A") + letter) + text
        names.append(text)
    return names

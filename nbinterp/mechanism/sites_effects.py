"""What each site adds, and what each combination adds beyond its parts.

In: activities, and which sites each sequence keeps (by its own bases, or by its cluster).  Out: a table of terms with
bootstrap intervals.

With z_s = 1 where site s is kept, activity is a sum of terms ``I_S prod(z_s, s in S)``.  Each configuration that occurs
gives one equation, its typical activity; with all orders and all configurations the solution is Moebius inversion,
``I_S = sum over T in S of (-1)^(|S| - |T|) y_T``.
Source: Seitz et al., SEAM (2025), `Identifier.get_epistatic_params`.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import comb
from typing import Any, Final

import numpy as np
import pandas as pd

from ..core.check import check_choice
from ..errors import problem
from .sites_configurations import read_sites, subsets
from .summary_rows import read_activity, read_codes, read_reference

__all__ = ["configuration_activity", "moebius", "site_effects", "site_states"]

_DRAWS: Final = 2**22  # bootstrap draws held at a time
_MOST: Final = 2048  # terms fitted


def site_states(X: Any, sites: pd.DataFrame, reference: Any, *, max_mutations: int = 1) -> pd.DataFrame:
    """Say which sites each sequence keeps, by its own bases.

    Parameters
    ----------
    X : Library, codes, one-hot, container or sequence of str
        As in `fine_sums`, N whole sequences.
    sites : DataFrame
        start, end, name and, where known, positions, as of `find_sites`; only a site's own positions count.
    reference : str, one-hot (4, L) or codes (L,)
        Whose sites they are.
    max_mutations : int
        A site is kept with up to this many of its bases changed: one change seldom undoes a site of 9 or 10 bases.

    Returns
    -------
    DataFrame of bool, (N, sites)

    Raises
    ------
    NbinterpError
        When sites leave the sequences, or `max_mutations` is negative or no less than a site's bases.

    Examples
    --------
    >>> sites = pd.DataFrame({"example_idx": [0], "start": [1], "end": [3], "name": ["A"]})
    >>> site_states(["ACGT", "ATGT", "ATCT"], sites, "ACGT")["A"].tolist()
    [True, True, False]
    """
    where = "site_states"
    spans = read_sites(where, sites)
    codes = read_codes(where, X)
    length = codes.shape[1]
    own = read_reference(where, reference, 0, length)
    made = {}
    for site in spans:
        at = list(site.positions)
        if min(at) < 0 or max(at) >= length:
            raise problem(where, "sites", got=f"site {site.name} at [{site.start}, {site.end})",
                          need=f"positions within [0, {length})", do="drop it, or pass whole sequences")  # fmt: skip
        if not 0 <= max_mutations < len(at):
            raise problem(where, "max_mutations", got=f"{max_mutations} for site {site.name} of {len(at)} bases",
                          need="0 or more, and fewer than its bases", do="lower it, or drop the site")  # fmt: skip
        made[site.name] = (codes[:, at] != own[at]).sum(axis=1) <= max_mutations
    return pd.DataFrame(made)


def site_effects(
    y: Any,
    states: pd.DataFrame,
    *,
    order: int | None = 2,
    statistic: str = "mean",
    n_bootstrap: int = 1000,
    level: float = 0.95,
    random_state: int | None = 0,
) -> pd.DataFrame:
    """Estimate the additive effect of each site and the epistatic effect of each combination.

    Parameters
    ----------
    y : sequence of float, (N,)
        Activities.
    states : DataFrame of bool, (N, sites)
        Which sites each sequence keeps: of `site_states`, or of `Configurations.states`.
    order : int or None
        Terms of up to this many sites, fitted by least squares, each configuration weighing as many as its sequences; None
        is all orders, which leaves nothing to average: what is known of a term is then its own configurations alone.
    statistic : {"mean", "median"}
        What is typical of a configuration.  Means of mixtures add up; medians, SEAM's choice, are not drawn by outliers.
    n_bootstrap : int
        Times the sequences of each configuration are drawn anew, with replacement.
    level : float
        Of the interval (percentiles).
    random_state : int, optional
        Seed.

    Returns
    -------
    DataFrame
        By size: term ("none", "A", "A:B", ...), sites (tuple), order, effect, low, high, se, n (sequences that keep all its
        sites) and supported: whether the configurations that there are decide the term; where not, its effect is NaN.

    Raises
    ------
    NbinterpError
        When rows do not match, activities are not finite, or parameters are out of range.

    Notes
    -----
    SEAM's sign is (-1)^|T|, which turns the terms of an odd number of sites round; it gives no intervals, and takes one
    cluster for each combination whether or not one has it (`assign_configurations`, `moebius`).  States by cluster come
    with a caution: a cluster that does not keep a site has it in part of its sequences, so that effects shrink and mix.
    Intervals are of given sites and states; how stable those are is another matter.

    Examples
    --------
    >>> states = pd.DataFrame({"A": [False, True, False, True] * 20, "B": [False, False, True, True] * 20})
    >>> y = np.array([1.0, 2.0, 3.0, 7.0] * 20) + np.repeat(np.linspace(-0.1, 0.1, 20), 4)
    >>> found = site_effects(y, states)
    >>> found["term"].tolist(), found["effect"].round(6).tolist(), found["n"].tolist()
    (['none', 'A', 'B', 'A:B'], [1.0, 1.0, 2.0, 3.0], [80, 40, 40, 20])
    >>> bool((found["low"] < found["effect"]).all())
    True
    """
    where = "site_effects"
    check_choice(where, "statistic", statistic, ["median", "mean"])
    if order is not None and order < 1:
        raise problem(where, "order", got=order, need="at least 1, or None for all", do="2 gives pairs")
    if n_bootstrap < 1 or not 0 < level < 1:
        argument, got = ("n_bootstrap", n_bootstrap) if n_bootstrap < 1 else ("level", level)
        raise problem(where, argument, got=got, need="n_bootstrap of 1 or more, level between 0 and 1", do="correct it")
    kept, groups = _groups(where, y, states)
    names = [str(name) for name in states.columns]
    n_terms = sum(comb(len(names), size) for size in range((len(names) if order is None else order) + 1))
    if n_terms > _MOST:
        raise problem(where, "order", got=f"{n_terms} terms of {len(names)} sites", need=f"at most {_MOST}",
                      do="lower it, or keep the sites of interest")  # fmt: skip
    terms = subsets(names, order)
    design = np.stack([kept[:, np.isin(names, term)].all(axis=1) for term in terms], axis=1).astype(float)
    sizes = np.array([len(values) for values in groups])
    solve, decided = _solver(design, np.ones(len(sizes)) if order is None else sizes)
    rng = np.random.default_rng(random_state)
    typical = np.array([np.median(v) if statistic == "median" else v.mean() for v in groups])
    draw = bootstrap_medians if statistic == "median" else _bootstrap_means
    drawn = np.stack([draw(values, n_bootstrap, rng) for values in groups], axis=1) @ solve.T
    tail = (1 - level) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail], axis=0)
    table = {"effect": solve @ typical, "low": low, "high": high, "se": drawn.std(axis=0, ddof=min(1, n_bootstrap - 1))}
    return pd.DataFrame(
        {
            "term": [":".join(term) or "none" for term in terms],
            "sites": terms,
            "order": [len(term) for term in terms],
            **{name: np.where(decided, column, np.nan) for name, column in table.items()},
            "n": (sizes @ design).astype(np.int64),
            "supported": decided,
        }
    )


def moebius(typical: Mapping[tuple[str, ...], float]) -> dict[tuple[str, ...], float]:
    """Invert the typical activity of each configuration to the term of each combination.

    Parameters
    ----------
    typical : mapping of tuple of site names to float
        The empty tuple is for none of the sites.

    Returns
    -------
    dict of tuple of site names to float
        ``I_S``, for every key; NaN where a subset of it is missing.

    Examples
    --------
    >>> moebius({(): 1.0, ("A",): 2.0, ("B",): 3.0, ("A", "B"): 7.0})
    {(): 1.0, ('A',): 1.0, ('B',): 2.0, ('A', 'B'): 3.0}
    """
    known = {frozenset(chosen): value for chosen, value in typical.items()}
    return {
        chosen: sum((-1) ** (len(chosen) - len(t)) * known.get(frozenset(t), float("nan")) for t in subsets(chosen))
        for chosen in typical
    }


def configuration_activity(y: Any, states: pd.DataFrame) -> pd.DataFrame:
    """Describe the activities of each configuration that occurs.

    Parameters
    ----------
    y, states
        As in `site_effects`.

    Returns
    -------
    DataFrame
        By number of sites: configuration (tuple of names), n, median, mean, std, q25, q75.

    Examples
    --------
    >>> found = configuration_activity([0.0, 1.0, 3.0], pd.DataFrame({"A": [False, True, True]}))
    >>> found[["configuration", "n", "median"]].values.tolist()
    [[(), 1, 0.0], [('A',), 2, 2.0]]
    """
    kept, groups = _groups("configuration_activity", y, states)
    names = np.array(states.columns, dtype=object)
    rows = []
    for row, values in zip(kept, groups, strict=True):
        spread = float(values.std(ddof=1)) if len(values) > 1 else float("nan")
        quarters = np.quantile(values, [0.25, 0.75]).tolist()
        rows.append((tuple(names[row]), len(values), np.median(values), values.mean(), spread, *quarters))
    return pd.DataFrame(rows, columns=["configuration", "n", "median", "mean", "std", "q25", "q75"])


def _groups(where: str, y: Any, states: pd.DataFrame) -> tuple[np.ndarray, list[np.ndarray]]:
    """The configurations that occur ``(C, sites)``, by number of sites, and the sorted activities of each."""
    if not isinstance(states, pd.DataFrame) or not len(states) or not all(t == bool for t in states.dtypes):  # noqa: E721
        raise problem(where, "states", got=f"a {type(states).__name__}", need="a frame of bool, a column a site",
                      do="make it with site_states or Configurations.states")  # fmt: skip
    values = read_activity(where, y, len(states))
    kept, which = np.unique(states.to_numpy(bool), axis=0, return_inverse=True)
    order = np.lexsort((*~kept.T[::-1], kept.sum(axis=1)))
    which = which.ravel()
    return kept[order], [np.sort(values[which == place]) for place in order.tolist()]


def _solver(design: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The matrix from typical activities to terms by weighted least squares, and which terms the data decide."""
    root = np.sqrt(weight / weight.mean())[:, None]
    inverse = np.linalg.pinv(design * root)
    decided = np.abs(inverse @ (design * root) - np.eye(design.shape[1])).max(axis=1) < 1e-8
    return inverse * root.T, decided


def bootstrap_medians(values: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw medians of bootstrap samples of sorted values, exactly, without drawing the samples.

    The k-th smallest of m draws from m values is the value at the k-th smallest of m uniform numbers, which is Beta
    distributed; of an even number, the two in the middle are drawn together.
    """
    m = len(values)
    half = (m + 1) // 2
    if m % 2:
        at = rng.beta(half, m - half + 1, size=n)
        return np.asarray(values[np.minimum((at * m).astype(np.int64), m - 1)])
    upper = rng.beta(half + 1, m - half, size=n)
    lower = upper * rng.beta(half, 1, size=n)
    low, high = (values[np.minimum((at * m).astype(np.int64), m - 1)] for at in (lower, upper))
    return np.asarray((low + high) / 2)


def _bootstrap_means(values: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    m = len(values)
    size = max(_DRAWS // m, 1)
    parts = [values[rng.integers(0, m, (min(size, n - first), m))].mean(axis=1) for first in range(0, n, size)]
    return np.concatenate(parts)

"""Configurations: which clusters keep which sites.

In: sums by cluster and sites.  Out: a table of clusters by sites (kept or lost, and how well kept), the cluster that
stands for each combination of sites, and each site's additive parameters.
Source: Seitz et al., SEAM (2025), `Identifier`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from ..core.check import check_choice
from ..core.tables import ANNOTATIONS, check_table
from ..errors import problem
from .background import Background
from .sites import read_matrix
from .summary import background_entropy

__all__ = ["Configurations", "additive_parameters", "assign_configurations", "site_configurations", "subsets"]

_SITES: Final = {**ANNOTATIONS, "name": "str"}
_MOST: Final = 16  # sites whose combinations are all listed: 65,536


class Configurations(NamedTuple):
    """Clusters (index) by sites (columns).

    Attributes
    ----------
    active : DataFrame of bool
        Whether the site is kept.
    activity : DataFrame of float
        How well, from 0 (it varies as the library does, or more) to 1 (it does not vary).
    """

    active: pd.DataFrame
    activity: pd.DataFrame

    @property
    def names(self) -> pd.Series[Any]:
        """The configuration of each cluster in words: "A+C", or "none"."""
        words = ["+".join(self.active.columns[row]) or "none" for row in self.active.to_numpy(bool)]
        return pd.Series(words, index=self.active.index, name="configuration")

    def states(self, labels: Any) -> pd.DataFrame:
        """Give each row the configuration of its cluster: bool ``(N, sites)``.

        Rows of noise are left out; the index says which rows are there.

        Raises
        ------
        NbinterpError
            When a label has no configuration.
        """
        given = np.asarray(labels)
        rows = np.flatnonzero(given >= 0)
        unknown = np.setdiff1d(given[rows], self.active.index)
        if len(unknown):
            raise problem("Configurations.states", "labels", got=f"clusters {unknown.tolist()[:5]}",
                          need="clusters that have a configuration", do="make both from the same labels")  # fmt: skip
        return self.active.loc[given[rows]].set_axis(rows)


def site_configurations(
    source: Any, sites: pd.DataFrame, *, rate: float = 0.1, multiplier: float = 0.5, over: str = "span"
) -> Configurations:
    """Say which clusters keep which sites.

    Parameters
    ----------
    source : FineSums, or entropy matrix (DataFrame of clusters by positions)
    sites : DataFrame
        start, end, name, as of `find_sites`, or edited by hand; with positions where `over` asks for them.
    rate : float
        Mutations a base in the library.
    multiplier : float
        A site is kept where its mean entropy is below this part of what `rate` gives.
    over : {"span", "positions"}
        Whether that mean is over the whole span, as in SEAM, or over the site's own positions.  Activity is over its
        positions either way, where the table has them.

    Returns
    -------
    Configurations

    Raises
    ------
    NbinterpError
        For sites outside the matrix, of no bases, of one name, or none; or a rate of 0 or above 1.

    Examples
    --------
    >>> entropy = pd.DataFrame([[0.0, 0.1, 0.9], [0.7, 0.8, 0.0]])
    >>> sites = pd.DataFrame({"example_idx": [0, 0], "start": [0, 2], "end": [2, 3], "name": ["A", "B"]})
    >>> found = site_configurations(entropy, sites)
    >>> found.names.tolist(), found.activity["A"].round(2).tolist()
    (['A', 'B'], [0.92, 0.0])
    """
    where = "site_configurations"
    check_choice(where, "over", over, ["span", "positions"])
    given = read_matrix(where, source)
    free = background_entropy(rate)
    if free <= 0:
        raise problem(where, "rate", got=rate, need="above 0 and below 1", do="pass the library's mutation rate")
    if not multiplier > 0:
        raise problem(where, "multiplier", got=multiplier, need="above 0", do="0.5 is usual")
    frame = pd.DataFrame(given.entropy, index=given.labels, columns=given.positions)
    active, activity = {}, {}
    for site in read_sites(where, sites):
        span = list(range(site.start, site.end))
        own = list(site.positions)
        if not np.isin([*span, *own], given.positions).all():
            raise problem(where, "sites", got=f"site {site.name} at [{site.start}, {site.end})",
                          need=f"positions within [{given.positions[0]}, {given.positions[-1] + 1})",
                          do="drop it, or sum maps of a wider window")  # fmt: skip
        mean = frame[span if over == "span" else own].mean(axis=1)
        active[site.name] = mean < multiplier * free
        activity[site.name] = (1 - frame[own].mean(axis=1) / free).clip(0, 1)
    index = pd.Index(given.labels, name="Cluster")
    return Configurations(pd.DataFrame(active, index=index), pd.DataFrame(activity, index=index))


class Site(NamedTuple):
    """One row of a table of sites; its own positions are all of its span where the table does not say."""

    name: str
    start: int
    end: int
    positions: tuple[int, ...]


def read_sites(where: str, sites: Any) -> list[Site]:
    """Hold sites to their schema: spans with distinct names, at least one."""
    table = check_table(where, "sites", sites, _SITES)
    if not len(table) or table["name"].duplicated().any() or (table["end"] <= table["start"]).any():
        raise problem(where, "sites", got=f"{len(table)} sites, of names {', '.join(map(str, table['name'][:5])) or 'none'}",
                      need="at least one, of distinct names, each of one base or more", do="correct the table")  # fmt: skip
    spans = zip(table["name"].tolist(), table["start"].tolist(), table["end"].tolist(), strict=True)
    own = table["positions"].tolist() if "positions" in table else [None] * len(table)
    return [
        Site(str(name), int(start), int(end), tuple(range(start, end)) if at is None else tuple(at))
        for (name, start, end), at in zip(spans, own, strict=True)
    ]


def subsets(names: Sequence[str], order: int | None = None) -> list[tuple[str, ...]]:
    """Give all subsets of up to `order` names, the empty one first, by size.

    Examples
    --------
    >>> subsets(["A", "B"])
    [(), ('A',), ('B',), ('A', 'B')]
    """
    most = len(names) if order is None else min(order, len(names))
    return [chosen for size in range(most + 1) for chosen in combinations(names, size)]


def assign_configurations(configurations: Configurations) -> pd.DataFrame:
    """Choose a cluster to stand for each of the 2^T combinations of sites, by SEAM's rule.

    For none of the sites, the cluster whose greatest activity is least; for all, the one whose least is greatest; else the
    one nearest (mean absolute difference) to the ideal: the greatest activity seen among these sites for each of them, the
    least seen among the others for each other.

    Returns
    -------
    DataFrame
        configuration (tuple of names), cluster (its label) and supported: whether that cluster keeps just these sites.
        SEAM assigns a cluster to every combination without saying whether one has it.

    Raises
    ------
    NbinterpError
        With more than 16 sites.

    Examples
    --------
    >>> activity = pd.DataFrame({"A": [0.9, 0.1, 0.8], "B": [0.9, 0.0, 0.2]}, index=[4, 5, 6])
    >>> table = assign_configurations(Configurations(activity > 0.5, activity))
    >>> table["cluster"].tolist(), table["supported"].tolist()
    ([5, 6, 4, 4], [True, True, False, True])
    """
    activity = configurations.activity
    names = list(activity.columns)
    if len(names) > _MOST:
        raise problem("assign_configurations", "configurations", got=f"{len(names)} sites", need=f"at most {_MOST}",
                      do="keep the sites of interest")  # fmt: skip
    a = activity.to_numpy(float)
    rows = []
    for chosen in subsets(names):
        inside = np.isin(names, chosen)
        if not chosen:
            best = int(a.max(axis=1).argmin())
        elif inside.all():
            best = int(a.min(axis=1).argmax())
        else:
            ideal = np.where(inside, a[:, inside].max(), a[:, ~inside].min())
            best = int(np.abs(a - ideal).mean(axis=1).argmin())
        supported = bool((configurations.active.to_numpy(bool)[best] == inside).all())
        rows.append((chosen, activity.index[best], supported))
    return pd.DataFrame(rows, columns=["configuration", "cluster", "supported"])


def additive_parameters(
    background: Background,
    sites: pd.DataFrame,
    configurations: Configurations,
    *,
    clusters: Mapping[str, int] | None = None,
    positions_only: bool = False,
) -> dict[str, np.ndarray]:
    """Crop each site's parameters from the maps without background.

    Parameters
    ----------
    background : Background
        Of the same clusters.
    sites : DataFrame
        As in `site_configurations`.
    configurations : Configurations
        The mean is over the clusters that keep the site, each counting alike.
    clusters : mapping of site name to cluster label, optional
        Take one cluster for a site instead.
    positions_only : bool
        Zeros between the site's own positions (column positions of the table).

    Returns
    -------
    dict of name to np.ndarray (4, end - start)
        NaN where no cluster keeps the site.

    Raises
    ------
    NbinterpError
        When clusters differ, or a site lies outside the maps.

    Examples
    --------
    >>> from nbinterp.mechanism.background import separate_background
    >>> from nbinterp.mechanism.summary_sums import fine_sums
    >>> sums = fine_sums(np.ones((4, 4, 3)), ["AGA", "AGC", "AGG", "AGT"], [0, 0, 0, 0])
    >>> sites = pd.DataFrame({"example_idx": [0], "start": [0], "end": [2], "name": ["A"]})
    >>> found = additive_parameters(separate_background(sums), sites, site_configurations(sums, sites))
    >>> found["A"].tolist()[0]
    [1.0, 1.0]
    """
    where = "additive_parameters"
    if list(background.labels) != list(configurations.active.index):
        raise problem(where, "configurations", got="other clusters than the background's", need="the same",
                      do="make both from the same sums")  # fmt: skip
    made = {}
    for site in read_sites(where, sites):
        first, last = site.start - background.start, site.end - background.start
        if first < 0 or last > background.background.shape[1] or site.name not in configurations.active:
            raise problem(where, "sites", got=f"site {site.name}", need="one within the maps, and in the configurations",
                          do="make all from the same sums")  # fmt: skip
        chosen = configurations.active[site.name].to_numpy(bool)
        if clusters is not None and site.name in clusters:
            chosen = np.isin(background.labels, clusters[site.name])
        part = background.foreground[chosen, :, first:last]
        matrix = part.mean(axis=0) if chosen.any() else np.full(part.shape[1:], np.nan)
        if positions_only:
            matrix = np.where(np.isin(np.arange(site.start, site.end), site.positions), matrix, 0.0)
        made[site.name] = np.asarray(matrix)
    return made

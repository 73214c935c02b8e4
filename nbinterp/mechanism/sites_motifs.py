"""What a site is: its motif, and its name.

In: sums by cluster, sites, and which clusters keep them.  Out: the motif of each site, as letters that its clusters keep
against those of the library; and the table of sites with the known motifs that they resemble (TOMTOM).
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from ..errors import problem
from ..motif import MotifSet, tomtom
from .sites_configurations import Configurations, read_sites
from .summary_sums import FineSums

__all__ = ["name_sites", "site_motifs"]


def site_motifs(
    sums: FineSums, sites: pd.DataFrame, configurations: Configurations, *, flank: int = 0, pseudocount: float = 0.5
) -> MotifSet:
    """Make the motif of each site from the sequences of the clusters that keep it.

    Letters are weighed against the whole library: where mutation is free the columns are flat, whatever the mutation rate,
    and where only the reference's base works it has nearly all.

    Parameters
    ----------
    sums : FineSums
    sites : DataFrame
        As of `find_sites`.
    configurations : Configurations
        Of the same clusters; sites that no cluster keeps are left out.
    flank : int
        Positions added on both sides, as far as the window goes.
    pseudocount : float
        Added to each letter's count in the clusters, in the library's proportions.

    Returns
    -------
    MotifSet
        Probabilities under the sites' names; n_sites are the sequences behind them.

    Raises
    ------
    NbinterpError
        When clusters differ, a site lies outside the window, or no cluster keeps any.

    Examples
    --------
    >>> import numpy as np
    >>> from nbinterp.mechanism.sites_configurations import site_configurations
    >>> from nbinterp.mechanism.summary_sums import fine_sums
    >>> X, labels = ["GAT"] * 8 + ["GAC", "CAG", "TAA", "ACT", "AGG", "TTC"], [0] * 9 + [1] * 5
    >>> sums = fine_sums(np.zeros((14, 4, 3)), X, labels)
    >>> sites = pd.DataFrame({"example_idx": [0], "start": [0], "end": [2], "name": ["A"]})
    >>> site_motifs(sums, sites, site_configurations(sums, sites)).consensus("A")
    'GA'
    """
    where = "site_motifs"
    if list(sums.labels) != list(configurations.active.index):
        raise problem(where, "configurations", got="other clusters than those summed", need="the same",
                      do="make them from these sums")  # fmt: skip
    if flank < 0 or not pseudocount > 0:
        argument, got = ("flank", flank) if flank < 0 else ("pseudocount", pseudocount)
        raise problem(where, argument, got=got, need="flank of 0 or more, pseudocount above 0", do="correct it")
    library = sums.letters.sum(axis=0) + 1.0
    library = library / library.sum(axis=0)
    motifs, n_sites = {}, []
    for site in read_sites(where, sites):
        if site.start < sums.start or site.end > sums.end or site.name not in configurations.active:
            raise problem(where, "sites", got=f"site {site.name} at [{site.start}, {site.end})",
                          need=f"sites within [{sums.start}, {sums.end}), and in the configurations",
                          do="make all from the same sums")  # fmt: skip
        kept = configurations.active[site.name].to_numpy(bool)
        if not kept.any():
            continue
        first, last = _span(site.start, site.end, flank, sums)
        free = library[:, first:last]
        weighed = (sums.letters[kept, :, first:last].sum(axis=0) + 4 * pseudocount * free) / free
        motifs[site.name] = weighed / weighed.sum(axis=0)
        n_sites.append(int(sums.n[kept].sum()))
    if not motifs:
        raise problem(where, "configurations", got="no site that a cluster keeps", need="at least one",
                      do="raise the multiplier of site_configurations")  # fmt: skip
    return MotifSet(motifs, n_sites=n_sites, source="sites of a mechanism library")


def name_sites(
    sites: pd.DataFrame,
    sums: FineSums,
    configurations: Configurations,
    motifs: Any,
    *,
    flank: int = 2,
    max_p: float = 0.01,
) -> pd.DataFrame:
    """Name each site by the known motif nearest to it.

    Parameters
    ----------
    sites, sums, configurations
        As in `site_motifs`.
    motifs : MotifSet or mapping of name to probabilities (4, w)
        What is known; at least 25 for p-values to mean something.
    flank : int
        Positions beside the site that are compared too.
    max_p : float
        A match of a greater p-value names nothing.

    Returns
    -------
    DataFrame
        The sites, with motif (None where nothing matches), strand, p-value, q-value (among the motifs), and motif_start
        and motif_end: where the known motif lies in the sequence.

    Raises
    ------
    NbinterpError
        As `site_motifs`.

    Warns
    -----
    NbinterpWarning
        With fewer than 25 motifs.

    Examples
    --------
    >>> import numpy as np
    >>> from nbinterp import demo
    >>> from nbinterp.mechanism.sites_configurations import site_configurations
    >>> from nbinterp.mechanism.summary_sums import fine_sums
    >>> rng = np.random.default_rng(0)
    >>> made = ["".join(rng.choice(list("ACGT"), 5)) + "CAGATAAGG" + "".join(rng.choice(list("ACGT"), 5)) for _ in range(90)]
    >>> drawn = ["".join(rng.choice(list("ACGT"), 19)) for _ in range(90)]
    >>> sums = fine_sums(np.zeros((180, 4, 19)), made + drawn, [0] * 90 + [1] * 90)
    >>> sites = pd.DataFrame({"example_idx": [0], "start": [6], "end": [13], "name": ["A"]})
    >>> table = name_sites(sites, sums, site_configurations(sums, sites), demo.motifs(n_shuffled=4))
    >>> table[["motif", "strand", "motif_start", "motif_end"]].values.tolist()
    [['GATA', '+', 5, 14]]
    """
    where = "name_sites"
    if not 0 < max_p <= 1:
        raise problem(where, "max_p", got=max_p, need="above 0, at most 1", do="0.01 is usual")
    known = motifs if isinstance(motifs, MotifSet) else MotifSet(motifs)
    ours = site_motifs(sums, sites, configurations, flank=flank)
    best = tomtom(ours, known, n_nearest=1, as_table=True).set_index("query")
    best = best[best["p-value"] <= max_p]
    width = dict(zip(known.names, known.widths, strict=True))
    rows: list[tuple[Any, ...]] = []
    for site in read_sites(where, sites):
        if site.name not in best.index:
            rows.append((None, None, float("nan"), float("nan"), pd.NA, pd.NA))
            continue
        match = best.loc[site.name]
        start = _span(site.start, site.end, flank, sums)[0] + sums.start - int(match["offset"])
        end = start + width[match["target"]]
        rows.append((match["target"], match["strand"], match["p-value"], match["q-value"], start, end))
    names = ["motif", "strand", "p-value", "q-value", "motif_start", "motif_end"]
    found = pd.DataFrame(rows, columns=names, index=sites.index)
    return sites.assign(**found.astype({"motif_start": "Int64", "motif_end": "Int64"}))


def _span(start: int, end: int, flank: int, sums: FineSums) -> tuple[int, int]:
    """A site with its flanks, as far as the window goes, counted from the window's beginning."""
    return max(start - flank - sums.start, 0), min(end + flank, sums.end) - sums.start

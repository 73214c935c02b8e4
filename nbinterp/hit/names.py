"""Whose sites the hits are: motifs named after the known ones that they resemble.

In: the motifs of a call, known motifs.  Out: the best match of each by TOMTOM; hits with it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..motif.modisco import PatternSet
from ..motif.motifset import MotifSet

__all__ = ["match_motifs", "name_hits"]


def match_motifs(motifs: PatternSet | MotifSet, targets: MotifSet, *, threshold: float = 0.05) -> pd.DataFrame:
    """Find the known motif that each motif resembles most.

    Parameters
    ----------
    motifs : PatternSet or MotifSet
        By their letter frequencies, trimmed.
    targets : MotifSet
        Such as `load_jaspar` gives.
    threshold : float
        The greatest q-value of a match.

    Returns
    -------
    DataFrame
        name, match (empty where none is good enough), match_q, match_strand; a row a motif.
    """
    from ..motif import tomtom

    queries = motifs.motifs() if isinstance(motifs, PatternSet) else motifs
    found = tomtom(queries.trim(), targets, n_nearest=1, as_table=True)
    good = (found["q-value"] <= threshold).to_numpy()
    return pd.DataFrame(
        {
            "name": found["query"],
            "match": np.where(good, found["target"], ""),
            "match_q": found["q-value"],
            "match_strand": np.where(good, found["strand"], ""),
        }
    )


def name_hits(hits: pd.DataFrame, matches: pd.DataFrame, names: dict[str, str] | None = None) -> pd.DataFrame:
    """Give each hit the match of its motif, as columns match and match_q.

    Parameters
    ----------
    hits : DataFrame
        Of `call_hits` (name) or `read_hits` (motif_name).
    matches : DataFrame
        Of `match_motifs`.
    names : dict, optional
        What the motifs of the hits are called in `matches`, where they were renamed.

    Examples
    --------
    >>> matches = pd.DataFrame({"name": ["p0"], "match": ["GATA1"], "match_q": [0.01], "match_strand": ["+"]})
    >>> name_hits(pd.DataFrame({"name": ["p0", "p1"]}), matches)["match"].tolist()
    ['GATA1', '']
    """
    column = "name" if "name" in hits else "motif_name"
    own = hits[column].map(lambda name: (names or {}).get(name, name))
    known: Any = matches.drop_duplicates("name").set_index("name")
    return hits.assign(match=own.map(known["match"]).fillna(""), match_q=own.map(known["match_q"]))

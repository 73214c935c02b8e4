"""From the matches of seqlets to sites: one name a seqlet, and where that motif lies.

In: seqlets with their nearest motifs, as `annotate_seqlets` lists them.  Out: a row a seqlet with the name it is given,
or none; and the sites of the motifs, each once.

Databases hold many motifs that say the same, and the nearest of them changes with every base: the sites of one factor
would be counted under ten names.  So a seqlet takes, of all motifs that match it nearly as well as the nearest does, the
one that most seqlets can take: as few names as explain the matches.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from ..core.tables import ANNOTATIONS, check_table
from ..errors import problem

__all__ = ["motif_sites", "name_seqlets"]

_MATCHES: Final = {
    **ANNOTATIONS, "name": "str", "motif_p-value": "float", "motif_q-value": "float", "rank": "int",
    "motif_start": "int", "motif_end": "int",
}  # fmt: skip


def name_seqlets(matches: pd.DataFrame, max_q_value: float = 0.05, ratio: float = 10.0) -> pd.DataFrame:
    """Give each seqlet one name, or none, with as few names as explain all.

    Parameters
    ----------
    matches : DataFrame
        What ``annotate_seqlets(..., n_nearest=, as_table=True)`` gives; with `n_nearest` above 1, names can be shared.
    max_q_value : float
        A match above this names nothing.
    ratio : float
        A motif matches nearly as well as the nearest when its p-value is at most so many times the nearest's; 1 gives
        every seqlet the nearest.

    Returns
    -------
    DataFrame
        A row a seqlet, in order, with the columns of the match that names it, and ``nearest``, the nearest motif.  A
        seqlet without a name has the nearest match's columns, and an empty name.

    Raises
    ------
    NbinterpError
        For another table, or bounds out of range.

    Notes
    -----
    Names are chosen one after another: each time the motif that most of the seqlets still without a name can take, and
    of equals the surest.  That is the greedy cover, within a factor ``ln(seqlets) + 1`` of the fewest names possible.

    Examples
    --------
    >>> matches = pd.DataFrame({
    ...     "example_idx": [0, 0, 1, 2], "start": [5, 5, 9, 3], "end": [12, 12, 16, 8],
    ...     "name": ["FOS", "JUN", "JUN", "GATA"], "motif_p-value": [1e-6, 2e-6, 1e-5, 0.1],
    ...     "motif_q-value": [1e-4, 1e-4, 1e-3, 0.6], "rank": [0, 1, 0, 0],
    ...     "motif_start": [5, 4, 8, 2], "motif_end": [12, 13, 17, 8]})
    >>> name_seqlets(matches)[["name", "nearest", "motif_start"]].values.tolist()
    [['JUN', 'FOS', 4], ['JUN', 'JUN', 8], ['', 'GATA', 2]]
    """
    where = "name_seqlets"
    table = check_table(where, "matches", matches, _MATCHES).reset_index(drop=True)
    for argument, value, need, allowed in (
        ("max_q_value", max_q_value, "within 0 and 1", 0 <= max_q_value <= 1),
        ("ratio", ratio, "at least 1", ratio >= 1),
    ):
        if not allowed:
            raise problem(where, argument, got=value, need=need, do="correct it")
    p = table["motif_p-value"].to_numpy(np.float64)
    first = np.flatnonzero(table["rank"].to_numpy() == 0)
    if len(table) and (not len(first) or first[0] != 0):
        raise problem(where, "matches", got="a first row that is no nearest match", need="rank 0 first for each seqlet",
                      do="pass the table as annotate_seqlets gives it")  # fmt: skip
    seqlet = np.repeat(np.arange(len(first)), np.diff([*first, len(table)]))
    fits = (table["motif_q-value"].to_numpy() <= max_q_value) & (p <= ratio * p[first][seqlet])
    row = np.flatnonzero(fits)
    names, kind = np.unique(table["name"].to_numpy(dtype=object).astype(str), return_inverse=True)
    chosen = first.copy()
    named = np.zeros(len(first), bool)
    for take in _fewest(seqlet[row], kind[row], np.log(np.maximum(p[row], 1e-300)), len(names)):
        chosen[seqlet[row[take]]] = row[take]
        named[seqlet[row[take]]] = True
    out = table.iloc[chosen].reset_index(drop=True)
    return out.assign(name=out["name"].where(named, ""), nearest=table["name"].to_numpy()[first])


def _fewest(seqlet: np.ndarray, kind: np.ndarray, log_p: np.ndarray, n_kinds: int) -> list[np.ndarray]:
    """Rows that take each name chosen; every seqlet is in one of them once."""
    taken: list[np.ndarray] = []
    left = np.arange(len(seqlet))
    while len(left):
        many = np.bincount(kind[left], minlength=n_kinds)
        sure = np.bincount(kind[left], log_p[left], minlength=n_kinds)
        best = int(np.lexsort((sure, -many))[0])
        take = left[kind[left] == best]
        taken.append(take)
        left = left[~np.isin(seqlet[left], seqlet[take])]
    return taken


def motif_sites(named: pd.DataFrame, length: int) -> pd.DataFrame:
    """Give the sites of the motifs that name seqlets: spans of the whole motif, each site once.

    Parameters
    ----------
    named : DataFrame
        A row a seqlet with name, motif_start and motif_end, as `name_seqlets` gives it; rows without a name are left out.
    length : int
        Bases of the sequences; what hangs over an end is cut off.

    Returns
    -------
    DataFrame
        The rows by place, start and end now the motif's, seqlet_start and seqlet_end the seqlet's.  Of seqlets that name
        half or more of the same span alike, on either strand, the surest stays.

    Raises
    ------
    NbinterpError
        For another table.

    Examples
    --------
    >>> named = pd.DataFrame({
    ...     "example_idx": [0, 0, 0], "start": [5, 9, 30], "end": [9, 13, 36], "name": ["JUN", "JUN", ""],
    ...     "motif_p-value": [1e-3, 1e-5, 0.5], "motif_q-value": [1e-2, 1e-4, 0.9], "rank": [0, 0, 0],
    ...     "motif_start": [4, 5, 29], "motif_end": [13, 14, 38]})
    >>> motif_sites(named, 50)[["start", "end", "seqlet_start", "seqlet_end"]].values.tolist()
    [[5, 14, 9, 13]]
    """
    table = check_table("motif_sites", "named", named, _MATCHES)
    table = table[table["name"] != ""].rename(columns={"start": "seqlet_start", "end": "seqlet_end"})
    spans = {"start": table["motif_start"].clip(lower=0), "end": table["motif_end"].clip(upper=length)}
    columns = ["example_idx", *spans, *(one for one in table.columns if one != "example_idx")]
    table = table.assign(**spans)[columns]
    table = table[_surest(table)]
    return table.sort_values(["example_idx", "start"], kind="stable", ignore_index=True)


def _surest(table: pd.DataFrame) -> np.ndarray:
    """Which rows share less than half of their span with every surer one of their name that stays."""
    stays = np.zeros(len(table), bool)
    columns = (table[one].to_list() for one in ("example_idx", "name", "start", "end"))
    rows = list(zip(*columns, strict=True))
    kept: dict[tuple[int, str], list[tuple[int, int]]] = {}
    for row in np.argsort(table["motif_p-value"].to_numpy(), kind="stable").tolist():
        example, name, start, end = rows[row]
        others = kept.setdefault((example, name), [])
        if all(2 * (min(end, b) - max(start, a)) < min(end - start, b - a) for a, b in others):
            others.append((start, end))
            stays[row] = True
    return stays

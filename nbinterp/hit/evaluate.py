"""What a call is worth: hits beside the seqlets of TF-MoDISco, and what the called sites look like.

In: the hits of a call, the regions, the motifs, the patterns.  Out: Fi-NeMo's report as tables: counts and recall a
motif, motifs a region, which motifs are called where others have seqlets, and the mean contributions of the hits.

Where Fi-NeMo is wrong it is done otherwise: regions without a hit are counted, confusion is by overlap and not by bins,
means are in float64, and recall may allow for a shift.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from ..errors import problem
from ..motif.modisco import PatternSet
from .matrices import hit_matrices
from .motifs import HitMotifs
from .regions import Regions
from .seqlets import SAME, modisco_seqlets, places_of, regions_of

__all__ = ["Evaluation", "evaluate_hits"]

_PALINDROME = 0.9  # a motif this alike to its other strand has no strand


class Evaluation(NamedTuple):
    """What `evaluate_hits` gives.

    ``report`` has a row a motif: motif_name, num_hits_total, num_hits_restricted, and with patterns num_seqlets,
    num_overlaps, num_seqlets_only, num_hits_restricted_only, seqlet_recall, seqlet_recall_tolerant; then cwm_similarity.
    ``occurrences``: peak_id, one column a motif, total; every region.  ``confusion``: motif_name_seqlets, motif_name_hits,
    frac_overlap; ``seqlets``: of `modisco_seqlets`; both None without patterns.  ``contributions`` and ``frequencies``: means
    over the hits of each motif, ``(4, W)``; NaN without hits.
    """

    report: pd.DataFrame
    occurrences: pd.DataFrame
    confusion: pd.DataFrame | None
    seqlets: pd.DataFrame | None
    contributions: dict[str, np.ndarray]
    frequencies: dict[str, np.ndarray]


def evaluate_hits(
    hits: pd.DataFrame,
    regions: Regions,
    motifs: HitMotifs,
    patterns: PatternSet | None = None,
    *,
    window: int = 400,
    tolerance: int = 3,
) -> Evaluation:
    """Compare hits with seqlets, and with the motifs they are hits of.

    Parameters
    ----------
    hits : DataFrame
        Of `hits_table` or `read_hits`.
    regions : Regions
        Those that were called, in their order.
    motifs : HitMotifs
        Those that were called; `read_hit_motifs` reads them.
    patterns : PatternSet, optional
        TF-MoDISco's, for recall and confusion.
    window : int
        Width in which TF-MoDISco sought seqlets.
    tolerance : int
        Positions by which a hit may be shifted in the tolerant recall; there, motifs that are like their own other strand
        may be found on either.

    Returns
    -------
    Evaluation

    Raises
    ------
    NbinterpError
        For hits of regions or motifs that are not there.
    """
    names = [name for name, strand in zip(motifs.names, motifs.strands, strict=True) if strand == "+"]
    table = _placed(hits, regions, names)
    unique = table.drop_duplicates(SAME)
    offset, middle = table["start_untrimmed"] - table["peak_region_start"], regions.length / 2
    inside = (offset >= middle - window // 2) & (
        table["end_untrimmed"] - table["peak_region_start"] <= middle + window // 2
    )
    restricted = table[inside].drop_duplicates(SAME)
    report = pd.DataFrame({"motif_name": names})
    report["num_hits_total"] = _counted(unique, names)
    report["num_hits_restricted"] = _counted(restricted, names)
    seqlets = confusion = None
    if patterns is not None:
        seqlets = modisco_seqlets(patterns, regions, motifs, window)
        both = restricted.merge(seqlets[SAME], on=SAME)
        only = seqlets.merge(table[SAME].drop_duplicates(), on=SAME, how="left", indicator="found")
        n_seqlets, n_both = _counted(seqlets, names), _counted(both, names)
        report["num_seqlets"], report["num_overlaps"] = n_seqlets, n_both
        report["num_seqlets_only"] = _counted(only[only["found"] == "left_only"], names)
        report["num_hits_restricted_only"] = report["num_hits_restricted"] - n_both
        report["seqlet_recall"] = n_both / np.maximum(n_seqlets, 1)
        near = _near(seqlets, table, tolerance, _without_strand(motifs))
        report["seqlet_recall_tolerant"] = _counted(seqlets[near], names) / np.maximum(n_seqlets, 1)
        confusion = _confusion(seqlets, table, names)
    contributions, frequencies = hit_matrices(unique, regions, motifs)
    report["cwm_similarity"] = [_cosine(contributions[name], motifs.weights[2 * i]) for i, name in enumerate(names)]
    return Evaluation(report, _occurrences(table, regions, names), confusion, seqlets, contributions, frequencies)


def _placed(hits: pd.DataFrame, regions: Regions, names: list[str]) -> pd.DataFrame:
    unknown = set(hits["motif_name"]) - set(names)
    if unknown:
        need = "hits of these regions and motifs"
        raise problem(
            "evaluate_hits", "hits", got=f"hits of {min(unknown)}", need=need, do="pass those that were called"
        )
    row = regions_of("evaluate_hits", "hits", hits, regions)
    here = places_of(regions).iloc[row].reset_index(drop=True)
    added = {name: here[name].to_numpy() for name in ("peak_region_start", "place")}
    return hits.reset_index(drop=True).assign(region=row, **added)


def _counted(table: pd.DataFrame, names: list[str]) -> np.ndarray:
    return table["motif_name"].value_counts().reindex(names, fill_value=0).to_numpy()


def _without_strand(motifs: HitMotifs) -> set[str]:
    """Motifs that are nearly their own reverse complement."""
    ready = zip(motifs.names[::2], motifs.weights[::2], motifs.weights[1::2], strict=True)
    return {name for name, one, other in ready if _best_cosine(one, other) > _PALINDROME}


def _best_cosine(one: np.ndarray, other: np.ndarray) -> float:
    """Of all shifts."""
    width = one.shape[1]
    sums = [np.convolve(a, b[::-1]) for a, b in zip(one, other, strict=True)]
    return (
        float(np.sum(sums, axis=0).max() / max(np.linalg.norm(one) * np.linalg.norm(other), 1e-300)) if width else 0.0
    )


def _near(seqlets: pd.DataFrame, hits: pd.DataFrame, tolerance: int, either: set[str]) -> np.ndarray:
    """Which seqlets have a hit of their motif within `tolerance` positions."""

    def keys(table: pd.DataFrame) -> pd.Series[int]:
        strand = table["strand"].where(~table["motif_name"].isin(either), "")
        return table["place"].astype(str) + "\t" + table["motif_name"] + "\t" + strand

    held = {key: np.sort(rows.to_numpy()) for key, rows in hits["start_untrimmed"].groupby(keys(hits))}
    found = np.zeros(len(seqlets), bool)
    for i, (key, start) in enumerate(zip(keys(seqlets), seqlets["start_untrimmed"], strict=True)):
        starts = held.get(key, np.zeros(0, int))
        at = np.searchsorted(starts, start - tolerance)
        found[i] = at < len(starts) and starts[at] <= start + tolerance
    return found


def _confusion(seqlets: pd.DataFrame, hits: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """For each two motifs the part of the seqlets of one that a hit of the other covers by half and more."""
    counts = np.zeros((len(names), len(names)))
    number = {name: i for i, name in enumerate(names)}
    grouped = dict(iter(hits.groupby("place")))
    for place, mine in seqlets.groupby("place"):
        other = grouped.get(place)
        if other is None:
            continue
        start, end = other["start"].to_numpy(), other["end"].to_numpy()
        motif = other["motif_name"].map(number).to_numpy()
        order = np.argsort(start, kind="stable")
        start, end, motif = start[order], end[order], motif[order]
        widest = int((end - start).max())
        for a, b, name in zip(mine["start"], mine["end"], mine["motif_name"], strict=True):
            first, last = np.searchsorted(start, [a - widest, b])
            shared = np.minimum(end[first:last], b) - np.maximum(start[first:last], a)
            enough = 2 * shared >= np.minimum(b - a, end[first:last] - start[first:last])
            counts[number[name], np.unique(motif[first:last][enough])] += 1
    total = np.maximum(_counted(seqlets, names), 1)
    rows, columns = np.nonzero(counts)
    return pd.DataFrame(
        {
            "motif_name_seqlets": np.array(names, object)[rows],
            "motif_name_hits": np.array(names, object)[columns],
            "frac_overlap": counts[rows, columns] / total[rows],
        }
    )


def _occurrences(table: pd.DataFrame, regions: Regions, names: list[str]) -> pd.DataFrame:
    """Hits of each motif in each region, in all regions."""
    counts = np.zeros((len(regions), len(names)), np.int64)
    number = {name: i for i, name in enumerate(names)}
    np.add.at(counts, (table["region"].to_numpy(), table["motif_name"].map(number).to_numpy(int)), 1)
    out = pd.DataFrame(counts, columns=names)
    out.insert(0, "peak_id", places_of(regions)["peak_id"].to_numpy())
    return out.assign(total=counts.sum(axis=1)).sort_values("peak_id", ignore_index=True)


def _cosine(one: np.ndarray, other: np.ndarray) -> float:
    size = np.linalg.norm(one) * np.linalg.norm(other)
    return float((one * other).sum() / size) if size > 0 else float("nan")

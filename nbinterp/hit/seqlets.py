"""The seqlets of TF-MoDISco where hits are called.

In: patterns with their seqlets, the regions they were made of.  Out: a table in the regions' coordinates.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..errors import problem
from ..motif.modisco import PatternSet
from .motifs import HitMotifs
from .regions import Regions

__all__ = ["SAME", "modisco_seqlets", "places_of", "regions_of"]

SAME = ["place", "start_untrimmed", "motif_name", "strand"]  # columns that make two rows one instance


def modisco_seqlets(patterns: PatternSet, regions: Regions, motifs: HitMotifs, window: int) -> pd.DataFrame:
    """Seqlets of TF-MoDISco where the regions are.

    Parameters
    ----------
    patterns : PatternSet
        Of the same regions, in their order.
    regions : Regions
    motifs : HitMotifs
        For trimming and names.
    window : int
        Width of the middle of the regions in which TF-MoDISco sought.

    Returns
    -------
    DataFrame
        chr, start, end, start_untrimmed, end_untrimmed, strand, motif_name, peak_id, peak_region_start; one row for
        seqlets that overlapping regions have in common.

    Raises
    ------
    NbinterpError
        For seqlets of regions that are not there.
    """
    places = places_of(regions)
    known = {(name, strand): m for m, (name, strand) in enumerate(zip(motifs.original, motifs.strands, strict=True))}
    tables = []
    for pattern in patterns:
        table = pattern.seqlets
        if len(table) and table["example_idx"].max() >= len(regions):
            got = f"a seqlet of region {table['example_idx'].max()}"
            do = "pass the regions that TF-MoDISco was given"
            raise problem("modisco_seqlets", "patterns", got=got, need=f"fewer than {len(regions)}", do=do)
        of = [known.get((pattern.name, strand), -1) for strand in table["strand"]]
        tables.append(table.assign(motif=of))
    seqlets = pd.concat(tables, ignore_index=True)
    seqlets = seqlets[seqlets["motif"] >= 0]
    motif = seqlets["motif"].to_numpy()
    here = places.iloc[seqlets["example_idx"]].reset_index(drop=True)
    shift = regions.length // 2 - window // 2
    first = here["peak_region_start"] + seqlets["start"].to_numpy() + shift
    found = pd.DataFrame(
        {
            "chr": here["chr"],
            "start": first + motifs.starts[motif],
            "end": first + motifs.ends[motif],
            "start_untrimmed": first,
            "end_untrimmed": here["peak_region_start"] + seqlets["end"].to_numpy() + shift,
            "strand": seqlets["strand"].to_numpy(),
            "motif_name": np.array(motifs.names, dtype=object)[motif],
            "peak_id": here["peak_id"],
            "peak_region_start": here["peak_region_start"],
            "place": here["place"],
        }
    )
    return found.drop_duplicates(SAME, ignore_index=True)


def places_of(regions: Regions) -> pd.DataFrame:
    """Regions, each with a number for the ground it stands on: its chromosome, or itself where there are none."""
    n = len(regions)
    if regions.peaks is None:
        return pd.DataFrame({"chr": "NA", "peak_id": np.arange(n), "peak_region_start": 0, "place": np.arange(n)})
    peaks = regions.peaks
    return pd.DataFrame(
        {
            "chr": peaks["chr"],
            "peak_id": peaks["peak_id"],
            "peak_region_start": peaks["start"],
            "place": peaks["chr_id"],
        }
    )


def regions_of(where: str, argument: str, hits: pd.DataFrame, regions: Regions) -> np.ndarray:
    """The row of each hit's region; hits of other regions, or outside of theirs, are refused."""
    places = places_of(regions)
    row = pd.Series(np.arange(len(places)), index=places["peak_id"]).reindex(hits["peak_id"]).to_numpy(float)
    if np.isnan(row).any():
        got = f"hits of peak {hits['peak_id'].iloc[int(np.isnan(row).argmax())]}"
        raise problem(where, argument, got=got, need="hits of these regions", do="pass the regions that were called")
    found = row.astype(np.int64)
    offset = hits[["start", "end"]].to_numpy(np.int64) - places["peak_region_start"].to_numpy(np.int64)[found, None]
    outside = ((offset < 0) | (offset > regions.length)).any(axis=1)
    if outside.any():
        got = f"one outside of peak {hits['peak_id'].iloc[int(outside.argmax())]}"
        need = f"hits within regions of {regions.length} positions"
        raise problem(where, argument, got=got, need=need, do="pass the regions that were called")
    return found

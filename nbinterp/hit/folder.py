"""A call's folder as an annotation table.

In: the folder of a call, ours or Fi-NeMo's, and the regions that were called.  Out: the hits in the columns of `call_hits`,
where the regions are; what the folder does not say is not there.
"""

from __future__ import annotations

import os

import numpy as np
import pandas as pd

from .files import read_details
from .regions import Regions
from .seqlets import places_of, regions_of
from .store import DETAILS

__all__ = ["read_call"]

_SPANS = ("start", "end", "start_untrimmed", "end_untrimmed")


def read_call(folder: str | os.PathLike[str], regions: Regions) -> pd.DataFrame:
    """Read the hits of a folder in the columns of `call_hits`.

    Parameters
    ----------
    folder : path
        Of `write_hits`, `call_to_folder`, ``nbinterp hits call`` or ``finemo call-hits``.
    regions : Regions
        Those that were called, in their order.

    Returns
    -------
    DataFrame
        example_idx, start, end (within the region), name, strand, score, start_untrimmed, end_untrimmed, coefficient,
        coefficient_global, similarity, importance, importance_sq; of ours also cosine, explained, leave_one_out, rival and
        tied.  An annotation table, by example and start.

    Raises
    ------
    FormatError
        For a folder without a table of hits, or with details of other hits.
    NbinterpError
        For hits outside these regions.
    """
    where = "read_call"
    hits = read_details(folder, where=where, argument="folder")
    row = regions_of(where, "regions", hits, regions)
    begin = places_of(regions)["peak_region_start"].to_numpy(np.int64)[row]
    spans = {name: hits[name].to_numpy(np.int64) - begin for name in _SPANS}
    numbers = ("coefficient", "coefficient_global", "similarity", "importance", "importance_sq")
    table = pd.DataFrame(
        {
            "example_idx": row,
            "start": spans["start"],
            "end": spans["end"],
            "name": hits["motif_name"].to_numpy(object),
            "strand": hits["strand"].to_numpy(object),
            "score": hits["hit_coefficient_global"].to_numpy(float),
            "start_untrimmed": spans["start_untrimmed"],
            "end_untrimmed": spans["end_untrimmed"],
            **{name: hits[f"hit_{name}"].to_numpy(float) for name in numbers},
        }
    )
    if "cosine" in hits:
        kinds = {"cosine": float, "explained": float, "leave_one_out": float, "tied": bool}
        table = pd.concat([table, hits[list(DETAILS)].astype(kinds)], axis=1)
    return table.sort_values(["example_idx", "start", "name", "strand"], kind="stable", ignore_index=True)

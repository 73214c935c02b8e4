"""A call's folder as an annotation table.

In: the folder of a call, ours or Fi-NeMo's, and the regions that were called.  Out: the hits in the columns of `call_hits`,
where the regions are; what the folder does not say is not there.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd

from ..errors import FormatError, problem
from .files import read_hits
from .regions import Regions
from .seqlets import places_of

__all__ = ["read_call"]

_SPANS = ("start", "end", "start_untrimmed", "end_untrimmed")
_SAME = ["chr", "start", "motif_name", "strand", "peak_id"]


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
    hits = read_hits(folder)
    places = places_of(regions)
    row = pd.Series(np.arange(len(places)), index=places["peak_id"]).reindex(hits["peak_id"]).to_numpy()
    if np.isnan(row.astype(float)).any():
        got = f"hits of peak {hits['peak_id'].iloc[int(np.isnan(row.astype(float)).argmax())]}"
        raise problem(where, "regions", got=got, need="the regions that were called", do="pass those")
    row = row.astype(np.int64)
    begin = places["peak_region_start"].to_numpy(np.int64)[row]
    spans = {name: hits[name].to_numpy(np.int64) - begin for name in _SPANS}
    if len(hits) and (spans["start"].min() < 0 or spans["end"].max() > regions.length):
        need = f"hits within regions of {regions.length} positions"
        raise problem(where, "regions", got="hits outside of them", need=need, do="pass the regions that were called")
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
    details = Path(folder) / "hits_details.tsv"
    if details.is_file():
        table = pd.concat([table, _details(details, hits)], axis=1)
    return table.sort_values(["example_idx", "start", "name", "strand"], kind="stable", ignore_index=True)


def _details(path: Path, hits: pd.DataFrame) -> pd.DataFrame:
    """The columns that Fi-NeMo does not have, of the same rows."""
    kinds = dict.fromkeys(("chr", "motif_name", "strand", "rival"), str)
    found = pd.read_csv(path, sep="\t", dtype=kinds, keep_default_na=False, na_values={"cosine": ["NaN"]})
    if len(found) != len(hits) or not all((found[n].to_numpy() == hits[n].to_numpy()).all() for n in _SAME):
        raise problem(
            "read_call", "folder", got=f"{path} with other rows than hits.tsv", need="the rows of hits.tsv",
            do="remove it, or call again", kind=FormatError,
        )  # fmt: skip
    numbers = {"cosine": float, "explained": float, "leave_one_out": float, "tied": bool}
    return found.drop(columns=[*_SAME, "example_idx"]).astype({n: kind for n, kind in numbers.items() if n in found})

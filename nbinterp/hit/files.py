"""Called hits as files: Fi-NeMo's, so that its tools and its users' scripts read them, and what they lack.

In: `Hits` and the regions they were called in.  Out: ``hits.tsv``, ``hits_unique.tsv``, ``hits.bed``,
``peaks_qc.tsv``, ``motif_data.tsv``, ``motif_cwms.npy``, ``parameters.json``, and ``hits_details.tsv`` with the further columns.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from ..core.files import writing
from ..errors import FormatError, problem
from .call import Hits
from .motifs import HitMotifs
from .regions import Regions

__all__ = ["HITS", "hits_table", "read_hit_motifs", "read_hits", "unique_hits", "write_hits"]

HITS: Final[Mapping[str, Any]] = {
    "chr": str,
    "start": np.int32,
    "end": np.int32,
    "start_untrimmed": np.int32,
    "end_untrimmed": np.int32,
    "motif_name": str,
    "hit_coefficient": np.float32,
    "hit_coefficient_global": np.float32,
    "hit_similarity": np.float32,
    "hit_correlation": np.float32,
    "hit_importance": np.float32,
    "hit_importance_sq": np.float32,
    "strand": str,
    "peak_name": str,
    "peak_id": np.uint32,
}
_DETAILS = ("cosine", "explained", "leave_one_out", "rival", "tied")
_SAME = ["chr", "start", "motif_name", "strand"]
_NO_CHROM = "NA"


def _places(hits: Hits, regions: Regions, example: np.ndarray) -> pd.DataFrame:
    if regions.peaks is not None:
        return regions.peaks.iloc[example].reset_index(drop=True)
    n = len(example)
    names = np.full(n, _NO_CHROM, object)
    return pd.DataFrame(
        {"chr": names, "chr_id": example, "start": np.zeros(n, np.int32), "peak_id": example, "peak_name": names}
    )


def hits_table(hits: Hits, regions: Regions) -> pd.DataFrame:
    """Give hits Fi-NeMo's columns, in genome coordinates where the regions have them, and ours after those.

    Sorted by chromosome, start, motif and strand.  Without peaks the chromosome is ``NA``, positions count from the
    beginning of each region, and ``peak_id`` tells the regions apart.
    """
    table = hits.table
    places = _places(hits, regions, table["example_idx"].to_numpy())
    spans = ("start", "end", "start_untrimmed", "end_untrimmed")
    columns = {
        "chr": places["chr"],
        **{name: table[name].to_numpy() + places["start"] for name in spans},
        "motif_name": table["name"].to_numpy(),
        **{f"hit_{name}": table[name].to_numpy() for name in ("coefficient", "coefficient_global", "similarity")},
        "hit_correlation": table["similarity"].to_numpy(),  # as Fi-NeMo has it
        **{f"hit_{name}": table[name].to_numpy() for name in ("importance", "importance_sq")},
        "strand": table["strand"].to_numpy(),
        "peak_name": places["peak_name"],
        "peak_id": places["peak_id"],
        **{name: table[name].to_numpy() for name in ("example_idx", *_DETAILS)},
        "chr_id": places["chr_id"],
    }
    order = ["chr_id", "start", "motif_name", "strand", "peak_id"]
    sorted_ = pd.DataFrame(columns).sort_values(order, kind="stable", ignore_index=True)
    return sorted_.drop(columns="chr_id").astype({name: kind for name, kind in HITS.items() if kind is not str})


def unique_hits(table: pd.DataFrame) -> pd.DataFrame:
    """Keep one of the hits that overlapping regions have in common: the one of the greatest similarity.

    Without chromosomes every region stands for itself.  (Fi-NeMo keeps any, and takes the regions for one.)
    """
    keys = [*_SAME, *(["peak_id"] if (table["chr"] == _NO_CHROM).any() else [])]
    best = table.sort_values("hit_similarity", ascending=False, kind="stable").drop_duplicates(keys)
    return table.loc[best.index.sort_values()].reset_index(drop=True)


def _bed(unique: pd.DataFrame) -> pd.DataFrame:
    """Fi-NeMo's six columns, with the similarity in thousandths as score; thick from end to end."""
    score = np.clip(np.rint(unique["hit_similarity"] * 1000), 0, 1000).astype(int)
    return pd.DataFrame(
        {
            "chr": unique["chr"], "start": unique["start"], "end": unique["end"], "name": unique["motif_name"],
            "score": score, "strand": unique["strand"], "thick_start": unique["start"], "thick_end": unique["end"],
        }
    )  # fmt: skip


def _quality(hits: Hits, regions: Regions) -> pd.DataFrame:
    facts = hits.regions
    places = _places(hits, regions, facts["example_idx"].to_numpy())
    columns = {name: facts[name].to_numpy(np.float32) for name in ("nll", "dual_gap")}
    columns["num_steps"] = facts["num_steps"].to_numpy(np.int32)
    columns |= {name: facts[name].to_numpy(np.float32) for name in ("step_size", "global_scale")}
    table = pd.DataFrame(columns).assign(
        peak_id=places["peak_id"].astype(np.uint32),
        chr=places["chr"],
        peak_region_start=places["start"],
        peak_name=places["peak_name"],
        chr_id=places["chr_id"],
    )
    return table.sort_values(["chr_id", "peak_region_start"], kind="stable").drop(columns="chr_id")


def write_hits(
    out: str | os.PathLike[str], hits: Hits, regions: Regions, parameters: Mapping[str, Any] | None = None
) -> dict[str, Path]:
    """Write everything that was called into a folder.

    Parameters
    ----------
    out : path
        Made where it is not there.
    hits : Hits
    regions : Regions
        Those that the hits were called in.
    parameters : mapping, optional
        What was asked, for ``parameters.json``.

    Returns
    -------
    dict of str to Path
        The files.

    Notes
    -----
    Columns and types are Fi-NeMo's.  ``hits.bed`` has its first six columns, with the similarity in thousandths as score,
    and thick ends.  ``hits_details.tsv`` has a row for each of ``hits.tsv``, with example_idx, cosine, explained,
    leave_one_out, rival and tied.
    """
    folder = Path(out)
    table = hits_table(hits, regions)
    unique = unique_hits(table)
    facts = {
        "region_width": regions.length,
        "num_regions": len(regions),
        "untrimmed_motif_width": int(hits.motifs.weights.shape[2]),
        "num_motifs": len(hits.motifs),
    }
    tables = {
        "hits.tsv": table[list(HITS)],
        "hits_unique.tsv": unique[list(HITS)],
        "hits_details.tsv": table[[*_SAME, "peak_id", "example_idx", *_DETAILS]],
        "peaks_qc.tsv": _quality(hits, regions),
        "motif_data.tsv": hits.motifs.table,
    }
    for name, one in tables.items():
        with writing(folder / name) as path:
            one.to_csv(path, sep="\t", index=False, na_rep="NaN")
    with writing(folder / "hits.bed") as path:
        _bed(unique).to_csv(path, sep="\t", index=False, header=False)
    with writing(folder / "motif_cwms.npy") as path:
        np.save(path, hits.motifs.weights.astype(np.float16))
    with writing(folder / "parameters.json") as path:
        path.write_text(json.dumps({**(parameters or {}), **facts}, indent=4, default=str) + "\n")
    return {name: folder / name for name in (*tables, "hits.bed", "motif_cwms.npy", "parameters.json")}


def read_hits(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read a table of hits: ours, Fi-NeMo's, collapsed or intersected; or the folder of a call, for its ``hits.tsv``.

    Raises
    ------
    FormatError
        When it is no such table.
    """
    file = Path(path) / "hits.tsv" if Path(path).is_dir() else Path(path)
    kinds = {name: kind for name, kind in HITS.items() if kind is not str}
    try:
        table = pd.read_csv(
            file, sep="\t", dtype={name: str for name, kind in HITS.items() if kind is str}, na_filter=False
        )
        return table.astype(kinds)
    except (OSError, ValueError, KeyError, pd.errors.ParserError) as error:
        need = f"a table with {', '.join(HITS)}"
        raise problem(
            "read_hits", "path", got=f"{file} ({error})", need=need, do="pass hits.tsv of a call", kind=FormatError
        ) from error


def read_hit_motifs(out: str | os.PathLike[str]) -> HitMotifs:
    """Read the motifs of a call, ours or Fi-NeMo's, from its folder."""
    folder = Path(out)
    try:
        table = pd.read_csv(folder / "motif_data.tsv", sep="\t", dtype={"motif_name": str, "motif_name_orig": str})
        weights = np.load(folder / "motif_cwms.npy").astype(float)
        names, original, strands = (tuple(table[name]) for name in ("motif_name", "motif_name_orig", "strand"))
        starts, ends, scales, lambdas = (
            table[name].to_numpy() for name in ("motif_start", "motif_end", "motif_scale", "lambda")
        )
        widths = np.full(len(weights), weights.shape[2])
        return HitMotifs(names, original, strands, weights, widths, starts, ends, scales, lambdas)
    except (OSError, ValueError, KeyError) as error:
        need = "a folder with motif_data.tsv and motif_cwms.npy"
        raise problem(
            "read_hit_motifs",
            "out",
            got=f"{folder} ({error})",
            need=need,
            do="pass the folder of a call",
            kind=FormatError,
        ) from error

"""Called hits as files: Fi-NeMo's, so that its tools and its users' scripts read them, and what they lack.

In: `Hits` and the regions they were called in.  Out: ``hits.tsv``, ``hits_unique.tsv``, ``hits.bed``, ``peaks_qc.tsv``,
``motif_data.tsv``, ``motif_cwms.npy``, ``parameters.json``, and ``hits_details.tsv`` with the further columns.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from ..core.files import writing
from ..errors import FormatError, problem
from .call import Hits
from .motifs import HitMotifs
from .regions import Regions
from .store import DETAILS, HITS, NO_CHROM, Store, best_of, pack, places_in_genome

__all__ = [
    "as_bed",
    "hits_table",
    "read_details",
    "read_hit_motifs",
    "read_hits",
    "unique_hits",
    "write_hits",
    "write_store",
]

_SAME: Final = ["chr", "start", "motif_name", "strand"]
_COLUMNS: Final[Mapping[str, list[str]]] = {
    "hits.tsv": list(HITS),
    "hits_unique.tsv": list(HITS),
    "hits_details.tsv": [*_SAME, "peak_id", "example_idx", *DETAILS],
}


def hits_table(hits: Hits, regions: Regions) -> pd.DataFrame:
    """Give hits Fi-NeMo's columns, in genome coordinates where the regions have them, and ours after those.

    Sorted by chromosome, start, motif, strand and region.  Without peaks the chromosome is ``NA``, positions count from
    the beginning of each region, and ``peak_id`` tells the regions apart.
    """
    store = Store([pack(hits.table, hits.motifs)], hits.motifs, regions)
    return pd.concat([table for table, _ in store.blocks()], ignore_index=True)


def unique_hits(table: pd.DataFrame) -> pd.DataFrame:
    """Keep one of the hits that overlapping regions have in common: the one of the greatest similarity.

    Without chromosomes every region stands for itself.  (Fi-NeMo keeps any, and takes the regions for one.)
    """
    keys = [*_SAME, *(["peak_id"] if (table["chr"] == NO_CHROM).any() else [])]
    return table[best_of(table[keys], table["hit_similarity"].to_numpy())].reset_index(drop=True)


def as_bed(table: pd.DataFrame) -> pd.DataFrame:
    """Fi-NeMo's six columns of BED, with the similarity in thousandths as score; thick from end to end.

    What a hit in a padded region has before the beginning of its chromosome is cut off.
    """
    start = table["start"].clip(lower=0)
    score = np.clip(np.rint(table["hit_similarity"] * 1000), 0, 1000).astype(int)
    return pd.DataFrame(
        {
            "chr": table["chr"], "start": start, "end": table["end"], "name": table["motif_name"], "score": score,
            "strand": table["strand"], "thick_start": start, "thick_end": table["end"],
        }
    )  # fmt: skip


def _quality(facts: pd.DataFrame, regions: Regions) -> pd.DataFrame:
    places = places_in_genome(regions, facts["example_idx"].to_numpy())
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
        What was asked, for ``parameters.json``; by Fi-NeMo's names, where it has one.

    Returns
    -------
    dict of str to Path
        The files.

    Notes
    -----
    Columns and types are Fi-NeMo's.  ``hits.bed`` has its first six columns, with the similarity in thousandths as score
    (Fi-NeMo's is 0), and the ends again as thick ends.  ``hits_details.tsv`` has a row for each of ``hits.tsv``, with
    example_idx, cosine, explained, leave_one_out, rival and tied.
    """
    return write_store(out, Store([pack(hits.table, hits.motifs)], hits.motifs, regions), hits.regions, parameters)


def write_store(
    out: str | os.PathLike[str], store: Store, facts: pd.DataFrame, parameters: Mapping[str, Any] | None = None
) -> dict[str, Path]:
    """Write what `write_hits` does, of hits that need not fit into memory; `facts` are ``Hits.regions``."""
    folder, motifs, regions = Path(out), store.motifs, store.regions
    _write_tables(folder, store)
    for name, table in (("peaks_qc.tsv", _quality(facts, regions)), ("motif_data.tsv", motifs.table)):
        with writing(folder / name) as path:
            table.to_csv(path, sep="\t", index=False, na_rep="NaN")
    with writing(folder / "motif_cwms.npy") as path:
        np.save(path, motifs.weights.astype(np.float16))
    sizes = {
        "region_width": regions.length,
        "num_regions": len(regions),
        "untrimmed_motif_width": int(motifs.weights.shape[2]),
        "num_motifs": len(motifs),
    }
    asked = {"cwm_trim_threshold_default": None, **(parameters or {})}  # Fi-NeMo's report wants it to be there
    with writing(folder / "parameters.json") as path:
        path.write_text(json.dumps({**asked, **sizes}, indent=4, default=str) + "\n")
    written = (*_COLUMNS, "hits.bed", "peaks_qc.tsv", "motif_data.tsv", "motif_cwms.npy", "parameters.json")
    return {name: folder / name for name in written}


def _write_tables(folder: Path, store: Store) -> None:
    """The files with a row a hit, side by side, some rows at a time."""
    with ExitStack() as open_files:
        paths = {name: open_files.enter_context(writing(folder / name)) for name in (*_COLUMNS, "hits.bed")}
        texts = {
            name: open_files.enter_context(path.open("w", encoding="utf-8", newline="")) for name, path in paths.items()
        }
        for i, (table, best) in enumerate(store.blocks()):
            for name, columns in _COLUMNS.items():
                rows = table[best] if name == "hits_unique.tsv" else table
                rows.to_csv(texts[name], sep="\t", columns=columns, header=i == 0, index=False, na_rep="NaN")
            as_bed(table[best]).to_csv(texts["hits.bed"], sep="\t", header=False, index=False)


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


def read_details(out: str | os.PathLike[str], *, where: str = "read_details", argument: str = "out") -> pd.DataFrame:
    """Read ``hits.tsv`` of a folder, with the columns of ``hits_details.tsv``; Fi-NeMo's folders have none of these.

    Raises
    ------
    FormatError
        When the two do not belong together.
    """
    hits, path = read_hits(out), Path(out) / "hits_details.tsv"
    if not path.is_file():
        return hits
    details = pd.read_csv(path, sep="\t", dtype={"rival": str}, keep_default_na=False, na_values={"cosine": ["NaN"]})
    keys = [*_SAME, "peak_id"]
    if (
        len(details) != len(hits)
        or not (details[keys].astype(str).to_numpy() == hits[keys].astype(str).to_numpy()).all()
    ):
        got, need = f"{path} with other rows than hits.tsv", "the details of these hits"
        raise problem(where, argument, got=got, need=need, do="remove it, or call again", kind=FormatError)
    return hits.assign(**{name: details[name] for name in ("example_idx", *DETAILS)})


def read_hit_motifs(out: str | os.PathLike[str]) -> HitMotifs:
    """Read the motifs of a call, ours or Fi-NeMo's, from its folder."""
    folder = Path(out)
    try:
        table = pd.read_csv(folder / "motif_data.tsv", sep="\t", dtype={"motif_name": str, "motif_name_orig": str})
        weights = np.load(folder / "motif_cwms.npy").astype(float)
        names, original, strands = (tuple(table[name]) for name in ("motif_name", "motif_name_orig", "strand"))
        starts, ends, scales, lambdas = (
            table[name].to_numpy(copy=True) for name in ("motif_start", "motif_end", "motif_scale", "lambda")
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

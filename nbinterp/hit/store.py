"""Hits as they are kept: small records, in memory or on disk, read in the order of the genome a few at a time.

In: tables of `call_hits`.  Out: `Store`, whose blocks are tables in Fi-NeMo's columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from .motifs import HitMotifs
from .regions import Regions

__all__ = ["DETAILS", "HITS", "NO_CHROM", "RECORD", "Store", "best_of", "pack", "places_in_genome"]

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
DETAILS: Final = ("cosine", "explained", "leave_one_out", "rival", "tied")
_THEIRS: Final = ("coefficient", "coefficient_global", "similarity", "importance", "importance_sq")
_OURS: Final = ("cosine", "explained", "leave_one_out")
RECORD: Final = np.dtype(
    [
        ("example_idx", np.int64),
        ("start", np.int32),
        ("motif", np.int32),  # a strand of `HitMotifs`
        ("rival", np.int32),  # a motif, -1 for none
        ("tied", bool),
        *((name, np.float32) for name in _THEIRS),
        *((name, np.float64) for name in _OURS),
    ]
)
_BLOCK: Final = 8192
NO_CHROM: Final = "NA"


def pack(table: pd.DataFrame, motifs: HitMotifs) -> np.ndarray:
    """Turn a table of `call_hits` into records; what follows from the motif is left out."""
    names = pd.Index(motifs.names[::2])
    out = np.zeros(len(table), RECORD)
    out["motif"] = 2 * names.get_indexer(pd.Index(table["name"])) + (table["strand"] == "-")
    out["rival"] = names.get_indexer(pd.Index(table["rival"]))
    for name in ("example_idx", "start", "tied", *_THEIRS, *_OURS):
        out[name] = table[name]
    return out


def places_in_genome(regions: Regions, example: np.ndarray) -> pd.DataFrame:
    """Rows of the regions' peaks; without peaks every region is a place of its own, which begins at 0."""
    if regions.peaks is not None:
        return regions.peaks.iloc[example].reset_index(drop=True)
    names = np.full(len(example), NO_CHROM, object)
    return pd.DataFrame(
        {
            "chr": names,
            "chr_id": example,
            "start": np.zeros(len(example), np.int32),
            "peak_id": example,
            "peak_name": names,
        }
    )


class Store:
    """Records of hits in one order: by chromosome, start, motif, strand and region.

    Parameters
    ----------
    parts : sequence of arrays
        Of `pack`; arrays that are mapped from files stay there but for the rows that are asked for.
    motifs : HitMotifs
    regions : Regions
        Those that were called.

    Attributes
    ----------
    motifs, regions
        As given.
    best : bool array
        Of the hits that overlapping regions have in common, in order, whether it is the one of greatest similarity.
    """

    def __init__(self, parts: Sequence[np.ndarray], motifs: HitMotifs, regions: Regions) -> None:
        self.motifs, self.regions, self._parts = motifs, regions, parts
        self._ends = np.cumsum([len(part) for part in parts], dtype=np.int64)
        example, start, motif, similarity = (
            np.concatenate([np.asarray(part[name]) for part in parts])
            for name in ("example_idx", "start", "motif", "similarity")
        )
        places = places_in_genome(regions, np.arange(len(regions)))
        chrom, peak = places["chr_id"].to_numpy()[example], places["peak_id"].to_numpy()[example]
        start = start + places["start"].to_numpy(np.int64)[example]
        rank = np.unique(np.array(motifs.names), return_inverse=True)[1][motif]
        self._order = np.lexsort((peak, motif % 2, rank, start, chrom))
        keys = pd.DataFrame({"chrom": chrom, "start": start, "motif": motif})
        self.best = best_of(keys.iloc[self._order], similarity[self._order])

    def __len__(self) -> int:
        return len(self._order)

    def blocks(self) -> Iterator[tuple[pd.DataFrame, np.ndarray]]:
        """Tables of some rows, in order, with `best` of these; at least one table."""
        for begin in range(0, max(len(self), 1), _BLOCK):
            rows = slice(begin, begin + _BLOCK)
            yield self._table(self._gathered(self._order[rows])), self.best[rows]

    def _gathered(self, rows: np.ndarray) -> np.ndarray:
        out = np.zeros(len(rows), RECORD)
        part = np.searchsorted(self._ends, rows, side="right")
        for one in np.unique(part):
            here = part == one
            out[here] = self._parts[one][rows[here] - (self._ends[one] - len(self._parts[one]))]
        return out

    def _table(self, records: np.ndarray) -> pd.DataFrame:
        m, motif = self.motifs, records["motif"]
        places = places_in_genome(self.regions, records["example_idx"])
        begin = records["start"] + places["start"].to_numpy()
        whole = begin - m.starts[motif]
        names = np.array([*m.names[::2], ""], object)
        columns = {
            "chr": places["chr"],
            "start": begin,
            "end": begin + (m.ends - m.starts)[motif],
            "start_untrimmed": whole,
            "end_untrimmed": whole + m.widths[motif],
            "motif_name": names[motif // 2],
            **{f"hit_{name}": records[name] for name in _THEIRS[:3]},
            "hit_correlation": records["similarity"],  # as Fi-NeMo has it
            **{f"hit_{name}": records[name] for name in _THEIRS[3:]},
            "strand": np.array(m.strands, object)[motif],
            "peak_name": places["peak_name"],
            "peak_id": places["peak_id"],
            **{name: records[name] for name in ("example_idx", *_OURS)},
            "rival": names[records["rival"]],
            "tied": records["tied"],
        }
        return pd.DataFrame(columns).astype({name: kind for name, kind in HITS.items() if kind is not str})


def best_of(keys: pd.DataFrame, similarity: np.ndarray) -> np.ndarray:
    """Of rows with equal keys, whether each is the one of the greatest similarity; of equals the first."""
    order = np.argsort(-similarity, kind="stable")
    out = np.zeros(len(keys), bool)
    out[order] = ~keys.iloc[order].duplicated().to_numpy()
    return out

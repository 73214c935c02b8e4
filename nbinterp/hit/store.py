"""Hits as they are kept: small records, in memory or on disk, read in the order of the genome a few at a time.

In: tables of `call_hits`.  Out: `Store`, whose blocks are tables in Fi-NeMo's columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
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
    """Turn a table of `call_hits` into records, by region; what follows from the motif is left out."""
    names = pd.Index(motifs.names[::2])
    out = np.zeros(len(table), RECORD)
    out["motif"] = 2 * names.get_indexer(pd.Index(table["name"])) + (table["strand"] == "-")
    out["rival"] = names.get_indexer(pd.Index(table["rival"]))
    for name in ("example_idx", "start", "tied", *_THEIRS, *_OURS):
        out[name] = table[name]
    return out[np.argsort(out["example_idx"], kind="stable")]


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
    """Records of hits, which are read a few at a time, in one order: by chromosome, start, motif, strand and region.

    Parameters
    ----------
    parts : sequence of arrays or paths
        Of `pack`, or files that `numpy.save` wrote of such; regions in order, over all parts.
    motifs : HitMotifs
    regions : Regions
        Those that were called.

    Attributes
    ----------
    motifs, regions
        As given.
    """

    def __init__(self, parts: Sequence[np.ndarray | Path], motifs: HitMotifs, regions: Regions) -> None:
        self.motifs, self.regions, self._parts = motifs, regions, parts
        self._counts = np.zeros(len(regions), np.int64)
        ends = []
        for part in parts:
            self._counts += np.bincount(_opened(part)["example_idx"], minlength=len(regions))
            ends.append(self._counts.sum())
        self._ends = np.array(ends)

    def __len__(self) -> int:
        return int(self._counts.sum())

    def blocks(self) -> Iterator[tuple[pd.DataFrame, np.ndarray]]:
        """Tables of some rows, in order, at least one.

        And of the hits that overlapping regions have in common, whether each is the one of greatest similarity.
        """
        places = places_in_genome(self.regions, np.arange(len(self.regions)))
        chrom, begin = places["chr_id"].to_numpy(), places["start"].to_numpy(np.int64)
        order = np.lexsort((begin, chrom))
        waiting = np.zeros(0, RECORD)
        for regions, after in self._runs(order):
            records = np.concatenate([waiting, self._gathered(self._rows(regions))])
            region = records["example_idx"]
            # what begins before the next region does is complete
            ready = np.ones(len(records), bool)
            if after is not None:
                start = begin[region] + records["start"]
                ready = (chrom[region] < chrom[after]) | ((chrom[region] == chrom[after]) & (start < begin[after]))
            waiting = records[~ready]
            if ready.any() or after is None:
                yield self._sorted(records[ready], places)

    def _runs(self, order: np.ndarray) -> Iterator[tuple[np.ndarray, int | None]]:
        """Regions with about a block of hits, and the region that comes next."""
        total = np.cumsum(self._counts[order])
        cuts = np.unique(np.searchsorted(total, np.arange(_BLOCK, total[-1], _BLOCK), side="right")).tolist()
        for i, j in zip([0, *cuts], [*cuts, len(order)], strict=True):
            yield order[i:j], int(order[j]) if j < len(order) else None

    def _rows(self, regions: np.ndarray) -> np.ndarray:
        """Of their hits, over all parts."""
        counts = self._counts[regions]
        first = (np.cumsum(self._counts) - self._counts)[regions]
        return np.asarray(np.repeat(first - (np.cumsum(counts) - counts), counts) + np.arange(counts.sum()))

    def _gathered(self, rows: np.ndarray) -> np.ndarray:
        out = np.zeros(len(rows), RECORD)
        part = np.searchsorted(self._ends, rows, side="right")
        for one in np.unique(part).tolist():
            here, stored = part == one, _opened(self._parts[one])
            out[here] = stored[rows[here] - (self._ends[one] - len(stored))]
        return out

    def _sorted(self, records: np.ndarray, places: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
        region, motif = records["example_idx"], records["motif"]
        chrom, peak = (places[name].to_numpy()[region] for name in ("chr_id", "peak_id"))
        start = places["start"].to_numpy(np.int64)[region] + records["start"]
        rank = np.unique(np.array(self.motifs.names), return_inverse=True)[1][motif]
        order = np.lexsort((peak, motif % 2, rank, start, chrom))
        keys = pd.DataFrame({"chrom": chrom, "start": start, "motif": motif})
        return self._table(records[order]), best_of(keys.iloc[order], records["similarity"][order])

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


def _opened(part: np.ndarray | Path) -> np.ndarray:
    """Its records; those of a file stay there but for the ones that are asked for."""
    return part if isinstance(part, np.ndarray) else np.asarray(np.load(part, mmap_mode="r"))


def best_of(keys: pd.DataFrame, similarity: np.ndarray) -> np.ndarray:
    """Of rows with equal keys, whether each is the one of the greatest similarity; of equals the first."""
    order = np.argsort(-similarity, kind="stable")
    out = np.zeros(len(keys), bool)
    out[order] = ~keys.iloc[order].duplicated().to_numpy()
    return out

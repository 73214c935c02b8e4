"""Peaks: where the regions are.

In: narrowPeak or BED, and the order of chromosomes.  Out: a table with Fi-NeMo's columns.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd

from ..errors import problem

__all__ = ["PEAKS", "read_peaks"]

PEAKS = ("chr", "chr_id", "start", "peak_id", "peak_name")


def read_peaks(
    peaks: str | os.PathLike[str] | pd.DataFrame, width: int, *, chrom_order: str | os.PathLike[str] | None = None
) -> pd.DataFrame:
    """Read peaks as regions of one width, around their summits.

    Parameters
    ----------
    peaks : path or DataFrame
        narrowPeak; or BED, whose intervals are taken by their middles.
    width : int
        Of the regions, even.
    chrom_order : path, optional
        A file with the chromosomes in order, the first of its columns; others follow as they appear.

    Returns
    -------
    DataFrame
        chr, chr_id (place in the order), start (of the region; may be negative), peak_id (row), peak_name.

    Raises
    ------
    NbinterpError
        For a table that is no BED, or summits that are no numbers.

    Examples
    --------
    >>> bed = pd.DataFrame({"chrom": ["chr2"], "start": [100], "end": [300], "name": ["p"]})
    >>> read_peaks(bed, 50)[["chr", "start", "peak_name"]].values.tolist()
    [['chr2', 175, 'p']]
    """
    from ..sequence.loci import read_loci

    table = read_loci("read_peaks", peaks)
    middle = (table["start"] + table["end"]) // 2
    if "summit" in table:
        summit = pd.to_numeric(table["summit"], errors="coerce")
        if summit.isna().any():
            got = f"{table['summit'][summit.isna()].iloc[0]!r} in column 10"
            raise problem("read_peaks", "peaks", got=got, need="summits, offsets from the start", do="mend the file")
        middle = middle.where(summit < 0, table["start"] + summit.astype(np.int64))
    order = [] if chrom_order is None else [line.split("\t")[0] for line in Path(chrom_order).read_text().splitlines()]
    order = list(dict.fromkeys([*filter(None, order), *table["chrom"]]))
    number = {chrom: i for i, chrom in enumerate(order)}
    n = len(table)
    return pd.DataFrame(
        {
            "chr": table["chrom"].astype(str),
            "chr_id": table["chrom"].map(number).astype(np.int64),
            "start": (middle - width // 2).astype(np.int32),
            "peak_id": np.arange(n, dtype=np.uint32),
            "peak_name": table["name"].astype(str) if "name" in table else [f"peak_{i}" for i in range(n)],
        }
    )

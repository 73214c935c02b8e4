"""What the hits of each motif look like.

In: hits, regions.  Out: mean contributions and letter frequencies.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from .motifs import HitMotifs
from .regions import Regions

__all__ = ["hit_matrices"]

_CHUNK = 512


def hit_matrices(
    hits: pd.DataFrame, regions: Regions, motifs: HitMotifs
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Mean contributions at the observed bases, and letter frequencies, of each motif's hits ``(4, W)``.

    `hits` have region, start_untrimmed, peak_region_start, motif_name and strand.  Regions are read once, a few at a time.
    """
    names, width = list(motifs.names[::2]), motifs.weights.shape[2]
    number = {name: i for i, name in enumerate(names)}
    motif = hits["motif_name"].map(number).to_numpy(int)
    start = (hits["start_untrimmed"] - hits["peak_region_start"]).to_numpy()
    own = motifs.widths[2 * motif]
    good = (start >= 0) & (start + own <= regions.length)
    region, turned = hits["region"].to_numpy(), (hits["strand"] == "-").to_numpy()
    sums, letters, counts = np.zeros((len(names), 4, width)), np.zeros((len(names), 4, width)), np.zeros(len(names))
    for begin in range(0, len(regions), _CHUNK):
        rows = slice(begin, min(begin + _CHUNK, len(regions)))
        chosen = np.flatnonzero(good & (region >= rows.start) & (region < rows.stop))
        X, values = np.asarray(regions.sequences[rows], float), np.asarray(regions.contributions[rows], float)
        projected = X * (values if values.ndim == 3 else values[:, None])
        for i in chosen:
            at, wide = slice(start[i], start[i] + own[i]), own[i]
            for total, source in ((sums, projected), (letters, X)):
                part = source[region[i] - begin, :, at]
                total[motif[i], :, :wide] += part[::-1, ::-1] if turned[i] else part
            counts[motif[i]] += 1
    with np.errstate(invalid="ignore", divide="ignore"):
        contributions, frequencies = (one / counts[:, None, None] for one in (sums, letters))
    return dict(zip(names, contributions, strict=True)), dict(zip(names, frequencies, strict=True))

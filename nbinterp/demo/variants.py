"""Variants of the simulated sequences, half of them inside planted sites.

In: a seed.  Out: a genome of sequences, and the table of substitutions with the site that each one breaks.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from .grammar import LENGTH, sequences

__all__ = ["variants"]


def variants(n: int, random_state: int = 0, each: int = 10) -> tuple[dict[str, torch.Tensor], pd.DataFrame]:
    """Draw sequences with planted motifs, and substitutions in and beside their sites.

    Parameters
    ----------
    n : int
        Sequences.
    random_state : int
        Seed; the sequences are those of `sequences`.
    each : int
        Variants of each sequence: every second one lies inside a planted site.

    Returns
    -------
    genome : dict
        ``(4, 400)`` by name: demo_0 and so on.
    table : DataFrame
        chrom, start, ref, alt, id and site (the motif whose site it changes, or ""), as `read_variants` takes them.

    Examples
    --------
    >>> genome, table = variants(2)
    >>> len(genome), len(table), table["site"].ne("").sum().item()
    (2, 20, 10)
    """
    X, truth = sequences(n, random_state)
    rng, codes = np.random.RandomState(random_state), X.argmax(dim=1).numpy()
    rows = []
    for i in range(n):
        site = np.full(LENGTH, "", object)
        for start, end, name in truth.loc[truth["example_idx"] == i, ["start", "end", "name"]].itertuples(index=False):
            site[start:end] = name
        inside, beside = np.flatnonzero(site != ""), np.flatnonzero(site == "")
        count = min(each // 2, len(inside))
        at = np.sort(
            np.concatenate([rng.choice(inside, count, replace=False), rng.choice(beside, each - count, False)])
        )
        for start in at.tolist():
            ref = int(codes[i, start])
            alt = (ref + int(rng.randint(1, 4))) % 4
            rows.append((f"demo_{i}", start, "ACGT"[ref], "ACGT"[alt], f"demo_{i}:{start}", site[start]))
    table = pd.DataFrame(rows, columns=["chrom", "start", "ref", "alt", "id", "site"])
    return {f"demo_{i}": X[i] for i in range(n)}, table

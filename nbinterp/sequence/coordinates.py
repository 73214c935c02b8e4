"""From places in ``X`` to places in the genome, and signal summed over them.

In: tables whose first three columns are example, start, end.  Out: the same tables in genome coordinates; sums.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from ..core.check import validate_input

__all__ = ["example_to_fasta_coords", "extract_signal"]


def example_to_fasta_coords(
    example_df: pd.DataFrame, loci_df: pd.DataFrame, window: int | None = None, one_indexed: bool = False
) -> pd.DataFrame:
    """Turn (example, start, end) into (chrom, start, end).

    Parameters
    ----------
    example_df : DataFrame
        First three columns: row in `loci_df`, start, end; other columns stay.
    loci_df : DataFrame
        First three columns: chromosome, start, end.
    window : int, optional
        Length of the extracted windows, when they were re-centred on the middle of each locus.
    one_indexed : bool
        Whether the positions in `example_df` count from 1.

    Returns
    -------
    DataFrame
        `example_df` with its first three columns renamed after those of `loci_df` and converted.

    Examples
    --------
    >>> loci = pd.DataFrame({"chrom": ["chr1"], "start": [100], "end": [200]})
    >>> seqlets = pd.DataFrame({"example_idx": [0], "start": [3], "end": [9]})
    >>> example_to_fasta_coords(seqlets, loci).values.tolist()
    [['chr1', 103, 109]]
    """
    chroms, starts, ends = (loci_df.iloc[:, i].to_numpy() for i in range(3))
    if window is not None:
        starts = (ends + starts) // 2 - window // 2
    rows, first, last = (example_df.iloc[:, i].to_numpy() for i in range(3))
    names = list(loci_df.columns[:3])
    converted = example_df.rename(columns=dict(zip(example_df.columns[:3], names, strict=True))).copy()
    converted[names[0]] = chroms[rows]
    converted[names[1]] = starts[rows] + first - int(one_indexed)
    converted[names[2]] = starts[rows] + last - int(one_indexed)
    return converted


def extract_signal(loci: pd.DataFrame, X: torch.Tensor, verbose: bool = False) -> torch.Tensor:
    """Sum a signal over spans.

    Parameters
    ----------
    loci : DataFrame
        First three columns: row in `X`, start, end.
    X : torch.Tensor, shape (N, C, L)
        The signal.
    verbose : bool
        Accepted for compatibility.

    Returns
    -------
    torch.Tensor, shape (len(loci), C)

    Examples
    --------
    >>> spans = pd.DataFrame({"example_idx": [0], "start": [1], "end": [3]})
    >>> extract_signal(spans, torch.arange(4.0).reshape(1, 1, 4)).tolist()
    [[3.0]]
    """
    del verbose
    validate_input(X, "X", shape=(-1, -1, -1))
    spans = loci.iloc[:, :3].to_numpy().astype(np.int64)
    sums = [X[row, :, start:end].sum(dim=-1) for row, start, end in spans.tolist()]
    return torch.stack(sums).to(X.dtype) if sums else X.new_zeros((0, X.shape[1]))

"""Negatives that match: loci without signal whose GC content is that of given loci.

In: loci, a genome and, optionally, a signal.  Out: as many tiles of the genome, elsewhere, with the same distribution of GC
content.  A seed gives tangermeme's choice.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ..errors import problem
from .encode import as_random_state
from .fasta import Genome, open_genome
from .loci import read_loci
from .signal import read_signal_windows

__all__ = ["extract_matching_loci"]

_KIND = np.zeros(256, np.uint8)
_KIND[[ord(c) for c in "GCgc"]] = 1
_KIND[[ord(c) for c in "Nn"]] = 2


def extract_matching_loci(
    loci: str | os.PathLike[str] | pd.DataFrame,
    fasta: str | os.PathLike[str],
    in_window: int = 2114,
    out_window: int = 1000,
    max_n_perc: float = 0.1,
    gc_bin_width: float = 0.02,
    bigwig: str | os.PathLike[str] | None = None,
    signal_beta: float = 0.5,
    chroms: Sequence[str] | None = None,
    random_state: int | np.random.RandomState | None = None,
    n_jobs: int = 1,
    verbose: bool = False,
) -> pd.DataFrame:
    r"""Choose background tiles with the GC content of given loci.

    Each chromosome is tiled in steps of `in_window`.  Tiles that overlap the loci, hold too many unknown bases, or carry
    more signal than ``signal_beta`` times the loci's first percentile are left out.  Of each bin of GC content as many
    tiles are drawn as there are loci; what a bin lacks is taken from the nearest ones, those above first.

    Parameters
    ----------
    loci : path or DataFrame
        BED, or chrom, start, end.
    fasta : path
        The genome.
    in_window, out_window : int
        Length of a tile, and of its middle, over which signal is summed.
    max_n_perc, gc_bin_width : float
        Largest fraction of unknown bases, and width of the GC bins.
    bigwig : path, optional
        The signal to avoid.
    signal_beta : float
        See above.
    chroms : list of str, optional
        Chromosomes to use; those of the loci by default.
    random_state : int, RandomState or None
        Seed.
    n_jobs, verbose
        Accepted for compatibility.

    Returns
    -------
    DataFrame
        chrom, start, end; by chromosome and start.

    Raises
    ------
    NbinterpError
        When `out_window` is larger than `in_window` with a signal, or a chromosome is not in the genome.

    Notes
    -----
    With ``in_window == out_window`` tangermeme 1.6 sums an empty slice, so that no tile is left out for its signal; here
    the whole tile is summed.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "g.fa"
    >>> _ = path.write_text(">chr1\n" + "ACGT" * 30 + "\n")
    >>> peaks = pd.DataFrame({"chrom": ["chr1"], "start": [50], "end": [60]})
    >>> extract_matching_loci(peaks, path, in_window=20, out_window=10, random_state=0).values.tolist()
    [['chr1', 80, 100]]
    """
    del n_jobs, verbose
    where = "extract_matching_loci"
    if bigwig is not None and out_window > in_window:
        raise problem(where, "out_window", got=out_window, need=f"at most in_window, {in_window}", do="lower it")
    rng = as_random_state(random_state)
    table = read_loci(where, loci)[["chrom", "start", "end"]]
    names = [str(c) for c in chroms] if chroms is not None else list(np.unique(table["chrom"]))
    table = table[table["chrom"].isin(names)]
    n_bins = int(1.0 / gc_bin_width) + 1
    with open_genome(where, fasta) as genome:
        absent = [name for name in names if name not in genome.lengths]
        if absent:
            raise problem(
                where, "chroms", got=f"{', '.join(absent)}", need="chromosomes of the genome", do="check them"
            )
        widest = _resize(table, max(in_window, out_window))
        inside = (widest["start"] >= 0) & (widest["end"] <= widest["chrom"].map(genome.lengths))
        kept = widest[inside]
        threshold = None
        if bigwig is not None:
            threshold = _robust_minimum(where, bigwig, _resize(kept, out_window), out_window) * signal_beta
        wanted = _wanted(_resize(kept, in_window), genome, max_n_perc, gc_bin_width, n_bins)
        tiles: list[list[tuple[str, int]]] = [[] for _ in range(n_bins)]
        for name in names:
            bins, allowed = _tiles(genome, name, in_window, max_n_perc, gc_bin_width)
            if threshold is not None:
                assert bigwig is not None
                allowed &= _signal(where, bigwig, name, len(bins), in_window, out_window) <= threshold
            own = table[table["chrom"] == name]
            for start, end in zip(own["start"] // in_window, own["end"] // in_window + 1, strict=True):
                allowed[start:end] = False
            for tile in np.flatnonzero(allowed).tolist():
                tiles[bins[tile]].append((name, tile))
    for one in tiles:
        rng.shuffle(one)
    chosen = _counts(np.array([len(one) for one in tiles]), wanted)
    rows = [
        (name, at * in_window, (at + 1) * in_window)
        for one, n in zip(tiles, chosen, strict=True)
        for name, at in one[:n]
    ]
    found = pd.DataFrame(rows, columns=["chrom", "start", "end"])
    return found.sort_values(["chrom", "start"])


def _resize(table: pd.DataFrame, width: int) -> pd.DataFrame:
    middle = table["start"] + (table["end"] - table["start"]) // 2
    return table.assign(start=middle - width // 2, end=middle + (width + 1) // 2)


def _bin(gc: np.ndarray, width: float) -> np.ndarray:
    binned: np.ndarray = ((gc + width / 2.0) // width).astype(int)
    return binned


def _wanted(table: pd.DataFrame, genome: Genome, max_n: float, width: float, n_bins: int) -> np.ndarray:
    """How many loci there are in each bin of GC content."""
    gc = []
    for chrom, start, end in table.itertuples(index=False):
        kinds = _KIND[np.frombuffer(genome.text(chrom, start, end).encode("ascii"), np.uint8)]
        if (kinds == 2).sum() / len(kinds) < max_n:
            gc.append((kinds == 1).sum() / len(kinds))
    return np.bincount(_bin(np.array(gc, float), width), minlength=n_bins)


def _tiles(genome: Genome, chrom: str, width: int, max_n: float, bin_width: float) -> tuple[np.ndarray, np.ndarray]:
    """GC bin of each tile of a chromosome, and whether it has few enough unknown bases."""
    n = genome.lengths[chrom] // width
    text = genome.text(chrom, 0, n * width)
    kinds = _KIND[np.frombuffer(text.encode("ascii"), np.uint8)].reshape(n, width)
    gc, unknown = (kinds == 1).sum(axis=1) / width, (kinds == 2).sum(axis=1) / width
    return _bin(gc, bin_width), unknown <= max_n


def _robust_minimum(where: str, bigwig: Any, table: pd.DataFrame, width: int) -> float:
    values = read_signal_windows(where, bigwig, table["chrom"].to_numpy(), table["start"].to_numpy(), width)
    return float(np.nanquantile(values.astype(np.float64).sum(axis=1), 0.01))


def _signal(where: str, bigwig: Any, chrom: str, n: int, in_window: int, out_window: int) -> np.ndarray:
    """Signal over the middle of each tile."""
    left = (in_window - out_window) // 2
    starts = np.arange(n) * in_window + left
    values = read_signal_windows(
        where, bigwig, [chrom] * n, starts, in_window - 2 * left - (in_window - out_window) % 2
    )
    total: np.ndarray = values.astype(np.float64).sum(axis=1)
    return total


def _counts(have: np.ndarray, want: np.ndarray) -> np.ndarray:
    """How many tiles to take from each bin: its own first, then the nearest bins with some left, from the top down."""
    taken: np.ndarray = np.minimum(have, want)
    have, want = have - taken, want - taken
    n = len(want)
    for i in range(n - 1, -1, -1):
        for near in (j for offset in range(n) for j in (i + offset, i - offset)):
            if want[i] == 0:
                break
            if 0 <= near < n:
                moved = min(int(have[near]), int(want[i]))
                have[near] -= moved
                want[i] -= moved
                taken[near] += moved
    return taken

"""Signal along the genome: bigWig in and out.

In: bigWig files, or arrays by chromosome.  Out: float32 windows, or a bigWig of values over loci.  pyBigWig's one door;
it comes with the extra ``bigwig``.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ..core.arrays import numpy_of
from ..core.files import writing
from ..core.tables import LOCI, check_table
from ..errors import FormatError, NbinterpError, NbinterpWarning, problem

__all__ = ["read_signal_windows", "write_bigwig"]


def _pybigwig(where: str) -> Any:
    try:
        import pyBigWig
    except ImportError as error:
        raise problem(
            where,
            "bigWig",
            got="no pyBigWig",
            need="the extra 'bigwig'",
            do="pip install 'nbinterp[bigwig]'",
            kind=NbinterpError,
        ) from error
    return pyBigWig


def read_signal_windows(
    where: str, signal: Any, chroms: Sequence[str] | np.ndarray, starts: np.ndarray, width: int
) -> np.ndarray:
    """Give float32 (n, width) of one signal; missing values and chromosomes are 0 (the latter with a warning).

    Parameters
    ----------
    signal : path or mapping
        A bigWig file, or arrays by chromosome.
    """
    values = np.zeros((len(chroms), width), np.float32)
    if isinstance(signal, Mapping):
        _fill(values, signal, {k: len(v) for k, v in signal.items()}, chroms, starts, lambda c, a, b: signal[c][a:b])
        return values
    library = _pybigwig(where)
    try:
        opened = library.open(os.fspath(signal))
    except RuntimeError as error:
        raise problem(
            where, "signals", got=f"{signal} ({error})", need="a bigWig file", do="check the path", kind=FormatError
        ) from error
    with opened as wig:
        _fill(values, signal, wig.chroms(), chroms, starts, lambda c, a, b: wig.values(c, a, b, numpy=True))
    return np.nan_to_num(values, copy=False)


def _fill(
    values: np.ndarray,
    signal: Any,
    sizes: Mapping[str, int],
    chroms: Sequence[str] | np.ndarray,
    starts: np.ndarray,
    read: Any,
) -> None:
    absent = sorted({c for c in chroms if c not in sizes})
    if absent:
        name = signal if isinstance(signal, (str, os.PathLike)) else "a signal"
        warnings.warn(f"{name} has no chromosome {', '.join(absent)}; zeros are used", NbinterpWarning, stacklevel=4)
    width = values.shape[1]
    for i, (chrom, start) in enumerate(zip(chroms, starts.tolist(), strict=True)):
        if chrom not in sizes:
            continue
        a, b = max(start, 0), min(start + width, sizes[chrom])
        if a < b:
            values[i, a - start : b - start] = read(chrom, a, b)


def write_bigwig(
    path: str | os.PathLike[str],
    values: Any,
    loci: pd.DataFrame,
    chrom_sizes: Mapping[str, int],
) -> None:
    """Write one value a base over loci, for a genome browser.

    Where loci overlap, the mean of their values is written.

    Parameters
    ----------
    path : path
        Written whole or not at all.
    values : array or tensor, shape (N, L)
        One row for each locus; for attributions of shape (N, 4, L), sum over the bases first.
    loci : DataFrame
        chrom, start, end with ``end - start == L``.
    chrom_sizes : mapping
        Length of each chromosome.

    Raises
    ------
    NbinterpError
        When shapes disagree, a chromosome is unknown, or pyBigWig is not installed.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "a.bw"
    >>> loci = pd.DataFrame({"chrom": ["chr1"], "start": [10], "end": [13]})
    >>> write_bigwig(path, np.ones((1, 3)), loci, {"chr1": 100})
    >>> path.stat().st_size > 0
    True
    """
    check_table("write_bigwig", "loci", loci, LOCI)
    array = numpy_of(values, np.float64)
    widths = (loci["end"] - loci["start"]).to_numpy()
    if array.ndim != 2 or len(array) != len(loci) or (widths != array.shape[1]).any():
        raise problem(
            "write_bigwig",
            "values",
            got=f"shape {array.shape} for {len(loci)} loci",
            need="(N, L), a row a locus of length L",
            do="sum attributions over the bases, and keep the windows' own loci",
        )
    unknown = sorted(set(loci["chrom"]) - set(chrom_sizes))
    if unknown:
        raise problem(
            "write_bigwig", "chrom_sizes", got=f"no {', '.join(unknown)}", need="every chromosome", do="add it"
        )
    library = _pybigwig("write_bigwig")
    with writing(path) as temporary:
        out = library.open(str(temporary), "w")
        out.addHeader([(chrom, int(size)) for chrom, size in chrom_sizes.items()])
        for chrom in chrom_sizes:  # a bigWig is sorted in the order of its header
            rows = np.flatnonzero((loci["chrom"] == chrom).to_numpy())
            for start, span in _merged(loci["start"].to_numpy()[rows], array[rows]):
                out.addEntries(chrom, start, values=span.tolist(), span=1, step=1)
        out.close()


def _merged(starts: np.ndarray, values: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """Join overlapping windows into runs of mean values."""
    width = values.shape[1]
    runs: list[tuple[int, np.ndarray]] = []
    order = np.argsort(starts, kind="stable")
    first = 0
    while first < len(order):
        last = first
        while last + 1 < len(order) and starts[order[last + 1]] < starts[order[last]] + width:
            last += 1
        members = order[first : last + 1]
        begin = int(starts[members[0]])
        total = np.zeros(int(starts[members[-1]]) + width - begin)
        count = np.zeros_like(total)
        for row in members:
            at = int(starts[row]) - begin
            total[at : at + width] += values[row]
            count[at : at + width] += 1
        runs.append((begin, total / count))
        first = last + 1
    return runs

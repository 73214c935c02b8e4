"""Calls in the formats of others: one Parquet table, bigBed and bigWig for genome browsers.

In: the folder of a call, ours or Fi-NeMo's.  Out: ``hits.parquet``, ``hits.bb``, ``hits.bw`` in it.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from ..core.check import check_choice
from ..core.files import writing
from ..errors import FormatError, NbinterpError, problem
from .bigbed import write_bigbed
from .files import as_bed, read_details, read_hits
from .store import NO_CHROM

__all__ = ["EXPORTS", "check_exports", "export_hits", "read_chrom_sizes"]

EXPORTS: Final[Mapping[str, str]] = {"parquet": "hits.parquet", "bigbed": "hits.bb", "bigwig": "hits.bw"}
_BIN: Final = 32  # bases that a bigWig has together


def export_hits(
    out: str | os.PathLike[str],
    formats: Sequence[str] = tuple(EXPORTS),
    chrom_sizes: Mapping[str, int] | str | os.PathLike[str] | None = None,
) -> dict[str, Path]:
    """Write a call in other formats, too.

    Parameters
    ----------
    out : path
        The folder of a call, ours or Fi-NeMo's; what is written goes there.
    formats : sequence of {"parquet", "bigbed", "bigwig"}
        parquet: ``hits.tsv`` with the columns of ``hits_details.tsv``, where there are any.  bigbed: the unique hits as in
        ``hits.bed``.  bigwig: the sum of hit_coefficient_global of the unique hits that cover a base.
    chrom_sizes : mapping or path
        Length of each chromosome, or a file that `read_chrom_sizes` reads; for bigbed and bigwig.

    Returns
    -------
    dict of str to Path
        The files, by format.

    Raises
    ------
    NbinterpError
        For hits without chromosomes, chromosomes without a length, or a library that is not installed: polars writes
        Parquet, pyBigWig writes bigWig.
    """
    folder = Path(out)
    unique = read_hits(folder / "hits_unique.tsv") if set(formats) - {"parquet"} else None
    sizes = check_exports(formats, None if unique is None else set(unique["chr"]), chrom_sizes)
    if "parquet" in formats:
        _write_parquet(folder / EXPORTS["parquet"], read_details(folder))
    if unique is not None:
        inside = _inside(unique, sizes)
        if "bigbed" in formats:
            write_bigbed(folder / EXPORTS["bigbed"], as_bed(inside), sizes)
        if "bigwig" in formats:
            _write_coverage(folder / EXPORTS["bigwig"], inside, sizes)
    return {one: folder / EXPORTS[one] for one in formats}


def check_exports(
    formats: Sequence[str],
    chroms: Collection[str] | None,
    chrom_sizes: Mapping[str, int] | str | os.PathLike[str] | None,
) -> dict[str, int]:
    """Give the sizes of the chromosomes, or say what is missing for the formats, before anything is called."""
    where = "export_hits"
    for one in formats:
        check_choice(where, "formats", one, tuple(EXPORTS))
    for one, library in (("parquet", "polars"), ("bigwig", "pyBigWig")):
        if one in formats and find_spec(library) is None:
            do = f"pip install 'nbinterp[{one}]'"
            raise problem(where, "formats", got=f"{one} without {library}", need=library, do=do)
    if not set(formats) - {"parquet"}:
        return {}
    if chrom_sizes is None:
        do = "pass chrom.sizes, .fai or FASTA"
        raise problem(where, "chrom_sizes", got="none", need="the length of each chromosome", do=do)
    if chroms is None or NO_CHROM in chroms:
        do = "extract the regions with --peaks"
        raise problem(where, "formats", got="hits without chromosomes", need="places in a genome", do=do)
    sizes = dict(chrom_sizes) if isinstance(chrom_sizes, Mapping) else read_chrom_sizes(chrom_sizes)
    absent = sorted(set(chroms) - set(sizes))
    if absent:
        got = f"no {', '.join(absent[:3])}"
        raise problem(where, "chrom_sizes", got=got, need="every chromosome of the hits", do="pass those of the genome")
    return sizes


def _inside(unique: pd.DataFrame, sizes: Mapping[str, int]) -> pd.DataFrame:
    """What hits of padded regions have on their chromosome."""
    start, end = unique["start"].clip(lower=0), np.minimum(unique["end"], unique["chr"].map(sizes).astype(np.int64))
    return unique.assign(start=start, end=end)[start < end]


def read_chrom_sizes(path: str | os.PathLike[str]) -> dict[str, int]:
    r"""Read lengths of chromosomes: name and length in the first two columns (chrom.sizes, .fai), or the genome's FASTA.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "chrom.sizes"
    >>> _ = path.write_text("chr1\t248956422\nchrM\t16569\n")
    >>> read_chrom_sizes(path)
    {'chr1': 248956422, 'chrM': 16569}
    """
    where, need = "read_chrom_sizes", "names and lengths, separated by tabs, or FASTA"
    try:
        with Path(path).open("rb") as opened:
            start = opened.read(2)
        if start[:1] == b">" or start == b"\x1f\x8b":
            from ..sequence.fasta import open_genome

            with open_genome(where, path) as genome:
                return dict(genome.lengths)
        rows = [line.split("\t") for line in Path(path).read_text().splitlines() if line.strip()]
        return {row[0]: int(row[1]) for row in rows}
    except NbinterpError:
        raise
    except (OSError, ValueError, IndexError) as error:
        do = "check the path"
        raise problem(where, "path", got=f"{path} ({error})", need=need, do=do, kind=FormatError) from error


def _write_parquet(path: Path, table: pd.DataFrame) -> None:
    import polars as pl

    columns: dict[str, Any] = {
        str(name): table[name].tolist() if table[name].dtype.kind not in "biuf" else table[name].to_numpy()
        for name in table
    }
    with writing(path) as temporary:
        pl.DataFrame(columns).write_parquet(temporary)


def _write_coverage(path: Path, hits: pd.DataFrame, sizes: Mapping[str, int]) -> None:
    """Sums over hits, in bins of the genome that have any; bins at the end of a chromosome overlap the one before."""
    from ..sequence.signal import write_bigwig

    chroms = sorted(set(hits["chr"]))
    width = min([_BIN, *(sizes[chrom] for chrom in chroms)])
    loci, values = [], []
    for chrom in chroms:
        mine = hits[hits["chr"] == chrom]
        spans = zip(mine["start"] // width, (mine["end"] - 1) // width, strict=True)
        bins = np.unique(np.concatenate([np.arange(a, b + 1) for a, b in spans]))
        start = np.minimum(bins * width, sizes[chrom] - width)
        loci.append(pd.DataFrame({"chrom": chrom, "start": start, "end": start + width}))
        values.append(_summed(mine, start, width))
    empty = pd.DataFrame({"chrom": pd.Series(dtype=object), "start": pd.Series(dtype=int), "end": pd.Series(dtype=int)})
    write_bigwig(
        path, np.concatenate([np.zeros((0, width)), *values]), pd.concat([empty, *loci], ignore_index=True), sizes
    )


def _summed(hits: pd.DataFrame, start: np.ndarray, width: int) -> np.ndarray:
    """Of the hits of a chromosome, in windows ``(N, width)``: what begins before a base, less what ends before it."""
    places = start[:, None] + np.arange(width)
    coefficient = hits["hit_coefficient_global"].to_numpy(float)
    total = np.zeros(places.shape)
    for edge, sign in (("start", 1), ("end", -1)):
        order = np.argsort(hits[edge].to_numpy(), kind="stable")
        sums = np.concatenate([[0.0], np.cumsum(coefficient[order])])
        total += sign * sums[np.searchsorted(hits[edge].to_numpy()[order], places, side="right")]
    return total

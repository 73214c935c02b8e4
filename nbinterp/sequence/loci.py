"""Loci to sequences, with their places in the genome travelling along.

In: BED, narrowPeak or a table, and a genome; or a FASTA file of sequences.  Out: one-hot or packed sequences of one
length, the table of what was kept, and the table of what was dropped and why.
"""

from __future__ import annotations

import gzip
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch

from ..errors import FormatError, problem
from .compact import PackedSequence
from .encode import DNA, code_table, encode_codes
from .fasta import Genome, open_genome, read_fasta
from .signal import read_signal_windows

__all__ = ["Sequences", "extract_loci", "read_loci", "read_sequences"]

Loci = str | os.PathLike[str] | pd.DataFrame
_HEADER = re.compile(r"#|track\b|browser\b")
_LOCUS = re.compile(r"^([^\s:]+):([\d,]+)-([\d,]+)(?:\(([+-])\))?$")


@dataclass(frozen=True)
class Sequences:
    """Sequences of one length, and where they come from.

    Attributes
    ----------
    X : PackedSequence, shape (N, 4, L)
        Accepted wherever a one-hot tensor is; ``X.to_one_hot()`` gives one.
    names : list of str
        One a row.
    loci : DataFrame or None
        chrom, start, end (0-based, half-open, of the window read), and the columns of the input; a row a sequence.
    dropped : DataFrame
        name, chrom, start, end and the reason, for each locus that is not in `X`.
    """

    X: PackedSequence
    names: list[str]
    loci: pd.DataFrame | None
    dropped: pd.DataFrame

    def __len__(self) -> int:
        return len(self.X)


def read_loci(where: str, loci: Loci, *, summits: bool = False) -> pd.DataFrame:
    """Read BED or narrowPeak, or take a table; columns chrom, start, end, then name, score, strand where present.

    With `summits` the locus is re-centred on the narrowPeak's tenth column.
    """
    if isinstance(loci, pd.DataFrame):
        table = loci.copy()
        if table.shape[1] < 3:
            raise problem(where, "loci", got=f"{table.shape[1]} columns", need="chrom, start, end", do="add them")
        table.columns = pd.Index(["chrom", "start", "end", *table.columns[3:]])
    elif isinstance(loci, (str, os.PathLike)):
        table = _read_bed(where, loci)
    else:
        raise problem(where, "loci", got=f"a {type(loci).__name__}", need="a path or a DataFrame", do="convert it")
    table["chrom"] = table["chrom"].astype(str)
    try:
        table = table.astype({"start": np.int64, "end": np.int64})
    except (ValueError, TypeError) as error:
        raise problem(
            where,
            "loci",
            got=f"a start or end that is no number ({error})",
            need="integers",
            do="check columns 2 and 3",
            kind=FormatError,
        ) from error
    return _centre_on_summits(where, table) if summits else table


def _read_bed(where: str, path: str | os.PathLike[str]) -> pd.DataFrame:
    names = ["chrom", "start", "end", "name", "score", "strand", "signalValue", "pValue", "qValue", "summit"]
    opened = gzip.open if os.fspath(path).endswith((".gz", ".bgz")) else open
    try:
        with opened(path, "rt") as lines:
            rows = [line.rstrip("\r\n").split("\t") for line in lines if line.strip() and not _HEADER.match(line)]
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise _bad_bed(where, f"{path} ({error})", "a BED file") from error
    widths = {len(row) for row in rows}
    if len(widths) != 1 or min(widths) < 3:
        raise _bad_bed(where, f"{path} with {len(rows)} rows of {sorted(widths)} columns", "tab-separated BED rows")
    width = widths.pop()
    extra = [f"column{i + 1}" for i in range(len(names), width)]
    return pd.DataFrame(rows, columns=[*names, *extra][:width])


def _bad_bed(where: str, got: str, need: str) -> Exception:
    return problem(where, "loci", got=got, need=need, do="check the path and the file", kind=FormatError)


def _centre_on_summits(where: str, table: pd.DataFrame) -> pd.DataFrame:
    summit = table["summit"] if "summit" in table else (table.iloc[:, 9] if table.shape[1] > 9 else None)
    if summit is None:
        raise problem(where, "summits", got="loci without a tenth column", need="narrowPeak", do="pass summits=False")
    offset = summit.astype(np.int64)
    if (offset < 0).any() or (table["start"] + offset > table["end"]).any():
        raise problem(
            where, "summits", got="a summit outside its peak", need="0 <= summit <= end - start", do="check it"
        )
    middle, width = table["start"] + offset, table["end"] - table["start"]
    return table.assign(start=middle - width // 2, end=middle + width // 2)


def _interleave(where: str, loci: Loci | Sequence[Loci], chroms: Sequence[str] | None, summits: bool) -> pd.DataFrame:
    """Put several sets in one table, the first rows of each first, as the peer does."""
    sets: list[Any] = list(loci) if isinstance(loci, (list, tuple)) else [loci]
    tables = []
    for i, one in enumerate(sets):
        table = read_loci(where, one, summits=summits)
        if chroms is not None:
            table = table[table["chrom"].isin([str(c) for c in chroms])]
        tables.append(table.set_index(np.arange(len(table)) * len(sets) + i))
    return pd.concat(tables).sort_index().reset_index(drop=True)


def _excluded(where: str, table: pd.DataFrame, starts: np.ndarray, ends: np.ndarray, lists: Any) -> np.ndarray:
    """Whether each window shares a 100-bp bin with an excluded region."""
    hit = np.zeros(len(table), bool)
    if lists is None:
        return hit
    regions = _interleave(where, lists, None, False)
    regions = regions[regions["end"] > regions["start"]]
    for chrom, group in regions.groupby("chrom"):
        rows = np.flatnonzero((table["chrom"] == chrom).to_numpy())
        if not len(rows):
            continue
        first, last = group["start"].to_numpy() // 100, (group["end"].to_numpy() - 1) // 100 + 1
        a, b = starts[rows] // 100, (ends[rows] - 1) // 100 + 1
        # a window meets a region when more regions begin before its end than end before its start
        hit[rows] = np.searchsorted(np.sort(first), b, "left") > np.searchsorted(np.sort(last), a, "right")
    return hit


def extract_loci(
    loci: Loci | Sequence[Loci],
    sequences: Any,
    signals: Sequence[Any] | None = None,
    in_signals: Sequence[Any] | None = None,
    chroms: Sequence[str] | None = None,
    in_window: int = 2114,
    out_window: int = 1000,
    max_jitter: int = 0,
    min_counts: float | None = None,
    max_counts: float | None = None,
    target_idx: int = 0,
    n_loci: int | None = None,
    summits: bool = False,
    alphabet: Sequence[str] = DNA,
    ignore: Sequence[str] = ("N",),
    exclusion_lists: Any = None,
    return_mask: bool = False,
    verbose: bool = False,
    n_jobs: int = 4,
    return_packed: bool = False,
    *,
    return_loci: bool = False,
) -> Any:
    """Cut windows of sequence, and of signal, around the middle of loci.

    The window of a locus is ``[mid - w // 2, mid + w // 2 + w % 2)`` with ``mid = start + (end - start) // 2``, widened
    by `max_jitter` on both sides.  A locus is dropped when the wider of its windows leaves its chromosome, when it
    shares a 100-bp bin with an excluded region, or when its counts are out of bounds.

    Parameters
    ----------
    loci : path, DataFrame or list of those
        BED or narrowPeak; several sets are interleaved row by row.
    sequences : path, pyfaidx.Fasta or mapping of one-hot arrays
        The genome.
    signals, in_signals : list of bigWig paths or mappings, optional
        Read over `out_window` and `in_window`; float32, missing values 0.
    chroms : list of str, optional
        Use only these chromosomes.
    in_window, out_window, max_jitter : int
        In bases.
    min_counts, max_counts, target_idx
        Bounds of the sum of signal `target_idx` over the output window.
    n_loci : int, optional
        Stop after so many.
    summits : bool
        Centre on the narrowPeak summit.
    alphabet, ignore : sequence of str
        As in `one_hot_encode`.
    exclusion_lists : as `loci`, optional
        Regions to avoid.
    return_mask : bool
        Append a boolean mask over the (interleaved) loci.
    verbose, n_jobs
        Accepted for compatibility.
    return_packed : bool
        Give the sequences as a `PackedSequence`.
    return_loci : bool
        Append the table of windows kept (chrom, start, end of the input window, and the other columns) and the table
        of loci dropped, with the reason of each.

    Returns
    -------
    X, or a list ``[X, signals, in_signals, mask, loci, dropped]`` of what was asked for

    Raises
    ------
    NbinterpError
        For loci on unknown chromosomes, or when none is left; the reasons are counted.

    Examples
    --------
    >>> import numpy as np
    >>> genome = {"chr1": np.eye(4, dtype=np.int8)[np.arange(40) % 4].T}
    >>> peaks = pd.DataFrame({"chrom": ["chr1", "chr1"], "start": [10, 38], "end": [20, 40]})
    >>> X, kept, dropped = extract_loci(peaks, genome, in_window=8, out_window=4, return_loci=True)
    >>> tuple(X.shape), dropped["reason"].tolist()
    ((1, 4, 8), ['window [35, 43) leaves chr1, which has 40 bases'])
    """
    del verbose, n_jobs
    where = "extract_loci"
    if n_loci is not None and n_loci < 1:
        raise problem(where, "n_loci", got=n_loci, need="at least 1, or None", do="raise it")
    if signals is None and (min_counts is not None or max_counts is not None):
        raise problem(
            where, "min_counts", got="bounds without signals", need="signals", do="pass the bigWig to count in"
        )
    table = _interleave(where, loci, chroms, summits)
    middle = (table["start"] + (table["end"] - table["start"]) // 2).to_numpy()
    half, extra = in_window // 2, in_window % 2
    out_half, out_extra = (0, 0) if signals is None else (out_window // 2, out_window % 2)
    left = max(half, out_half) + max_jitter
    right = max(half + extra, out_half + out_extra) + max_jitter
    with open_genome(where, sequences) as genome:
        reasons = _reasons(where, table, genome, middle - left, middle + right, exclusion_lists)
        kept = np.flatnonzero(reasons == "")
        out_start, out_length = middle - out_half - max_jitter, out_window + 2 * max_jitter
        if min_counts is not None or max_counts is not None:
            assert signals is not None
            windows = read_signal_windows(
                where, signals[target_idx], table["chrom"].to_numpy()[kept], out_start[kept], out_length
            )
            counts = windows.sum(axis=1)
            low = np.zeros(len(kept), bool) if min_counts is None else counts < min_counts
            high = np.zeros(len(kept), bool) if max_counts is None else counts > max_counts
            reasons[kept[low | high]] = "counts outside min_counts and max_counts"
            kept = kept[~(low | high)]
        if n_loci is not None:
            reasons[kept[n_loci:]] = "beyond n_loci"
            kept = kept[:n_loci]
        if not len(kept):
            listed = "; ".join(f"{n} x {r}" for r, n in pd.Series(reasons).value_counts().head(3).items()) or "no loci"
            raise problem(where, "loci", got=f"none left ({listed})", need="at least one", do="check window and genome")
        chrom = table["chrom"].to_numpy()[kept]
        first = middle[kept] - half - max_jitter
        codes = _window_codes(where, genome, chrom, first, in_window + 2 * max_jitter, alphabet, ignore)
    results: list[Any] = [_as_sequences(codes, alphabet, return_packed)]
    for group, at, width in ((signals, out_start[kept], out_length), (in_signals, first, in_window + 2 * max_jitter)):
        if group is not None:
            stacked = np.stack([read_signal_windows(where, one, chrom, at, width) for one in group], axis=1)
            results.append(torch.from_numpy(stacked))
    if return_mask:
        results.append(torch.from_numpy(reasons == ""))
    if return_loci:
        windows_kept = table.iloc[kept].assign(start=first, end=first + in_window + 2 * max_jitter)
        dropped = table[reasons != ""].assign(reason=reasons[reasons != ""])
        results += [windows_kept.reset_index(drop=True), dropped.reset_index(drop=True)]
    return results[0] if len(results) == 1 else results


def _reasons(
    where: str, table: pd.DataFrame, genome: Genome, starts: np.ndarray, ends: np.ndarray, exclusion_lists: Any
) -> np.ndarray:
    """Why each locus is dropped; the empty string where it is kept."""
    unknown = sorted(set(table["chrom"]) - set(genome.lengths))
    if unknown:
        raise problem(
            where,
            "loci",
            got=f"chromosomes {', '.join(unknown[:5])}",
            need=f"those of the genome ({len(genome.lengths)})",
            do="check that both name them alike, or pass chroms=",
        )
    lengths = table["chrom"].map(genome.lengths).to_numpy()
    reasons = np.full(len(table), "", dtype=object)
    for i in np.flatnonzero((starts < 0) | (ends > lengths)):
        chrom = table["chrom"].iloc[i]
        reasons[i] = f"window [{starts[i]}, {ends[i]}) leaves {chrom}, which has {lengths[i]} bases"
    reasons[_excluded(where, table, starts, ends, exclusion_lists) & (reasons == "")] = "overlaps an excluded region"
    return reasons


def _window_codes(
    where: str,
    genome: Genome,
    chroms: np.ndarray,
    starts: np.ndarray,
    width: int,
    alphabet: Sequence[str],
    ignore: Sequence[str],
) -> np.ndarray:
    table = code_table(where, alphabet, ignore)
    codes = np.empty((len(chroms), width), np.uint8)
    for i, (chrom, start) in enumerate(zip(chroms, starts.tolist(), strict=True)):
        array = genome.array(chrom, start, start + width)
        if array is None:
            codes[i] = encode_codes(where, genome.text(chrom, start, start + width), table, alphabet)
        else:
            codes[i] = np.where(array.sum(axis=0) == 0, len(alphabet), array.argmax(axis=0))
    return codes


def _as_sequences(codes: np.ndarray, alphabet: Sequence[str], packed: bool) -> Any:
    if packed:
        return PackedSequence.from_codes(torch.from_numpy(codes), alphabet)
    rows = np.eye(len(alphabet) + 1, len(alphabet), dtype=np.int8)
    return torch.from_numpy(np.ascontiguousarray(rows[codes].transpose(0, 2, 1)))


def read_sequences(
    fasta: str | os.PathLike[str] | None = None,
    loci: Loci | Sequence[Loci] | None = None,
    genome: Any = None,
    in_window: int | None = None,
    *,
    summits: bool = False,
    chroms: Sequence[str] | None = None,
    n_loci: int | None = None,
    exclusion_lists: Any = None,
    drop_unknown: bool = False,
) -> Sequences:
    r"""Read what a model is to be asked about: sequences from FASTA, or windows of a genome around loci.

    Parameters
    ----------
    fasta : path, optional
        Sequences of one length, plain or gzipped.  Headers such as ``chr6:100-200`` give them genome coordinates.
    loci, genome : optional
        BED, narrowPeak or a table, and the FASTA of the genome; instead of `fasta`.
    in_window : int, optional
        Length of the windows (2,114 by default for loci).  Longer FASTA records are trimmed to their middle.
    summits, chroms, n_loci, exclusion_lists
        As in `extract_loci`.
    drop_unknown : bool
        Drop sequences that hold an unknown base, which attribution methods refuse.

    Returns
    -------
    Sequences
        With what was dropped, and why, in ``.dropped``.

    Raises
    ------
    NbinterpError
        When neither or both inputs are given, lengths differ, a letter is wrong, or nothing is left.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "two.fa"
    >>> _ = path.write_text(">chr1:5-9\nACGT\n>b\nGGCC\n")
    >>> read_sequences(path).names
    ['chr1:5-9', 'b']
    """
    where = "read_sequences"
    if (fasta is None) == (loci is None):
        raise problem(
            where, "fasta, loci", got="both" if fasta is not None else "neither", need="one of them", do="choose"
        )
    if loci is not None:
        if genome is None:
            raise problem(where, "genome", got="None", need="the genome's FASTA beside loci", do="pass genome=")
        X, table, dropped = extract_loci(
            loci,
            genome,
            chroms=chroms,
            in_window=in_window or 2114,
            n_loci=n_loci,
            summits=summits,
            exclusion_lists=exclusion_lists,
            return_packed=True,
            return_loci=True,
        )
        names = [f"{c}:{s}-{e}" for c, s, e in table[["chrom", "start", "end"]].itertuples(index=False)]
        found = Sequences(X, names, table, _as_dropped(dropped))
    else:
        assert fasta is not None
        found = _from_fasta(where, fasta, in_window, n_loci)
    return _without_unknown(where, found) if drop_unknown else found


def _as_dropped(table: pd.DataFrame) -> pd.DataFrame:
    names = table["name"] if "name" in table else pd.Series([""] * len(table), dtype=object)
    columns = {c: table[c].to_numpy() for c in ("chrom", "start", "end", "reason")}
    return pd.DataFrame({"name": names.to_numpy(), **columns})


def _from_fasta(where: str, fasta: str | os.PathLike[str], length: int | None, n: int | None) -> Sequences:
    records = read_fasta(fasta)
    names = list(records)[:n]
    lengths = {len(records[name]) for name in names}
    if length is None and len(lengths) > 1:
        raise problem(
            where,
            "fasta",
            got=f"lengths from {min(lengths)} to {max(lengths)}",
            need="one length",
            do="pass in_window=",
        )
    width = length or lengths.pop()
    table = code_table(where, DNA, ("N",))
    kept, dropped, codes, places = [], [], [], []
    for name in names:
        text, place = records[name], _LOCUS.match(name)
        if len(text) < width:
            dropped.append((name, None, -1, -1, f"{len(text)} bases, shorter than {width}"))
            continue
        first = (len(text) - width) // 2
        codes.append(encode_codes(f"{where}({name})", text[first : first + width], table, DNA))
        kept.append(name)
        if place is not None:
            start = int(place[2].replace(",", "")) + first
            places.append((place[1], start, start + width, name, place[4] or "."))
    if not kept:
        raise problem(where, "in_window", got=width, need=f"at most {max(lengths)}", do="lower it")
    columns = ["name", "chrom", "start", "end", "reason"]
    loci = None
    if len(places) == len(kept):
        loci = pd.DataFrame(places, columns=["chrom", "start", "end", "name", "strand"])
    return Sequences(
        PackedSequence.from_codes(torch.from_numpy(np.stack(codes))), kept, loci, pd.DataFrame(dropped, columns=columns)
    )


def _without_unknown(where: str, found: Sequences) -> Sequences:
    rows = np.unique(found.X.n_runs[:, 0].numpy())
    if not len(rows):
        return found
    keep = np.setdiff1d(np.arange(len(found)), rows)
    if not len(keep):
        raise problem(where, "drop_unknown", got="unknown bases in every sequence", need="one without", do="check them")
    loci = found.loci
    lost = pd.DataFrame(
        {
            "name": [found.names[i] for i in rows],
            "chrom": None if loci is None else loci["chrom"].to_numpy()[rows],
            "start": -1 if loci is None else loci["start"].to_numpy()[rows],
            "end": -1 if loci is None else loci["end"].to_numpy()[rows],
            "reason": "holds an unknown base (N)",
        }
    )
    dropped = pd.concat([found.dropped, lost], ignore_index=True) if len(found.dropped) else lost
    kept = None if loci is None else loci.iloc[keep].reset_index(drop=True)
    return Sequences(found.X[torch.from_numpy(keep)], [found.names[i] for i in keep], kept, dropped)

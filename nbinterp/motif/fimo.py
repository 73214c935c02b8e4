"""Find individual motif instances.

In: motifs and sequences.  Out: where each motif scores above chance, with exact p-values: tables of hits, one a motif
or one in all, or counts.

Source: Grant, Bailey & Noble 2011; arguments and results are those of memelite 0.5.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import torch

from ..core.batches import resolve_device
from ..core.tables import LOCI, check_table
from ..errors import problem
from .fdr import q_values as false_discovery_rates
from .formats import read_motifs
from .letters import Letters, as_letters
from .motifset import MotifSet
from .scan import STRETCH, Hits, scan
from .score import ScoreModel, motif_arrays, score_model

__all__ = ["fimo", "stream_fimo"]

DNA = ("A", "C", "G", "T")
_UNIFORM = (0.25, 0.25, 0.25, 0.25)


def fimo(
    motifs: str | os.PathLike[str] | Mapping[str, Any],
    sequences: Any,
    alphabet: Sequence[str] = DNA,
    bin_size: float = 0.1,
    eps: float = 0.0001,
    threshold: float = 0.0001,
    reverse_complement: bool = True,
    return_counts: bool = False,
    dim: int = 0,
    verbose: bool = False,
    *,
    background: Sequence[float] | str | None = None,
    q_values: bool = False,
    matched_sequence: bool = False,
    as_table: bool = False,
    loci: pd.DataFrame | None = None,
    device: torch.device | str | None = None,
) -> Any:
    r"""Scan sequences for motifs.

    A window scores the sum of ``log2((p + eps) / background)`` over its columns; an unknown base adds nothing.  Scores
    are binned only for the p-values: the distribution of the binned score of a random window is computed exactly.  A
    window is a hit when it scores more than the first bin whose p-value is below `threshold`.

    Parameters
    ----------
    motifs : path, MotifSet or mapping
        A motif file (`read_motifs` knows the formats), or names and probabilities ``(4, w)``.
    sequences : path, one-hot (N, 4, L), compact container or Sequences
        A FASTA file of any size, gzipped or not, or what a model takes.  Lower case reads as upper case; letters
        outside `alphabet`, and zero columns, are unknown bases.
    alphabet : sequence of 4 str
        The letters of the rows, for FASTA.  The reverse complement reverses them, as it should for A C G T.
    bin_size : float
        Bits to a bin of the p-value tables.
    eps : float
        Added to every probability.
    threshold : float
        P-value below which a window is a hit, in (0, 1].
    reverse_complement : bool
        Scan both strands.
    return_counts : bool
        Give only the number of hits of each motif, both strands together; memory stays bounded.
    dim : 0 or 1
        One table for each motif, or for each sequence that has hits.
    verbose : bool
        Show a progress bar.
    background : 4 floats or "motifs", optional
        Letter frequencies of a random window; uniform by default.  "motifs" takes those of the motif set or file.
    q_values : bool
        Append the column ``q-value``: Benjamini & Hochberg's, each motif by itself, over all windows scanned.
    matched_sequence : bool
        Append the column ``matched_sequence``: the letters of the window, on the strand of the hit; N where unknown.
    as_table : bool
        Give one table: example_idx, start, end, name, strand, score, p-value, motif_idx, sequence_name, by place.
    loci : DataFrame, optional
        chrom, start, end of each sequence: appends chrom, chrom_start, chrom_end.  `Sequences` bring their own.
    device : torch.device, optional
        CUDA where there is one, by default.

    Returns
    -------
    list of DataFrame
        With ``dim=0`` one for each motif, in order, empty ones included: motif_name, motif_idx, sequence_name (the
        FASTA name, or the row), start, end (half-open, forward strand), strand, score (bits), p-value; hits of the
        given strand first, then of the other, each by sequence and position.  With ``dim=1`` one for each sequence
        *with hits*, in the order of names, so that the place in the list is not the row of the sequence.
    numpy.ndarray of int32, shape (motifs,)
        With `return_counts`.
    DataFrame
        With `as_table`.

    Raises
    ------
    NbinterpError
        For matrices that are no probabilities, options out of range, or sequences of another shape.

    Notes
    -----
    Hits, scores and p-values equal memelite's; p-values are summed as probabilities instead of logarithms, which
    differs by 1e-14 of their size; scores may differ in the last digit, since the peer's compiler sums in any order.
    A best possible window can score above every binned score, and then has a p-value of 0, as there.  An empty table
    has the types of a full one.  Q-values are exact for the hits given, except that windows above `threshold`, which
    are not known, could lower the largest of them.

    On a GPU, windows are proposed by convolution; on a CPU, by the words that leave a motif a chance.  What is proposed
    is then scored in double precision from left to right, so results do not depend on the way or on the device.  What
    is made of motifs is kept by their content, so that a second call starts at once.

    Examples
    --------
    >>> import torch
    >>> from nbinterp import one_hot_encode
    >>> motif = {"GATAAG": torch.eye(4)[:, [2, 0, 3, 0, 0, 2]] * 0.97 + 0.0075}
    >>> X = one_hot_encode("TTGATAAGTTTTCTTATCTT").unsqueeze(0)
    >>> hits = fimo(motif, X, threshold=0.001)[0]
    >>> hits[["start", "end", "strand"]].values.tolist()
    [[2, 8, '+'], [12, 18, '-']]
    """
    _check_shape(dim, return_counts=return_counts, as_table=as_table)
    names, model, letters, where = _prepare(
        motifs, sequences, alphabet, bin_size, eps, threshold, reverse_complement, background, loci, device
    )
    found = scan(model, letters, where, matched=matched_sequence, verbose=verbose)
    if return_counts:
        counts = np.zeros(len(names), np.int32)
        for hits in found:
            counts += np.bincount(hits.rows // model.strands, minlength=len(names)).astype(np.int32)
        return counts
    hits = _join(list(found), matched=matched_sequence)
    q = _q_values(model, letters, hits) if q_values else None
    frame = _frame(names, model, letters, hits, q)
    if as_table:
        return _by_place(frame, hits)
    ends = np.searchsorted(hits.rows, np.arange(len(names) + 1) * model.strands).tolist()
    if dim == 0:
        return [_slice(frame, a, b) for a, b in pairwise(ends)]
    return [part.reset_index(drop=True) for _, part in frame.groupby("sequence_name")]


def stream_fimo(
    motifs: str | os.PathLike[str] | Mapping[str, Any],
    sequences: Any,
    alphabet: Sequence[str] = DNA,
    bin_size: float = 0.1,
    eps: float = 0.0001,
    threshold: float = 0.0001,
    reverse_complement: bool = True,
    *,
    verbose: bool = False,
    background: Sequence[float] | str | None = None,
    matched_sequence: bool = False,
    loci: pd.DataFrame | None = None,
    device: torch.device | str | None = None,
    size: int = STRETCH,
    skip: int = 0,
) -> Iterator[pd.DataFrame]:
    r"""Scan sequences for motifs, a stretch at a time: a genome, in bounded memory.

    Parameters
    ----------
    motifs, sequences, alphabet, bin_size, eps, threshold, reverse_complement, verbose, background
        As in `fimo`.
    matched_sequence, loci, device
        As in `fimo`.
    size : int
        Letters to a stretch.  Beside one stretch (about 40 bytes a letter) and its hits, the longest record of a FASTA
        file is held, a byte a letter.
    skip : int
        So many stretches at the beginning are left out: a scan that was stopped goes on.

    Yields
    ------
    DataFrame
        As ``fimo(..., as_table=True)`` gives; all hits of a stretch, and every hit in exactly one of them.

    Raises
    ------
    NbinterpError
        As `fimo`, before the first table.

    Examples
    --------
    >>> import tempfile, pathlib, torch
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "genome.fa"
    >>> _ = path.write_text(">chr1\n" + "TTGATAAGTT" * 8 + "\n>chr2\nACGT\n")
    >>> motif = {"GATAAG": torch.eye(4)[:, [2, 0, 3, 0, 0, 2]] * 0.97 + 0.0075}
    >>> [len(part) for part in stream_fimo(motif, path, threshold=0.001, size=30)]
    [3, 3, 2]
    """
    for name, value, least in (("size", size, 1), ("skip", skip, 0)):
        if value < least:
            raise problem("stream_fimo", name, got=value, need=f"at least {least}", do="raise it")
    names, model, letters, where = _prepare(
        motifs, sequences, alphabet, bin_size, eps, threshold, reverse_complement, background, loci, device
    )
    return (
        _by_place(_frame(names, model, letters, hits, None), hits)
        for hits in scan(model, letters, where, size, skip=skip, matched=matched_sequence, verbose=verbose)
    )


def _check_shape(dim: int, *, return_counts: bool, as_table: bool) -> None:
    if dim not in (0, 1):
        raise problem("fimo", "dim", got=dim, need="0 (a table a motif) or 1 (a table a sequence)", do="choose")
    if return_counts and as_table:
        raise problem("fimo", "return_counts", got="return_counts and as_table", need="one of them", do="choose")


def _prepare(
    motifs: Any,
    sequences: Any,
    alphabet: Sequence[str],
    bin_size: float,
    eps: float,
    threshold: float,
    reverse_complement: bool,
    background: Sequence[float] | str | None,
    loci: pd.DataFrame | None,
    device: torch.device | str | None,
) -> tuple[list[str], ScoreModel, Letters, torch.device]:
    """Check what the user gave, and make it ready to scan."""
    for name, value, fits, need in (
        ("bin_size", bin_size, bin_size > 0, "more than 0 bits"),
        ("eps", eps, eps > 0, "more than 0, since a probability of 0 has no logarithm"),
        ("threshold", threshold, 0 < threshold <= 1, "a p-value in (0, 1]"),
    ):
        if not fits:
            raise problem("fimo", name, got=value, need=need, do="change it")
    if isinstance(motifs, (str, os.PathLike)):
        motifs = read_motifs(motifs, dtype=torch.float64)
    arrays = motif_arrays("fimo", motifs)
    model = score_model(
        list(arrays.values()),
        bin_size=bin_size,
        eps=eps,
        threshold=threshold,
        reverse_complement=reverse_complement,
        background=_frequencies(background, motifs),
    )
    letters = as_letters(sequences, alphabet)
    if loci is not None:
        letters.loci = check_table("fimo", "loci", loci, LOCI)
    if letters.loci is not None:
        _check_loci(letters)
    return list(arrays), model, letters, resolve_device(device)


def _frequencies(background: Sequence[float] | str | None, motifs: Any) -> tuple[float, float, float, float]:
    if background is None:
        return _UNIFORM
    if isinstance(background, str):
        if background != "motifs" or not isinstance(motifs, MotifSet):
            need = "four frequencies, or 'motifs' with a MotifSet or a motif file"
            raise problem("fimo", "background", got=repr(background), need=need, do="pass the frequencies")
        background = motifs.background
    given = np.asarray(background, np.float64)
    if given.shape != (4,) or not np.isfinite(given).all() or given.min() <= 0:
        need = "four frequencies above 0, of A C G T"
        raise problem("fimo", "background", got=background, need=need, do="count the letters of your sequences")
    a, c, g, t = (given / given.sum()).tolist()
    return a, c, g, t


def _check_loci(letters: Letters) -> None:
    shape = tuple(getattr(letters.source, "shape", ()))
    spans = (letters.loci["end"] - letters.loci["start"]).to_numpy()
    if not shape or len(spans) != shape[0] or (spans != shape[-1]).any():
        got = f"{len(spans)} loci, {sorted(set(spans.tolist()))[:3]} bases long"
        need = f"{shape[0]} loci of {shape[-1]} bases" if shape else "sequences that are no FASTA file"
        raise problem("fimo", "loci", got=got, need=need, do="pass the windows that the sequences were read from")


def _join(found: list[Hits], *, matched: bool) -> Hits:
    """Put the hits of all stretches together, by row, then by sequence and position."""
    if len(found) == 1:
        return found[0]
    if not found:
        none = np.zeros(0, np.int64)
        return Hits(none, none, none, np.zeros(0), np.zeros(0, object) if matched else None)
    rows, sequence, start, score, *rest = (
        np.concatenate(part) for part in zip(*found, strict=True) if part[0] is not None
    )
    order = np.argsort(rows, kind="stable")  # stretches come in order already
    return Hits(rows[order], sequence[order], start[order], score[order], *(matched[order] for matched in rest))


def _frame(names: list[str], model: ScoreModel, letters: Letters, hits: Hits, q: np.ndarray | None) -> pd.DataFrame:
    """Put hits in memelite's columns, then ours."""
    motif = hits.rows // model.strands
    labels = None if letters.names is None else np.array(letters.names, dtype=object)
    columns = {
        "motif_name": np.array(names, dtype=object)[motif],
        "motif_idx": motif,
        "sequence_name": hits.sequence if labels is None else labels[hits.sequence],
        "start": hits.start,
        "end": hits.start + model.width[hits.rows],
        "strand": np.array(["+", "-"], dtype=object)[hits.rows % model.strands],
        "score": hits.score,
        "p-value": model.p_values(hits.rows, hits.score),
    }
    if q is not None:
        columns["q-value"] = q
    if hits.matched is not None:
        columns["matched_sequence"] = hits.matched
    if letters.loci is not None:
        first = letters.loci["start"].to_numpy()[hits.sequence]
        columns["chrom"] = letters.loci["chrom"].to_numpy()[hits.sequence]
        columns["chrom_start"], columns["chrom_end"] = columns["start"] + first, columns["end"] + first
    frame = pd.DataFrame(columns)
    if not len(frame):  # of what type nothing is, pandas cannot tell
        text = {"motif_name", "strand", "matched_sequence", *(() if labels is None else ("sequence_name",))}
        frame = frame.astype(dict.fromkeys(text & set(columns), str))
    return frame


def _by_place(frame: pd.DataFrame, hits: Hits) -> pd.DataFrame:
    """One table, in the columns that seqlets and annotations have, by sequence and position."""
    order = np.lexsort((frame["motif_idx"], frame["end"], hits.start, hits.sequence))
    frame = frame.rename(columns={"motif_name": "name"})
    frame.insert(0, "example_idx", hits.sequence)
    lead = ["example_idx", "start", "end", "name", "strand", "score", "p-value"]
    rest = [c for c in frame.columns if c not in {*lead, "motif_idx", "sequence_name"}]
    return frame[[*lead, *rest, "motif_idx", "sequence_name"]].iloc[order].reset_index(drop=True)


def _slice(frame: pd.DataFrame, start: int, end: int) -> pd.DataFrame:
    part = frame.iloc[start:end]
    part.index = pd.RangeIndex(end - start)
    return part


def _q_values(model: ScoreModel, letters: Letters, hits: Hits) -> np.ndarray:
    """Benjamini-Hochberg q-values, motif by motif."""
    p = model.p_values(hits.rows, hits.score)
    q = np.empty_like(p)
    lengths = np.array(letters.lengths)
    edges = np.searchsorted(hits.rows, np.arange(0, model.n_rows + 1, model.strands))
    for motif, (a, b) in enumerate(pairwise(edges.tolist())):
        width = model.width[motif * model.strands]
        windows = model.strands * int(np.clip(lengths - width + 1, 0, None).sum())
        q[a:b] = false_discovery_rates(p[a:b], windows)
    return q

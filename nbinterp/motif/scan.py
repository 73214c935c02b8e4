"""Hits of motifs in stretches of sequence.

In: a `ScoreModel` and a `Stretch`.  Out: `Hits`, columns of numbers.  A fast search names the windows that can be hits;
each of those is then scored exactly, in double precision from left to right, so that the search's way never shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import NamedTuple

import numpy as np
import torch

from .dense import dense_candidates
from .letters import UNKNOWN, Letters, Stretch
from .lookup import Places, lookup_candidates
from .matched import matched_letters
from .scan_compiled import compiled_scan
from .score import ScoreModel
from .short import short_candidates

__all__ = ["STRETCH", "Hits", "scan", "scan_stretch"]

STRETCH = 2**22  # letters at a time; the search holds about 40 bytes for each
_SHORT = 2**15  # below so many letters the places of words are not worth sorting
_RARE = 1e-3  # hits rarer than this let few motifs be at a word; for others a convolution is faster
_SHARE = 32  # rows of the model in one thread's turn


class Hits(NamedTuple):
    """Hits of one stretch, by row of the model, then by position.

    Attributes
    ----------
    rows : int64 array
        Of the score model: motif times strands, plus strand.
    sequence, start : int64 arrays
        Number of the sequence, and where the window begins in it.
    score : float64 array
        In bits.
    matched : object array of str, or None
        The letters of the window on the strand of the hit, where they are asked for.
    """

    rows: np.ndarray
    sequence: np.ndarray
    start: np.ndarray
    score: np.ndarray
    matched: np.ndarray | None = None


def scan(
    model: ScoreModel,
    letters: Letters,
    device: torch.device,
    size: int = STRETCH,
    *,
    skip: int = 0,
    matched: bool = False,
    verbose: bool = False,
) -> Iterator[Hits]:
    """Yield the hits of one stretch after the other, holding one stretch at a time; not of the first `skip`."""
    stretches: Iterable[Stretch] = islice(letters.stretches(size, model.widest), skip, None)
    if verbose:
        from tqdm.auto import tqdm

        stretches = tqdm(stretches, desc="fimo", unit="stretch")
    for stretch in stretches:
        yield scan_stretch(model, stretch, device, letters.alphabet if matched else None)


def scan_stretch(
    model: ScoreModel, stretch: Stretch, device: torch.device, alphabet: Sequence[str] | None = None
) -> Hits:
    """Find the hits of every motif in one stretch; with an alphabet, the letters they matched."""
    short = len(stretch.codes) < _SHORT
    compiled = compiled_scan(model) if device.type == "cpu" else None
    if device.type != "cpu" or (short and model.p_value > _RARE and compiled is None):
        found = [_dense(model, stretch, device)]
    else:
        found = compiled(stretch) if compiled else _by_words(model, stretch, short)
        if UNKNOWN in stretch.codes:
            found.append(_around_unknown(model, stretch, device))
    rows, starts, scores = (np.concatenate(part) for part in zip(*found, strict=True))
    order = np.argsort(rows << 32 | starts)
    rows, starts, scores = rows[order], starts[order], scores[order]
    matched = None
    if alphabet is not None:
        matched = matched_letters(stretch.codes, starts, model.width[rows], rows % model.strands == 1, alphabet)
    return Hits(rows, *stretch.places(starts), scores, matched)


_Found = tuple[np.ndarray, np.ndarray, np.ndarray]  # rows, starts, scores


def _dense(model: ScoreModel, stretch: Stretch, device: torch.device) -> _Found:
    rows, starts = dense_candidates(model, stretch.codes, device)
    inside = stretch.reach[starts] >= model.width[rows]
    return _exact(model, stretch.codes, rows[inside], starts[inside])


def _by_words(model: ScoreModel, stretch: Stretch, short: bool) -> list[_Found]:
    """Windows without unknown bases; of a long stretch, threads share the motifs."""
    clear = np.minimum(stretch.reach, _known_run(stretch.codes))

    def hits(rows: np.ndarray, starts: np.ndarray) -> _Found:
        inside = clear[starts] >= model.width[rows]
        return _exact(model, stretch.codes, rows[inside], starts[inside])

    if short:
        return [hits(*short_candidates(model, stretch.codes))]
    places = Places(stretch.codes, model.widest)
    shares = [range(at, min(at + _SHARE, model.n_rows)) for at in range(0, model.n_rows, _SHARE)]
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        return list(pool.map(lambda rows: hits(*lookup_candidates(model, places, rows)), shares))


def _known_run(codes: np.ndarray) -> np.ndarray:
    """At each position, how many known bases follow, itself included."""
    at = np.arange(len(codes), dtype=np.int32)
    unknown = np.where(codes == UNKNOWN, at, np.int32(len(codes)))
    ahead: np.ndarray = np.minimum.accumulate(unknown[::-1])[::-1] - at
    return ahead


def _around_unknown(model: ScoreModel, stretch: Stretch, device: torch.device) -> _Found:
    """Windows that hold an unknown base, which no word names: cut out and scanned densely.

    A window of nothing but unknown bases scores zero, so long runs are left out unless zero is a hit.
    """
    n, widest = len(stretch.codes), model.widest
    so_far = np.cumsum(np.concatenate([[0], stretch.codes == UNKNOWN]))
    unknown = so_far[np.minimum(np.arange(n) + widest, n)] - so_far[:-1]
    most = widest if model.threshold.min() < 0 else widest - 1
    edges = np.flatnonzero(np.diff(((unknown > 0) & (unknown <= most)).astype(np.int8), prepend=0, append=0))
    first, last = edges[::2], edges[1::2]
    pieces = [stretch.codes[a : b + widest - 1] for a, b in zip(first.tolist(), last.tolist(), strict=True)]
    if not pieces:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    bounds = np.cumsum([0, *(len(piece) for piece in pieces)])
    part = Stretch(np.concatenate(pieces), np.zeros(len(first), np.int64), first, bounds, last - first)
    rows, starts, scores = _dense(model, part, device)
    _, starts = part.places(starts)
    width = model.width[rows]
    held = (so_far[np.minimum(starts + width, n)] > so_far[starts]) & (stretch.reach[starts] >= width)
    return rows[held], starts[held], scores[held]


def _exact(model: ScoreModel, codes: np.ndarray, rows: np.ndarray, starts: np.ndarray) -> _Found:
    """Score windows column by column, and keep the hits."""
    order = np.argsort(-model.width[rows], kind="stable")  # wide ones first: those that reach a column are a prefix
    rows, starts = rows[order], starts[order]
    width, column = model.width[rows], model.first[rows] * 5
    scores = np.zeros(len(rows))
    flat = model.columns.ravel()
    for j in range(int(width[0]) if len(width) else 0):
        n = int(np.searchsorted(-width, -j, side="left"))
        scores[:n] += flat[column[:n] + codes[starts[:n] + j] + 5 * j]
    hit = np.flatnonzero(scores > model.threshold[rows])
    return rows[hit], starts[hit].astype(np.int64), scores[hit]

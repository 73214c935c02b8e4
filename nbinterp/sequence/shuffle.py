"""Shuffles: of single letters, and of letters with every dinucleotide count kept.

In: one-hot ``(N, 4, L)`` or a compact container.  Out: ``(N, n, 4, L)``.  A dinucleotide shuffle is a random Eulerian
path in the graph whose edges are the sequence's dinucleotides.  Two draws of it are offered:

* ``"tangermeme"`` permutes, for each letter, the list of its successors but keeps the last one in place; a seed gives
  tangermeme's sequences.  Only part of the possible sequences can come out (the last edges are those of the input).
* ``"uniform"`` draws the last edges too, as a uniform spanning tree (Wilson 1996), so that every sequence with these
  dinucleotide counts, first and last letter is equally probable (Altschul and Erickson, 1985).
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from ..core.check import check_choice
from ..errors import NbinterpWarning, problem
from .edit import AnySequence, _check_span, as_one_hot, like_input
from .encode import as_random_state
from .shuffle_compiled import has_loops, permute_keeping_last, walk

__all__ = ["dinucleotide_shuffle", "local_dinucleotide_shuffle", "shuffle"]

_TOGETHER = 2**22  # letters that are permuted at once, times the rows of an alphabet


def shuffle(
    X: AnySequence,
    start: int = 0,
    end: int = -1,
    n: int = 1,
    random_state: int | np.random.RandomState | None = None,
    return_packed: bool | None = None,
) -> Any:
    """Shuffle the letters of positions ``[start, end)``, `n` times.

    Within one shuffle every sequence is permuted in the same way, as in tangermeme.

    Parameters
    ----------
    X : one-hot (N, 4, L) or compact container
        The sequences.
    start, end : int
        The span; a negative `end` counts from the right, -1 being the end itself.
    n : int
        Shuffles of each sequence.
    random_state : int, RandomState or None
        Seed.
    return_packed : bool, optional
        Give a `PackedSequence`; by default what `X` was.

    Returns
    -------
    (N, n, 4, L)

    Examples
    --------
    >>> from nbinterp import characters, one_hot_encode
    >>> characters(shuffle(one_hot_encode("AACCGGTT").unsqueeze(0), random_state=0)[0, 0])
    'TCATCAGG'
    """
    one_hot = as_one_hot("shuffle", X)
    end = one_hot.shape[-1] + 1 + end if end < 0 else end
    _check_span("shuffle", start, end, one_hot.shape[-1])
    rng = as_random_state(random_state)
    shuffled = one_hot.unsqueeze(1).repeat(1, n, 1, 1)
    orders = np.tile(np.arange(end - start), (n, 1))
    for order in orders:
        rng.shuffle(order)
    span = one_hot[:, :, start:end]
    step = max(1, _TOGETHER // max(span.numel(), 1))
    for i in range(0, n, step):  # short spans at once, and of long ones a few
        drawn = span[:, :, torch.from_numpy(orders[i : i + step]).to(one_hot.device)]
        shuffled[:, i : i + step, :, start:end] = drawn.transpose(1, 2)
    return like_input(shuffled, X, return_packed)


def dinucleotide_shuffle(
    X: AnySequence,
    start: int = 0,
    end: int = -1,
    n: int = 20,
    random_state: int | Sequence[int] | np.ndarray | None = None,
    verbose: bool = False,
    allow_N: bool = False,
    return_packed: bool | None = None,
    n_jobs: int = 1,
    *,
    method: str = "tangermeme",
) -> Any:
    """Shuffle positions ``[start, end)`` keeping every dinucleotide count, `n` times.

    Parameters
    ----------
    X : one-hot (N, 4, L) or compact container
        The sequences.
    start, end : int
        The span; a negative `end` counts from the right, -1 being the end itself.
    n : int
        Shuffles of each sequence.
    random_state : int, sequence of N ints, or None
        Sequence i is shuffled with seed ``random_state + i``, or with the i-th of the seeds given, whatever else is in
        the batch.
    verbose : bool
        Warn when some position between the ends is the same in every shuffle.
    allow_N : bool
        Shuffle unknown bases as a letter of their own; otherwise they are refused.
    return_packed : bool, optional
        Give a `PackedSequence`; by default what `X` was.
    n_jobs : int
        Accepted for compatibility; the walks of all sequences advance together.
    method : "tangermeme" or "uniform"
        The draw; see the module's text.

    Returns
    -------
    (N, n, 4, L)
        First and last letter of the span stay.

    Raises
    ------
    NbinterpError
        At unknown bases without `allow_N`, or when all of several shuffles of a sequence are identical.

    Examples
    --------
    >>> from nbinterp import characters, one_hot_encode
    >>> X = one_hot_encode("CATCGACAGACTACGCTAC").unsqueeze(0)
    >>> characters(dinucleotide_shuffle(X, random_state=0)[0, 0])
    'CAGATACACGACGCTCTAC'
    """
    del n_jobs
    check_choice("dinucleotide_shuffle", "method", method, ["tangermeme", "uniform"])
    one_hot = as_one_hot("dinucleotide_shuffle", X, allow_N=allow_N)
    end = one_hot.shape[-1] + 1 + end if end < 0 else end
    start, end, _ = slice(start, end).indices(one_hot.shape[-1])
    letters = one_hot.shape[1]
    span = one_hot[:, :, start:end]
    codes = _codes(span)
    shuffled = shuffle_codes(codes, letters + 1, n, _seeds(random_state, len(codes)), method)
    _check_moved(shuffled, n, verbose)
    result = one_hot.new_empty(len(one_hot), n, *one_hot.shape[1:])
    result[..., :start] = one_hot[:, None, :, :start]
    result[..., end:] = one_hot[:, None, :, end:]
    alphabet = torch.arange(letters, device=one_hot.device, dtype=torch.uint8)
    drawn = torch.from_numpy(shuffled).to(one_hot.device)
    torch.eq(drawn.unsqueeze(2), alphabet[:, None], out=result[..., start:end])
    return like_input(result, X, return_packed)


def _codes(one_hot: torch.Tensor) -> np.ndarray:
    """The uint8 codes (N, L), unknown bases one above the letters; argmax takes ten times as long along this axis."""
    letters = one_hot.shape[1]
    codes = torch.full_like(one_hot[:, 0], letters, dtype=torch.uint8)
    for letter, row in enumerate(one_hot.unbind(1)):
        codes -= row.to(torch.uint8) * (letters - letter)
    return codes.cpu().numpy()


def _seeds(random_state: int | Sequence[int] | np.ndarray | None, n: int) -> np.ndarray:
    """One 32-bit seed for each sequence."""
    if random_state is None:
        random_state = np.random.randint(0, 9999999)
    seeds = np.asarray(random_state)
    if not np.issubdtype(seeds.dtype, np.integer) or seeds.shape not in ((), (n,)):
        raise problem(
            "dinucleotide_shuffle",
            "random_state",
            got=repr(random_state),
            need=f"None, an int or {n} ints",
            do="pass a seed",
        )
    seeds = seeds + np.arange(n) if seeds.ndim == 0 else seeds
    return seeds.astype(np.int64).astype(np.uint32)  # larger seeds wrap around, as in the peer


def _check_moved(shuffled: np.ndarray, n: int, verbose: bool) -> None:
    """Look for what no shuffle moved; only where it was asked for or can be told."""
    if n < 2 and not verbose:
        return
    interior = shuffled[:, :, 1:-1]
    same = (interior == interior[:, :1]).all(axis=1)
    if verbose and same.any():
        warnings.warn("some positions are identical in all dinucleotide shuffles", NbinterpWarning, stacklevel=3)
    if n > 1 and same.all(axis=1).any():
        row = int(np.argmax(same.all(axis=1)))
        raise problem(
            "dinucleotide_shuffle",
            "X",
            got=f"sequence {row}, all of whose shuffles are identical",
            need="sequences that can be shuffled",
            do="widen the span, or use shuffle for sequences of low complexity",
        )


def shuffle_codes(codes: np.ndarray, n_letters: int, n: int, seeds: np.ndarray, method: str) -> np.ndarray:
    """Shuffle uint8 codes (N, L) to (N, n, L).

    For each row the successors of each letter are laid end to end; a shuffle permutes these lists, and a walk reads
    them.  All walks advance together, one position a step, so that the work is in numpy.
    """
    rows, length = codes.shape
    if length < 3 or n == 0:
        return np.repeat(codes[:, None], n, axis=1)
    lists = np.empty((rows, n, length - 1), np.uint8)  # the successors, in the order in which they will be used
    offsets = np.zeros((rows, n_letters), np.int64)
    rng = np.random.RandomState()
    compiled = has_loops(length, n_letters)
    keep = permute_keeping_last if compiled else _permute_keeping_last
    permute = keep if method == "tangermeme" else _permute_uniformly
    for i in range(rows):
        before = codes[i, :-1]
        order = np.argsort(before, kind="stable")
        counts = np.bincount(before, minlength=n_letters)
        offsets[i] = np.cumsum(counts) - counts
        rng.seed(int(seeds[i]))
        permute(codes[i, 1:][order], offsets[i], counts, int(codes[i, -1]), rng, lists[i])
    if compiled:
        return walk(lists, offsets, codes[:, 0])
    return _walk(lists.reshape(rows * n, length - 1), np.repeat(offsets, n, axis=0), np.repeat(codes[:, 0], n)).reshape(
        rows, n, length
    )


def _permute_keeping_last(
    successors: np.ndarray,
    offsets: np.ndarray,
    counts: np.ndarray,
    last: int,
    rng: np.random.RandomState,
    out: np.ndarray,
) -> None:
    """Permute each list but its last entry; each shuffle starts from the one before, as the peer's stream wants."""
    del last
    current = successors.copy()
    parts = [current[a : a + c - 1] for a, c in zip(offsets, counts, strict=True) if c > 1]
    for j in range(len(out)):
        for part in parts:
            rng.shuffle(part)
        out[j] = current


def _permute_uniformly(
    successors: np.ndarray,
    offsets: np.ndarray,
    counts: np.ndarray,
    last: int,
    rng: np.random.RandomState,
    out: np.ndarray,
) -> None:
    """Draw the last edges as a uniform spanning tree towards the last letter, then permute all the others."""
    used = np.flatnonzero(counts)
    for j in range(len(out)):
        current = successors.copy()
        exits = _spanning_tree(successors, offsets, counts, used, last, rng)
        for letter in used.tolist():
            a, b = offsets[letter], offsets[letter] + counts[letter]
            if letter in exits:
                k = exits[letter]
                current[k], current[b - 1] = current[b - 1], current[k]
                b -= 1
            rng.shuffle(current[a:b])
        out[j] = current


def _spanning_tree(
    successors: np.ndarray,
    offsets: np.ndarray,
    counts: np.ndarray,
    used: np.ndarray,
    root: int,
    rng: np.random.RandomState,
) -> dict[int, int]:
    """Wilson's algorithm: loop-erased random walks until every letter reaches `root`; letter -> index of its edge."""
    exits: dict[int, int] = {}
    done = {root}
    for first in used.tolist():
        letter = first
        while letter not in done:  # later exits overwrite earlier ones, which erases the loops
            exits[letter] = int(offsets[letter] + rng.randint(counts[letter]))
            letter = int(successors[exits[letter]])
        letter = first
        while letter not in done:
            done.add(letter)
            letter = int(successors[exits[letter]])
    return {letter: edge for letter, edge in exits.items() if letter != root}


def _walk(lists: np.ndarray, offsets: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Read the successor lists: row r starts at first[r]; each visit to a letter takes the next entry of its list."""
    rows, steps = lists.shape
    edges = lists.reshape(-1)
    pointer = (offsets + np.arange(rows)[:, None] * steps).reshape(-1)
    base = np.arange(rows) * offsets.shape[1]
    path = np.empty((steps + 1, rows), np.uint8)
    path[0] = first
    for j in range(steps):
        letter = base + path[j]
        at = pointer[letter]
        pointer[letter] = at + 1
        edges.take(at, out=path[j + 1], mode="clip")  # "clip" writes into out without a buffer; at is always inside
    return np.ascontiguousarray(path.T)


def local_dinucleotide_shuffle(
    X: AnySequence,
    n: int = 20,
    bin_size: int = 1024,
    min_bin_size: int = 512,
    random_state: int | None = None,
    verbose: bool = False,
    return_packed: bool | None = None,
) -> Any:
    """Dinucleotide-shuffle within bins, so that composition along the sequence is kept.

    The first boundary of each shuffle is drawn between `min_bin_size` and `bin_size`; the others follow every
    `bin_size`, and a last bin shorter than `min_bin_size` is merged into the one before.

    Parameters
    ----------
    X : one-hot (N, 4, L) or compact container
        Without unknown bases.
    n : int
        Shuffles of each sequence.
    bin_size, min_bin_size : int
        In bases; `bin_size` is below L.
    random_state : int or None
        Seed.
    verbose : bool
        As in `dinucleotide_shuffle`.
    return_packed : bool, optional
        Give a `PackedSequence`; by default what `X` was.

    Returns
    -------
    (N, n, 4, L)

    Examples
    --------
    >>> from nbinterp import random_one_hot
    >>> X = random_one_hot((2, 4, 100), random_state=0)
    >>> tuple(local_dinucleotide_shuffle(X, n=3, bin_size=40, min_bin_size=20, random_state=0).shape)
    (2, 3, 4, 100)
    """
    where = "local_dinucleotide_shuffle"
    one_hot = as_one_hot(where, X, allow_N=False)
    length = one_hot.shape[-1]
    if bin_size >= length:
        raise problem(
            where, "bin_size", got=bin_size, need=f"less than {length}", do="use dinucleotide_shuffle instead"
        )
    if min_bin_size > bin_size:
        raise problem(where, "min_bin_size", got=min_bin_size, need=f"at most bin_size, {bin_size}", do="lower it")
    rng = np.random.RandomState(random_state)
    codes = one_hot.argmax(dim=1).to(torch.uint8).cpu().numpy()
    shuffled = np.repeat(codes[:, None], n, axis=1)
    n_bins = n_same = 0
    for i in range(len(codes)):
        for j in range(n):
            for a, b in _bins(rng, length, bin_size, min_bin_size):
                seed = np.array([rng.randint(0, 2**31 - 1)], np.uint32)
                drawn = shuffle_codes(codes[i : i + 1, a:b], one_hot.shape[1] + 1, 1, seed, "tangermeme")
                _check_moved(drawn, 1, verbose)
                shuffled[i, j, a:b] = drawn[0, 0]
                n_bins += 1
                n_same += bool((drawn[0, 0] == codes[i, a:b]).all())
    if n_same:
        warnings.warn(
            f"{n_same} of {n_bins} bins came back as they were, having one possible shuffle; a larger bin_size helps",
            NbinterpWarning,
            stacklevel=2,
        )
    alphabet = torch.arange(one_hot.shape[1], device=one_hot.device, dtype=torch.uint8)
    drawn_all = torch.from_numpy(shuffled).to(one_hot.device)
    return like_input((drawn_all.unsqueeze(2) == alphabet[:, None]).to(one_hot.dtype), X, return_packed)


def _bins(rng: np.random.RandomState, length: int, bin_size: int, min_bin_size: int) -> list[tuple[int, int]]:
    first = int(rng.randint(min_bin_size, bin_size + 1))
    cuts = [0, first, *range(first + bin_size, length, bin_size), length]
    if len(cuts) > 2 and cuts[-1] - cuts[-2] < min_bin_size:
        del cuts[-2]
    return list(itertools.pairwise(cuts))

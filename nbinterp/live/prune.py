"""The bases of a span that a prediction cannot do without.

In: a sequence, a background to put in the place of its bases, a span, and a way to predict.  Out: the span with all bases
replaced that are not needed.  Tiles go from coarse to fine; of each size as many as possible go at once, those whose loss
costs least first, found by halving.

Source: Toneyan and Koo, CREME (Nature Genetics 2024), whose sequence pruning this follows.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["prune"]

_SIZES = (16, 4, 1)  # of tiles, in bases


def prune(
    predict: Callable[[np.ndarray], np.ndarray],
    codes: np.ndarray,
    background: np.ndarray,
    start: int,
    end: int,
    keep: float = 0.9,
) -> np.ndarray:
    """Replace the bases of ``[start, end)`` that the prediction can do without.

    Parameters
    ----------
    predict : callable
        Codes (R, L) to predictions (R,).
    codes, background : uint8 arrays (L,)
        The sequence, and what its bases are replaced by.
    start, end : int
        The span.
    keep : float
        The part of the difference that the whole span makes which must be left.

    Returns
    -------
    uint8 array (L,)

    Examples
    --------
    >>> motif = np.array([0, 0, 2, 1, 3, 0, 0, 0], np.uint8)
    >>> found = prune(lambda X: (X[:, 2:5] == [2, 1, 3]).sum(axis=1) + 0.0, motif, np.full(8, 1, np.uint8), 0, 8)
    >>> found.tolist()
    [1, 1, 2, 1, 3, 1, 1, 1]
    """
    gone = codes.copy()
    gone[start:end] = background[start:end]
    whole, none = (float(v) for v in predict(np.stack([codes, gone])))
    sign = 1.0 if whole >= none else -1.0
    least = sign * (none + keep * (whole - none))
    kept = codes.copy()
    differing = np.zeros(len(codes), bool)
    differing[start:end] = codes[start:end] != background[start:end]
    for size in _SIZES:
        tiles = [np.arange(at, min(at + size, end)) for at in range(start, end, size)]
        while True:
            left = [tile for tile in tiles if (differing[tile] & (kept[tile] == codes[tile])).any()]
            if not left:
                break
            alone = sign * predict(np.stack([_without(kept, background, tile) for tile in left]))
            order = [left[i] for i in np.argsort(-alone, kind="stable") if alone[i] >= least]
            # the most that can go together: what cannot is halved
            n = len(order)
            while n:
                tried = _without(kept, background, np.concatenate(order[:n]))
                if sign * float(predict(tried[None])[0]) >= least:
                    kept = tried
                    break
                n //= 2
            if not n:
                break
            for tile in order[:n]:
                differing[tile] = False
    return kept


def _without(kept: np.ndarray, background: np.ndarray, tile: np.ndarray) -> np.ndarray:
    made = kept.copy()
    made[tile] = background[tile]
    return made

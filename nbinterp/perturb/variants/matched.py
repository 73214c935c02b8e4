"""Random variants that match a given one, in the same sequence: what an effect is to be compared with.

In: a window, a change and a seed.  Out: changes of the same kind elsewhere in the window.  A substitution of one base
is matched by its letters on either strand (A>G by A>G and T>C), on request with the two bases beside it; a longer
change, or an indel, by putting in the same letters in place of as many.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .haplotype import Change, overlap

__all__ = ["MATCHES", "matched_changes"]

MATCHES = ("substitution", "trinucleotide")


def matched_changes(
    codes: np.ndarray, changes: Sequence[Change], n: int, span: tuple[int, int], match: str, rng: np.random.Generator
) -> list[tuple[Change, ...]]:
    """Draw up to `n` different matches within ``[span)`` of a window; fewer where there are no more.

    Examples
    --------
    >>> codes = np.array([0, 1, 2, 0, 3, 0], np.uint8)
    >>> drawn = matched_changes(codes, [Change(0, 1, (2,))], 9, (0, 6), "substitution", np.random.default_rng(0))
    >>> sorted(drawn)
    [(Change(start=3, end=4, codes=(2,)),), (Change(start=4, end=5, codes=(1,)),), (Change(start=5, end=6, codes=(2,)),)]
    """
    drawn = []
    for change in changes:
        found = _elsewhere(codes, change, span, match)
        drawn.append([found[i] for i in rng.permutation(len(found))[:n]])
    # the changes of a haplotype move each on its own; those that meet are no match
    together = [tuple(sorted(several)) for several in zip(*drawn, strict=False)]
    return [several for several in together if len(several) == 1 or overlap(several) is None]


def _elsewhere(codes: np.ndarray, change: Change, span: tuple[int, int], match: str) -> list[Change]:
    """List every match of one change in a span, itself left out."""
    width = change.end - change.start
    lo, hi = span
    if width == 1 and len(change.codes) == 1:
        return _substitutions(codes, change, lo, hi, match == "trinucleotide")
    starts = np.arange(lo, hi - width + 1)
    starts = starts[starts != change.start]
    if width:
        views = np.lib.stride_tricks.sliding_window_view(codes, width)[starts]
        good = (views < 4).all(axis=1)
        if len(change.codes) == width:
            good &= (views != np.array(change.codes)).any(axis=1)
        starts = starts[good]
    return [Change(start, start + width, change.codes) for start in starts.tolist()]


def _substitutions(codes: np.ndarray, change: Change, lo: int, hi: int, beside: bool) -> list[Change]:
    start, (new,) = change.start, change.codes
    before = codes[start]
    forward, backward = codes == before, codes == 3 - before
    if beside:
        if not 0 < start < len(codes) - 1 or max(codes[start - 1], codes[start + 1]) > 3:
            return []  # no neighbours to match
        left, right = codes[start - 1], codes[start + 1]
        previous, following = np.roll(codes, 1), np.roll(codes, -1)
        forward &= (previous == left) & (following == right)
        backward &= (previous == 3 - right) & (following == 3 - left)
        lo, hi = max(lo, 1), min(hi, len(codes) - 1)
    inside = np.zeros(len(codes), bool)
    inside[lo:hi] = True
    inside[start] = False
    same = [Change(at, at + 1, (new,)) for at in np.flatnonzero(forward & inside).tolist()]
    return same + [Change(at, at + 1, (3 - new,)) for at in np.flatnonzero(backward & inside).tolist()]

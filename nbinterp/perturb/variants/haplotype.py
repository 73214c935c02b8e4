"""Several changes of one sequence, applied together.

In: changes in the coordinates of the reference.  Out: the alternative sequence, and where each base of the reference is
in it.  What lies left of the first change stays where it is; a deletion draws bases in from the right, an insertion
pushes them out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

__all__ = ["Change", "alignment", "apply_changes", "overlap", "trimmed"]

_CODE = {letter: code for code, letter in enumerate("ACGT")}


class Change(NamedTuple):
    """Codes put in the place of ``[start, end)`` of the reference."""

    start: int
    end: int
    codes: tuple[int, ...]

    @property
    def growth(self) -> int:
        """By how many bases the sequence becomes longer."""
        return len(self.codes) - (self.end - self.start)

    def moved(self, by: int) -> Change:
        """Give the same change elsewhere."""
        return Change(self.start + by, self.end + by, self.codes)


def trimmed(start: int, ref: str, alt: str) -> Change:
    """Give a variant without the bases that its alleles begin and end with alike.

    Examples
    --------
    >>> trimmed(10, "ATG", "A")
    Change(start=11, end=13, codes=())
    """
    head = 0
    while head < min(len(ref), len(alt)) and ref[head] == alt[head]:
        head += 1
    tail = 0
    while tail < min(len(ref), len(alt)) - head and ref[-1 - tail] == alt[-1 - tail]:
        tail += 1
    codes = tuple(_CODE[letter] for letter in alt[head : len(alt) - tail])
    return Change(start + head, start + len(ref) - tail, codes)


def overlap(changes: Sequence[Change]) -> tuple[int, int] | None:
    """Give the numbers of two changes that touch the same bases, or insert at the same place; None when none do.

    Examples
    --------
    >>> overlap([Change(4, 6, ()), Change(9, 10, (1,)), Change(5, 6, (0,))])
    (0, 2)
    """
    order = sorted(range(len(changes)), key=lambda i: changes[i][:2])
    widest = order[0] if order else 0
    for i in order[1:]:
        before, after = changes[widest], changes[i]
        if after.start < before.end or after[:2] == before[:2]:
            return widest, i
        widest = i
    return None


def apply_changes(codes: np.ndarray, changes: Sequence[Change], width: int) -> np.ndarray:
    """Give the first `width` bases of a sequence with changes made, none of which overlap.

    Examples
    --------
    >>> apply_changes(np.array([0, 1, 2, 3, 0, 1], np.uint8), [Change(1, 3, (3,)), Change(5, 5, (2,))], 5).tolist()
    [0, 3, 3, 0, 2]
    """
    if all(change.growth == 0 for change in changes):
        made = codes[:width].copy()
        for start, end, new in changes:
            made[start:end] = new
        return made
    pieces, at = [], 0
    for start, end, new in sorted(changes):
        pieces += [codes[at:start], np.array(new, np.uint8)]
        at = end
    return np.concatenate([*pieces, codes[at:]])[:width]


def alignment(changes: Sequence[Change], width: int) -> np.ndarray | None:
    """Give where each of the first `width` bases of the reference is in the alternative; -1 for one that is not there.

    None when the lengths are the same, and every base is where it was.

    Examples
    --------
    >>> alignment([Change(1, 3, (3,)), Change(4, 4, (2,))], 6).tolist()
    [0, 1, -1, 2, 4, 5]
    """
    if all(change.growth == 0 for change in changes):
        return None
    places, shift = np.arange(width), 0
    for change in sorted(changes):
        places[change.start + len(change.codes) : change.end] = -1
        shift += change.growth
        places[change.end :] = np.arange(change.end, width) + shift
    return np.where(places < width, places, -1)
